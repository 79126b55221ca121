"""A cut is proven by the current that is gone, or it goes on to the next layer (garage-domain.md 6, issue 3.2)."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.field_devices import Operate, Poll
from edge.domain.garage.messages import RearmPort, StartSession, StopSession
from edge.domain.kernel import EffectClass
from edge.domain.places import Place


@pytest.fixture
def charging(garage):
    """One port that charges with 180 W, the other idle; the contactor's meter shows it."""
    assert garage.command(StartSession(session_id="s1", port="B1-p1")).code == "ok"
    garage.reports("B1-p1", True)
    garage.meter("B1-p1", 180.0, current_a=0.8)
    garage.sent.clear()
    return garage


def dead(garage, *names):
    for name in names:
        garage.meter(name, 0.0, current_a=0.0)


def test_every_command_has_an_id_of_its_own_an_expiry_and_asks_the_meter(charging):
    charging.says("B1-s1", True)
    charging.run(2.5)
    offs = [command for command, _ in charging.operates("B1-p1", on=False)]
    assert len(offs) == 3
    assert len({command.command_id for command in offs}) == 3
    assert all(command.expires_mono_ns > 0 and command.hold_s == 0 for command in offs)
    assert sum(command == Poll("B1-p1") for _, command, _ in charging.sent) == 3


def test_proven_after_two_seconds_without_current_and_then_silent(charging):
    charging.says("B1-s1", True)
    charging.reports("B1-p1", False)
    dead(charging, "B1-p1", "B1-p2")
    charging.run(1)
    dead(charging, "B1-p1", "B1-p2")
    assert charging.world.ports["B1-p1"].cut == "commanded"
    charging.run(1)
    dead(charging, "B1-p1", "B1-p2")
    assert charging.world.ports["B1-p1"].cut == "proven"
    charging.sent.clear()
    charging.run(10)
    assert not charging.operates("B1-p1")
    assert not charging.operates("B1-k")


def test_not_proven_in_three_seconds_opens_the_contactor_then_asks_for_the_feed(charging):
    charging.says("B1-s1", True)
    charging.run(2.9)
    assert not charging.operates("B1-k")
    charging.run(0.2)
    assert charging.operates("B1-k", on=False)
    assert not charging.operates("B1-feed")
    charging.run(3.1)
    (feed, cls), *_ = charging.operates("B1-feed")
    assert (feed.on, cls) == (True, EffectClass.SAFETY)
    assert "cut_unconfirmed:B1-k" in charging.zone().causes
    standing = {alarm.cause for alarm in charging.shown["alarms"].alarms}
    assert "cut_not_confirmed" in standing


def test_a_proven_contactor_is_proof_for_the_ports_behind_it(charging):
    charging.says("B1-s1", True)
    charging.run(3.1)
    for _ in range(3):
        dead(charging, "B1-km")
        charging.run(1)
    assert charging.shown["zone/B1"].cut == "proven"
    assert not [block for block in charging.shown["zone/B1"].blocks_reset if block.startswith("cut:")]
    assert not charging.operates("B1-feed")


def test_plugs_that_went_dark_behind_an_opened_contactor_are_proven_by_it(charging):
    charging.says("B1-s1", True)
    charging.says("B1-s2", True)  # a fire: the contactor opens at once, and the plugs lose their own mains with it
    for _ in range(3):
        dead(charging, "B1-km")
        charging.run(1)
    assert {charging.world.ports[name].cut for name in ("B1-p1", "B1-p2")} == {"proven"}
    charging.run(10)
    assert not [alarm for alarm in charging.shown["alarms"].alarms if alarm.cause == "cut_not_confirmed"]
    assert not charging.operates("B1-feed")


def test_an_outlet_that_still_measures_current_is_not_proven_by_the_contactor(charging):
    charging.says("B1-s1", True)
    charging.says("B1-s2", True)
    for _ in range(4):
        dead(charging, "B1-km")
        charging.meter("B1-p1", 180.0, current_a=0.8)
        charging.run(1)
    assert charging.world.ports["B1-p1"].cut != "proven"
    assert "cut_not_confirmed" in {alarm.cause for alarm in charging.shown["alarms"].alarms}


