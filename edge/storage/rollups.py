"""Roll-ups: minutes and hours of every series, made once the hour is sealed, made again when late samples come.

Each is computed from the samples themselves (merged and with repeats replaced), never added up from half-made parts, so
it is right whatever came late. An hour is *due* from the seal that touched it until it is rolled; readers take the
samples of hours that are due. The hard part is to go in slices, so that a day of back-fill does not hold up a query. A
user would notice a mistake as a curve that changes when one zooms in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from edge.log import structlog
from edge.storage.bins import Bins, bins_of, pack_bins, put_together, unpack_bins
from edge.storage.sample_codec import CodecError, crc
from edge.storage.sample_columns import EMPTY
from edge.storage.sample_db import SampleDb
from edge.storage.sample_reading import SeriesReader
from edge.storage.sample_tail import TailPicture

MINUTE_S, HOUR_S = 60, 3600
NS = 1_000_000_000
HOUR_NS = HOUR_S * NS
#: Bins in one stored block: a day of minutes, 32 days of hours. A block is written again with each hour that is rolled
#: (about 4 bytes a sample at 1 Hz, both levels), so that a year is twelve reads.
BLOCK_BINS = {MINUTE_S: 1440, HOUR_S: 768}
#: An hour is rolled when the log is sealed so far past its end: stragglers are usually in.
GRACE_NS = 60 * NS
#: Series of one hour that one ``step`` rolls.
SLICE = 200
_BLOCKS_AT_ONCE = 500
_log = structlog.get_logger("samples")

_WRITE = "INSERT OR REPLACE INTO rollup (level, block, series, crc32, data) VALUES (?, ?, ?, ?, ?)"
_SPAN = "SELECT block, data, crc32 FROM rollup WHERE level = ? AND series = ? AND block IN ({}) ORDER BY block"
_DUE = "SELECT hour, min(series) FROM due WHERE hour <= ? GROUP BY hour ORDER BY hour LIMIT 1"
_SERIES = """
SELECT DISTINCT c.series FROM slab AS s CROSS JOIN chunk AS c ON c.slab = s.id
WHERE s.t_last >= ?1 AND s.t_first < ?2 AND c.series > ?3 AND c.t_last >= ?1 AND c.t_first < ?2
ORDER BY c.series
"""


class Roller:
    """Rolls what is due; one thread."""

    def __init__(self, db: SampleDb, reader: SeriesReader) -> None:
        self._db = db
        self._reader = reader
        self._queue: list[int] = []
        self._hour: int | None = None
        self._whole = False
        self.counts = {"rolled": 0, "hours": 0}

    def restart(self) -> None:
        """Something was sealed: the hour under way may have got more samples, so it is begun again."""
        self._hour = None

    def step(self) -> bool:
        """Roll a slice of the oldest hour that is due and over. True when there was something to do."""
        if self._hour is None and not self._begin():
            return False
        assert self._hour is not None
        part, rest = self._queue[:SLICE], self._queue[SLICE:]
        rows = [row for series in part for row in self._roll(series, self._hour)]
        with self._db.write() as connection:
            connection.executemany(_WRITE, rows)
            connection.executemany("DELETE FROM due WHERE hour = ? AND series = ?", [(self._hour, s) for s in part])
            if not rest and self._whole:
                connection.execute("DELETE FROM due WHERE hour = ?", (self._hour,))
        self._queue = rest  # only now: what could not be written is rolled with the next try
        if not rest:
            self._hour = None
            self.counts["hours"] += 1
        self.counts["rolled"] += len(part)
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def _begin(self) -> bool:
        sealed_ns = int(self._db.meta("seal_wall_ns", "0"))
        kept_ns = int(self._db.meta("chunks_from_ns", "0"))
        if kept_ns:
            # Late samples for hours whose other samples are gone: they are in no roll-up, only in their own chunks.
            with self._db.write() as connection:
                connection.execute("DELETE FROM due WHERE hour <= ?", (kept_ns // HOUR_NS,))
        with self._db.read() as connection:
            row = connection.execute(_DUE, ((sealed_ns - GRACE_NS) // HOUR_NS - 1,)).fetchone()
            if row is None:
                return False
            hour = int(row[0])
            self._whole = row[1] == 0
            if self._whole:
                span = (hour * HOUR_NS, (hour + 1) * HOUR_NS)
                found = connection.execute(_SERIES, (*span, 0)).fetchall()
            else:
                found = connection.execute("SELECT series FROM due WHERE hour = ? ORDER BY series", (hour,)).fetchall()
        self._hour, self._queue = hour, [int(series) for (series,) in found]
        return True

    def _roll(self, series: int, hour: int) -> list[tuple[int, int, int, int, bytes]]:
        """The rows of one series: the day's minutes and the month's hours with this hour put in."""
        nothing = TailPicture(0, 0, EMPTY)
        raw = self._reader.raw(series, hour * HOUR_NS, (hour + 1) * HOUR_NS, nothing)
        connection = self._reader.chunks().connection
        rows = []
        for level in (MINUTE_S, HOUR_S):
            block = hour * HOUR_S // level // BLOCK_BINS[level]
            known = read_blocks(connection, level, series, block, block + 1)
            if known.damaged:
                _log.error("a block of roll-ups was damaged; what was in it is made of samples again", series=series)
                self._make_due(series, level, block)
            fresh = bins_of(raw.time_ns, raw.value, level * NS)
            rows.append(_row(level, block, series, put_together([known.bins, fresh])))
        return rows

    def _make_due(self, series: int, level: int, block: int) -> None:
        hours = BLOCK_BINS[level] * level // HOUR_S
        with self._db.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO due (hour, series) VALUES (?, ?)",
                [(hour, series) for hour in range(block * hours, (block + 1) * hours)],
            )


def _row(level: int, block: int, series: int, bins: Bins) -> tuple[int, int, int, int, bytes]:
    data = pack_bins(bins)
    return level, block, series, crc(data, level, block, series), data


class Blocks(NamedTuple):
    """Stored bins, and the blocks that cannot be read."""

    bins: Bins
    damaged: tuple[int, ...]


def read_blocks(connection: sqlite3.Connection, level: int, series: int, first: int, end: int) -> Blocks:
    """The stored blocks first <= block < end of a series. One search each: the table is in the order of time, and a
    year of one series is spread over it."""
    wanted = range(first, end)
    found, damaged = [], []
    for at in range(0, len(wanted), _BLOCKS_AT_ONCE):
        part = wanted[at : at + _BLOCKS_AT_ONCE]
        sql = _SPAN.format(",".join("?" * len(part)))
        for block, data, crc32 in connection.execute(sql, (level, series, *part)).fetchall():
            bins = _unpacked(data, crc32, level, block, series)
            if bins is None:
                damaged.append(int(block))
            else:
                found.append(bins)
    return Blocks(put_together(found), tuple(damaged))


def _unpacked(data: bytes, crc32: int, *key: int) -> Bins | None:
    try:
        return unpack_bins(data) if crc(data, *key) == crc32 else None
    except CodecError:
        return None


def due_hours(connection: sqlite3.Connection, series: int, first_hour: int, end_hour: int) -> set[int]:
    """Hours of a span whose roll-ups are not made, or not made again, yet."""
    sql = "SELECT DISTINCT hour FROM due WHERE hour >= ? AND hour < ? AND series IN (0, ?)"
    return {int(hour) for (hour,) in connection.execute(sql, (first_hour, end_hour, series))}


def read_rolled(reader: SeriesReader, level: int, series: int, begin_ns: int, end_ns: int, tail: TailPicture) -> Bins:
    """Bins of ``level`` over whole hours from ``begin_ns`` to ``end_ns``: stored ones, and computed from the samples
    for hours that are due or in the tail."""
    connection = reader.chunks().connection
    first, end = begin_ns // HOUR_NS, -(-end_ns // HOUR_NS)
    hours = BLOCK_BINS[level] * level // HOUR_S
    stored = read_blocks(connection, level, series, first // hours, -(-end // hours))
    fresh = due_hours(connection, series, first, end)
    fresh |= {block * hours + at for block in stored.damaged for at in range(hours)}
    if end_ns > tail.first_ns:
        fresh |= _tail_hours(series, tail)
    parts = [stored.bins]
    for span in _spans(hour for hour in fresh if first <= hour < end):
        raw = reader.raw(series, span[0] * HOUR_NS, span[1] * HOUR_NS, tail)
        parts.append(bins_of(raw.time_ns, raw.value, level * NS))
    whole = put_together(parts)
    inside = np.searchsorted(whole.slot, (begin_ns // (level * NS), -(-end_ns // (level * NS))))
    return whole.part(slice(*inside.tolist()))


def _tail_hours(series: int, tail: TailPicture) -> set[int]:
    mine = tail.columns.time_ns[tail.columns.series == series]
    return {int(hour) for hour in np.unique(mine // HOUR_NS)}


def _spans(hours: Iterable[int]) -> Sequence[tuple[int, int]]:
    """Runs of neighbouring hours as (first, end)."""
    found: list[tuple[int, int]] = []
    for hour in sorted(hours):
        if found and found[-1][1] == hour:
            found[-1] = (found[-1][0], hour + 1)
        else:
            found.append((hour, hour + 1))
    return found
