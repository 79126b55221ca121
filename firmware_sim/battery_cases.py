"""The cases of the charging bench: name, how it is drawn, how the meter is read. The generator side only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firmware_sim import battery_scene as scenes
from firmware_sim.battery import CHEMISTRIES, LEAD, LFP, NMC, F, Sets
from firmware_sim.battery_fleet import aged, cold, draw, mixed
from firmware_sim.battery_scene import Scene

Draw = Callable[[str, int, float, np.random.Generator], Scene]


@dataclass(frozen=True)
class Case:
    """``kind``: ``charge`` is scored by false cuts, missed full and over-stay, ``fault`` by the time from provable to
    cut. ``lose``: the share of messages lost."""

    name: str
    draw: Draw
    kind: str = "charge"
    period_s: float = 10.0
    dt_s: float = 10.0
    lose: float = 0.0


def _pairs(family: str, n: int, rng: np.random.Generator, *, equal: bool) -> tuple[Sets, Sets]:
    """Two chargers that the port can feed together (below 560 W). Equal: the same model, not equally empty."""
    pool = 12 * n
    one, two = mixed(family, pool, rng), mixed(family, pool, rng)
    if equal:
        two = one.having(soc0=rng.uniform(0.12, 0.75, pool))
    peak = [s.cc_a * s.cv_v * s.cells / s.eta + 2 * s.own_w for s in (one, two)]
    fits = peak[0] + peak[1] < 560.0
    if not equal:
        fits &= np.abs(peak[0] - peak[1]) > 0.3 * np.maximum(*peak)
    keep = np.zeros(pool, dtype=bool)
    keep[np.nonzero(fits)[0][:n]] = True
    return one.take(keep), two.take(keep)


def _one(chem: int) -> Draw:
    return lambda family, n, dt, rng: scenes.plain(family, draw(family, chem, n, rng), dt)


def _aged(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.plain(family, aged(family, mixed(family, n, rng), rng), dt)


def _cold(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.plain(family, cold(family, mixed(family, n, rng), rng), dt)


def _mixed(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.plain(family, mixed(family, n, rng), dt)


def _top_up(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.plain(family, mixed(family, n, rng).having(soc0=rng.uniform(0.93, 0.97, n)), dt)


def _early(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.early_unplug(family, mixed(family, n, rng), dt, rng)


def _loose(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    per_hour = 3.0 if family == "tuning" else 4.0
    return scenes.with_gaps(family, mixed(family, n, rng), dt, scenes.loose_gaps(n, dt, rng, per_hour))


def _swap(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.swap(family, mixed(family, n, rng), mixed(family, n, rng), dt, rng)


def _splitter(*, equal: bool) -> Draw:
    def build(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
        return scenes.splitter(family, *_pairs(family, n, rng, equal=equal), dt, rng)

    return build


def _fans(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    sets = mixed(family, n, rng)
    top_up = (sets.chem != LEAD) & (rng.random(n) < 0.4)
    return scenes.plain(
        family,
        sets.having(
            fan_w=rng.uniform(3.0, 8.0, n),
            fan_s=rng.uniform(120.0, 900.0, n),
            fan_on_s=rng.uniform(40.0, 300.0, n),
            retop_s=np.where(top_up, rng.uniform(600.0, 2400.0, n), 0.0),
            retop_len_s=rng.uniform(20.0, 120.0, n),
        ),
        dt,
    )


def _dips(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    gaps, silent = scenes.mains_dips(n, dt, rng)
    return scenes.with_gaps(family, mixed(family, n, rng), dt, gaps, silent=silent)


def _hot_float(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    sets = draw(family, LEAD, n, rng)
    share = rng.uniform(0.012, 0.026, n) if family == "tuning" else rng.uniform(0.013, 0.028, n)
    watts: F = share * sets.cap_ah * sets.cells * 13.7 / sets.eta + sets.own_w
    return scenes.plain(family, sets.having(float_w=watts), dt)


def _no_taper(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    sets = aged(family, draw(family, LEAD, n, rng), rng)
    most = 0.3 if family == "tuning" else 0.4
    warm = np.where(rng.random(n) < 0.6, rng.uniform(0.05, most, n), 0.0)
    return scenes.no_taper(family, sets.having(stuck=rng.uniform(0.3, 0.95, n), growth=warm), dt)


def _stuck(*, stays: bool) -> Draw:
    """A meter that repeats its last value, from somewhere in CC or taper on; or for 1-8 min only."""

    def build(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
        base = _mixed(family, n, dt, rng)
        start = (base.done_at * rng.uniform(0.15, 0.95, n)).astype(int)
        if stays:
            return scenes.scene(dt, base.power_w, base.soc, np.full(n, -1), fault_at=start, frozen_at=start)
        thaw = start + (rng.uniform(60, 480, n) / dt).astype(int)
        return scenes.scene(dt, base.power_w, base.soc, base.done_at, frozen_at=start, thawed_at=thaw)

    return build


def _second(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.second_load(family, *_pairs(family, n, rng, equal=True), dt, rng)


def _contact(family: str, n: int, dt: float, rng: np.random.Generator) -> Scene:
    return scenes.bad_contact(family, mixed(family, n, rng), dt, rng)


CASES: tuple[Case, ...] = (
    *(Case(CHEMISTRIES[chem], _one(chem)) for chem in (LEAD, NMC, LFP)),
    Case("aged", _aged),
    Case("cold", _cold),
    Case("top_up", _top_up),
    Case("early_unplug", _early),
    Case("loose_plug", _loose),
    Case("swap", _swap),
    Case("splitter_equal", _splitter(equal=True)),
    Case("splitter_unequal", _splitter(equal=False)),
    Case("fan_and_top_ups", _fans),
    Case("mains_dip", _dips),
    Case("meter_drop_out", _mixed, lose=0.25),
    Case("stuck_and_back", _stuck(stays=False)),
    Case("hot_float", _hot_float),
    Case("every_1_s", _mixed, period_s=1.0, dt_s=1.0),
    Case("loose_1_s", _loose, period_s=1.0, dt_s=1.0),
    Case("every_300_s", _mixed, period_s=300.0),
    Case("splitter_300_s", _splitter(equal=True), period_s=300.0),
    Case("no_taper", _no_taper, kind="fault"),
    Case("no_taper_300_s", _no_taper, kind="fault", period_s=300.0),
    Case("stuck_meter", _stuck(stays=True), kind="fault"),
    Case("second_load", _second, kind="fault"),
    Case("bad_contact", _contact, kind="fault"),
)
