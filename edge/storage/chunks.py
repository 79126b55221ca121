"""Reading chunks back: rows of ``samples.db`` to columns, damage told and not guessed.

The hard part is damage: a flipped bit must cost the chunk that it hit and be seen as a hole, never as other numbers;
every blob carries a CRC over itself and its key. A user would notice a mistake as a spike that never was.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.sample_codec import CodecError, crc, unpack_times, unpack_values
from edge.storage.sample_columns import FROM_SOURCE, Columns
from edge.storage.sample_names import DEFAULT_RESOLUTION_NS

_CACHED_TIMES = 512
_EVER, _NEVER = -(1 << 63), (1 << 63) - 1
CHUNK_COLUMNS = "slab, series, part, time_column, crc32, data, n"
_TIMES = "SELECT crc32, data FROM time_column WHERE slab = ? AND id = ?"


class ChunkRow(NamedTuple):
    """As selected by ``CHUNK_COLUMNS``."""

    slab: int
    series: int
    part: int
    time_column: int
    crc32: int
    data: bytes
    n: int


class Chunk(NamedTuple):
    """An unpacked chunk, in order of birth. ``settled``: that is the order of time too, and nothing in it can replace
    another sample; then all of the chunk, also what was left out, is from ``first_ns`` to ``last_ns``. Times, seqs and
    flags are read-only: chunks that were read together share them."""

    series: int
    seq: npt.NDArray[np.int64]
    time_ns: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flags: npt.NDArray[np.uint8]
    settled: bool
    first_ns: int
    last_ns: int


class _Times(NamedTuple):
    seq: npt.NDArray[np.int64]
    time_ns: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint8]
    settled: bool
    n: int
    first_ns: int
    last_ns: int


class ChunkReader:
    """Unpacks; one per connection and thread. ``damaged`` counts chunks that cannot be read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._times: OrderedDict[tuple[int, int], _Times] = OrderedDict()
        self.damaged = 0

    def unpack(self, row: Sequence[Any], begin_ns: int = _EVER, end_ns: int = _NEVER) -> Chunk | None:
        """The chunk of a row that begins as ``CHUNK_COLUMNS``, None when it is damaged (or its slab is gone meanwhile).
        Of a settled chunk only the samples with begin <= time < end."""
        try:
            return self._unpack(row, begin_ns, end_ns)
        except CodecError:
            self.damaged += 1
            return None

    def _unpack(self, row: Sequence[Any], begin_ns: int, end_ns: int) -> Chunk:
        slab, series, part, time_column, crc32, data, count = row[:7]
        if crc(data, slab, series, part) != crc32:
            raise CodecError("checksum differs")
        seq, time_ns, flags, settled, n, first_ns, last_ns = self._time_column(slab, time_column)
        if n != count:
            raise CodecError(f"{n} times for {count} values")
        begin, end = 0, n
        if settled and begin_ns > first_ns:
            begin = int(time_ns.searchsorted(begin_ns))
        if settled and end_ns <= last_ns:
            end = int(time_ns.searchsorted(end_ns))
        value = unpack_values(data, n, end)
        if end - begin < n:
            seq, time_ns, flags = seq[begin:end], time_ns[begin:end], flags[begin:end]
            value = value[begin:]
        return Chunk(series, seq, time_ns, value, flags, settled, first_ns, last_ns)

    def _time_column(self, slab: int, number: int) -> _Times:
        known = self._times.get((slab, number))
        if known is not None:
            self._times.move_to_end((slab, number))
            return known
        row = self.connection.execute(_TIMES, (slab, number)).fetchone()
        if row is None:
            raise CodecError("no time column")
        if crc(row[1], slab, number) != row[0]:
            raise CodecError("checksum of the times differs")
        column = self._times[slab, number] = _times(row[1])
        if len(self._times) > _CACHED_TIMES:
            self._times.popitem(last=False)
        return column


def _times(data: bytes) -> _Times:
    ticks, flags, seqs = unpack_times(data)
    time_ns = ticks * DEFAULT_RESOLUTION_NS
    settled = ticks.size > 0 and not (flags & FROM_SOURCE).any() and bool((np.diff(ticks) >= 0).all())
    for column in (time_ns, flags, seqs):
        column.setflags(write=False)
    span = (int(time_ns[0]), int(time_ns[-1])) if settled else (_EVER, _NEVER)
    return _Times(seqs, time_ns, flags, settled, ticks.size, *span)


def chunk_rows(rows: Sequence[Sequence[Any]]) -> list[ChunkRow]:
    """Rows as selected by ``CHUNK_COLUMNS``."""
    return [ChunkRow(*row) for row in rows]


def columns_of_chunk(chunk: Chunk) -> Columns:
    """A chunk as columns."""
    series = np.full(chunk.time_ns.size, chunk.series, np.int32)
    return Columns(chunk.seq, series, chunk.time_ns, chunk.value, chunk.flags)
