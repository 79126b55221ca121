"""How treadmills wear, day by day: belts that drag, fans that clog, current sensors that drift, and users who differ.

The hard part is what is not wear: heavier users, faster hours, a week of holiday guests. Current at a speed is no-load
current plus friction times (belt and user's weight), so a heavy month looks like a worn belt to whoever does not
compare. A user would notice a wrong model as a detector that is praised in the bench and cries in the hall. In
simulated days; the same seed gives the same fleet.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

#: What may happen to a machine, and by which share its current has grown ``days`` after the onset.
KINDS = ("healthy", "belt", "fan", "sensor")
SETTLED_DAY = 40
"""No onset before this day: a machine has been watched for a while."""


def growth(kind: str, days: float) -> float:
    """Share by which the current at a speed is above that of a new machine."""
    if days <= 0 or kind == "healthy":
        return 0.0
    if kind == "belt":  # friction feeds on itself: +10 % after 12 days, +50 % after 40
        return 0.08 * (float(1.05**days) - 1)
    if kind == "fan":  # a hot motor's windings: slow, and it levels off
        return 0.25 * (1 - float(0.97**days))
    return min(0.2, 0.006 * days)  # sensor: its gain drifts


@dataclass(slots=True)
class Machine:
    """``samples(day)`` are (speed km/h, current mA) of one day of use."""

    kind: str
    dice: random.Random
    onset_day: int
    idle_ma: float = 900.0
    slope_ma: float = 240.0
    users: int = 14
    fleet_weight: list[float] = field(default_factory=list)

    def samples(self, day: int) -> list[tuple[float, float]]:
        """Minutes of use: each user keeps a speed, weighs something, and lasts a while."""
        worn = 1 + growth(self.kind, day - self.onset_day)
        found = []
        for _ in range(max(4, round(self.dice.gauss(self.users, 3)))):
            speed = min(14.0, max(2.0, self.dice.gauss(7.0, 2.0)))
            weight = self.dice.gauss(66.0 + self.fleet_weight[day], 11.0) / 66.0
            for _ in range(self.dice.randint(8, 30)):
                current = (self.idle_ma + self.slope_ma * speed * (0.6 + 0.4 * weight)) * worn
                found.append((speed, max(0.0, self.dice.gauss(current, 0.04 * current))))
        return found


def fleet(seed: int, kind: str, *, sisters: int, days: int) -> list[Machine]:
    """One machine to which ``kind`` happens and its healthy sisters, all with the same visitors: over the seasons their
    mean weight wanders by some kilograms, and holidays bring other people for a week."""
    dice = random.Random(seed)
    wander, weights = 0.0, []
    for day in range(days):
        wander = 0.97 * wander + dice.gauss(0, 0.4)
        weights.append(wander + (4.0 if 100 <= day % 180 < 107 else 0.0))
    onset = SETTLED_DAY + dice.randint(0, 30)
    return [
        Machine(
            kind if number == 0 else "healthy",
            random.Random(dice.random()),
            onset,
            idle_ma=dice.uniform(800, 1000),
            slope_ma=dice.uniform(220, 260),
            fleet_weight=weights,
        )
        for number in range(sisters + 1)
    ]
