"""A port with the reference's caps, and a way to play a course of power to its machine."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import msgspec
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


class Course(NamedTuple):
    """A course of power and how it must end: ``how`` ("" not at all) between two minutes of the session."""

    stretches: tuple[tuple[float, float, float], ...]
    how: str = ""
    from_min: float = 0.0
    to_min: float = 0.0
    period_s: int = 60


def taper(first: float, last: float, tau_min: float) -> tuple[tuple[float, float, float], ...]:
    """An exponential fall in stretches of five minutes."""
    levels = [first]
    while levels[-1] > last:
        levels.append(levels[-1] * math.exp(-5 / tau_min))
    return tuple((5, one, two) for one, two in pairwise(levels))


def beside(watts: float, first: float, last: float) -> tuple[tuple[float, float, float], ...]:
    """A taper of another battery on top of a constant current."""
    return tuple((minutes, one + watts, two + watts) for minutes, one, two in taper(first, last, 80))


SLOW = taper(44, 21, 160)
#: A slow taper below 26 W with a fan of 2.5 W that runs four minutes of ten.
FANNED = tuple(
    (5, one + fan, two + fan)
    for k, (_, one, two) in enumerate(taper(44, 18, 170))
    for fan in ((2.5 if k % 2 else 0.0),)
)
TAPER = taper(180, 50, 80)
END_MIN = 240 + 5 * len(TAPER)
TWO_STEP = ((200, 96, 102), (140, 56.5, 57.5), *taper(56, 20, 80))
TWO_STEP_MIN = 340 + 5 * len(taper(56, 20, 80))
PLATEAU, CHARGE = (240, 170, 180), ((240, 170, 180), *TAPER)

#: What the full rules must tell apart, each named by the battery that it stands for.
COURSES = {
    "goes green": Course((*CHARGE, *taper(50, 24, 80), (60, 9, 9)), "end_flat", END_MIN + 70, END_MIN + 95),
    "hot float": Course((*CHARGE, (120, 35, 35)), "end_flat", END_MIN + 18, END_MIN + 30),
    "hotter float": Course((*CHARGE, (120, 50, 50)), "float", END_MIN + 28, END_MIN + 70),
    "two-step charger": Course((*TWO_STEP, (60, 8, 8)), "end_flat", TWO_STEP_MIN + 18, TWO_STEP_MIN + 30),
    "two-step of 36 V": Course(((150, 72, 73), (120, 40, 40.5), *taper(40, 18, 80)), ""),
    "two-step beside a lithium": Course(((60, 410, 420), (20, 300, 104), (170, 104, 112), (120, 59, 60))),
    "stage seen from its start": Course(((170, 58.5, 59.5), *taper(59, 47, 80))),
    "24 V charger": Course(((400, 54, 56),)),
    "slow cold taper": Course((*CHARGE, *SLOW)),
    "splitter, the second tapers": Course(((120, 420, 430), *taper(430, 60, 40), *taper(38, 24, 100))),
    "splitter, its rest is not small": Course(((420, 240, 250), *taper(250, 44, 60), *taper(44, 31, 75))),
    "fan in the float": Course((*CHARGE, *[(3, 17, 17), (7, 9, 9)] * 8), "end_flat", END_MIN + 18, END_MIN + 70),
    "fan on a slow taper": Course((*CHARGE, *FANNED)),
    "stage after two minutes": Course(((2, 100, 100), (140, 57, 57.5))),
    "stage beside a taper": Course(((60, 300, 302), *beside(104, 200, 120), *beside(52, 120, 30), (45, 54, 54))),
    "a kink, then a low float": Course(((120, 300, 302), (30, 276, 277), (60, 24, 24)), "end_flat", 168, 180),
    "a step in mid-minute": Course(
        ((100, 250, 252), (1, 200, 200), (30, 150, 150), (60, 42, 42)), "end_flat", 149, 160
    ),
    "a second lithium goes on": Course(((60, 320, 322), *taper(322, 158, 12), (80, 156, 173))),
    "every 300 s": Course((*TWO_STEP[:2],), "", period_s=300),
}


@pytest.fixture
def play_course(port: PortSettings):
    """What is wrong with how a course ends, "" if nothing."""

    def play(course: Course) -> str:
        player = Player(msgspec.structs.replace(port, meter_silent_s=1800), course.period_s)
        decision = player.play(course.stretches)
        how, at = player.state.how if decision.cut else decision.reason, player.minutes
        if how != course.how:
            return f"{decision.reason} {how!r} after {at:.0f} min, not {course.how!r}"
        early_or_late = decision.cut and not course.from_min <= at <= course.to_min
        return f"{how!r} after {at:.0f} min, not {course.from_min}-{course.to_min}" if early_or_late else ""

    return play


@pytest.fixture
def courses() -> dict[str, Course]:
    return COURSES
