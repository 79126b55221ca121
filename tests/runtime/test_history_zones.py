"""Zones by the names of the site file: each outlet once, by its own meter, and the sum that a person would make."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.domain.places import Place
from edge.domain.words import Text
from edge.runtime.history_answers import Answerer
from edge.runtime.history_messages import AskZone, AskZones, GroupPart, Refused, ZonesPart
from edge.runtime.history_zones import MEMBERS_MAX, Zone, members, zones_of
from edge.site import load_site
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_model import Series, SeriesKind

ROOT = Path(__file__).parents[2]
S = 1_000_000_000
T0 = 1_795_000_020 * S
NAME = Text(zh="甲区", en="Zone A")


def place(name: str) -> Place:
    return Place("board", name)


#: Three outlets, one of them with a meter of its own and saying its power too; a fourth that never spoke.
ZONE = Zone("A", NAME, ((place("p1"),), (Place("meter", "m2"), place("p2")), (place("p3"),), (place("p4"),)))


@pytest.fixture
def answerer(tmp_path):
    store = FactsStore.open(tmp_path, ROW_TYPES, ballast_bytes=0)
    readings = []
    for second in range(120):
        for device, point, power_w in (
            ("board", "p1", 10.0 + second), ("board", "p2", 999.0), ("meter", "m2", 50.0), ("board", "p3", 0.5),
            ("feed", "f", 5000.0), ("board", "other-zone", 77.0),
        ):  # fmt: skip
            readings.append((T0 + second * S, DeviceReading(device, 1, MeterReading(point=point, power_w=power_w))))
    records = [
        LogRecord(Stamp(seq, "b", seq, wall_ns, wall_trusted=True), msgspec.msgpack.encode(reading))
        for seq, (wall_ns, reading) in enumerate(readings, 1)
    ]
    done = threading.Event()
    store.submit(Batch(records=records), lambda _error: done.set())
    assert done.wait(60)
    history = SampleHistory(tmp_path, "canteen")
    while history.step():
        pass
    made = Answerer({"canteen": history}, zones={"canteen": {"A": ZONE, "B": Zone("B", NAME, ((place("p4"),),))}})
    yield made
    made.close()
    history.close()
    store.close()


def ask(answerer, zone="A", quantity="power_w"):
    return answerer.answer(AskZone("canteen", zone, quantity, T0, T0 + 120 * S, 60))


def test_a_zone_draws_what_its_outlets_draw_each_once(answerer):
    part = ask(answerer)
    assert isinstance(part, GroupPart)
    assert sorted((info.device, info.point) for info in part.infos) == [
        ("board", "p1"),
        ("board", "p3"),
        ("meter", "m2"),
    ]
    totals = np.frombuffer(part.total, "<f8")
    first = sum(10.0 + second for second in range(60)) / 60 + 50.0 + 0.5
    assert totals.tolist() == [first, first + 60]
    assert np.frombuffer(part.members, "<i8").tolist() == [3, 3]
    assert np.frombuffer(part.max, "<f8").tolist() == [69.0, 129.0]


def test_zones_tell_what_they_can_be_asked_for(answerer):
    part = answerer.answer(AskZones("canteen"))
    assert isinstance(part, ZonesPart)
    first, second = part.items
    assert (first.zone, first.name) == ("A", NAME)
    (power,) = [one for one in first.quantities if one.quantity == "power_w"]
    assert (power.unit, power.members) == ("W", 3)
    assert second.quantities == ()


@pytest.mark.parametrize(("zone", "quantity", "code"), [("C", "power_w", "no_zone"), ("A", "smoke", "absent"),
                                                        ("B", "power_w", "absent")])  # fmt: skip
def test_what_there_is_not_is_said(answerer, zone, quantity, code):
    part = ask(answerer, zone, quantity)
    assert isinstance(part, Refused)
    assert part.code == code


def test_the_example_site_has_its_zones():
    site = load_site(ROOT / "config", date(2026, 11, 22))
    found = zones_of(site)
    assert set(found) == {"garage", "gym"}
    assert set(found["garage"]) == {zone.zone for zone in site.garage.zones}
    outputs = {output.meter for output in site.garage.outputs if output.meter is not None}
    for zone in site.garage.zones:
        things = found["garage"][zone.zone].things
        assert len(things) == len(set(things))
        meters = {port.meter or port.at for port in site.garage.ports if port.zone == zone.zone}
        assert meters <= {places[0] for places in things}
        assert not {place for places in things for place in places} & (outputs - meters), "a feed measures its outlets"
    assert sum(len(zone.things) for zone in found["gym"].values()) == len(site.gym.assets)


def test_a_zone_is_bounded_and_states_are_not_added_up():
    zone = Zone("A", NAME, tuple((place(str(n)),) for n in range(MEMBERS_MAX + 20)))
    names = {"vertical": "garage", "device": "board", "quantity": "q", "unit": ""}
    numbers = [Series(id=n + 1, point=str(n), kind=SeriesKind.NUMBER, **names) for n in range(MEMBERS_MAX + 20)]
    assert len(members(zone, "q", numbers)) == MEMBERS_MAX
    states = [msgspec.structs.replace(one, kind=SeriesKind.STATE) for one in numbers]
    assert members(zone, "q", states) == ()
