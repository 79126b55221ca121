"""Sealed samples, chunk by chunk: checksums, decoding, the summary beside the data, and the mark against the log.

Each blob is checked and decoded, a slice of rows at a time. What is damaged here costs the curve that stretch and
nothing else: the span still in the log can be sealed again from there, older comes from a backup. A user would notice a
mistake here as a hole in a curve that no check had told of.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from edge.storage.log_table import last_seq
from edge.storage.sample_codec import CodecError, crc, unpack_times, unpack_values

READ_ROWS = 256
_CHUNKS = """SELECT slab, series, part, n, n_nan, time_column, crc32, data, min, max, first, last FROM chunk
    WHERE (slab, series, part) > (?, ?, ?) ORDER BY slab, series, part LIMIT ?"""
_TIMES = "SELECT slab, id, crc32, data FROM time_column WHERE (slab, id) > (?, ?) ORDER BY slab, id LIMIT ?"
_ROLLUPS = """SELECT level, block, series, crc32, data FROM rollup WHERE (level, block, series) > (?, ?, ?)
    ORDER BY level, block, series LIMIT ?"""
#: What must hold between the tables; each answers with one text per offender.
_BETWEEN = (
    """SELECT 'slab ' || c.slab || ' series ' || c.series || ': no such time column' FROM chunk c
        WHERE NOT EXISTS (SELECT 1 FROM time_column t WHERE t.slab = c.slab AND t.id = c.time_column)""",
    """SELECT 'slab ' || slab || ': series ' || series || ' has no name' FROM chunk
        WHERE series NOT IN (SELECT id FROM series)""",
    # but for one that retention is emptying
    """SELECT 'slab ' || slab || ': it is not listed' FROM chunk WHERE slab NOT IN (SELECT id FROM slab)
        AND slab NOT IN (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'emptying_slab')""",
    """SELECT 'slab ' || s.id || ': ' || s.n || ' samples, its chunks hold ' || ifnull(c.n, 0) FROM slab s
        LEFT JOIN (SELECT slab, sum(n) n FROM chunk GROUP BY slab) c ON c.slab = s.id WHERE s.n IS NOT c.n""",
)
#: Never "move it away": that would give up a year of good chunks for a bad one.
REMEDY = (
    "that stretch is a hole in the curve, all else goes on. To have it back from a backup that is younger than the "
    "beginning of the log: stop the history, kangle restore FILE --samples --daemon NAME"
)
#: Of the file as a whole. Orders and money are in facts.db: a restore of everything would undo them for a curve.
LOST = (
    "stop the history and move samples.db away: it is begun anew from the log; for what came before the log: "
    "kangle restore FILE --samples. Orders and money stay as they are"
)

Found = Iterator[tuple[str, str]]


def check_chunks(connection: sqlite3.Connection, progress: Callable[[int], None]) -> Found:
    """Every chunk is what was sealed, and its summary is that of its samples."""
    at = (-1, -1, -1)
    while rows := connection.execute(_CHUNKS, (*at, READ_ROWS)).fetchall():
        for slab, series, part, n, n_nan, _column, checksum, data, *summary in rows:
            at = (slab, series, part)
            wrong = _chunk(at, n, n_nan, checksum, data, summary)
            if wrong:
                yield f"slab {slab}, series {series}, part {part}: {wrong}", REMEDY
        progress(at[0])


def _chunk(
    key: tuple[int, int, int], n: int, n_nan: int, checksum: int, data: bytes, summary: list[float | None]
) -> str:
    if crc(data, *key) != checksum:
        return "checksum differs"
    try:
        values = unpack_values(data, n)
    except CodecError as error:
        return str(error)
    good = values[values == values]  # noqa: PLR0124 - without NaN
    if values.size - good.size != n_nan:
        return f"{values.size - good.size} values are not numbers, its summary says {n_nan}"
    if good.size and [good.min(), good.max()] != summary[:2]:
        return f"{good.min()} to {good.max()}, its summary says {summary[0]} to {summary[1]}"
    return ""


def check_times(connection: sqlite3.Connection) -> Found:
    """Every time column and roll-up is what was written."""
    at: tuple[int, ...] = (-1, -1)
    while rows := connection.execute(_TIMES, (*at, READ_ROWS)).fetchall():
        for slab, number, checksum, data in rows:
            at = (slab, number)
            try:
                bad = "checksum differs" if crc(data, *at) != checksum else ""
                unpack_times(data)
            except CodecError as error:
                bad = bad or str(error)
            if bad:
                yield f"slab {slab}, time column {number}: {bad}", REMEDY
    at = (-1, -(1 << 62), -1)
    while rows := connection.execute(_ROLLUPS, (*at, READ_ROWS)).fetchall():
        for level, block, series, checksum, data in rows:
            at = (level, block, series)
            if crc(data, *at) != checksum:
                yield f"roll-up of {level} s, block {block}, series {series}: checksum differs", REMEDY


def check_between(connection: sqlite3.Connection) -> Found:
    """Chunks, slabs, time columns and names belong together."""
    for sql in _BETWEEN:
        for row in connection.execute(f"{sql} LIMIT 5"):
            yield row[0], REMEDY


def check_mark(connection: sqlite3.Connection, facts: Path) -> Found:
    """Neither the seal mark nor a sink is ahead of the log beside it. (After a restore of the log alone they may be,
    until the history process has looked.)"""
    if not facts.exists():
        return
    marks = [("the seal mark", row[0]) for row in connection.execute("SELECT value FROM meta WHERE key = 'seal_seq'")]
    marks += [(f"sink {sink}", seq) for sink, seq in connection.execute("SELECT sink, seq FROM cursor")]
    with closing(sqlite3.connect(f"{facts.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as log:
        head = last_seq(log)
    for name, seq in marks:
        if int(seq) > head:
            yield f"{name} is at input {seq}, the log ends at {head}", "start kangle run history: it sets itself back"
