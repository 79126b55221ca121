"""Access doors and cards of a site: what is written opens exactly that."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from edge.domain.field_devices import SignalKind
from edge.domain.places import Place
from edge.site import SiteErrors, load_site

EXAMPLE = Path(__file__).parents[2] / "config"
TODAY = date(2026, 11, 22)
DOOR = """
[[zones.sources]]
source = "t-contact"
kind = "door_open"
device = "zigbee"
point = "t-contact"
name = { zh = "门磁", en = "Contact" }

[[zones.outputs]]
output = "t-lock"
kind = "door"
device = "zigbee"
point = "t-lock"
name = { zh = "锁", en = "Lock" }

[[zones.doors]]
door = "t-door"
name = { zh = "门", en = "Door" }
reader = { device = "zigbee", point = "t-reader" }
release = "t-lock"
contact = "t-contact"
unlock_s = 4
"""
CARDS = "card,holder,doors,valid_from,valid_until,hours\n"


@pytest.fixture
def site(tmp_path):
    folder = tmp_path / "config"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data", "run"))

    def load(door=DOOR, cards=""):
        zones = folder / "garage" / "zones.toml"
        zones.write_text(zones.read_text(encoding="utf-8") + door, encoding="utf-8")
        (folder / "garage" / "credentials.csv").write_text(CARDS + cards, encoding="utf-8")
        return load_site(folder, TODAY).garage

    return load


def paths(error):
    return {(mistake.path, mistake.code) for mistake in error.mistakes}


def test_a_door_with_its_cards(site):
    garage = site(cards="12:345,h1,t-door,2026-01-01,2026-12-31,07:00-21:30\nab12cd34,h2,all,,,\n")
    door = next(each for each in garage.doors if each.door == "t-door")
    assert (door.reader, door.release, door.contact) == (Place("zigbee", "t-reader"), "t-lock", "t-contact")
    assert (door.unlock_s, door.held_s) == (4, 30)
    first, second = garage.credentials
    assert (first.doors, first.start_min, first.end_min) == (("t-door",), 420, 1290)
    assert (second.doors, second.end_min) == ((), 1440)
    assert any(source.kind is SignalKind.DOOR_OPEN for source in garage.sources)


@pytest.mark.parametrize(
    ("cards", "column", "code"),
    [
        ("12:345,h1,t-dor,,,\n", "doors", "unknown_id"),
        ("12:345,h1,,,,\n", "doors", "missing"),
        ("12-345,h1,all,,,\n", "card", "bad_format"),
        ("12:345,Frau Li,all,,,\n", "holder", "bad_format"),
        ("12:345,h1,all,2026-13-01,,\n", "valid_from", "bad_format"),
        ("12:345,h1,all,,,22:00-06:00\n", "hours", "out_of_range"),
        ("12:345,h1,all,,,7-21\n", "hours", "bad_format"),
    ],
)
def test_a_slip_in_a_cards_row_is_refused(site, cards, column, code):
    with pytest.raises(SiteErrors) as caught:
        site(cards=cards)
    assert paths(caught.value) == {(column, code)}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('release = "t-lock"', 'release = "t-look"', "release"),
        ('contact = "t-contact"', 'contact = "b1e-smoke-1"', "contact"),
    ],
)
def test_a_door_must_name_a_lock_and_a_contact(site, old, new, key):
    with pytest.raises(SiteErrors) as caught:
        site(door=DOOR.replace(old, new))
    (mistake,) = caught.value.mistakes
    assert (mistake.path.rpartition(".")[2], mistake.code) == (key, "unknown_id")
