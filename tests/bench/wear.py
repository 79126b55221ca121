"""``kangle bench wear``: how soon is wear seen in the motor's current, and how often is it seen where there is none?

Simulated treadmills (``firmware_sim/wearing.py``) with belts that drag, fans that clog and sensors that drift, beside
healthy sisters with the same visitors, are judged day by day by the production rules (``edge/domain/gym/drift.py``) and
by the plain threshold that maintenance books name: the day's mean current 20 % above that of the first week. A delay
counts from the day on which the current at a speed is 10 % too high; it is negative where the rule spoke between the
first day of wear and that day. Who speaks before there is any wear has given a false alarm.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))

from _report import Result, publish, quantile, result

from edge.domain.gym.drift import cusum_step, drifts
from edge.domain.gym.settings import AssetKind, WearSettings
from edge.domain.gym.wear_state import BASELINE_DAYS, Line
from firmware_sim.wearing import KINDS, Machine, fleet, growth

RULE = WearSettings(kind=AssetKind.TREADMILL)
SISTERS, DAYS = 4, 120
THRESHOLD, THRESHOLD_DAYS = 1.2, 2
NOTABLE = 0.10
FIRST = date(2026, 1, 1)


class Found(NamedTuple):
    """Days on which each rule first spoke of machine 0, None never; alarms per rule of the healthy sisters; the day
    from which a delay counts."""

    start: int
    ours: int | None
    plain: int | None
    ours_false: int
    plain_false: int


class Judge:
    """The production rules over one fleet, fed with each day's samples."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = machines
        self.lines = [Line() for _ in machines]
        self.indexes: list[list[tuple[str, float]]] = [[] for _ in machines]
        self.cusums = [0.0] * len(machines)
        self.means: list[list[float]] = [[] for _ in machines]

    def day(self, number: int) -> tuple[list[bool], list[bool]]:
        """Whether ours and the plain rule speak, by machine."""
        name = (FIRST + timedelta(days=number)).isoformat()
        todays: list[float] = []
        for at, machine in enumerate(self.machines):
            samples = machine.samples(number)
            self.means[at].append(fmean(current for _, current in samples))
            if number < BASELINE_DAYS:
                for speed, current in samples:
                    self.lines[at].add(speed, current)
                continue
            a, b = self.lines[at].fit()
            todays.append(sum(current for _, current in samples) / sum(a + b * speed for speed, _ in samples))
        ours = [self._ours(at, name, todays) for at in range(len(todays))] or [False] * len(self.machines)
        return ours, [self._plain(at) for at in range(len(self.machines))]

    def _ours(self, at: int, name: str, todays: list[float]) -> bool:
        past = [index for _, index in self.indexes[at]]
        sisters = [index for other, index in enumerate(todays) if other != at]
        after = cusum_step(self.cusums[at], todays[at], sisters, past, RULE)
        self.cusums[at] = self.cusums[at] if after is None else after
        self.indexes[at] = [*self.indexes[at], (name, todays[at])][-60:]
        return bool(drifts(self.indexes[at], self.cusums[at], RULE))

    def _plain(self, at: int) -> bool:
        means = self.means[at]
        if len(means) < BASELINE_DAYS + THRESHOLD_DAYS:
            return False
        limit = THRESHOLD * fmean(means[:BASELINE_DAYS])
        return all(mean > limit for mean in means[-THRESHOLD_DAYS:])


def one(seed: int, kind: str) -> Found:
    """A fleet over ``DAYS`` days."""
    machines = fleet(seed, kind, sisters=SISTERS, days=DAYS)
    judge = Judge(machines)
    first: dict[tuple[str, int], int] = {}
    early: set[str] = set()
    for number in range(DAYS):
        for rule, spoken in zip(("ours", "plain"), judge.day(number), strict=True):
            for at, speaks in enumerate(spoken):
                if speaks and at == 0 and number < machines[0].onset_day:
                    early.add(rule)
                elif speaks:
                    first.setdefault((rule, at), number)
    false = {
        rule: sum(1 for name, at in first if name == rule and at > 0) + (rule in early) for rule in ("ours", "plain")
    }
    return Found(
        notable_day(kind, machines[0]), first.get(("ours", 0)), first.get(("plain", 0)), false["ours"], false["plain"]
    )


def notable_day(kind: str, machine: Machine) -> int:
    """The first day on which the current is ``NOTABLE`` too high; the end, if there is none."""
    return next((day for day in range(DAYS) if growth(kind, day - machine.onset_day) >= NOTABLE), DAYS)


def score(kind: str, fleets: int, seed: int) -> list[Result]:
    """Delays and misses of one kind of wear, both rules."""
    found = [one(seed + number, kind) for number in range(fleets)]
    healthy_years = fleets * (SISTERS + (kind == "healthy")) * DAYS / 365.25
    results = []
    for rule in ("ours", "plain"):
        days = [getattr(each, rule) for each in found]
        false = sum(getattr(each, f"{rule}_false") for each in found)
        false += sum(day is not None for day in days) if kind == "healthy" else 0
        target = 0.5 if rule == "ours" else None
        results.append(result(f"{kind}: {rule}, false alarms", false / healthy_years, "/year", target=target))
        if kind == "healthy":
            continue
        delays = [day - each.start for day, each in zip(days, found, strict=True) if day is not None]
        missed = sum(day is None for day in days)
        bar = {"belt": 7.0, "fan": 14.0, "sensor": 14.0}[kind] if rule == "ours" else None
        results += [
            result(f"{kind}: {rule}, missed", 100 * missed / fleets, "%", target=5.0 if rule == "ours" else None),
            result(f"{kind}: {rule}, delay median", quantile(delays or [DAYS], 0.5), "days", target=bar),
            result(f"{kind}: {rule}, delay p90", quantile(delays or [DAYS], 0.9), "days"),
        ]
    return results


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kangle bench wear", description=__doc__)
    parser.add_argument("--fleets", type=int, default=60, help="fleets of each kind (5 machines, 120 days each)")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(words)
    results = [one for kind in KINDS for one in score(kind, options.fleets, options.seed)]
    return publish("wear", results, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
