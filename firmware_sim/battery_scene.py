"""What happens at a charging port in a day: plugs that are loose, pulled, swapped or shared, mains that dip.

A scene is N sessions of one kind with the truth beside them: when the battery was full, how full it was at any step,
from when a fault could be proven. Steps are ``dt_s`` apart; the port is never switched off inside a scene (whoever
judges a detector stops reading at its cut).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_sim.battery import B, F, Sets, simulate

Steps = NDArray[np.int64]
HOURS = 12.0
SESSION_MIN = 480
LARGEST_WH = 2400.0
#: What makes a course provable as runaway-like at the wall (``garage-domain.md`` 3, with our numbers).
RISE, FALL, STILL_ON, ENERGY = 1.12, 0.9, 0.2, 1.3 / 0.85


@dataclass(frozen=True)
class Scene:
    """``soc``: the least full battery that still hangs at the port, per step. ``done_at``: from this step on the port
    should be off (full, or unplugged); ``fault_from``: a fault begins, ``fault_at``: it is provable from this step on;
    -1 never. ``silent``: the
    meter is not heard. ``frozen_at``, ``thawed_at``: the meter repeats its value from, to; -1 never."""

    dt_s: float
    power_w: F
    soc: F
    done_at: Steps
    fault_from: Steps
    fault_at: Steps
    unplugged_at: Steps
    silent: B
    frozen_at: Steps
    thawed_at: Steps


def steps_of(dt_s: float) -> int:
    return int(HOURS * 3600 / dt_s)


def scene(dt_s: float, power_w: F, soc: F, done_at: Steps, **others: Steps | B) -> Scene:
    never = np.full(power_w.shape[1], -1)
    rest: dict[str, Steps | B] = {
        "fault_from": others.get("fault_at", never),
        "fault_at": never,
        "unplugged_at": never,
        "silent": np.zeros(power_w.shape, dtype=bool),
        "frozen_at": never,
        "thawed_at": never,
    }
    return Scene(dt_s, power_w, soc, done_at, **(rest | others))  # type: ignore[arg-type]  # columns by name


def always(dt_s: float, n: int) -> B:
    return np.ones((steps_of(dt_s), n), dtype=bool)


def plain(family: str, s: Sets, dt_s: float) -> Scene:
    """Plugged in, charged, left there."""
    course = simulate(family, s, always(dt_s, len(s.cap_ah)), dt_s)
    return scene(dt_s, course.power_w, course.soc, course.full_at)


def with_gaps(family: str, s: Sets, dt_s: float, gaps: B, *, silent: B | None = None) -> Scene:
    """``gaps``: where the charger has no mains."""
    course = simulate(family, s, ~gaps, dt_s)
    quiet = np.zeros(gaps.shape, dtype=bool) if silent is None else silent
    return scene(dt_s, course.power_w, course.soc, course.full_at, silent=quiet)


def early_unplug(family: str, s: Sets, dt_s: float, rng: np.random.Generator) -> Scene:
    """Taken away at 10-90 % of the way; half leave the charger in the socket (its standby stays)."""
    n = len(s.cap_ah)
    first = plain(family, s, dt_s)
    at = (first.done_at * rng.uniform(0.1, 0.9, n)).astype(int)
    later = np.arange(steps_of(dt_s))[:, None] >= at
    left = np.where(rng.random(n) < 0.5, rng.uniform(0.5, 3.5, n), 0.0)
    soc = np.where(later, first.soc[at, np.arange(n)], first.soc)
    return scene(dt_s, np.where(later, left, first.power_w), soc, at, unplugged_at=at)


def swap(family: str, first: Sets, second: Sets, dt_s: float, rng: np.random.Generator) -> Scene:
    """The first battery leaves at 20-80 % of its way, another comes 70-600 s later (half through the same charger, its
    standby stays)."""
    n = len(first.cap_ah)
    one = plain(family, first, dt_s)
    out = (one.done_at * rng.uniform(0.2, 0.8, n)).astype(int)
    into = out + (rng.uniform(70, 600, n) / dt_s).astype(int)
    steps = np.arange(steps_of(dt_s))[:, None]
    two = simulate(family, second, np.broadcast_to(steps >= into, one.power_w.shape), dt_s)
    left = np.where(rng.random(n) < 0.5, rng.uniform(0.5, 3.5, n), 0.0)
    power = np.where(steps < out, one.power_w, np.where(steps < into, left, two.power_w))
    soc = np.where(steps < out, one.soc, two.soc)
    return scene(dt_s, power, soc, two.full_at)


def splitter(family: str, first: Sets, second: Sets, dt_s: float, rng: np.random.Generator) -> Scene:
    """Two chargers on one port, the second plugged in up to 40 s after the first."""
    n = len(first.cap_ah)
    late = rng.integers(0, 40, n) / dt_s
    one = simulate(family, first, always(dt_s, n), dt_s)
    two = simulate(family, second, np.arange(steps_of(dt_s))[:, None] >= late, dt_s)
    never = (one.full_at < 0) | (two.full_at < 0)
    done = np.where(never, -1, np.maximum(one.full_at, two.full_at))
    return scene(dt_s, one.power_w + two.power_w, np.minimum(one.soc, two.soc), done)


def second_load(family: str, first: Sets, second: Sets, dt_s: float, rng: np.random.Generator) -> Scene:
    """A second charger joins in mid-session, in the CC of the first: a fault from that step on."""
    n = len(first.cap_ah)
    one = simulate(family, first, always(dt_s, n), dt_s)
    at = np.maximum((one.cv_at * rng.uniform(0.3, 0.8, n)).astype(int), int(1200 / dt_s))
    two = simulate(family, second, np.arange(steps_of(dt_s))[:, None] >= at, dt_s)
    return scene(dt_s, one.power_w + two.power_w, np.minimum(one.soc, two.soc), np.full(n, -1), fault_at=at)


def no_taper(family: str, s: Sets, dt_s: float) -> Scene:
    """Lead that keeps drawing in CV; ``fault_at`` by the true power."""
    course = simulate(family, s, always(dt_s, len(s.cap_ah)), dt_s)
    found = np.array([provable(course.power_w[:, j], dt_s) for j in range(len(s.cap_ah))])
    return scene(dt_s, course.power_w, course.soc, np.full(len(found), -1), fault_from=course.stuck_at, fault_at=found)


def provable(power: F, dt_s: float) -> int:
    """The first step at which one of the three signs holds on the noise-free power, -1 never."""
    per_min = int(60 / dt_s)
    minutes = power[: len(power) // per_min * per_min].reshape(-1, per_min).mean(axis=1)
    peak = np.maximum.accumulate(minutes)
    wh = np.cumsum(minutes) / 60.0
    for k in range(20, len(minutes)):
        now = minutes[k]
        if wh[k] > LARGEST_WH * ENERGY:
            return (k + 1) * per_min
        if now <= STILL_ON * peak[k]:
            continue
        hour = minutes[max(0, k - 60) : k + 1]
        if k >= SESSION_MIN and now > 0.96 * hour[0]:
            return (k + 1) * per_min
        low = hour.min()
        fallen = low <= FALL * peak[max(0, k - 60) + int(hour.argmin())]
        if fallen and now >= RISE * low and now - low >= 12.0 and low > STILL_ON * peak[k]:
            return (k + 1) * per_min
    return -1


def bad_contact(family: str, s: Sets, dt_s: float, rng: np.random.Generator) -> Scene:
    """From some moment in CC on the contact opens for 12-40 s every minute or so; provable at the seventh drop."""
    n = len(s.cap_ah)
    first = plain(family, s, dt_s)
    steps = steps_of(dt_s)
    gaps, fault, begun = np.zeros((steps, n), dtype=bool), np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    for j in range(n):
        k = max(int(first.done_at[j] * rng.uniform(0.1, 0.6)), int(600 / dt_s))
        begun[j] = k
        for drop in range(40):
            length = max(1, int(rng.uniform(12, 40) / dt_s))
            gaps[k : k + length, j] = True
            if drop == 6:
                fault[j] = k
            k += length + max(2, int(rng.uniform(30, 60) / dt_s))
    course = simulate(family, s, ~gaps, dt_s)
    return scene(dt_s, course.power_w, course.soc, np.full(n, -1), fault_from=begun, fault_at=fault)


def loose_gaps(n: int, dt_s: float, rng: np.random.Generator, per_hour: float) -> B:
    """Gaps of 5-480 s (mean a minute), ``per_hour`` of them on average."""
    steps = steps_of(dt_s)
    gaps = np.zeros((steps, n), dtype=bool)
    for j in range(n):
        for start in np.nonzero(rng.random(steps) < per_hour * dt_s / 3600)[0]:
            gaps[start : start + max(1, int(min(480.0, 5 + rng.exponential(60.0)) / dt_s)), j] = True
    return gaps


def mains_dips(n: int, dt_s: float, rng: np.random.Generator) -> tuple[B, B]:
    """One to five outages of 2-90 s in a session, and the meter's silence with them (it boots for 3-8 s)."""
    steps = steps_of(dt_s)
    gaps, silent = np.zeros((steps, n), dtype=bool), np.zeros((steps, n), dtype=bool)
    for j in range(n):
        for _ in range(rng.integers(1, 6)):
            start = rng.integers(int(300 / dt_s), int(7 * 3600 / dt_s))
            length = rng.uniform(2, 90) if rng.random() < 0.3 else rng.uniform(2, 9)
            end = start + max(1, int(length / dt_s))
            gaps[start:end, j] = True
            silent[start : start + max(1, int(min(length + rng.uniform(3, 8), 14) / dt_s)), j] = True
    return gaps, silent