def test_a_welded_contact_is_told_from_a_silent_meter(charging):
    charging.says("B1-s1", True)
    charging.reports("B1-p1", False)
    for n in range(4):
        charging.meter("B1-p1", 180.0 + n, current_a=0.8)
        charging.run(1)
    assert charging.world.ports["B1-p1"].cut == "welded"
    assert charging.world.ports["B1-p1"].bad == "welded"
    assert charging.world.ports["B1-p2"].bad == "unproven"
    assert charging.shown["port/B1-p1"].fault == "welded"


def test_a_stuck_meter_is_told_from_a_welded_contact(charging):
    charging.says("B1-s1", True)
    charging.reports("B1-p1", False)
    for _ in range(4):
        charging.meter("B1-p1", 180.0, current_a=0.8)
        charging.run(1)
    assert charging.world.ports["B1-p1"].bad == "meter_stuck"
    assert charging.operates("B1-k", on=False)


def test_no_current_behind_a_contact_that_says_closed_proves_nothing(charging):
    charging.meter("B1-p1", 0.0, current_a=0.0)
    charging.says("B1-s1", True)
    for _ in range(4):
        dead(charging, "B1-p1", "B1-p2")
        charging.reports("B1-p1", True)
        charging.run(1)
    assert charging.world.ports["B1-p1"].cut == "unproven"
    assert charging.operates("B1-k", on=False)


@pytest.mark.parametrize("reading", [{"power_w": 200.0, "current_a": 0.0}, {"power_w": 0.0, "current_a": 0.9}])
def test_a_meter_that_contradicts_itself_proves_nothing(charging, reading):
    charging.says("B1-s1", True)
    for n in range(5):
        charging.meter("B1-p1", reading["power_w"], current_a=reading["current_a"] + n / 1000)
        charging.run(1)
    assert charging.world.ports["B1-p1"].cut != "proven"


def test_a_relays_word_a_stored_reading_and_a_reading_from_before_prove_nothing(charging):
    dead(charging, "B1-p1")
    charging.run(5)
    charging.says("B1-s1", True)
    charging.reports("B1-p1", False, accepted=True)
    for _ in range(5):
        charging.run(1)
        charging.meter("B1-p1", 0.0, retained=True)
    assert charging.world.ports["B1-p1"].cut == "unproven"


def test_current_that_comes_back_is_cut_again(charging):
    charging.says("B1-s1", True)
    charging.make_resettable()
    charging.sent.clear()
    charging.meter("B1-p1", 90.0)
    assert charging.operates("B1-p1", on=False)
    assert charging.world.ports["B1-p1"].cut == "commanded"
    assert charging.reset().code == "not_resettable"


def test_a_device_that_reboots_on_is_cut_again(charging):
    charging.says("B1-s1", True)
    charging.make_resettable()
    charging.sent.clear()
    charging.health("B1-p1", online=True, rebooted=True)
    assert charging.operates("B1-p1", on=False)
    charging.reports("B1-p1", True)
    assert charging.world.ports["B1-p1"].cut == "commanded"


def test_a_port_that_somebody_switches_on_is_switched_off(garage):
    garage.reports("B1-p2", True)
    assert garage.operates("B1-p2", on=False)
    assert garage.world.ports["B1-p2"].reason == "switched_outside"


def test_a_trip_of_the_device_itself_is_never_told_on_again(charging):
    charging.reports("B1-p1", False, fault="overpower")
    assert not charging.world.ports["B1-p1"].wanted
    assert charging.world.ports["B1-p1"].reason == "overpower"
    charging.run(100)
    assert not charging.operates("B1-p1", on=True)


def test_a_late_word_is_forgiven_for_half_a_minute(charging):
    charging.reports("B1-p1", False)
    charging.run(20, each=lambda: charging.draws("B1-p1"))
    charging.reports("B1-p1", True)
    assert charging.world.ports["B1-p1"].wanted
    charging.reports("B1-p1", False)
    charging.run(31, each=lambda: charging.draws("B1-p1"))
    charging.reports("B1-p1", False)
    assert not charging.world.ports["B1-p1"].wanted


