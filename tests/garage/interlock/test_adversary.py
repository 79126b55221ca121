"""What the world does to an interlock without meaning harm: walk tests, new heads, wires, clocks, two people at once.

Each case was once a way to wet a garage for nothing, to leave current on beside smoke, or to open a latch with nobody
there.
"""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.devices import DeviceState
from edge.domain.field_devices import SignalKind
from edge.domain.garage.messages import ConfigApplied, CutZone, StartSession, TestZone
from edge.domain.garage.settings import ZoneSettings
from edge.domain.places import Place

DAY_S = 86_400
TWO_PERIODS_S = 7_200


def rewritten(config, *changed):
    """The description with sources of the same name replaced."""
    by_name = {one.source: one for one in changed}
    known = {one.source for one in config.sources}
    sources = [by_name.get(one.source, one) for one in config.sources]
    return msgspec.structs.replace(config, sources=(*sources, *(one for one in changed if one.source not in known)))


def reloaded(garage, config):
    garage.give(ConfigApplied(config))
    assert not garage.world.problems
    garage.config = config


# --- one thing is one witness -----------------------------------------------------------------------------------------


def test_two_senses_of_one_head_are_one_witness_though_nobody_named_its_housing(kit):
    """A head that smells smoke and gas is one device at one place: its own two words are no agreement."""
    config = rewritten(kit.config(), kit.source("B1-gas", SignalKind.GAS, point="B1-s1"))
    garage = kit.new(config)
    garage.make_normal()
    garage.says("B1-s1", True)
    garage.says("B1-gas", True)
    assert garage.zone().mode == "pre_alarm"
    assert not garage.operates("B1-water")
    garage.says("B1-s2", True)
    assert garage.operates("B1-water", on=True), "another head is another witness"


def test_a_person_whose_login_is_called_like_a_head_is_no_witness(garage):
    garage.command(CutZone(zone="B1", reason=""), user="B1-s2")
    garage.says("B1-s1", True)
    assert garage.zone().mode == "pre_alarm"


# --- water ------------------------------------------------------------------------------------------------------------


def test_smoke_that_was_sprayed_in_a_walk_test_brings_no_water_with_the_call_point_that_is_tried_next(garage):
    garage.command(TestZone(zone="B1", minutes=30))
    garage.says("B1-s1", True)
    garage.says("B1-call", True)
    assert garage.zone().mode == "fire"
    assert not garage.operates("B1-water")
    garage.says("B1-s1", True)
    assert garage.operates("B1-water", on=True), "it says so after the test, too"


def test_heads_that_were_tried_and_still_smell_it_when_the_test_ends_bring_no_water_by_one_word(garage):
    garage.command(TestZone(zone="B1", minutes=30))
    garage.says("B1-s1", True)
    garage.says("B1-s2", True)
    garage.command(TestZone(zone="B1", minutes=0))
    assert garage.zone().mode == "fire", "what lasts is taken for true"
    garage.says("B1-s2", True)
    assert not garage.operates("B1-water")
    garage.says("B1-s1", True)
    assert garage.operates("B1-water", on=True)


@pytest.mark.parametrize("restart", [False, True])
def test_a_head_that_fell_silent_long_ago_is_no_witness_for_water(garage, restart):
    garage.says("B1-s1", True)
    if restart:
        garage.restart()
    garage.elapse(TWO_PERIODS_S + 60)
    garage.says("B1-s2", True)
    assert garage.zone().mode == "fire"
    assert not garage.operates("B1-water")
    garage.says("B1-s1", True)
    assert garage.operates("B1-water", on=True)


@pytest.mark.parametrize("word", [{"delay_ms": DAY_S * 1000}, {"retained": True}])
def test_an_old_word_after_a_start_brings_no_water(garage, word):
    garage.says("B1-s1", True)
    garage.crash_after(garage.signal("B1-s2", True))
    garage.world.zones["B1"].water_asked = False
    garage.world.sources["B1-s2"].weight = garage.world.sources["B1-s1"].weight
    garage.says("B1-s2", True, **word)
    assert not garage.operates("B1-water"), "nobody has spoken since the start"
    garage.says("B1-s2", True)
    assert garage.operates("B1-water", on=True)


# --- walk tests -------------------------------------------------------------------------------------------------------


def test_a_fire_next_door_ends_the_walk_test_here(kit):
    zones = (
        ZoneSettings(zone="A", name=kit.text("A"), panels=("panel-A",), neighbours=("B",)),
        ZoneSettings(zone="B", name=kit.text("B"), panels=("panel-B",)),
    )
    garage = kit.new(kit.config(*zones))
    garage.make_normal("A")
    garage.make_normal("B")
    garage.command(TestZone(zone="B", minutes=120))
    garage.says("A-call", True)
    assert garage.zone("B").mode == "pre_alarm"
    garage.says("B-s1", True)
    garage.says("B-s2", True)
    assert garage.zone("B").mode == "fire", "it spread"
    assert garage.operates("B-k", on=False)


