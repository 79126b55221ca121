"""Kill -9 at the worst moments: before the commit, after it, and twice, for every kind of source."""

from __future__ import annotations

import pytest

from edge.domain.actors import Actor, Role
from edge.domain.field_devices import Operate, Poll
from edge.domain.garage import zones as zones_module
from edge.domain.garage.messages import Command, CutZone, RearmPort, SilenceZone, StartSession, Timer
from edge.domain.kernel import EffectClass, Reply, Send

RANK = {"pre_alarm": 1, "latched": 1, "resettable": 1, "fire": 2, "latched_fire": 2, "resettable_fire": 2}
SOURCES = ["B1-s1", "B1-s2", "B1-call", "B1-panel", "hand"]


def input_of(garage, name):
    if name == "hand":
        return Command("cut-1", Actor(Role.PANEL, "u"), CutZone(zone="B1"))
    return garage.signal(name, True)


@pytest.fixture
def charging(garage):
    assert garage.command(StartSession(session_id="s1", port="B1-p1")).code == "ok"
    garage.reports("B1-p1", True)
    garage.meter("B1-p1", 180.0)
    garage.sent.clear()
    return garage


@pytest.mark.parametrize("name", SOURCES)
def test_a_kill_between_the_cut_and_its_commit_switches_nothing_on_and_asks_everybody(charging, name):
    effects = charging.crash_after(input_of(charging, name))
    left = [one for one in effects if isinstance(one, Send) and one.effect_class is EffectClass.SAFETY]
    assert any(one.command.point == "B1-p1" and not one.command.on for one in left if isinstance(one.command, Operate))
    assert charging.zone().mode == "blind"
    assert {device for device, command, _ in charging.sent if isinstance(command, Poll)} == {"zigbee", "bus"}
    charging.run(120)
    charging.reports("B1-p1", False)
    charging.run(60)
    assert not charging.operates("B1-p1", on=True)
    assert not charging.operates("B1-k", on=True)
    charging.sent.clear()
    charging.give(input_of(charging, name))  # what was not acknowledged comes again
    assert RANK[charging.zone().mode]
    assert charging.operates("B1-p1", on=False)


@pytest.mark.parametrize("name", SOURCES)
def test_a_latch_and_its_cause_survive_any_number_of_starts(charging, name):
    charging.give(input_of(charging, name))
    rank, causes = RANK[charging.zone().mode], list(charging.zone().causes)
    for _ in range(3):
        charging.sent.clear()
        charging.restart()
        assert RANK[charging.zone().mode] == rank
        assert list(charging.zone().causes) == causes
        assert charging.operates("B1-p1", on=False)
        assert not charging.world.ports["B1-p1"].armed
        assert not [c for _, c, _ in charging.sent if isinstance(c, Operate) and c.on and c.point in {"B1-p1", "B1-k"}]
    charging.run(90)
    assert RANK[charging.zone().mode] == rank
    assert charging.reset().code == "not_resettable"


def test_a_first_witness_from_before_the_restart_makes_the_second_one_a_fire(garage):
    garage.says("B1-s1", True)
    garage.restart()
    garage.says("B1-s2", True)
    assert garage.zone().mode == "fire"
    assert len(garage.operates("B1-water", on=True)) == 1, "both still hold, and a device spoke"


def test_water_is_never_asked_by_a_start_nor_asked_again(garage):
    garage.says("B1-s1", True)
    garage.crash_after(garage.signal("B1-s2", True))
    assert not garage.operates("B1-water"), "it waits for the commit that never came"
    garage.says("B1-s2", True)
    assert len(garage.operates("B1-water", on=True)) == 1
    for _ in range(2):
        garage.restart()
        garage.run(20)
        garage.says("B1-s1", True)
    assert len(garage.operates("B1-water", on=True)) == 1


def test_doors_siren_and_feed_are_asserted_again_after_a_start(garage):
    garage.says("B1-call", True)
    garage.run(7)
    garage.sent.clear()
    garage.restart()
    for name in ("B1-door", "B1-siren", "B1-feed"):
        assert garage.operates(name, on=True)[0][1] is EffectClass.SAFETY


