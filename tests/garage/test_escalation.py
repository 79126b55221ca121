"""A fire is told to those that the site names, again and again until they prove that they heard."""

from __future__ import annotations

import pytest

from edge.domain.alarm_book import Step
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
