"""Machines that speak only while they are used: quiet is no alarm, gone is what their last will says."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.devices import DeviceReading, DeviceState
from edge.domain.field_devices import LAST_WILL, PointHealth
from edge.domain.gym.messages import LeaveAsset


def presence(gym, *, online, retained=False, detail=LAST_WILL):
    body = PointHealth(point="t1", online=online, retained=retained, detail=detail)
    gym.give(DeviceReading("row", 1, body))
    return gym.shown["asset/t1"].use


def test_a_quiet_link_alarms_nobody_and_what_was_heard_stays_free(gym):
    gym.stand("t1")
    gym.link("row", DeviceState.LOST)
    assert gym.shown["asset/t1"].use == "unknown"
    assert "device_lost" in gym.causes()
    gym.link("row", DeviceState.READY)
    gym.run(120)
    assert gym.shown["asset/t1"].use == "free", "the page says how long ago it was heard"
    assert [one.state for one in gym.shown["gym-alarms"].alarms if one.cause == "device_lost"] != ["unacknowledged"]


@pytest.mark.parametrize("retained", [False, True])
def test_a_last_will_is_believed_also_when_it_was_stored(gym, retained):
    gym.stand("t1")
    assert presence(gym, online=False, retained=retained) == "unknown"
    gym.stand("t1")
    assert gym.shown["asset/t1"].use == "free", "its own word is stronger"


def test_a_stored_word_of_health_that_is_no_will_says_nothing(gym):
    gym.elapse(2)
    gym.stand("t1")
    assert presence(gym, online=False, retained=True, detail="") == "free"


def test_a_quiet_machine_is_shown_as_closed_and_as_open_again_by_the_clock_alone(kit):
    base = kit.config()
    hall = msgspec.structs.replace(base.zones[0], open_min=11 * 60, close_min=12 * 60 + 5)
    gym = kit.new(kit.config(zones=(hall, *base.zones[1:])))
    gym.elapse(2)
    gym.stand("t1")
    assert gym.shown["asset/t1"].use == "free"
    gym.run(330)
    assert gym.shown["asset/t1"].use == "closed", "nobody said a word since"
    gym.elapse(23 * 3600)
    gym.run(40)
    assert gym.shown["asset/t1"].use == "free"


def test_a_machine_that_was_just_left_cools_without_a_word(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.command(LeaveAsset(asset="t1"))
    assert gym.shown["asset/t1"].use == "warm"
    gym.run(160)
    assert gym.shown["asset/t1"].use == "free"