@pytest.mark.parametrize("step_s", [-3600, -10 * 365 * DAY_S])
def test_a_clock_that_was_set_back_over_a_start_prolongs_no_walk_test(garage, step_s):
    garage.command(TestZone(zone="B1", minutes=120))
    garage.says("B1-s1", True)
    garage.restart(down_s=step_s)
    garage.says("B1-s1", True)
    assert garage.zone().mode == "pre_alarm"


def test_a_start_without_a_clock_ends_the_walk_test(garage):
    garage.command(TestZone(zone="B1", minutes=120))
    garage.wall_trusted = False
    garage.restart(down_s=0)
    garage.says("B1-s1", True)
    assert garage.zone().mode == "pre_alarm"


def test_a_panel_of_another_zone_begins_no_walk_test_here_and_may_end_one(garage):
    reply = garage.command(TestZone(zone="B1", minutes=30, panel="panel-B2"))
    assert reply.code == "not_on_site"
    garage.says("B1-s1", True)
    assert garage.zone().mode == "pre_alarm", "the heads were never out of it"
    garage.make_resettable()
    assert garage.reset().code == "ok"
    assert garage.command(TestZone(zone="B1", minutes=30, panel="panel-B1")).code == "ok"
    assert garage.command(TestZone(zone="B1", minutes=0, panel="panel-B2")).code == "ok"
    assert not garage.zone().test_end_ns


# --- who resets -------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyed(kit):
    """Latched and resettable; its key switch was heard as not turned."""
    zone = ZoneSettings(zone="B1", name=kit.text("B1"), key_switch="B1-key", clear_s=5)
    config = rewritten(kit.config(zone), kit.source("B1-key", SignalKind.KEY_SWITCH))
    garage = kit.new(config)
    garage.make_normal()
    garage.says("B1-key", False)
    garage.says("B1-s1", True)
    garage.make_resettable()
    assert garage.zone().mode == "resettable"
    return garage


@pytest.mark.parametrize("quality", ["FAULT", "TEST"])
def test_an_input_in_fault_is_no_hand_that_turns_the_key(keyed, kit, quality):
    keyed.says("B1-key", True, quality=kit.quality[quality])
    assert keyed.zone().mode == "resettable"
    keyed.says("B1-key", True)
    assert keyed.zone().mode == "resettable", "it has not been heard as not turned since"
    keyed.says("B1-key", False)
    keyed.says("B1-key", True)
    assert keyed.zone().mode == "normal"


@pytest.mark.parametrize("loss", ["link", "point", "reboot"])
def test_a_key_that_is_found_turned_when_its_wire_comes_back_resets_nothing(keyed, kit, loss):
    if loss == "link":
        keyed.link(kit.field, DeviceState.LOST)
        keyed.link(kit.field, DeviceState.READY)
    elif loss == "point":
        keyed.health("B1-key", False)
        keyed.health("B1-key", True)
    else:
        keyed.health("B1-key", True, rebooted=True)
    keyed.make_resettable()
    assert keyed.zone().mode == "resettable"
    keyed.says("B1-key", True)
    assert keyed.zone().mode == "resettable"


def test_a_key_that_was_not_heard_for_two_periods_must_be_heard_at_rest_again(keyed):
    keyed.elapse(TWO_PERIODS_S + 60)
    keyed.make_resettable()
    keyed.says("B1-key", True)
    assert keyed.zone().mode == "resettable"


def test_a_reset_by_key_is_written_down(keyed):
    from edge.domain.answered import AuditRow

    keyed.says("B1-key", True)
    (row,) = [row for row in keyed.rows.all(AuditRow) if row.ref == "B1"]
    assert (row.action, row.user) == ("ResetZone", "B1-key")


# --- reloads ----------------------------------------------------------------------------------------------------------


def test_a_head_that_was_replaced_by_another_has_said_nothing_yet(garage, kit):
    reloaded(garage, rewritten(garage.config, kit.source("B1-s1", point="new-head")))
    assert garage.zone().mode == "blind"
    assert garage.command(StartSession(session_id="s", port="B1-p1")).body["problem"] == "zone_blind"
    garage.says("B1-s1", False)
    assert garage.zone().mode == "normal"


def test_a_charger_that_is_moved_to_another_zone_is_told_off_and_its_session_ends(kit):
    zones = tuple(ZoneSettings(zone=name, name=kit.text(name), panels=(f"panel-{name}",)) for name in "AB")
    garage = kit.new(kit.config(*zones))
    garage.make_normal("A")
    garage.make_normal("B")
    assert garage.command(StartSession(session_id="s", port="A-p1")).code == "ok"
    garage.reports("A-p1", True)
    garage.sent.clear()
    ports = tuple(msgspec.structs.replace(one, zone="B") if one.port == "A-p1" else one for one in garage.config.ports)
    reloaded(garage, msgspec.structs.replace(garage.config, ports=ports))
    assert garage.operates("A-p1", on=False)
    assert not garage.world.ports["A-p1"].wanted


