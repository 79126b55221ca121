"""Sealing: a stretch of the log becomes one slab of column chunks, and the seal mark moves, in one transaction.

Packing is done before the transaction, so it is short. Chunks stay in order of birth, never sorted: sinks need that
order, and readers sort in a moment. The hard part is late samples: one meter that fills in yesterday must not make this
slab look a day long to every query, so samples far from the rest go to a slab of their own, and the hours that they
fall into are rolled up again. A user would notice a mistake as a month view that crawls after one device came back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.sample_codec import TimeColumn, crc, pack_times, pack_values
from edge.storage.sample_columns import Columns
from edge.storage.sample_db import SampleDb, put_meta
from edge.storage.sample_names import DEFAULT_RESOLUTION_NS, SeriesNames
from edge.storage.sample_tail import newest_last

#: A slab is closed at so many samples (about 40 MB in memory while it is open) ...
SEAL_SAMPLES = 1_200_000
#: ... or when its series hold so many each on average and it is ten minutes old ...
CHUNK_SAMPLES = 600
SEAL_AGE_NS = 600 * 1_000_000_000
#: ... or when it is so old: what must be read from the log again after a start.
SEAL_MAX_AGE_NS = 6 * 3600 * 1_000_000_000
PART_SAMPLES = 4096
#: Samples further than this from the middle of their stretch are late.
LATE_NS = 12 * 3600 * 1_000_000_000
HOUR_NS = 3600 * 1_000_000_000

_SLAB = "INSERT INTO slab (id, seq_first, seq_last, t_first, t_last, n, bytes, late) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_TIMES = "INSERT INTO time_column (slab, id, crc32, data) VALUES (?, ?, ?, ?)"
_CHUNK = (
    "INSERT INTO chunk (slab, series, part, seq_first, seq_last, t_first, t_last, n, n_nan, min, max, first, last, "
    "sum, time_column, crc32, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_LAST = (
    "UPDATE series SET last_ns = ?2, last_value = ?3, last_flags = ?4 "
    "WHERE id = ?1 AND (last_ns IS NULL OR last_ns <= ?2 OR last_ns > ?5)"
)


class Stretch(NamedTuple):
    """What is to be sealed: the samples of ``seq_first`` to ``seq_last``; ``wall_ns`` of the last record; ``note``
    writes what else belongs into the transaction."""

    seq_first: int
    seq_last: int
    wall_ns: int
    columns: Columns
    note: Callable[[sqlite3.Connection], None] | None = None


class Sealed(NamedTuple):
    """What became of a stretch."""

    samples: int
    chunks: int
    bytes: int


class _Slab(NamedTuple):
    row: tuple[Any, ...]
    times: list[tuple[Any, ...]]
    chunks: list[tuple[Any, ...]]


def is_due(samples: int, series: int, age_ns: int) -> bool:
    """Whether a tail of this size is to be sealed."""
    if samples >= SEAL_SAMPLES or age_ns >= SEAL_MAX_AGE_NS:
        return True
    return age_ns >= SEAL_AGE_NS and samples >= CHUNK_SAMPLES * max(series, 1)


class Sealer:
    """Writes slabs. One thread."""

    def __init__(self, db: SampleDb, names: SeriesNames) -> None:
        self._db = db
        self._names = names
        self._scales: dict[int, int] = {}

    def seal(self, stretch: Stretch) -> Sealed:
        """Write a stretch and move the seal mark to its end. Raises sqlite3.Error; then nothing is written."""
        slab_id = self._last_slab() + 1
        slabs: list[_Slab] = []
        due: set[tuple[int, int]] = set()
        for late, columns in _split(stretch.columns):
            slabs.append(self._pack(slab_id, stretch, columns, late=late))
            slab_id += 1
            hours = columns.time_ns // HOUR_NS
            due |= {(int(hour), 0) for hour in np.unique(hours)} if not late else _late_hours(hours, columns.series)
        lasts = _lasts(stretch.columns, stretch.wall_ns)
        with self._db.write() as connection:
            named = self._names.write(connection)
            for slab in slabs:
                connection.execute(_SLAB, slab.row)
                connection.executemany(_TIMES, slab.times)
                connection.executemany(_CHUNK, slab.chunks)
            connection.executemany("INSERT OR IGNORE INTO due (hour, series) VALUES (?, ?)", sorted(due))
            connection.executemany(_LAST, lasts)
            put_meta(connection, "seal_seq", stretch.seq_last)
            put_meta(connection, "seal_wall_ns", stretch.wall_ns)
            put_meta(connection, "last_slab", slab_id - 1)
            if stretch.note is not None:
                stretch.note(connection)
        self._names.written(named)
        return Sealed(
            stretch.columns.seq.size, sum(len(slab.chunks) for slab in slabs), sum(slab.row[6] for slab in slabs)
        )

    def _last_slab(self) -> int:
        """The greatest id that ever was, also of a slab that is gone: retention may still be emptying it, and readers
        keep its time columns in memory. (A file of an earlier release has only its slabs to tell it.)"""
        with self._db.read() as connection:
            row = connection.execute("SELECT max(id) FROM slab").fetchone()
        return max(int(row[0] or 0), int(self._db.meta("last_slab", "0")), int(self._db.meta("emptying_slab") or 0))

    def _pack(self, slab_id: int, stretch: Stretch, columns: Columns, *, late: bool) -> _Slab:
        grouped = columns.part(np.argsort(columns.series, kind="stable"))
        starts = np.flatnonzero(np.diff(grouped.series, prepend=-1))
        ends = np.append(starts[1:], grouped.series.size)
        times = _TimeColumns(slab_id)
        chunks = []
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            for part, at in enumerate(range(start, end, PART_SAMPLES)):
                piece = grouped.part(slice(at, min(at + PART_SAMPLES, end)))
                chunks.append(self._chunk(slab_id, part, piece, times))
        size = sum(len(row[3]) for row in times.rows) + sum(len(row[16]) for row in chunks)
        row = (
            slab_id,
            stretch.seq_first,
            stretch.seq_last,
            int(columns.time_ns.min()),
            int(columns.time_ns.max()),
            columns.seq.size,
            size,
            int(late),
        )
        return _Slab(row, times.rows, chunks)

    def _chunk(self, slab_id: int, part: int, piece: Columns, times: _TimeColumns) -> tuple[Any, ...]:
        series = int(piece.series[0])
        data, self._scales[series] = pack_values(piece.value, self._scales.get(series, 0))
        key = (slab_id, series, part)
        seqs = (int(piece.seq[0]), int(piece.seq[-1]))
        return (*key, *seqs, *_stats(piece), times.id_of(piece), crc(data, *key), data)


class _TimeColumns:
    """The time columns of a slab; equal ones are one."""

    def __init__(self, slab_id: int) -> None:
        self._slab_id = slab_id
        self._ids: dict[bytes, int] = {}
        self.rows: list[tuple[Any, ...]] = []

    def id_of(self, piece: Columns) -> int:
        """The number of the column of ``piece``, a new one when there is none like it."""
        ticks = piece.time_ns // DEFAULT_RESOLUTION_NS
        key = ticks.tobytes() + piece.flags.tobytes() + piece.seq.tobytes()
        known = self._ids.get(key)
        if known is None:
            known = self._ids[key] = len(self._ids) + 1
            data = pack_times(TimeColumn(ticks, piece.flags, piece.seq))
            self.rows.append((self._slab_id, known, crc(data, self._slab_id, known), data))
        return known


def _split(columns: Columns) -> list[tuple[bool, Columns]]:
    """(late, samples): the main part, and what is far from it in time."""
    if not columns.seq.size:
        return []
    middle = int(np.partition(columns.time_ns, columns.time_ns.size // 2)[columns.time_ns.size // 2])
    near = np.abs(columns.time_ns - middle) <= LATE_NS
    if near.all():
        return [(False, columns)]
    return [(False, columns.part(near)), (True, columns.part(~near))]


def _stats(piece: Columns) -> tuple[Any, ...]:
    """t_first, t_last, n, n_nan, min, max, first, last, sum: of the numbers only, first and last by time."""
    time_ns, value = piece.time_ns, piece.value
    span = (int(time_ns.min()), int(time_ns.max()), value.size)
    known = ~np.isnan(value)
    n_nan = value.size - int(known.sum())
    if n_nan == value.size:
        return (*span, n_nan, None, None, None, None, None)
    if n_nan:
        time_ns, value = time_ns[known], value[known]
    first, last = value[0], value[-1]
    if (np.diff(time_ns) < 0).any():
        order = np.argsort(time_ns, kind="stable")
        first, last = value[order[0]], value[order[-1]]
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(value.sum())
    return (*span, n_nan, float(value.min()), float(value.max()), float(first), float(last), total)


def _late_hours(hours: npt.NDArray[np.int64], series: npt.NDArray[np.int32]) -> set[tuple[int, int]]:
    return set(zip(hours.tolist(), series.tolist(), strict=True))


def _lasts(columns: Columns, wall_ns: int) -> list[tuple[int, int, float | None, int, int]]:
    """(series, time, value, flags, wall_ns) of the newest sample of each series; SQLite keeps NaN as NULL. Samples from
    beyond ``wall_ns`` (the clock was set back) count last, as in ``LastValues``."""
    ordered = columns.part(newest_last(columns.time_ns, wall_ns))
    ordered = ordered.part(np.argsort(ordered.series, kind="stable"))
    newest = ordered.part(np.flatnonzero(np.diff(ordered.series, append=-1)))
    values = (None if np.isnan(value) else value for value in newest.value.tolist())
    rows = zip(newest.series.tolist(), newest.time_ns.tolist(), values, newest.flags.tolist(), strict=True)
    return [(*row, wall_ns) for row in rows]