def test_the_dead_man_is_told_again_at_a_third_while_wanted_and_only_then(charging):
    charging.run(91, each=lambda: charging.draws("B1-p1"))
    holds = [(command.hold_s, cls) for command, cls in charging.operates("B1-p1", on=True)]
    assert holds == [(90, EffectClass.DURABLE)] * 3
    charging.command(StopSession(port="B1-p1"))
    charging.sent.clear()
    charging.run(100)
    assert not charging.operates("B1-p1", on=True)


def test_an_ordinary_stop_waits_for_a_slow_meter_but_not_for_a_welded_contact(charging, kit):
    charging.command(StopSession(port="B1-p1"))
    charging.meter("B1-p1", 0.0)
    charging.reports("B1-p1", False)
    charging.run(9)
    charging.meter("B1-p1", 0.0)
    assert charging.world.ports["B1-p1"].cut == "proven"
    assert not charging.operates("B1-k")
    assert charging.zone().mode == "normal"


def test_an_ordinary_stop_that_leaves_current_flowing_opens_the_contactor(charging):
    charging.command(StopSession(port="B1-p1"))
    charging.reports("B1-p1", False)
    for n in range(3):
        charging.meter("B1-p1", 170.0 + n)
        charging.run(1)
    for _ in range(4):
        dead(charging, "B1-km")
        charging.run(1)
    assert charging.operates("B1-k", on=False)
    assert charging.zone().mode == "normal"
    assert charging.command(StartSession(session_id="s2", port="B1-p2")).body["problem"] == "contactor_open"
    assert charging.command(RearmPort(port="B1-p2")).code == "ok"
    assert not charging.operates("B1-k", on=True), "the welded outlet is still behind it"
    assert charging.command(RearmPort(port="B1-p1")).code == "ok"
    assert charging.operates("B1-k", on=True)


def test_a_repaired_outlet_gets_its_contactor_back(charging):
    """Behind the open contactor it has no mains to prove anything with: its old verdict stood, and opened the contactor
    in the very turn that closed it; the OFF left before the ON."""
    charging.command(StopSession(port="B1-p1"))
    charging.reports("B1-p1", False)
    for _ in range(20):
        charging.run(1)
        if charging.world.outputs["B1-k"].switch.wanted:
            charging.draws("B1-p1")
        else:
            charging.reports("B1-k", False)
            charging.meter("B1-km", 0.0)
    charging.all_clear()
    port, contactor = charging.world.ports["B1-p1"], charging.world.outputs["B1-k"].switch
    assert (port.bad, contactor.wanted, contactor.cut) == ("welded", False, "proven")
    charging.sent.clear()
    assert charging.command(RearmPort(port="B1-p1")).code == "ok"
    assert [command.on for command, _ in charging.operates("B1-k")] == [True]
    assert (port.bad, port.armed, contactor.wanted) == ("", True, True)
    charging.reports("B1-k", True)
    charging.run(5)
    assert contactor.wanted
    charging.draws("B1-p1")  # it was not repaired
    charging.run(0.2)
    assert charging.operates("B1-p1", on=False)
    charging.draws("B1-p1")
    charging.run(3.5)
    assert not contactor.wanted


def test_a_contactor_without_meter_is_proven_by_its_auxiliary_contact_unless_an_outlet_measures_current(kit):
    config = kit.config()
    outputs = tuple(msgspec.structs.replace(one, meter=None) if one.output == "B1-k" else one for one in config.outputs)
    for flowing, state in ((False, "proven"), (True, "unproven")):
        garage = kit.new(msgspec.structs.replace(config, outputs=outputs))
        garage.make_normal()
        garage.says("B1-call", True)
        for n in range(5):
            if flowing:
                garage.meter("B1-p1", 150.0 + n)
            garage.reports("B1-k", False)
            garage.run(1)
        assert garage.world.outputs["B1-k"].switch.cut == state