def test_figures_of_another_meter_prove_no_cut(garage, kit):
    """A reload that names another meter while a stop is under way: what the first one measured counts no more."""
    garage.command(StartSession(session_id="s", port="B1-p1"))
    garage.meter("B1-p1", 0.0)
    garage.elapse(2)
    ports = tuple(
        msgspec.structs.replace(one, meter=Place(kit.field, "m1")) if one.port == "B1-p1" else one
        for one in garage.config.ports
    )
    reloaded(garage, msgspec.structs.replace(garage.config, ports=ports))
    assert garage.world.ports["B1-p1"].metered_ns is None


# --- starts -----------------------------------------------------------------------------------------------------------


def test_a_box_that_starts_anew_every_half_minute_does_not_charge_for_ever_without_a_detector(garage):
    for _ in range(12):
        garage.restart(down_s=2)
        garage.run(30)
    assert garage.zone().mode == "dark"


def test_a_word_from_before_the_night_is_no_fresh_one_where_heads_speak_every_hour(kit):
    garage = kit.new(kit.config())
    garage.says("B1-s1", False, source_wall_ns=garage.wall_ns - 5 * 3600 * kit.s)
    garage.says("B1-s2", False, source_wall_ns=garage.wall_ns - 3600 * kit.s)
    assert not garage.world.sources["B1-s1"].seen
    assert garage.world.sources["B1-s2"].seen, "an hour is a clock that was set"


def test_a_box_that_starts_anew_every_half_minute_does_not_prolong_a_walk_test(garage):
    garage.command(TestZone(zone="B1", minutes=5))
    for _ in range(11):
        garage.restart(down_s=2)
        garage.run(30)
    assert not garage.zone().test_end_ns


# --- links ------------------------------------------------------------------------------------------------------------


def sounding(garage):
    return {one.cause for one in garage.shown["alarms"].alarms if one.state == "unacknowledged"}


def test_heads_that_could_not_be_heard_while_their_gateway_was_away_are_no_alarms_when_it_is_back(garage, kit):
    garage.link(kit.field, DeviceState.READY)
    garage.link(kit.field, DeviceState.LOST)
    garage.elapse(TWO_PERIODS_S + 60)
    garage.run(1)
    garage.link(kit.field, DeviceState.READY)
    garage.run(60)
    assert not sounding(garage) & {"sensor_absent", "sensor_stale"}
    assert garage.zone().mode == "dark", "what nobody has heard is not well, either"
    garage.elapse(TWO_PERIODS_S)
    garage.run(1)
    assert "sensor_stale" in sounding(garage), "it had time enough to speak"


def test_smoke_that_was_said_before_the_gateway_went_vouches_no_longer_for_water_than_without_it(garage, kit):
    garage.says("B1-s1", True)
    garage.link(kit.field, DeviceState.LOST)
    garage.elapse(TWO_PERIODS_S + 60)
    garage.link(kit.field, DeviceState.READY)
    garage.says("B1-s2", True)
    assert garage.zone().mode == "fire"
    assert not garage.operates("B1-water")


def test_a_head_that_is_out_of_reach_and_then_silent_is_told_by_what_it_is_now(garage):
    garage.health("B1-s1", False)
    garage.run(1)
    assert "sensor_absent" in sounding(garage)
    garage.health("B1-s1", True)
    garage.elapse(TWO_PERIODS_S + 60)
    garage.run(1)
    assert garage.world.alarms.alarms["source:B1-s1"].cause == "sensor_stale"


@pytest.mark.parametrize("change", ["name", "zone"])
def test_an_outlet_that_tripped_is_not_armed_by_giving_it_another_name_or_zone(kit, change):
    zones = tuple(ZoneSettings(zone=name, name=kit.text(name), panels=(f"panel-{name}",)) for name in "AB")
    garage = kit.new(kit.config(*zones))
    garage.make_normal("A")
    garage.make_normal("B")
    garage.says("A-s1", True)
    garage.make_resettable("A")
    garage.reset("A", panel="panel-A")
    assert garage.zone("A").mode == "normal"
    changed = {"port": "new-name"} if change == "name" else {"zone": "B"}
    ports = tuple(msgspec.structs.replace(one, **changed) if one.port == "A-p1" else one for one in garage.config.ports)
    reloaded(garage, msgspec.structs.replace(garage.config, ports=ports))
    garage.run(1)
    garage.restart()
    assert not garage.world.ports[changed.get("port", "A-p1")].armed
    assert garage.world.ports["B-p1"].armed
