"""Sensors whose silence people know of: suppressed by design, listed with the reason, and back by themselves."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.alarm_book import Step
from edge.domain.alarm_states import Priority
from edge.domain.garage.messages import ConfigApplied, DayOpened, TestZone
from edge.domain.notices import Channel, Notify


@pytest.fixture
def made(kit):
    """A normal zone whose first head is known to be away until a day ("" = it is not), and who is told."""

    def make(known_until=""):
        base = kit.config()
        sources = tuple(
            msgspec.structs.replace(each, known_until=known_until) if each.source == "B1-s1" else each
            for each in base.sources
        )
        step = Step(priority=Priority.MEDIUM, channel=Channel.WEBHOOK, target="https://district.example/alarms")
        garage = kit.new(kit.config(sources=sources, escalation=(step,)))
        garage.make_normal()
        garage.sent.clear()
        return garage

    return make


def alarm(garage, name="B1-s1"):
    return next(each for each in garage.shown["alarms"].alarms if each.details == (name,))


def told(garage):
    return [command.cause for _, command, _ in garage.sent if isinstance(command, Notify)]


def test_a_head_that_is_taken_down_in_a_walk_test_disturbs_nobody_until_the_test_is_over(made):
    garage = made()
    assert garage.command(TestZone(zone="B1", minutes=10)).code == "ok"
    garage.health("B1-s1", False)
    garage.run(1)
    assert (alarm(garage).state, alarm(garage).hidden_by) == ("suppressed", "design:walk_test")
    assert told(garage) == []
    assert garage.command(TestZone(zone="B1", minutes=0)).code == "ok"
    garage.run(1)
    assert (alarm(garage).state, alarm(garage).hidden_by) == ("unacknowledged", "")
    assert garage.shown["alarms"].sounding
    garage.run(120)
    assert "sensor_absent" in told(garage)


def test_a_head_that_came_back_in_the_test_leaves_no_alarm(made):
    garage = made()
    garage.command(TestZone(zone="B1", minutes=10))
    garage.health("B1-s1", False)
    garage.run(1)
    garage.health("B1-s1", True)
    garage.says("B1-s1", False)
    garage.command(TestZone(zone="B1", minutes=0))
    garage.run(2)
    assert [each.cause for each in garage.shown["alarms"].alarms if each.active] == []
    assert garage.world.alarms.by_design == {}


def test_what_the_site_knows_of_is_listed_and_ends_with_its_day_also_over_a_restart(made, kit):
    garage = made(kit.day)
    garage.health("B1-s1", False)
    garage.health("B1-s2", False)
    garage.run(1)
    assert (alarm(garage).state, alarm(garage).hidden_by) == ("suppressed", f"design:known_until:{kit.day}")
    assert alarm(garage, "B1-s2").state == "unacknowledged", "the other head's silence is nobody's plan"
    garage.restart()
    garage.health("B1-s1", False)
    garage.run(1)
    assert alarm(garage).state == "suppressed"
    garage.give(DayOpened("2026-11-23"))
    garage.run(1)
    assert (alarm(garage).state, alarm(garage).hidden_by) == ("unacknowledged", "")


def test_a_reload_that_drops_the_day_ends_the_suppression(made, kit):
    garage = made(kit.day)
    garage.says("B1-s1", False, battery_low=True)
    garage.run(61)
    assert alarm(garage).state == "suppressed"
    plain = tuple(msgspec.structs.replace(each, known_until="") for each in garage.config.sources)
    garage.give(ConfigApplied(msgspec.structs.replace(garage.config, sources=plain, version="g2")))
    assert garage.world.problems == ()
    garage.run(1)
    assert alarm(garage).state == "unacknowledged"


def test_the_zone_stays_doubtful_and_its_fire_is_not_suppressed(made, kit):
    garage = made(kit.day)
    garage.health("B1-s1", False)
    garage.run(1)
    assert garage.zone().mode == "watch", "a known silence is silence all the same"
    garage.says("B1-s1", True)
    garage.says("B1-s2", True)
    assert garage.zone().mode == "fire"
    fire = next(each for each in garage.shown["alarms"].alarms if each.priority == "fire")
    assert (fire.state, fire.hidden_by) == ("unacknowledged", "")


def test_a_known_silence_that_no_detector_is_left_over_is_told(made, kit):
    garage = made(kit.day)
    garage.health("B1-s1", False)
    garage.health("B1-s2", False)
    garage.run(garage.zone().settings.no_detector_s + 1)
    dark = next(each for each in garage.shown["alarms"].alarms if each.cause == "no_detector")
    assert dark.state == "unacknowledged"
