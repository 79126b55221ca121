"""A port with the reference's caps, and a way to play a course of power to its machine."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from edge.domain.field_devices import MeterReading
from edge.domain.garage import charging
from edge.domain.garage.charging import Charging, Decision
from edge.domain.garage.settings import FullSettings, PortSettings
from edge.domain.places import Place
from edge.domain.words import Text

SECOND = 1_000_000_000


class Player:
    """Plays (seconds, watts) stretches, one reading every ``period_s``; a little noise, so that the meter lives."""

    def __init__(self, port: PortSettings, period_s: int = 10) -> None:
        self.port, self.full, self.period_s = port, FullSettings(), period_s
        self.now_s = 0
        self.state: Charging = charging.start("s1", 0)
        self.decision: Decision = charging.tick(self.state, port, 0)

    def reading(self, watts: float, **others: float | bool | None) -> Decision:
        self.now_s += self.period_s
        meter = MeterReading(point="1", power_w=watts, **others)
        self.decision = charging.observe(self.state, self.port, self.full, meter, self.now_s * SECOND)
        return self.decision

    def play(self, stretches: Iterable[tuple[float, float, float]]) -> Decision:
        """Each (minutes, from W, to W), linear; stops at a cut."""
        for minutes, first, last in stretches:
            count = round(minutes * 60 / self.period_s)
            for k in range(count):
                watts = first + (last - first) * k / max(1, count - 1)
                ripple = watts * 0.002 * ((self.now_s // self.period_s * 7) % 5 - 2)
                if self.reading(round(max(0.0, watts + ripple), 2)).cut:
                    return self.decision
        return self.decision

    @property
    def minutes(self) -> float:
        return self.now_s / 60


@pytest.fixture
def port() -> PortSettings:
    return PortSettings(port="p1", zone="z", at=Place("d", "1"), name=Text(zh="一号", en="One"), meter_silent_s=60)


@pytest.fixture
def player(port: PortSettings) -> Player:
    return Player(port)


@pytest.fixture
def play_on(port: PortSettings):
    """A player at another telemetry period."""
    return lambda period_s: Player(port, period_s)
