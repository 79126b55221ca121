"""One physics for all devices: what a cut leaves, how smoke goes from head to head, how a bike draws power."""

from __future__ import annotations

import pytest

from firmware_sim.garage.building import Bay, Building, Contactor, Head, Zone
from firmware_sim.garage.charge import SPLITTER_W, Fleet
from firmware_sim.outlet import Outlet

STEP_S = 0.1
LIMIT_S = 120


@pytest.fixture(scope="module")
def fleet():
    return Fleet(7)


class Scene:
    """A zone with a contactor, one bay and four heads, moved by hand."""

    def __init__(self, speed=1.0):
        self.closed = True
        self.zone = Zone("z", [Contactor("k", lambda: self.closed)])
        self.building = Building([self.zone], seed=3, speed=speed)
        self.outlet = Outlet(seed=1)
        self.now_ns = 0
        load = lambda watts: self.outlet.plug(self.now_ns, watts)  # noqa: E731
        self.bay = self.building.bays["p"] = Bay("p", "z", self.outlet, load)
        for number, kind in enumerate(("smoke", "smoke", "smoke", "heat")):
            name = f"{kind}-{number}"
            self.building.heads[name] = Head(name, "z", kind, float(number))
        self.seconds = 0.0

    def run(self, seconds):
        """Names of heads in the order in which they changed, with their new word."""
        changed = []
        for _ in range(round(seconds / STEP_S)):
            self.now_ns += int(STEP_S * 1e9)
            self.seconds += STEP_S
            changed += [(head.source, head.alarm) for head in self.building.step(STEP_S)]
        return changed


@pytest.fixture
def scene():
    return Scene()


def test_a_bike_draws_power_only_through_closed_contacts_and_remembers_its_charge(scene, fleet):
    scene.bay.chargers = [fleet.bike()]
    scene.run(20)
    assert scene.outlet.power_w == 0.0
    empty = scene.bay.chargers[0].soc
    scene.outlet.switch(scene.now_ns, on=True)
    scene.run(60)
    charging_w = scene.outlet.power_w
    assert 20 < charging_w < 530
    assert scene.bay.chargers[0].soc > empty
    scene.closed = False
    scene.run(1)
    assert scene.outlet.power_w == 0.0, "the contactor is above the plug"
    level = scene.bay.chargers[0].soc
    scene.run(60)
    assert scene.bay.chargers[0].soc == level
    scene.closed = True
    scene.run(0.3)
    assert scene.outlet.power_w < 0.2 * charging_w, "the charger's electronics start anew"
    scene.run(10)
    assert scene.outlet.power_w == pytest.approx(charging_w, rel=0.1)


def test_a_tripped_feed_is_a_dead_zone_until_somebody_closes_it(scene, fleet):
    scene.bay.chargers = [fleet.bike()]
    scene.outlet.switch(0, on=True)
    scene.run(10)
    scene.zone.fed = False
    scene.run(1)
    assert (scene.zone.live, scene.outlet.power_w) == (False, 0.0)


def test_a_loose_plug_comes_and_goes_and_a_tight_one_stays(scene, fleet):
    scene.bay.chargers = [fleet.bike()]
    scene.outlet.switch(0, on=True)
    scene.bay.loose = True
    seen = set()
    for _ in range(400):
        scene.run(1)
        seen.add(scene.bay.in_contact)
    assert seen == {True, False}
    scene.bay.loose = False
    scene.run(1)
    assert scene.bay.in_contact


def test_time_may_run_faster_for_batteries_only(fleet):
    slow, fast = Scene(), Scene(speed=60.0)
    bike = fleet.bike()
    for scene in (slow, fast):
        scene.bay.chargers = [type(bike)(bike.name, bike.power, bike.level)]
        scene.outlet.switch(0, on=True)
        scene.run(60)
    assert fast.bay.chargers[0].on_s == pytest.approx(60 * slow.bay.chargers[0].on_s, rel=0.01)


def test_smoke_goes_from_head_to_head_then_comes_heat_and_all_fall_back(scene):
    scene.building.ignite("z", one_head=False)
    risen = scene.run(60)
    assert risen == [("smoke-0", True), ("smoke-1", True), ("smoke-2", True), ("heat-3", True)]
    scene.building.air("z")
    fallen = scene.run(60)
    assert sorted(name for name, alarm in fallen if not alarm) == sorted(name for name, _ in risen)
    assert scene.run(LIMIT_S) == []


def test_a_little_smoke_alarms_one_head_for_as_long_as_it_lasts(scene):
    scene.building.ignite("z", one_head=True)
    assert scene.run(LIMIT_S) == [("smoke-0", True)]
    assert scene.zone.smoke > 0


def test_a_blind_head_says_nothing_and_a_stuck_one_for_ever(scene):
    scene.building.heads["smoke-0"].blind = True
    scene.building.heads["smoke-2"].stuck = True
    scene.building.ignite("z", one_head=True)
    assert scene.run(30) == [("smoke-2", True)]
    scene.building.air("z")
    assert scene.run(LIMIT_S) == []


def test_the_same_seed_brings_the_same_bikes_and_a_splitter_never_overloads():
    first, again, other = Fleet(11), Fleet(11), Fleet(12)
    draws = [[fleet.bike().power.sum() for _ in range(6)] for fleet in (first, again, other)]
    assert draws[0] == draws[1] != draws[2]
    for _ in range(10):
        one = first.bike()
        two = first.bike(beside=one)
        assert one.power.max() + two.power.max() < SPLITTER_W
