"""The cases that the reference names, one by one (garage-domain.md 5 and 6), with the production kernel."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.devices import DeviceState
from edge.domain.field_devices import Operate, Poll, Quality
from edge.domain.garage.messages import (
    ConfigApplied,
    CutZone,
    RearmPort,
    ResetZone,
    SilenceZone,
    StartSession,
    StopSession,
    TestZone,
    Timer,
)
from edge.domain.garage.settings import ZoneSettings
from edge.domain.kernel import EffectClass, Send

DAY_NS = 86_400_000_000_000


def causes(garage, zone="B1"):
    return list(garage.zone(zone).causes)


def charging(garage, port="B1-p1"):
    assert garage.command(StartSession(session_id="s1", port=port)).code == "ok"
    garage.reports(port, True)
    garage.meter(port, 180.0, current_a=0.8)
    garage.sent.clear()


def test_one_signal_cuts_every_charger_sounds_and_opens_no_door(garage):
    charging(garage)
    garage.says("B1-s1", True)
    assert garage.zone().mode == "pre_alarm"
    for port in ("B1-p1", "B1-p2"):
        ((command, cls),) = garage.operates(port)
        assert (command.on, cls) == (False, EffectClass.SAFETY)
    assert garage.operates("B1-siren", on=True)
    assert not garage.operates("B1-door")
    assert not garage.operates("B1-k")
    assert not garage.operates("B1-water")


def test_the_cut_leaves_before_everything_else_and_the_contactor_before_the_ports(garage):
    effects = garage.says("B1-call", True)
    sends = [
        effect.command.point for effect in effects if isinstance(effect, Send) and isinstance(effect.command, Operate)
    ]
    assert sends[0] == "B1-k"
    assert sends[1:3] == ["B1-p1", "B1-p2"]
    first_other = next(n for n, effect in enumerate(effects) if not isinstance(effect, Send))
    assert all(effect.effect_class is EffectClass.SAFETY for effect in effects[:first_other])


@pytest.mark.parametrize("confirming", ["B1-call", "B1-panel"])
def test_call_point_or_panel_alone_is_a_fire_without_water(garage, confirming):
    garage.says(confirming, True)
    assert garage.zone().mode == "fire"
    assert garage.operates("B1-door", on=True)
    assert garage.operates("B1-k", on=False)
    garage.says(confirming, True)
    garage.run(40)
    assert not garage.operates("B1-water")


def test_panel_and_one_detector_bring_no_water(garage):
    garage.says("B1-panel", True)
    garage.says("B1-s1", True)
    assert garage.zone().mode == "fire"
    assert not garage.operates("B1-water")


@pytest.mark.parametrize("second", ["B1-s2", "B1-call"])
def test_two_field_devices_ask_for_water_once_and_durably(garage, second):
    garage.says("B1-s1", True)
    garage.says(second, True)
    garage.says("B1-s1", True)
    garage.run(5)
    ((command, cls),) = garage.operates("B1-water")
    assert (command.on, cls) == (True, EffectClass.DURABLE)


def test_two_sources_of_one_housing_are_one_witness(kit):
    config = kit.config()
    sources = tuple(
        msgspec.structs.replace(one, unit="head-7") if one.source in {"B1-s1", "B1-s2"} else one
        for one in config.sources
    )
    garage = kit.new(msgspec.structs.replace(config, sources=sources))
    garage.make_normal()
    garage.says("B1-s1", True)
    garage.says("B1-s2", True)
    assert garage.zone().mode == "pre_alarm"
    assert not garage.operates("B1-water")


def test_water_without_feedback_is_an_alarm(garage):
    garage.says("B1-s1", True)
    garage.says("B1-s2", True)
    garage.run(31)
    assert "water_unconfirmed" in {alarm.cause for alarm in garage.shown["alarms"].alarms}
    garage.says("B1-flow", True)
    assert not garage.world.alarms.alarms["water:B1-water"].active


def test_smoke_that_thins_before_the_second_head_is_still_a_witness_but_brings_no_water(garage):
    garage.says("B1-s1", True)
    garage.says("B1-s1", False)
    assert garage.zone().mode == "latched"
    garage.says("B1-s2", True)
    assert garage.zone().mode == "fire"
    assert not garage.operates("B1-water")


# --- which words to believe ---


def test_retained_smoke_at_start_cuts_and_waits_for_a_person(kit):
    garage = kit.new(kit.config())
    garage.says("B1-s1", True, retained=True)
    assert garage.zone().mode == "pre_alarm"
    assert garage.operates("B1-p1", on=False)
    garage.says("B1-s2", True, retained=True)
    assert garage.zone().mode == "pre_alarm", "stored words alone are no fire"
    garage.all_clear()
    garage.run(30)
    assert garage.zone().mode == "latched"


def test_retained_clear_is_nothing(kit):
    garage = kit.new(kit.config())
    for name in ("B1-s1", "B1-s2", "B1-call", "B1-panel"):
        garage.says(name, False, retained=True)
    assert garage.zone().mode == "blind"
    assert garage.command(StartSession(session_id="s", port="B1-p1")).body["problem"] == "zone_blind"


def test_a_stored_word_that_is_known_is_no_new_one(garage, kit):
    garage.says("B1-s1", True, source_wall_ns=kit.noon_ns)
    garage.says("B1-s1", False, source_wall_ns=kit.noon_ns + kit.s)
    garage.says("B1-s1", True, source_wall_ns=kit.noon_ns, retained=True)
    assert not garage.world.sources["B1-s1"].weight


def test_a_repeated_signal_sends_the_cut_again_but_does_not_flood(garage):
    garage.says("B1-s1", True)
    before = len(garage.operates("B1-p1", on=False))
    for _ in range(50):
        garage.says("B1-s1", True)
    assert len(garage.operates("B1-p1", on=False)) <= before + 1
    garage.make_resettable()
    garage.sent.clear()
    garage.says("B1-s1", True)
    assert garage.operates("B1-p1", on=False), "proven dead, and told again"


def test_a_reordered_alarm_counts_and_a_reordered_clear_does_not(garage, kit):
    garage.says("B1-s1", False, source_wall_ns=kit.noon_ns + 10 * kit.s)
    garage.says("B1-s1", True, source_wall_ns=kit.noon_ns + 5 * kit.s)
    assert garage.zone().mode == "pre_alarm"
    garage.says("B1-s1", True, source_wall_ns=kit.noon_ns + 20 * kit.s)
    garage.says("B1-s1", False, source_wall_ns=kit.noon_ns + 15 * kit.s)
    assert garage.world.sources["B1-s1"].weight == 2


@pytest.mark.parametrize("age", [{"delay_ms": 86_400_000}, {"source_wall_ns": -DAY_NS}])
def test_a_day_old_alarm_cuts_and_is_no_fire_a_day_old_clear_is_nothing(garage, kit, age):
    facts = {name: kit.noon_ns + value if name == "source_wall_ns" else value for name, value in age.items()}
    for name in ("B1-s1", "B1-s2"):
        garage.says(name, False, source_wall_ns=kit.noon_ns)
        garage.says(name, True, **facts)
    assert garage.zone().mode == "pre_alarm"
    assert not garage.operates("B1-water")
    garage.says("B1-s1", False, **facts)
    assert garage.world.sources["B1-s1"].weight == 1


def test_an_old_clear_proves_no_life(kit):
    garage = kit.new(kit.config())
    garage.says("B1-s1", False, delay_ms=86_400_000)
    garage.says("B1-s2", False, source_wall_ns=kit.noon_ns - DAY_NS)
    assert [garage.world.sources[name].state for name in ("B1-s1", "B1-s2")] == ["unknown", "unknown"]


def test_a_device_whose_clock_was_set_is_believed_again(garage, kit):
    garage.says("B1-s1", False, source_wall_ns=kit.noon_ns + 3650 * DAY_NS)
    for _ in range(2):
        garage.elapse(60)
        garage.says("B1-s1", False, source_wall_ns=garage.wall_ns)
    assert garage.world.sources["B1-s1"].heard_ns == garage.mono_ns
    garage.says("B1-s1", True, source_wall_ns=garage.wall_ns + kit.s)
    assert garage.world.sources["B1-s1"].weight == 2


def test_a_burst_of_old_messages_is_no_clock_that_was_set(garage, kit):
    garage.says("B1-s1", False, source_wall_ns=kit.noon_ns)
    for hour in range(24):
        garage.elapse(0.01)
        garage.says("B1-s1", True, source_wall_ns=kit.noon_ns - DAY_NS + hour * 3600 * kit.s)
    assert garage.world.sources["B1-s1"].weight == 1


def test_our_own_clock_decides_nothing(garage):
    for step_ns in (3600, -3600, 10 * 365 * 86_400, -10 * 365 * 86_400):
        garage.wall_ns += step_ns * 1_000_000_000
        garage.all_clear()
        garage.run(1)
        assert garage.zone().mode == "normal"
    garage.says("B1-s1", True)
    garage.wall_ns -= DAY_NS
    garage.make_resettable()
    assert garage.zone().mode == "resettable"


@pytest.mark.parametrize("quality", [Quality.FAULT, Quality.TEST])
def test_a_detector_that_contradicts_itself_cuts(garage, quality):
    garage.says("B1-s1", True, quality=quality)
    garage.says("B1-s2", True, quality=quality)
    assert garage.zone().mode == "pre_alarm"
    garage.says("B1-s1", False, quality=quality)
    assert garage.world.sources["B1-s1"].weight, "a clear word of a faulty head takes nothing back"


def test_a_panel_fire_with_the_test_bit_is_a_fire(garage):
    garage.says("B1-panel", True, quality=Quality.TEST)
    assert garage.zone().mode == "fire"


def test_a_silent_sensor_is_an_alarm_of_its_own_and_never_normal(garage):
    for _ in range(3):
        garage.elapse(3000)
        for name in ("B1-s2", "B1-call", "B1-panel"):
            garage.says(name, False)
    garage.run(1)
    assert garage.zone().mode == "watch"
    assert garage.world.sources["B1-s1"].state == "stale"
    assert "sensor_stale" in {alarm.cause for alarm in garage.shown["alarms"].alarms}
    assert garage.command(StartSession(session_id="s", port="B1-p1")).code == "ok", "one head still watches"


def test_no_healthy_detector_stops_charging_after_ten_minutes_without_a_latch(garage):
    charging(garage)
    garage.health("B1-s1", online=False)
    garage.health("B1-s2", online=False)
    assert garage.zone().mode == "blind"
    for _ in range(599):
        garage.elapse(1)
        garage.draws("B1-p1")
        garage.give(Timer())
    assert garage.world.ports["B1-p1"].wanted
    garage.run(2)
    assert garage.zone().mode == "dark"
    assert not garage.world.ports["B1-p1"].wanted
    garage.all_clear()
    assert garage.zone().mode == "normal"
    assert not garage.world.ports["B1-p1"].wanted


def test_a_lost_link_is_one_alarm(garage):
    garage.link("zigbee", DeviceState.READY)
    garage.link("zigbee", DeviceState.LOST)
    standing = [alarm.cause for alarm in garage.shown["alarms"].alarms]
    assert standing.count("device_lost") == 1
    assert "sensor_absent" not in standing
    assert garage.zone().mode == "blind"
    garage.link("zigbee", DeviceState.READY)
    assert garage.zone().mode == "normal"


def standing(garage):
    return [alarm.cause for alarm in garage.shown["alarms"].alarms] if "alarms" in garage.shown else []


def test_a_start_is_not_a_page_of_absent_sensors(kit):
    cold = kit.new(kit.config())
    cold.link("zigbee", DeviceState.CONNECTING)
    cold.run(2)
    assert "sensor_absent" not in standing(cold)
    assert cold.zone().mode != "normal"  # nothing is trusted before it has spoken
    cold.link("zigbee", DeviceState.READY)
    cold.all_clear()
    assert cold.zone().mode == "normal"
    assert not {"sensor_absent", "device_lost"} & set(standing(cold))


def test_a_link_that_was_never_up_is_an_alarm(kit):
    cold = kit.new(kit.config())
    cold.link("zigbee", DeviceState.CONNECTING)
    cold.link("zigbee", DeviceState.FAULT)
    assert standing(cold).count("device_lost") == 1


# --- people ---


def test_a_reset_is_refused_with_reasons_until_nothing_blocks(garage):
    assert garage.reset().code == "not_latched"
    garage.says("B1-s1", True)
    reply = garage.reset()
    assert reply.code == "not_resettable"
    assert {"signal:B1-s1:active", "cut:B1-p1", "cut:B1-p2"} <= set(reply.body["blocks"])
    garage.all_clear()
    assert "clear_for" in garage.reset().body["blocks"]
    garage.make_resettable()
    assert garage.shown["zone/B1"].blocks_reset == ()
    assert garage.reset(panel="panel-B2").code == "not_on_site"
    assert garage.reset(person="").code == "no_person"
    refused = garage.command(ResetZone(zone="B1", panel="panel-B1", person="li"), role=Role.ADMIN)
    assert refused.code == "forbidden"
    assert garage.zone().mode == "resettable"
    assert garage.reset().code == "ok"
    assert garage.zone().mode == "normal"


def test_after_a_reset_chargers_come_back_one_by_one(garage):
    garage.says("B1-call", True)
    garage.make_resettable()
    garage.sent.clear()
    assert garage.reset().code == "ok"
    assert not garage.operates("B1-k", on=True)
    assert not garage.operates("B1-p1", on=True)
    start = StartSession(session_id="s", port="B1-p1")
    assert garage.command(start).body["problem"] == "port_not_armed"
    assert garage.command(RearmPort(port="B1-p1")).code == "ok"
    ((_command, cls),) = garage.operates("B1-k", on=True)
    assert cls is EffectClass.DURABLE
    assert not garage.operates("B1-p1", on=True)
    assert garage.command(StartSession(session_id="s2", port="B1-p2")).body["problem"] == "port_not_armed"
    assert garage.command(start, command_id="other").code == "ok"


def test_silence_stops_the_sound_and_a_new_signal_sounds_again(garage):
    garage.says("B1-s1", True)
    garage.sent.clear()
    assert garage.command(SilenceZone(zone="B1")).code == "ok"
    assert {name for name in ("B1-siren",) if garage.operates(name, on=False)} == {"B1-siren"}
    assert not garage.operates("B1-p1", on=True)
    assert garage.zone().mode == "pre_alarm"
    garage.says("B1-s2", True)
    assert garage.operates("B1-siren", on=True)


def test_the_key_switch_resets_when_it_is_turned_and_only_then(kit):
    from edge.domain.field_devices import SignalKind

    zone = ZoneSettings(zone="B1", name=kit.text("B1"), key_switch="B1-key", clear_s=5)
    config = kit.config(zone)
    config = msgspec.structs.replace(config, sources=(*config.sources, kit.source("B1-key", SignalKind.KEY_SWITCH)))
    garage = kit.new(config)
    garage.make_normal()
    garage.says("B1-key", True)
    garage.says("B1-s1", True)
    garage.make_resettable()
    garage.says("B1-key", True)
    assert garage.zone().mode == "resettable", "a key that stays turned resets nothing"
    garage.says("B1-key", False)
    garage.says("B1-key", True, retained=True)
    assert garage.zone().mode == "resettable", "a stored word turns no key"
    garage.says("B1-key", True)
    assert garage.zone().mode == "normal"


def test_a_hand_cuts_and_latches(garage):
    charging(garage)
    assert garage.command(CutZone(zone="B1"), user="wang").code == "ok"
    assert garage.operates("B1-p1", on=False)
    assert causes(garage) == ["hand:wang"]
    garage.make_resettable()
    assert garage.zone().mode == "resettable"


def test_a_walk_test_cuts_nothing_ends_by_itself_and_counts_what_lasts(garage):
    assert garage.command(TestZone(zone="B1", minutes=2)).code == "ok"
    garage.says("B1-s1", True)
    assert garage.zone().mode in {"watch", "blind"}
    assert garage.world.sources["B1-s1"].state == "test"
    garage.run(119)
    assert not garage.operates("B1-p1", on=False)
    garage.run(2)
    assert garage.zone().mode == "pre_alarm"


def test_a_call_point_ends_a_walk_test(garage):
    garage.command(TestZone(zone="B1", minutes=60))
    garage.says("B1-s1", True)
    garage.says("B1-call", True)
    assert garage.zone().mode == "fire"
    assert {"smoke:B1-s1", "call_point:B1-call"} <= set(causes(garage))


@pytest.mark.parametrize("minutes", [-1, 121])
def test_a_walk_test_is_bounded_and_refused_on_a_latch(garage, minutes):
    assert garage.command(TestZone(zone="B1", minutes=minutes)).code == "bad_value"
    garage.says("B1-s1", True)
    assert garage.command(TestZone(zone="B1", minutes=5)).code == "not_now"


def test_a_walk_test_survives_a_restart_with_the_time_that_is_left(garage):
    garage.command(TestZone(zone="B1", minutes=10))
    garage.run(125)
    garage.restart(down_s=60)
    assert garage.shown["zone/B1"].test_left_s == 600 - 125 - 60
    garage.restart(down_s=3600)
    assert garage.shown["zone/B1"].test_left_s == 0


def test_a_repeated_command_gets_the_same_answer_and_does_nothing_again(garage):
    first = garage.command(StartSession(session_id="s", port="B1-p1"), command_id="one")
    garage.sent.clear()
    again = garage.command(StartSession(session_id="s", port="B1-p1"), command_id="one")
    assert (again.code, again.body, again.replayed) == (first.code, first.body, True)
    assert not garage.sent
    assert garage.command(StopSession(port="B1-p1"), command_id="one").code == "id_reused"
    garage.restart()
    assert garage.command(StartSession(session_id="s", port="B1-p1"), command_id="one").replayed
    assert not garage.operates("B1-p1", on=True)


# --- neighbours, configuration ---


def two_zones(kit):
    zones = (
        ZoneSettings(zone="B1", name=kit.text("B1"), panels=("panel-B1",), neighbours=("B2",), clear_s=5),
        ZoneSettings(zone="B2", name=kit.text("B2"), panels=("panel-B2",), neighbours=("B1",), clear_s=5),
    )
    garage = kit.new(kit.config(*zones))
    garage.make_normal("B1")
    garage.make_normal("B2")
    return garage


def test_a_fire_cuts_its_neighbour_and_one_signal_does_not(kit):
    garage = two_zones(kit)
    garage.says("B1-s1", True)
    assert garage.zone("B2").mode == "normal"
    garage.says("B1-s2", True)
    assert garage.zone("B2").mode == "pre_alarm"
    assert causes(garage, "B2") == ["neighbour:B1"]
    assert "latched_neighbour:B1" in garage.shown["zone/B2"].blocks_reset
    assert not garage.operates("B2-door")
    assert not garage.operates("B2-water")


def test_two_zones_that_burned_do_not_hold_each_other(kit):
    garage = two_zones(kit)
    garage.says("B1-call", True)
    garage.says("B2-call", True)
    for zone in ("B1", "B2"):
        garage.make_resettable(zone)
    assert [garage.zone(zone).mode for zone in ("B1", "B2")] == ["resettable_fire", "resettable_fire"]
    assert garage.reset("B1").code == "ok"
    assert garage.command(ResetZone(zone="B2", panel="panel-B2", person="li")).code == "ok"


def test_a_reload_is_refused_while_a_zone_is_not_normal(garage):
    changed = msgspec.structs.replace(garage.config, version="g2")
    garage.says("B1-s1", None, quality=Quality.FAULT)
    garage.give(ConfigApplied(changed))
    assert garage.world.config.version == "g1"
    assert "B1 is watch" in garage.shown["garage"].problems[0]
    garage.all_clear()
    garage.give(ConfigApplied(changed))
    assert garage.world.config.version == "g2"
    assert garage.shown["garage"].problems == ()
    assert garage.zone().mode == "normal", "what was heard is kept"


def test_a_latched_zone_keeps_its_configuration_over_a_restart(garage):
    garage.says("B1-s1", True)
    garage.config = msgspec.structs.replace(garage.config, version="g2")
    garage.restart()
    assert garage.world.config.version == "g1"
    assert garage.zone().mode == "pre_alarm"


def test_a_restart_polls_everything_and_switches_nothing_on(garage):
    charging(garage)
    garage.sent.clear()
    garage.restart()
    assert {device for device, command, _ in garage.sent if isinstance(command, Poll)} == {"zigbee", "bus"}
    assert not [command for _, command, _ in garage.sent if isinstance(command, Operate) and command.on]
    garage.run(60, each=lambda: garage.draws("B1-p1"))
    assert not garage.operates("B1-p1", on=True), "no dead-man before the port said that it is on"
    garage.reports("B1-p1", True)
    garage.run(31, each=lambda: garage.draws("B1-p1"))
    assert garage.operates("B1-p1", on=True)


def test_a_button_that_only_knows_presses_latches_and_is_no_unknown_source(kit):
    """What a driver makes of a momentary call button: any live word is "not pressed", a press is true and false."""
    garage = kit.new(kit.config())
    for name in ("B1-s1", "B1-s2", "B1-panel"):
        garage.says(name, False)
    assert garage.zone().mode == "watch", "the button has not been heard yet"
    garage.says("B1-call", False, detail="momentary")
    assert garage.zone().mode == "normal"
    garage.says("B1-call", True, detail="momentary")
    garage.says("B1-call", False, detail="momentary")
    assert garage.zone().mode == "latched_fire"
    assert garage.operates("B1-door", on=True)
    assert "call_point:B1-call" in garage.zone().causes
    garage.restart()
    assert garage.zone().mode == "latched_fire"
    garage.make_resettable()
    assert garage.zone().mode == "resettable_fire"


def test_a_normal_zone_shows_the_power_of_its_outlets(garage):
    """Power alone is no change of state, and still a wall must not say 0 W while bikes charge."""
    garage.run(11)
    garage.meter("B1-p1", 180.0)
    assert garage.shown["zone/B1"].power_w == 180
    garage.meter("B1-p1", 20.0)
    assert garage.shown["zone/B1"].power_w == 180, "not with each figure"
    garage.run(11)
    garage.meter("B1-p1", 20.5)
    assert garage.shown["zone/B1"].power_w == 20
    assert garage.shown["garage"].power_w == 20
