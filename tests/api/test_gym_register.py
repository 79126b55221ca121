"""The register of equipment: every piece of the site file, what is known of it, and nothing that nobody wrote down."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from edge.api.gym_register import life_end, register_of
from edge.api.preview_gym_world import CONFIG
from edge.domain.actors import Actor, Role
from edge.domain.gym.messages import DayOpened, Inspect, LockOut
from edge.domain.gym.settings import AssetKind

BASE = "/api/v1/gym"
FITTER = Actor(Role.MAINTENANCE, "duty1")


@pytest.fixture
def inspected(api):
    """One outdoor piece was inspected and found dangerous, another never was."""
    items = tuple((item, "danger" if number == 0 else "ok") for number, (item, _) in enumerate(CONFIG.inspection))
    api.gym.order(Inspect(asset="od-1", items=items, note="torn"), FITTER)
    return api


def items_of(answer):
    assert answer.status_code == 200
    return {item["asset"]: item for item in answer.json()["items"]}


def test_every_piece_of_the_site_is_in_it(api):
    items = items_of(api.get(f"{BASE}/register", who="maintenance"))
    assert list(items) == [one.asset for one in CONFIG.assets]
    outdoor = items_of(api.get(f"{BASE}/register?outdoor=true", who="read-only"))
    assert list(outdoor) == [one.asset for one in CONFIG.assets if one.kind is AssetKind.OUTDOOR]


def test_a_piece_has_its_dates_its_inspection_and_what_stands_against_it(inspected):
    items = items_of(inspected.get(f"{BASE}/register", who="maintenance"))
    one, other = items["od-1"], items["od-2"]
    assert (one["installed"], one["life_end"], one["model"]) == ("2026-11-02", "2034-11-02", "outdoor-x1")
    assert (one["inspected_day"], one["inspection_grade"], one["inspected_by"]) == ("2026-11-20", "danger", "duty1")
    assert (one["orders"], one["locked_out"]) == (1, True)
    assert (other["inspected_day"], other["inspection_grade"], other["orders"]) == ("", "", 0)


def test_the_next_inspection_counts_from_the_last_one_or_from_the_installation(inspected):
    wear = tuple(msgspec.structs.replace(one, inspect_days=30) for one in CONFIG.wear if one.kind is AssetKind.OUTDOOR)
    found = register_of(msgspec.structs.replace(CONFIG, wear=wear), inspected.gym_books, outdoor=True)
    assert [one.inspection_due for one in found.items] == ["2026-12-20", "2026-12-02"]


@pytest.mark.parametrize(
    ("installed", "years", "end"),
    [("2019-05-01", 8, "2027-05-01"), ("2020-02-29", 9, "2029-02-28"), ("", 8, ""), ("2019-05-01", 0, "")],
)
def test_a_life_that_nobody_wrote_down_has_no_end(installed, years, end):
    assert life_end(installed, years) == end


def test_as_a_sheet_it_says_the_same(inspected):
    answer = inspected.get(f"{BASE}/register.csv?outdoor=true", who="manager")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [row["asset"] for row in rows] == ["od-1", "od-2"]
    assert (rows[0]["name_zh"], rows[0]["life_end"], rows[0]["locked_out"]) == ("户外器材 1", "2034-11-02", "true")
    assert rows[1]["inspection_grade"] == ""


def test_what_stands_is_told_of_the_machine_that_it_stands_against(api):
    api.gym.order(LockOut(asset="tm-2", note="belt"), FITTER)
    api.gym.give(DayOpened("2026-11-21"))
    items = items_of(api.get(f"{BASE}/register", who="coach"))
    assert {name for name, item in items.items() if item["locked_out"]} == {"tm-2"}
    assert items["tm-1"]["hours_h"] is not None
    assert items["tm-1"]["starts"] == 1
