"""The meter between a scene and whoever reads it: period, resolution, noise, mains, counter, silence, a frozen value.

Three kinds, as found in the field: ``fine`` (smart plug: 0.1 W, mA, 0.1 V, Wh counter), ``counter`` (1 W and a counter
of 10 Wh, as bus meters) and ``board`` (1 W and nothing else, as charging boards).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_sim.battery import F
from firmware_sim.battery_scene import Scene

KINDS = ("fine", "counter", "board")


@dataclass(frozen=True)
class Readings:
    """Samples of one session: ``at_s`` their times; NaN in the other columns = not said."""

    kind: str
    at_s: F
    power_w: F
    current_a: F
    voltage_v: F
    energy_wh: F


def read(
    scene: Scene, j: int, period_s: float, kind: str, rng: np.random.Generator, lose: float = 0.0, run: int = 4
) -> Readings:
    """What the meter says of session ``j`` every ``period_s``; ``lose`` is the share of messages that get lost, never
    more than ``run`` in a row (more is the affair of the cap for a silent meter)."""
    stride = max(1, round(period_s / scene.dt_s))
    index = np.arange(stride, scene.power_w.shape[0], stride)
    true = scene.power_w[index, j]
    n = len(index)
    noise = rng.normal(1.0, rng.uniform(0.002, 0.008), n) * (1 + _wander(n, 0.004, period_s, rng))
    power = np.maximum(0.0, true * noise + np.where(true > 0.2, rng.normal(0, 0.1, n), 0.0))
    volts = 228.0 + 6.0 * _wander(n, 1.0, period_s, rng) + rng.normal(0, 0.2, n)
    amps = power / volts / rng.uniform(0.5, 0.95)
    energy = np.cumsum(scene.power_w[:, j])[index] * scene.dt_s / 3600.0 + rng.uniform(0, 90_000)
    step, count = {"fine": (0.1, 1.0), "counter": (1.0, 10.0), "board": (1.0, 1.0)}[kind]
    columns = [
        _stepped(power, step),
        _stepped(amps, 0.001),
        _stepped(volts, 0.1),
        np.floor(energy / count) * count,
    ]
    nothing = np.full(n, np.nan)
    if kind != "fine":
        columns[1:3] = [nothing, nothing]
    if kind == "board":
        columns[3] = nothing
    columns = [_frozen(column, scene, j, index) for column in columns]
    heard = ~scene.silent[index, j] & ~_lost(rng.random(n) < lose, run)
    return Readings(kind, index[heard] * scene.dt_s, *(column[heard] for column in columns))


def _lost(lost: NDArray[np.bool_], run: int) -> NDArray[np.bool_]:
    """``lost`` with runs longer than ``run`` broken up."""
    since = np.arange(len(lost)) - np.maximum.accumulate(np.where(lost, -1, np.arange(len(lost))))
    kept: NDArray[np.bool_] = since % (run + 1) == 0
    return lost & ~kept


def _stepped(values: F, step: float) -> F:
    return np.round(np.round(values / step) * step, 3)


def _wander(n: int, size: float, period_s: float, rng: np.random.Generator) -> F:
    """A slow wander of standard deviation ``size`` with a memory of twenty minutes, linear between minutes."""
    knots = max(2, int(n * period_s / 60) + 2)
    keep = np.exp(-1 / 20)
    steps = rng.normal(0, np.sqrt(1 - keep**2), knots)
    values = np.zeros(knots)
    for k in range(1, knots):
        values[k] = keep * values[k - 1] + steps[k]
    return size * np.interp(np.arange(n) * period_s / 60, np.arange(knots), values)


def _frozen(column: F, scene: Scene, j: int, index: NDArray[np.int64]) -> F:
    start, end = scene.frozen_at[j], scene.thawed_at[j]
    if start < 0:
        return column
    held = (index >= start) & ((end < 0) | (index < end))
    first = int(np.argmax(held))
    return np.where(held, column[first], column)
