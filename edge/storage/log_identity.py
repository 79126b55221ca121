"""Whether the log is still the one that was sealed, and if it is not, up to where the two are one.

A ``facts.db`` that a hand put back from an older copy gives its last numbers out again. Its length tells nothing once
it has grown past what was taken. So each seal keeps the checksum of the log's row that it ended with, and every look
at the log compares the last row that was taken. The hard part is what comes then: the copy and the log before it have
most inputs in common, and of these not one may be sealed twice or passed over. So from the newest row that both have,
what the log says is compared with what was sealed, sample by sample, to the first that differs. A user would notice a
mistake as a day that stands twice in the curves, or as an hour after a repair that is in none.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.log_follow import LogFollower, LogPart
from edge.storage.sample_columns import EMPTY, Columns, joined
from edge.storage.sample_db import SampleDb, put_meta
from edge.storage.sample_source import StoredSamples

#: Rows that are remembered, one for each of the last seals: about two weeks at the slowest pace of sealing.
MARKS_KEPT = 64
_GAPS = "SELECT seq_first, seq_last FROM gap WHERE seq_last > ? AND seq_first <= ?"


class LogMark(NamedTuple):
    """A row of the log that was taken: the seq that it ends with, its CRC-32, and the store that it is of."""

    seq: int
    crc32: int
    store_id: str


def write_mark(connection: sqlite3.Connection, mark: LogMark) -> None:
    """Remember the row that a seal ended with, within its transaction."""
    kept = [pair for pair in _read_marks(connection) if pair[0] < mark.seq]
    _put_marks(connection, [*kept, (mark.seq, mark.crc32)][-MARKS_KEPT:])
    put_meta(connection, "log_store_id", mark.store_id)


def forget_marks(connection: sqlite3.Connection, fork_seq: int, store_id: str) -> None:
    """The log has become another one behind ``fork_seq``: within the transaction that takes it over."""
    _put_marks(connection, [pair for pair in _read_marks(connection) if pair[0] <= fork_seq])
    put_meta(connection, "log_store_id", store_id)


def _put_marks(connection: sqlite3.Connection, pairs: Sequence[tuple[int, int]]) -> None:
    put_meta(connection, "log_marks", json.dumps(pairs, separators=(",", ":")))


def _read_marks(connection: sqlite3.Connection) -> list[tuple[int, int]]:
    row = connection.execute("SELECT value FROM meta WHERE key = 'log_marks'").fetchone()
    try:
        return [(int(seq), int(crc32)) for seq, crc32 in json.loads(row[0])] if row else []
    except (ValueError, TypeError):
        return []


class LogIdentity:
    """Knows the last row that was taken. One thread. What reads the log raises StoreError: not now."""

    def __init__(self, db: SampleDb, follower: LogFollower, sealed_seq: int) -> None:
        self._db = db
        self._follower = follower
        self._store_id = db.meta("log_store_id")
        with db.read() as connection:
            marks = _read_marks(connection)
        self._row = marks[-1] if marks and marks[-1][0] == sealed_seq else None

    def taken(self, part: LogPart) -> None:
        """A part of the log was taken."""
        self._row = (part.through_seq, part.crc32)

    def mark(self, seq: int) -> LogMark | None:
        """The row that ends with ``seq``, for the seal that does too; None when it is not known."""
        if self._row is None or self._row[0] != seq:
            return None
        return LogMark(*self._row, self._store_id)

    def is_other(self, through_seq: int) -> bool:
        """Whether the log is another one than that of which everything up to ``through_seq`` was taken."""
        store_id = self._follower.store_id()
        self._store_id = self._store_id or store_id
        if self._follower.head_seq() < through_seq or store_id != self._store_id:
            return True
        return self._row is not None and self._follower.agrees(*self._row) is False

    def fork_seq(self, source: StoredSamples, sealed_seq: int) -> int:
        """The last seq up to which the log says what was sealed; 0 for the log of another store."""
        if self._follower.store_id() != self._store_id:
            return 0
        end = min(self._follower.head_seq(), sealed_seq)
        with self._db.read() as connection:
            marks = [mark for mark in _read_marks(connection) if mark[0] <= end]
        common = next((seq for seq, crc32 in reversed(marks) if self._follower.agrees(seq, crc32) is not False), 0)
        oldest = self._follower.first_seq()
        return _fork(self._db, source, max(common, (oldest or 1) - 1), end)

    def adopt(self, store_id: str) -> None:
        """The log that is there now is ours, of which nothing was taken yet."""
        self._store_id, self._row = store_id, None


def _fork(db: SampleDb, source: StoredSamples, at: int, end: int) -> int:
    """The last seq in at .. end up to which log and chunks hold the same samples."""
    kept_ns = int(db.meta("chunks_from_ns", "0"))
    while at < end:
        stretch = source.sealed_behind(at)
        upto = end if stretch is None else min(end, stretch.seq_last)
        theirs, holes = _logged(source, at, upto)
        ours = EMPTY if stretch is None else stretch.columns
        begun = upto + 1 if stretch is None else stretch.seq_first
        # Before the stretch nothing was sealed, or it went by age since.
        theirs = theirs.part((theirs.seq >= begun) | (theirs.time_ns >= kept_ns))
        with db.read() as connection:
            holes += connection.execute(_GAPS, (at, upto)).fetchall()
        holes += [] if stretch is None else list(stretch.lost)
        differs = first_difference(_within(ours, at, upto, holes), _within(theirs, at, upto, holes))
        if differs is not None:
            return differs - 1
        at = upto
    return end


def _logged(source: StoredSamples, after_seq: int, through_seq: int) -> tuple[Columns, list[tuple[int, int]]]:
    """The samples of the log up to ``through_seq``, and the spans that it does not have."""
    parts, holes, at = [], [], after_seq
    while at < through_seq:
        columns, part = source.logged(at)
        if part.through_seq == at:
            holes.append((at + 1, through_seq))
            break
        parts.append(columns)
        holes += [(span.seq_first, span.seq_last) for span in part.damage]
        at = part.through_seq
    return joined(parts), holes


def _within(columns: Columns, after_seq: int, through_seq: int, holes: Sequence[tuple[int, int]]) -> Columns:
    chosen = (columns.seq > after_seq) & (columns.seq <= through_seq)
    for first, last in holes:
        chosen &= (columns.seq < first) | (columns.seq > last)
    return columns.part(chosen)


def first_difference(ours: Columns, theirs: Columns) -> int | None:
    """The first seq of which the two have not the same samples; None when there is none."""
    left, right = _ordered(ours), _ordered(theirs)
    size = min(left.shape[1], right.shape[1])
    other = np.flatnonzero((left[:, :size] != right[:, :size]).any(axis=0))
    if other.size:
        return int(min(left[0, other[0]], right[0, other[0]]))
    longer = left if left.shape[1] > size else right
    return int(longer[0, size]) if longer.shape[1] > size else None


def _ordered(columns: Columns) -> npt.NDArray[np.int64]:
    """Rows seq, series, time, bits of the value; in that order."""
    rows = np.stack([columns.seq, columns.series.astype(np.int64), columns.time_ns, columns.value.view(np.int64)])
    return rows[:, np.lexsort(rows[::-1])]
