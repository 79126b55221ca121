"""Samples of one series over a span of time, from chunks and the tail together.

The hard part is that chunks are in order of birth and may lie over one another (back-fill, repeats): what is returned
is in order of time with each repeat replaced, whatever was sealed when. A user would notice a mistake as a zigzag
backwards in a curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.chunks import ChunkReader
from edge.storage.errors import StoreError
from edge.storage.sample_columns import settle_order
from edge.storage.sample_db import SampleDb
from edge.storage.sample_tail import SampleTail, TailPicture

#: More than this is not unpacked for one question about one series: ask for bins instead.
SAMPLES_MAX = 2_000_000

_CHUNKS = """
SELECT c.slab, c.series, c.part, c.time_column, c.crc32, c.data, c.n, c.t_first, c.t_last
FROM slab AS s CROSS JOIN chunk AS c ON c.slab = s.id
WHERE s.t_last >= ?1 AND s.t_first < ?2 AND c.series = ?3 AND c.t_last >= ?1 AND c.t_first < ?2
LIMIT ?4
"""
#: What ``_CHUNKS`` gives in the order of birth. (Sorted here, not by SQLite: that would copy the blobs twice.)
_BIRTH = itemgetter(0, 2)
_SPANS = """
SELECT c.t_first, c.n FROM slab AS s CROSS JOIN chunk AS c ON c.slab = s.id
WHERE s.t_last >= ?1 AND s.t_first < ?2 AND c.series = ?3 AND c.t_last >= ?1 AND c.t_first < ?2
ORDER BY c.t_first
"""
_BEFORE = """
SELECT c.slab, c.series, c.part, c.time_column, c.crc32, c.data, c.n, c.t_last
FROM slab AS s CROSS JOIN chunk AS c ON c.slab = s.id
WHERE s.t_last >= ?1 AND s.t_first < ?2 AND c.series = ?3 AND c.t_first < ?2
ORDER BY s.t_last DESC, c.part DESC LIMIT ?4
"""
_CHUNKS_MAX = 20_000
HOLES_MAX = 1000
#: How far back the last value before a span is looked for.
BEFORE_NS = 31 * 86_400 * 1_000_000_000
#: Chunks that the first page of a span reads with its first look.
_FEW = 16


class Raw(NamedTuple):
    """Samples in the order of time. ``flags``: see ``edge.storage.sample_columns``."""

    time_ns: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flags: npt.NDArray[np.uint8]

    def part(self, chosen: slice | npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Raw:
        """The chosen samples."""
        return Raw(self.time_ns[chosen], self.value[chosen], self.flags[chosen])


class SeriesReader:
    """For one thread, with a read-only connection of its own."""

    def __init__(self, db: SampleDb, tail: SampleTail) -> None:
        self._db = db
        self._tail = tail
        self._chunks: ChunkReader | None = None
        #: The spans of chunks that could not be read; who wants to know empties it first.
        self.holes: list[tuple[int, int]] = []

    @property
    def damaged(self) -> int:
        """Chunks that could not be read since the last ``close``."""
        return 0 if self._chunks is None else self._chunks.damaged

    def chunks(self) -> ChunkReader:
        """The connection with its cache."""
        if self._chunks is None:
            self._chunks = ChunkReader(self._db.reader())
        return self._chunks

    def close(self) -> None:
        """Let go of the file; a later read opens it again."""
        if self._chunks is not None:
            self._chunks.connection.close()
            self._chunks = None

    def picture(self) -> TailPicture:
        """The tail as it is now. Take it *before* reading chunks, and read them and the seal mark in one transaction:
        what is sealed in between is then seen twice and told apart by the mark, never missed."""
        return self._tail.picture()

    def raw(self, series: int, begin_ns: int, end_ns: int, tail: TailPicture | None = None) -> Raw:
        """All samples with begin <= time < end. Raises StoreError "slow" beyond ``SAMPLES_MAX``, sqlite3.Error."""
        tail = tail or self.picture()
        rows = self._rows(series, begin_ns, end_ns, _CHUNKS_MAX)
        if len(rows) >= _CHUNKS_MAX or sum(row[6] for row in rows) > SAMPLES_MAX:
            raise StoreError("slow", "too many samples for one answer: ask for a shorter span or for windows")
        return self._raw_of(rows, series, begin_ns, end_ns, tail)

    def chunks_from_ns(self) -> int:
        """The time before which chunks were dropped and only roll-ups are left; 0 when none was."""
        row = self.chunks().connection.execute("SELECT value FROM meta WHERE key = 'chunks_from_ns'").fetchone()
        return int(row[0]) if row else 0

    def value_before(self, series: int, time_ns: int, tail: TailPicture) -> float | None:
        """The last value before ``time_ns``, at most ``BEFORE_NS`` old; None when there is none."""
        own = self._of_tail(series, tail)
        found = _last_before(own.time_ns, own.value, time_ns)
        rows = self.chunks().connection.execute(_BEFORE, (time_ns - BEFORE_NS, time_ns, series, _FEW)).fetchall()
        for row in rows:
            if found is not None and found[0] >= row[7]:
                continue
            chunk = self.chunks().unpack(row)
            here = None if chunk is None else _last_before(chunk.time_ns, chunk.value, time_ns)
            if here is not None and (found is None or here[0] > found[0]):
                found = here
        return None if found is None else found[1]

    def _rows(self, series: int, begin_ns: int, end_ns: int, limit: int) -> list[tuple[Any, ...]]:
        found = self.chunks().connection.execute(_CHUNKS, (begin_ns, end_ns, series, limit)).fetchall()
        if len(found) > 1:
            found.sort(key=_BIRTH)
        return found

    def _raw_of(
        self, rows: Sequence[tuple[Any, ...]], series: int, begin_ns: int, end_ns: int, tail: TailPicture
    ) -> Raw:
        reader = self.chunks()
        parts: list[Raw] = []
        in_order, until_ns = True, 0
        for row in rows:
            chunk = reader.unpack(row, begin_ns, end_ns)
            if chunk is None:
                if len(self.holes) < HOLES_MAX:
                    self.holes.append((row[7], row[8]))
                continue
            in_order = in_order and chunk.settled and (not parts or chunk.first_ns >= until_ns)
            until_ns = chunk.last_ns
            parts.append(Raw(chunk.time_ns, chunk.value, chunk.flags))
        if end_ns > tail.first_ns or not parts:
            parts.append(self._of_tail(series, tail))
            in_order = False
        return _joined(parts) if in_order else _settled(parts, begin_ns, end_ns)

    def _of_tail(self, series: int, tail: TailPicture) -> Raw:
        """The tail's samples that no sealed slab has: a seal may have come between the two looks."""
        row = self.chunks().connection.execute("SELECT value FROM meta WHERE key = 'seal_seq'").fetchone()
        columns = tail.columns
        sealed = int(row[0]) if row else 0
        if sealed > tail.after_seq:
            columns = columns.part(slice(int(np.searchsorted(columns.seq, sealed, side="right")), None))
        mine = np.flatnonzero(columns.series == series)
        return Raw(columns.time_ns[mine], columns.value[mine], columns.flags[mine])

    def first_samples(self, series: int, begin_ns: int, end_ns: int, wanted: int) -> tuple[Raw, int]:
        """At least the first ``wanted`` samples of the span (or all), and the time up to which (exclusively) they are
        complete."""
        tail = self.picture()
        rows = self._rows(series, begin_ns, end_ns, _FEW)
        few = len(rows) < _FEW
        if few and sum(row[6] for row in rows) <= 2 * wanted:
            return self._raw_of(rows, series, begin_ns, end_ns, tail), end_ns
        spans = sorted((row[7], row[6]) for row in rows)
        if not few:
            spans = self.chunks().connection.execute(_SPANS, (begin_ns, end_ns, series)).fetchall()
        size, limit_ns = 0, end_ns
        for t_first, n in spans:
            if size >= 2 * wanted and t_first > begin_ns:
                limit_ns = t_first
                break
            size += n
        while True:
            if few:
                held = [row for row in rows if row[7] < limit_ns]
                found = self._raw_of(held, series, begin_ns, limit_ns, tail)
            else:
                found = self.raw(series, begin_ns, limit_ns, tail)
            later = [t_first for t_first, _ in spans if t_first > limit_ns]
            if found.time_ns.size >= wanted or limit_ns >= end_ns:
                return found, limit_ns
            limit_ns = later[min(len(later) - 1, 8)] if later else end_ns


def _last_before(
    time_ns: npt.NDArray[np.int64], value: npt.NDArray[np.float64], end_ns: int
) -> tuple[int, float] | None:
    at = np.flatnonzero(time_ns < end_ns)
    if not at.size:
        return None
    newest = at[at.size - 1 - int(np.argmax(time_ns[at][::-1]))]
    return int(time_ns[newest]), float(value[newest])


def _joined(parts: list[Raw]) -> Raw:
    if len(parts) == 1:
        return parts[0]
    time_ns, value, flags = zip(*parts, strict=True)
    return Raw(np.concatenate(time_ns), np.concatenate(value), np.concatenate(flags))


def _settled(parts: list[Raw], begin_ns: int, end_ns: int) -> Raw:
    found = _joined(parts)
    inside = (found.time_ns >= begin_ns) & (found.time_ns < end_ns)
    if not inside.all():
        found = found.part(inside)
    order = settle_order(found.time_ns, found.flags)
    return found if order is None else found.part(order)
