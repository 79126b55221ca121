"""Samples of one series over a span of time, from chunks and the tail together.

The hard part is that chunks are in order of birth and may lie over one another (back-fill, repeats): what is returned
is in order of time with each repeat replaced, whatever was sealed when. A user would notice a mistake as a zigzag
backwards in a curve.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.chunks import ChunkReader, ChunkRow
from edge.storage.errors import StoreError
from edge.storage.sample_columns import settle_order
from edge.storage.sample_db import SampleDb
from edge.storage.sample_tail import SampleTail, TailPicture

#: More than this is not unpacked for one question about one series: ask for bins instead.
SAMPLES_MAX = 2_000_000

_CHUNKS = """
SELECT c.slab, c.series, c.part, c.time_column, c.crc32, c.data, c.n, c.t_first
FROM slab AS s CROSS JOIN chunk AS c ON c.slab = s.id
WHERE s.t_last >= ?1 AND s.t_first < ?2 AND c.series = ?3 AND c.t_last >= ?1 AND c.t_first < ?2
ORDER BY c.slab, c.part LIMIT ?4
"""
_SPANS = """
SELECT c.t_first, c.n FROM slab AS s CROSS JOIN chunk AS c ON c.slab = s.id
WHERE s.t_last >= ?1 AND s.t_first < ?2 AND c.series = ?3 AND c.t_last >= ?1 AND c.t_first < ?2
ORDER BY c.t_first
"""
_CHUNKS_MAX = 20_000


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
        """The tail as it is now. Take it *before* reading chunks: what is sealed in between is then seen twice (and
        told apart by ``through_seq``), never missed."""
        return self._tail.picture()

    def raw(self, series: int, begin_ns: int, end_ns: int, tail: TailPicture | None = None) -> Raw:
        """All samples with begin <= time < end. Raises StoreError "slow" beyond ``SAMPLES_MAX``, sqlite3.Error."""
        tail = tail or self.picture()
        reader = self.chunks()
        rows = reader.connection.execute(_CHUNKS, (begin_ns, end_ns, series, _CHUNKS_MAX)).fetchall()
        if len(rows) >= _CHUNKS_MAX or sum(row[6] for row in rows) > SAMPLES_MAX:
            raise StoreError("slow", "too many samples for one answer: ask for a shorter span or for windows")
        parts = []
        for row in rows:
            chunk = reader.unpack(ChunkRow(*row[:7]))
            if chunk is not None:
                parts.append(Raw(chunk.time_ns, chunk.value, chunk.flags))
        if end_ns > tail.first_ns or not parts:
            parts.append(self._of_tail(series, tail))
        return _settled(parts, begin_ns, end_ns)

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
        spans = self.chunks().connection.execute(_SPANS, (begin_ns, end_ns, series)).fetchall()
        size, limit_ns = 0, end_ns
        for t_first, n in spans:
            if size >= 2 * wanted and t_first > begin_ns:
                limit_ns = t_first
                break
            size += n
        while True:
            found = self.raw(series, begin_ns, limit_ns, tail)
            later = [t_first for t_first, _ in spans if t_first > limit_ns]
            if found.time_ns.size >= wanted or limit_ns >= end_ns:
                return found, limit_ns
            limit_ns = later[min(len(later) - 1, 8)] if later else end_ns


def _settled(parts: list[Raw], begin_ns: int, end_ns: int) -> Raw:
    time_ns, value, flags = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    inside = (time_ns >= begin_ns) & (time_ns < end_ns)
    found = Raw(time_ns, value, flags)
    if not inside.all():
        found = found.part(inside)
    order = settle_order(found.time_ns, found.flags)
    return found if order is None else found.part(order)
