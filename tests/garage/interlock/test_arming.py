"""A garage that does not make sense is not armed, and every mistake is told at once."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.alarm_commands import AckAlarm
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import CardReading, SignalKind
from edge.domain.garage.arming import mistakes, sound_part
from edge.domain.garage.messages import ConfigApplied, RearmPort, StartSession
from edge.domain.garage.settings import OutputKind, ZoneSettings
from edge.domain.places import Place


def replaced(things, name_field, name, **changes):
    return tuple(msgspec.structs.replace(one, **changes) if getattr(one, name_field) == name else one for one in things)


def broken(config, kit, what):
    s, o, p = config.sources, config.outputs, config.ports
    at = Place(kit.field, "B1-s1")
    changes = {
        "stands in two zones": {"sources": (*s, msgspec.structs.replace(s[0], zone="B9"))},
        "named twice; give each source": {"sources": (*s, msgspec.structs.replace(s[0], at=Place("x", "y")))},
        "one sensor is one source": {"sources": replaced(s, "source", "B1-s2", at=at)},
        "no contactor": {"outputs": tuple(one for one in o if one.kind is not OutputKind.CONTACTOR)},
        "no detector": {"sources": tuple(one for one in s if one.kind is not SignalKind.SMOKE)},
        "is not a source": {"outputs": replaced(o, "output", "B1-water", feedback_source="nobody")},
        "water without a feedback": {"outputs": replaced(o, "output", "B1-water", feedback_source="")},
        "no flow or pressure switch": {"outputs": replaced(o, "output", "B1-water", feedback_source="B1-s1")},
        "neighbour B7 is not described": {"zones": (msgspec.structs.replace(config.zones[0], neighbours=("B7",)),)},
        "is its own neighbour": {"zones": (msgspec.structs.replace(config.zones[0], neighbours=("B1",)),)},
        "neither a panel nor a key switch": {"zones": (msgspec.structs.replace(config.zones[0], panels=()),)},
        "not a source of kind key_switch": {"zones": (msgspec.structs.replace(config.zones[0], key_switch="B1-s1"),)},
        "zone B3 is not described": {"ports": replaced(p, "port", "B1-p2", zone="B3")},
        "switched at the same place": {"ports": replaced(p, "port", "B1-p2", at=p[0].at)},
        "two ports or outputs have this name": {"ports": (*p, p[0])},
        "at least 1 s": {"zones": (msgspec.structs.replace(config.zones[0], prove_s=0),)},
        "proven_ma and proven_w": {"zones": (msgspec.structs.replace(config.zones[0], proven_w=0),)},
        "supervision_s": {"sources": replaced(s, "source", "B1-s1", supervision_s=0)},
        "no zone": {"zones": ()},
    }
    return msgspec.structs.replace(config, version="bad", **changes[what])


WHAT = [
    "stands in two zones", "named twice; give each source", "one sensor is one source", "no contactor", "no detector",
    "is not a source", "water without a feedback", "no flow or pressure switch", "neighbour B7 is not described",
    "is its own neighbour", "neither a panel nor a key switch", "not a source of kind key_switch",
    "zone B3 is not described", "switched at the same place", "two ports or outputs have this name", "at least 1 s",
    "proven_ma and proven_w", "supervision_s", "no zone",
]  # fmt: skip


@pytest.mark.parametrize("what", WHAT)
def test_a_mistake_is_told_and_nothing_is_armed(kit, what):
    config = broken(kit.config(), kit, what)
    assert any(what in text.en for text in mistakes(config)), mistakes(config)
    assert all(text.zh != text.en for text in mistakes(config)), "in both languages"
    garage = kit.new(config)
    view = garage.shown["garage"]
    assert not view.armed
    assert any(what in text for text in view.problems)
    assert garage.command(StartSession(session_id="s", port="B1-p1")).body["problem"] == "no_config"
    (alarm,) = garage.shown["alarms"].alarms
    assert (alarm.cause, alarm.priority, alarm.shelvable) == ("not_armed", "high", False)
    assert any(what in detail for detail in alarm.details), "the mistake with its remedy, in words"
    assert garage.command(AckAlarm(alarm_id=alarm.alarm_id)).code == "ok"
    garage.give(ConfigApplied(kit.config()))
    assert garage.shown["garage"].armed
    assert garage.shown["alarms"].alarms == ()


def test_a_good_description_has_no_mistake(kit):
    assert mistakes(kit.config()) == ()


def test_all_mistakes_at_once(kit):
    config = broken(broken(kit.config(), kit, "no contactor"), kit, "one sensor is one source")
    assert len(mistakes(config)) == 2


def test_one_housing_in_two_zones_is_a_mistake(kit):
    zones = tuple(ZoneSettings(zone=name, name=kit.text(name), panels=("p",)) for name in ("B1", "B2"))
    config = kit.config(*zones)
    sources = replaced(replaced(config.sources, "source", "B1-s1", unit="u"), "source", "B2-s1", unit="u")
    assert any(
        "one housing in two zones" in text.en for text in mistakes(msgspec.structs.replace(config, sources=sources))
    )


def test_what_was_in_force_stays_in_force(garage, kit):
    garage.give(ConfigApplied(broken(garage.config, kit, "no contactor")))
    assert garage.shown["garage"].armed
    assert garage.shown["garage"].problems
    assert [alarm.cause for alarm in garage.shown["alarms"].alarms] == ["config_refused"]
    garage.says("B1-s1", True)
    assert garage.zone().mode == "pre_alarm"


@pytest.fixture
def half_wrong(kit):
    """Two zones: B2 has no contactor, and one of B1's heads is also said to stand in B2."""
    zones = tuple(ZoneSettings(zone=name, name=kit.text(name), panels=(f"panel-{name}",)) for name in ("B1", "B2"))
    whole = kit.config(*zones)
    outputs = tuple(one for one in whole.outputs if one.output != "B2-k")
    twice = msgspec.structs.replace(whole.sources[0], zone="B2")
    return whole, msgspec.structs.replace(whole, version="bad", outputs=outputs, sources=(*whole.sources, twice))


