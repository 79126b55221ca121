"""A fire is told to those that the site names, again and again until they prove that they heard."""

from __future__ import annotations

import pytest

from edge.domain.alarm_book import Step
from edge.domain.alarm_commands import AlarmShown
from edge.domain.alarm_states import Priority
from edge.domain.devices import DeviceReading
from edge.domain.notices import NOTIFY_DEVICE, Channel, Notify, NotifyResult

HOOK = "https://district.example/alarms"


@pytest.fixture
def garage_that_tells(kit):
    step = Step(priority=Priority.FIRE, channel=Channel.WEBHOOK, target=HOOK)
    garage = kit.new(kit.config(escalation=(step,)))
    garage.make_normal()
    garage.sent.clear()
    return garage


def notices(garage):
    return [command for device, command, _ in garage.sent if device == NOTIFY_DEVICE and isinstance(command, Notify)]


def result(garage, notice, *, delivered):
    told = NotifyResult(notice_id=notice.notice_id, delivered=delivered, proof="200 OK" if delivered else "refused")
    garage.give(DeviceReading(NOTIFY_DEVICE, 0, told))


def test_a_fire_is_told_until_it_is_proven(garage_that_tells):
    garage = garage_that_tells
    garage.says("B1-call", True)
    (first, *_) = notices(garage)
    assert (first.target, first.zone, first.priority) == (HOOK, "B1", "fire")
    result(garage, first, delivered=False)
    garage.run(120)
    again = [notice for notice in notices(garage) if notice.notice_id == first.notice_id]
    assert len(again) > 1
    result(garage, again[-1], delivered=True)
    count = len(notices(garage))
    garage.run(300)
    assert [n for n in notices(garage)[count:] if n.notice_id == first.notice_id] == []


def test_a_restart_tells_what_was_not_proven(garage_that_tells):
    garage = garage_that_tells
    garage.says("B1-call", True)
    (first, *_) = notices(garage)
    garage.sent.clear()
    garage.restart()
    garage.run(60)
    assert first.notice_id in {notice.notice_id for notice in notices(garage)}


@pytest.fixture
def garage_with_panels(kit):
    step = Step(priority=Priority.FIRE, channel=Channel.PAGE, target="any panel")
    garage = kit.new(kit.config(escalation=(step,)))
    garage.make_normal()
    garage.says("B1-call", True)
    return garage


def fire(garage):
    return next(alarm for alarm in garage.shown["alarms"].alarms if alarm.cause == "fire")


def causes(garage):
    return {alarm.cause for alarm in garage.shown["alarms"].alarms}


def test_a_panel_that_shows_the_fire_is_the_proof(garage_with_panels):
    garage = garage_with_panels
    assert fire(garage).asked == 1
    assert notices(garage) == [], "a page is not sent to; it is asked by what it shows"
    assert garage.command(AlarmShown(alarm_id=fire(garage).alarm_id)).code == "ok"
    assert fire(garage).asked == 0
    garage.run(2)
    assert (fire(garage).asked, causes(garage)) == (0, {"fire"})
    garage.says("B1-s1", True)
    garage.run(1)
    assert fire(garage).asked == 1, "something new joined it: is that on a screen, too?"


def test_when_no_panel_shows_the_fire_that_is_an_alarm_of_its_own(garage_with_panels):
    garage = garage_with_panels
    garage.run(10)
    assert fire(garage).asked == 2, "asked again: the first word may be lost"
    garage.run(60)
    assert "notice_unproven" in causes(garage)
    garage.command(AlarmShown(alarm_id=fire(garage).alarm_id))
    assert not any(alarm.active for alarm in garage.shown["alarms"].alarms if alarm.cause == "notice_unproven")


def test_a_panel_is_asked_also_after_a_restart(garage_with_panels):
    garage = garage_with_panels
    garage.restart()
    garage.run(1)
    assert fire(garage).asked > 0
    garage.command(AlarmShown(alarm_id=fire(garage).alarm_id))
    assert fire(garage).asked == 0
