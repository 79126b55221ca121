"""Who is told the time, and when: on becoming ready, after a step, hourly; never from a clock that is not trusted."""

from __future__ import annotations

import pytest

from edge.domain.devices import DeviceState
from edge.runtime.clock import ManualClock
from edge.runtime.time_teller import TimeTeller

S = 1_000_000_000


class Told:
    def __init__(self):
        self.clock = ManualClock()
        self.said = []
        self.teller = TimeTeller(self.clock, lambda device, command: self.said.append((device, command.wall_ns)))

    def pass_s(self, seconds):
        for _ in range(seconds):
            self.clock.advance(S)
            self.teller.beat()

    def take(self):
        said, self.said = self.said, []
        return [device for device, _ in said]


@pytest.fixture
def told():
    return Told()


def test_a_device_is_told_when_it_becomes_ready_and_not_again_for_an_hour(told):
    told.teller.heard("bus", DeviceState.CONNECTING)
    told.pass_s(5)
    assert told.take() == []
    told.teller.heard("bus", DeviceState.READY)
    assert told.said == [("bus", told.clock.wall_ns())]
    told.take()
    told.teller.heard("bus", DeviceState.READY)
    told.pass_s(3599)
    assert told.take() == []
    told.pass_s(1)
    assert told.take() == ["bus"]


def test_one_that_was_lost_is_told_anew(told):
    for state in (DeviceState.READY, DeviceState.LOST, DeviceState.READY):
        told.teller.heard("bus", state)
    assert told.take() == ["bus", "bus"]
    told.teller.heard("bus", DeviceState.FAULT)
    told.pass_s(3700)
    assert told.take() == []


@pytest.mark.parametrize("step_s", [-3600, -1, 1, 3600])
def test_a_step_of_the_clock_is_told_within_a_second(told, step_s):
    told.teller.heard("bus", DeviceState.READY)
    told.pass_s(10)
    told.take()
    told.clock.now_wall_ns += step_s * S
    told.pass_s(1)
    assert told.take() == ["bus"]


def test_an_untrusted_clock_is_told_to_nobody_until_it_is_trusted(told):
    told.clock.trusted = False
    told.teller.heard("bus", DeviceState.READY)
    told.pass_s(10)
    assert told.take() == []
    told.clock.trusted = True
    told.pass_s(1)
    assert told.take() == ["bus"]