def test_silence_survives_a_restart_and_so_does_the_trip(garage):
    garage.says("B1-s1", True)
    garage.command(SilenceZone(zone="B1"))
    garage.sent.clear()
    garage.restart()
    assert garage.zone().silenced
    assert not garage.operates("B1-siren", on=True)
    garage.says("B1-s2", True)
    assert garage.operates("B1-siren", on=True)


def test_a_reset_that_was_not_committed_did_not_happen(garage):
    garage.says("B1-s1", True)
    garage.make_resettable()
    from edge.domain.garage.messages import ResetZone

    body = ResetZone(zone="B1", panel="panel-B1", person="li")
    effects = garage.crash_after(Command("r-1", Actor(Role.PANEL, "u"), body))
    assert next(one for one in effects if isinstance(one, Reply)).code == "ok"
    assert all(one.effect_class is not EffectClass.SAFETY for one in effects if isinstance(one, Send))
    assert RANK[garage.zone().mode] == 1


def test_a_re_arm_is_never_sent_again_after_a_restart(garage):
    garage.says("B1-call", True)
    garage.make_resettable()
    assert garage.reset().code == "ok"
    assert garage.command(RearmPort(port="B1-p1"), command_id="arm").code == "ok"
    garage.sent.clear()
    garage.restart()
    garage.all_clear()
    garage.command(RearmPort(port="B1-p1"), command_id="arm")
    garage.run(60)
    assert not garage.operates("B1-k", on=True)
    assert not garage.operates("B1-p1", on=True)


def test_a_stop_under_way_goes_on_after_a_restart(charging):
    from edge.domain.garage.messages import StopSession

    charging.command(StopSession(port="B1-p1"))
    charging.sent.clear()
    charging.restart()
    assert charging.operates("B1-p1", on=False)


def test_time_without_a_detector_counts_over_restarts(charging):
    for ten_s in range(66):
        if ten_s % 6 == 0:
            charging.restart(down_s=0)
            charging.reports("B1-p1", True)
            charging.run(1)
        charging.elapse(10)
        charging.meter("B1-p1", 180.0)  # a silent meter would cut the port by itself
        charging.give(Timer())
        if not charging.world.ports["B1-p1"].wanted:
            break
    assert charging.zone().mode == "dark"
    assert not charging.world.ports["B1-p1"].wanted


@pytest.mark.parametrize("name", SOURCES)
def test_an_input_that_cannot_be_handled_cuts_its_zone(charging, name, monkeypatch):
    item = input_of(charging, name)
    fresh = charging.kernel.load(charging.rows)
    effects = charging.kernel.set_aside(fresh, item, charging.stamp())
    offs = [one.command.point for one in effects if isinstance(one, Send) and isinstance(one.command, Operate)]
    assert {"B1-p1", "B1-p2"} <= set(offs)
    assert RANK[fresh.zones["B1"].mode] == 1
    assert ("internal" in [one.code for one in effects if isinstance(one, Reply)]) == (name == "hand")

    def broken(*_args):
        raise RuntimeError("planted")

    monkeypatch.setattr(zones_module, "weigh", broken)
    fresh = charging.kernel.load(charging.rows)
    effects = charging.kernel.set_aside(fresh, item, charging.stamp())
    points = [one.command.point for one in effects if isinstance(one, Send)]
    assert points == ["B1-k", "B1-p1", "B1-p2"], "the bare cut, contactor first"


def test_what_the_world_believes_to_be_on_disk_is_on_disk(charging):
    """The explorer starts worlds from these copies; here they are compared with the rows that were written."""
    from edge.domain.garage.zone_rows import CauseRow, SwitchRow, ZoneRow

    charging.says("B1-s1", True)
    charging.says("B1-s1", False)
    charging.says("B1-call", True)
    charging.run(7)
    stored = list(charging.rows.all(ZoneRow))
    assert stored == [zone.row for zone in charging.world.zones.values()]
    assert {row.name: row for row in charging.rows.all(SwitchRow)} == charging.world.switch_rows
    assert [row for row in charging.rows.all(CauseRow) if row.standing] == list(charging.zone().causes.values())
    charging.make_resettable()
    charging.reset()
    assert not [row for row in charging.rows.all(CauseRow) if row.standing]