def test_what_a_plug_measured_just_before_the_contact_opened_is_not_held_against_it(kit):
    """It lost its mains with the rest, and nobody hears of it again: its last figure is of before."""
    config = kit.config()
    outputs = tuple(msgspec.structs.replace(one, meter=None) if one.output == "B1-k" else one for one in config.outputs)
    garage = kit.new(msgspec.structs.replace(config, outputs=outputs))
    garage.make_normal()
    garage.says("B1-call", True)
    garage.elapse(0.05)
    garage.meter("B1-p1", 150.0)
    garage.elapse(0.05)
    for _ in range(4):
        garage.reports("B1-k", False)
        garage.run(1)
    assert garage.world.outputs["B1-k"].switch.cut == "proven"
    assert garage.world.ports["B1-p1"].cut == "proven"
    assert not garage.operates("B1-feed")


@pytest.mark.parametrize(("speaks_again", "cut"), [(False, "proven"), (True, "unproven")])
def test_a_figure_that_was_on_its_way_is_forgiven_only_to_a_plug_that_falls_silent(kit, speaks_again, cut):
    """It came after the contact's word. A plug without mains says no more; behind a welded contactor it goes on."""
    config = kit.config()
    outputs = tuple(msgspec.structs.replace(one, meter=None) if one.output == "B1-k" else one for one in config.outputs)
    garage = kit.new(msgspec.structs.replace(config, outputs=outputs))
    garage.make_normal()
    garage.says("B1-call", True)
    garage.elapse(0.1)
    garage.reports("B1-k", False)
    garage.elapse(1)
    garage.meter("B1-p1", 150.0)
    for second in range(40):
        garage.reports("B1-k", False)
        if speaks_again and second % 5 == 4:
            garage.draws("B1-p1")
        garage.run(1)
        if second == 8:
            assert garage.world.outputs["B1-k"].switch.cut == "unproven"
            assert garage.operates("B1-feed")
    assert garage.world.outputs["B1-k"].switch.cut == cut


def test_slow_bus_zones_open_the_contactor_on_one_signal(kit):
    zone = msgspec.structs.replace(kit.config().zones[0], contactor_first=True)
    garage = kit.new(kit.config(zone))
    garage.make_normal()
    garage.sent.clear()
    garage.says("B1-s1", True)
    first = next(command for _, command, _ in garage.sent if isinstance(command, Operate))
    assert (first.point, first.on) == ("B1-k", False)


def test_a_meter_of_its_own_is_the_one_that_counts(kit):
    config = kit.config()
    ports = tuple(msgspec.structs.replace(one, meter=Place(kit.bus, f"{one.port}-m")) for one in config.ports)
    garage = kit.new(msgspec.structs.replace(config, ports=ports))
    garage.make_normal()
    garage.says("B1-s1", True)
    for _ in range(3):
        garage.meter("B1-p1", 0.0)
        garage.run(1)
    assert garage.world.ports["B1-p1"].cut != "proven"
    assert ("bus", Poll("B1-p1-m"), EffectClass.SAFETY) in garage.sent


# --- a contactor that fell by itself ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wish", [StartSession(session_id="s", port="B1-p1"), RearmPort(port="B1-k"), RearmPort(port="B1-p1")]
)
def test_a_contactor_that_its_dead_man_let_fall_is_closed_by_a_wish_and_never_by_itself(kit, wish):
    """The box was held up for longer than the contactor holds: it falls, though it was told on in this very life."""
    config = kit.config()
    outputs = [msgspec.structs.replace(one, hold_s=15) if one.output == "B1-k" else one for one in config.outputs]
    garage = kit.new(msgspec.structs.replace(config, outputs=tuple(outputs)))
    garage.make_normal()
    garage.reports("B1-k", True)
    garage.run(1)
    garage.reports("B1-k", False)
    garage.sent.clear()
    garage.run(60)
    assert not garage.operates("B1-k", on=True), "not by itself"
    assert garage.command(wish).code == "ok"
    assert len(garage.operates("B1-k", on=True)) == 1
    assert garage.command(RearmPort(port="B1-p2")).code == "ok"
    assert len(garage.operates("B1-k", on=True)) == 1, "it was told; nobody has heard of it since"
