"""Machines that speak only while they are used: quiet is no alarm, gone is what their last will says."""

from __future__ import annotations

import pytest

from edge.domain.devices import DeviceReading, DeviceState
from edge.domain.field_devices import LAST_WILL, PointHealth


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
