"""Points for a plot: four for each pixel column, so that no spike is lost however far one zooms out (M4).

First, smallest, largest and last sample of a column draw the very same line as all of its samples would (Jugel et al.,
"M4", VLDB 2014). The hard part is honesty about holes: where nothing was measured, the line is broken, not drawn on. A
user would notice a mistake as a straight line through the hours when the meter was off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.bins import Bins, regrouped

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: A pause this many times as long as the usual step (and at least this long) is a hole.
HOLE_STEPS = 8
HOLE_MIN_NS = 10 * 1_000_000_000


class Curve(NamedTuple):
    """Points by time; NaN where the line is broken."""

    time_ns: Ints
    value: Floats


def curve_of_samples(
    time_ns: Ints, value: Floats, begin_ns: int, end_ns: int, pixels: int, *, steps: bool = False
) -> Curve:
    """The points that draw these samples (in the order of time) on ``pixels`` columns. ``steps``: a value holds until
    the next one, so a pause is no hole."""
    broken = Curve(time_ns, value) if steps else _broken(time_ns, value)
    if broken.time_ns.size <= 4 * pixels:
        return broken
    keep = _m4(broken, begin_ns, end_ns, pixels)
    return Curve(broken.time_ns[keep], broken.value[keep])


def _broken(time_ns: Ints, value: Floats) -> Curve:
    """With a NaN in each hole."""
    if time_ns.size < 3:
        return Curve(time_ns, value)
    steps = np.diff(time_ns)
    limit = max(HOLE_STEPS * float(np.median(steps)), HOLE_MIN_NS)
    at = np.flatnonzero(steps > limit) + 1
    if not at.size:
        return Curve(time_ns, value)
    return Curve(np.insert(time_ns, at, time_ns[at - 1] + 1), np.insert(value, at, np.nan))


def _m4(curve: Curve, begin_ns: int, end_ns: int, pixels: int) -> npt.NDArray[np.intp]:
    """Indices of first, least, largest and last point of each column, and of every break."""
    column = (curve.time_ns - begin_ns) * pixels // max(end_ns - begin_ns, 1)
    starts = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    sizes = np.diff(starts, append=column.size)
    ends = starts + sizes - 1
    group = np.repeat(np.arange(starts.size), sizes)
    kept = [starts, ends]
    with np.errstate(invalid="ignore"):
        for reduce in (np.fmin, np.fmax):
            hits = np.flatnonzero(curve.value == reduce.reduceat(curve.value, starts)[group])
            kept.append(hits[np.unique(group[hits], return_index=True)[1]])
    # Of several breaks in one column one is enough: it is a pixel wide.
    breaks = np.flatnonzero(np.isnan(curve.value))
    kept.append(breaks[np.unique(group[breaks], return_index=True)[1]])
    return np.unique(np.concatenate(kept))


def curve_of_bins(bins: Bins, width_ns: int, begin_ns: int, end_ns: int, pixels: int, *, steps: bool = False) -> Curve:
    """The points that draw these bins: the extremes in the middle of a bin, for their moment is not known. Bins
    narrower than a column are put together first. ``steps`` as in ``curve_of_samples``."""
    if not bins.slot.size:
        return Curve(bins.slot, bins.sum)
    starts_ns = bins.slot * width_ns
    column = np.maximum(starts_ns - begin_ns, 0) * pixels // max(end_ns - begin_ns, 1)
    group = np.flatnonzero(np.diff(column, prepend=column[0] - 1))
    last = np.append(group[1:], column.size) - 1
    whole = regrouped(bins, column)
    begins, ends = starts_ns[group], starts_ns[last] + width_ns - 1
    middle = (begins + ends) // 2
    rising = whole.first <= whole.last
    low_first = np.where(rising, whole.min, whole.max)
    high_then = np.where(rising, whole.max, whole.min)
    time_ns = np.stack([begins, middle, middle + 1, ends], axis=1)
    value = np.stack([whole.first, low_first, high_then, whole.last], axis=1)
    one = whole.n == 1
    keep = np.ones(time_ns.shape, np.bool_)
    keep[one, :3] = False
    points = Curve(time_ns[keep], value[keep])
    if steps:
        return points
    holes = np.flatnonzero(starts_ns[group[1:]] - ends[:-1] > 2 * width_ns)
    after = np.cumsum(keep.sum(axis=1))[holes]
    return Curve(np.insert(points.time_ns, after, ends[holes] + 1), np.insert(points.value, after, np.nan))


def held(curve: Curve, before: float | None, begin_ns: int, until_ns: int) -> Curve:
    """The curve of a state from ``begin_ns`` on, with the value ``before`` it, and up to ``until_ns`` with its last."""
    time_ns, value = curve
    if before is not None and (not time_ns.size or time_ns[0] > begin_ns):
        time_ns, value = np.insert(time_ns, 0, begin_ns), np.insert(value, 0, before)
    if time_ns.size and time_ns[-1] < until_ns:
        time_ns, value = np.append(time_ns, until_ns), np.append(value, value[-1])
    return Curve(time_ns, value)
