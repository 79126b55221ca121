"""Samples as columns, in the order of their birth: what extraction gives, the tail holds and the sealer takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Flags of a sample: its quality in the low bits, and whether its time is the source's own.
QUALITY_BITS = 0x0F
FROM_SOURCE = 0x80


class Columns(NamedTuple):
    """n samples, ``seq`` not falling. ``value`` of a state is the code of its word (``edge.storage.sample_names``)."""

    seq: npt.NDArray[np.int64]
    series: npt.NDArray[np.int32]
    time_ns: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flags: npt.NDArray[np.uint8]

    def part(self, chosen: slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Columns:
        """The chosen samples."""
        return Columns(
            self.seq[chosen], self.series[chosen], self.time_ns[chosen], self.value[chosen], self.flags[chosen]
        )

    def copy(self) -> Columns:
        """The same samples in memory of their own: a view would keep alive what it was cut from."""
        return Columns(self.seq.copy(), self.series.copy(), self.time_ns.copy(), self.value.copy(), self.flags.copy())


def columns_of(
    seq: Sequence[int], series: Sequence[int], time_ns: Sequence[int], value: Sequence[float], flags: Sequence[int]
) -> Columns:
    """Columns from lists of equal length. A minus zero is a zero: rounding makes it of any small negative number, and
    no meter means it."""
    return Columns(
        np.array(seq, np.int64),
        np.array(series, np.int32),
        np.array(time_ns, np.int64),
        np.array(value, np.float64) + 0.0,
        np.array(flags, np.uint8),
    )


def joined(parts: Sequence[Columns]) -> Columns:
    """``parts`` one after another."""
    if len(parts) == 1:
        return parts[0]
    return Columns(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if parts else EMPTY


EMPTY = columns_of([], [], [], [], [])


def settle_order(time_ns: npt.NDArray[np.int64], flags: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp] | None:
    """Which samples of one series to keep, and in which order: by time, and by birth where times are equal. A sample
    that repeats the source's own time of an earlier one replaces it; two that the box stamped in the same millisecond
    are two. None when all stay as they are (the usual case, found without sorting)."""
    if time_ns.size < 2:
        return None
    steps = np.diff(time_ns)
    sourced = bool((flags & FROM_SOURCE).any())
    if not sourced and (steps >= 0).all():
        return None
    order = np.argsort(time_ns, kind="stable")
    if sourced:
        at, own = time_ns[order], (flags[order] & FROM_SOURCE) != 0
        # Of samples with the source's word for the same time the last born counts. Stamped ones of that time stay.
        rank = np.lexsort((np.arange(order.size), own, at))
        order, at, own = order[rank], at[rank], own[rank]
        repeated = np.zeros(order.size, np.bool_)
        repeated[:-1] = own[:-1] & own[1:] & (at[:-1] == at[1:])
        order = order[~repeated]
    return order
