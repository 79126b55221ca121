"""Bikes on their chargers, in real time: what a charger draws at the wall by how long it has had power.

The batteries are those of ``firmware_sim.battery`` (three chemistries, a garage's usual mix). A pool of courses is
computed at the start, for a simulator that stops to think would look like a silent meter. A charger that is cut goes
on where it was when power comes back, after the five seconds that its electronics take.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from firmware_sim.battery import F, simulate
from firmware_sim.battery_fleet import mixed

STEP_S = 60.0
HOURS = 14
POOL = 24
START_S = 5.0
SPLITTER_W = 560.0
"""Most that two chargers on one splitter draw together here; more would be an overload, which has its own order."""


@dataclass(slots=True)
class Charger:
    """One charger with its battery. ``power`` and ``soc`` by the minutes that it has had power; ``extra_w`` is drawn
    on top while it is live (a fault, a heater)."""

    name: str
    power: F
    level: F
    on_s: float = 0.0
    live_s: float = 0.0
    extra_w: float = 0.0

    @property
    def _step(self) -> float:
        return min(self.on_s / STEP_S, len(self.power) - 1.0)

    @property
    def soc(self) -> float:
        """State of charge, 0..1."""
        return float(np.interp(self._step, np.arange(len(self.level)), self.level))

    @property
    def demand_w(self) -> float:
        """What it would draw now if it had power, W."""
        watts = float(np.interp(self._step, np.arange(len(self.power)), self.power))
        return watts * min(1.0, 0.05 + self.live_s / START_S) + self.extra_w

    def live(self, seconds: float, speed: float) -> None:
        """It had power for so long; ``speed`` > 1 lets the battery fill so many times faster."""
        self.on_s += seconds * speed
        self.live_s += seconds

    def dead(self) -> None:
        """It has no power."""
        self.live_s = 0.0


class Fleet:
    """The bikes of the neighbourhood, one after the other; the same seed brings the same ones."""

    def __init__(self, seed: int) -> None:
        sets = mixed("tuning", POOL, np.random.default_rng(seed))
        steps = int(HOURS * 3600 / STEP_S)
        course = simulate("tuning", sets, np.ones((steps, POOL), dtype=bool), STEP_S)
        self._courses = [(course.power_w[:, j].copy(), course.soc[:, j].copy()) for j in range(POOL)]
        self._number = itertools.count(1)

    def bike(self, *, beside: Charger | None = None) -> Charger:
        """The next bike. ``beside``: it must share a splitter with this one without overloading the outlet."""
        charger = self._next()
        for _ in range(POOL):
            if beside is None or float(charger.power.max() + beside.power.max()) < SPLITTER_W:
                break
            charger = self._next()
        return charger

    def _next(self) -> Charger:
        number = next(self._number)
        power, level = self._courses[number % POOL]
        return Charger(f"bike-{number}", power, level)
