"""The samples that are not sealed yet, and the last value of every series, in memory.

The tail holds the log above the seal mark, decoded once, for sinks, queries and the next seal. It is bounded by the
sealer, which empties it long before ``TAIL_MAX``. The hard part is many readers beside one writer: they take a
consistent picture under a short lock and compute outside of it. A user would notice a mistake as a curve whose last
minutes flicker.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.sample_columns import EMPTY, Columns, columns_of, joined

#: Blocks are joined when so many have come, so that a reader joins few.
_JOIN_AT = 64
_NEVER = 2**63 - 1


class TailPicture(NamedTuple):
    """The samples with ``after_seq`` < seq <= ``through_seq``; none of them is before ``first_ns``."""

    after_seq: int
    through_seq: int
    columns: Columns
    first_ns: int = 0


class SampleTail:
    """Written by one thread, read by any."""

    def __init__(self, after_seq: int) -> None:
        self._mutex = threading.Lock()
        self._after = self._through = after_seq
        self._big = EMPTY
        self._small: list[Columns] = []
        self._first_ns = _NEVER

    @property
    def samples(self) -> int:
        """How many are held."""
        with self._mutex:
            return self._big.seq.size + sum(block.seq.size for block in self._small)

    def append(self, columns: Columns, through_seq: int) -> None:
        """Add what comes next; every sample up to ``through_seq`` is now here or sealed."""
        with self._mutex:
            if columns.seq.size:
                self._small.append(columns)
                self._first_ns = min(self._first_ns, int(columns.time_ns.min()))
            self._through = through_seq
            if len(self._small) >= _JOIN_AT:
                self._join()

    def _join(self) -> None:
        """Join so that each sample is copied a few times at most, however long the tail."""
        small = joined(self._small)
        if small.seq.size * 8 < self._big.seq.size:
            self._small = [small]
            return
        self._big, self._small = joined([self._big, small]), []

    def picture(self) -> TailPicture:
        """All of it."""
        with self._mutex:
            if self._small:
                self._big, self._small = joined([self._big, *self._small]), []
            return TailPicture(self._after, self._through, self._big, self._first_ns)

    def drop(self, through_seq: int) -> None:
        """Forget what is sealed."""
        with self._mutex:
            whole = joined([self._big, *self._small])
            kept = whole.part(slice(int(np.searchsorted(whole.seq, through_seq, side="right")), None))
            self._big, self._small = kept.copy(), []
            self._first_ns = int(kept.time_ns.min()) if kept.time_ns.size else _NEVER
            self._after = max(self._after, through_seq)

    def restart(self, after_seq: int) -> None:
        """Begin anew behind ``after_seq``."""
        with self._mutex:
            self._big, self._small, self._first_ns = EMPTY, [], _NEVER
            self._after = self._through = after_seq


def newest_last(time_ns: npt.NDArray[np.int64], wall_ns: int) -> npt.NDArray[np.intp]:
    """The order of samples by time, then by birth; those from beyond ``wall_ns`` come first."""
    return np.lexsort((time_ns, time_ns <= wall_ns))


class LastPicture(NamedTuple):
    """By number of series (index 0 is nobody): time 0 = never heard of."""

    time_ns: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flags: npt.NDArray[np.uint8]


class LastValues:
    """The newest sample of every series by its time; back-fill from the past replaces nothing newer. A sample from
    beyond the clock of the log (the clock was set back since) gives way to whatever comes."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = LastPicture(np.zeros(256, np.int64), np.full(256, np.nan), np.zeros(256, np.uint8))

    def load(self, connection: sqlite3.Connection) -> None:
        """Take over the newest sealed samples."""
        rows = connection.execute("SELECT last_ns, id, last_value, last_flags FROM series WHERE last_ns IS NOT NULL")
        held = [(0, number, at, np.nan if value is None else value, flags) for at, number, value, flags in rows]
        if held:
            self.put(columns_of(*zip(*held, strict=True)))

    def put(self, columns: Columns, wall_ns: int = _NEVER) -> None:
        """Take over the samples of ``columns``; ``wall_ns``: the time of the last input they were read with."""
        if not columns.series.size:
            return
        with self._mutex:
            self._grow(int(columns.series.max()) + 1)
            held = self._held
            known_ns = held.time_ns[columns.series]
            fresh = (columns.time_ns >= known_ns) | (known_ns > wall_ns)
            if not fresh.all():
                columns = columns.part(fresh)
            # The last one of each series by time, then by birth: assigned last, for numpy keeps the last of repeats.
            order = newest_last(columns.time_ns, wall_ns) if (np.diff(columns.time_ns) < 0).any() else slice(None)
            at = columns.series[order]
            held.time_ns[at] = columns.time_ns[order]
            held.value[at] = columns.value[order]
            held.flags[at] = columns.flags[order]

    def _grow(self, size: int) -> None:
        have = self._held.time_ns.size
        if size <= have:
            return
        more = max(size, 2 * have) - have
        self._held = LastPicture(
            np.concatenate([self._held.time_ns, np.zeros(more, np.int64)]),
            np.concatenate([self._held.value, np.full(more, np.nan)]),
            np.concatenate([self._held.flags, np.zeros(more, np.uint8)]),
        )

    def picture(self) -> LastPicture:
        """A copy: three memcpy, some microseconds."""
        with self._mutex:
            held = self._held
            return LastPicture(held.time_ns.copy(), held.value.copy(), held.flags.copy())