def test_what_makes_sense_of_a_first_wrong_description_is_heard_and_cut_and_never_switched_on(kit, half_wrong):
    whole, wrong = half_wrong
    garage = kit.new(wrong)
    view = garage.shown["garage"]
    assert not view.armed
    assert len(view.problems) == 2
    assert [zone for zone, _, _ in view.zones] == ["B1"], "B2 could not cut a welded outlet"
    assert "B1-s1" not in {one.source for one in garage.shown["zone/B1"].sources}, "nobody knows where it hangs"
    garage.says("B1-s2", False)
    start = StartSession(session_id="s", port="B1-p1")
    assert garage.command(start).body["problem"] == "no_config"
    assert garage.command(RearmPort(port="B1-p1")).body["problem"] == "no_config"
    garage.give(DeviceReading(kit.field, 1, CardReading(point="B1-p1", card="c")))
    assert garage.operates("B1-p1", on=True) == []
    garage.says("B1-s2", True)
    assert garage.operates("B1-p1", on=False)
    assert garage.operates("B1-siren", on=True)
    assert {alarm.cause for alarm in garage.shown["alarms"].alarms} >= {"not_armed", "pre_alarm"}
    garage.give(ConfigApplied(whole))
    assert not garage.shown["garage"].armed, "not under a latch"


def test_a_latch_of_a_makeshift_zone_outlives_the_restart_that_corrects_the_file(kit, half_wrong):
    whole, wrong = half_wrong
    garage = kit.new(wrong)
    garage.says("B1-s2", True)
    garage.config = wrong
    garage.restart()
    assert garage.zone().mode == "pre_alarm"
    assert garage.zone().causes
    garage.config = whole
    garage.restart()
    assert garage.zone().mode == "pre_alarm"
    assert not garage.shown["garage"].armed
    garage.make_resettable()
    assert garage.reset().code == "ok"
    garage.give(ConfigApplied(whole))
    assert garage.shown["garage"].armed
    assert [alarm.cause for alarm in garage.shown["alarms"].alarms if alarm.active] == []
    garage.restart()
    assert garage.shown["garage"].armed
    assert set(garage.world.zones) == {"B1", "B2"}


def test_a_better_but_still_wrong_description_is_heard_as_far_as_it_goes(kit, half_wrong):
    whole, wrong = half_wrong
    garage = kit.new(wrong)
    garage.give(ConfigApplied(msgspec.structs.replace(whole, version="b2", sources=wrong.sources)))
    view = garage.shown["garage"]
    assert not view.armed
    assert [zone for zone, _, _ in view.zones] == ["B1", "B2"]


@pytest.mark.parametrize("what", WHAT)
def test_the_sound_part_has_no_mistake(kit, what):
    part = sound_part(broken(kit.config(), kit, what))
    assert part is None or mistakes(part) == ()
