"""The log of a store, row by row: checksums, gapless numbers, the running total, and where it begins.

A row that is damaged costs that row: its inputs cannot be replayed or explained, what they caused stands in the other
tables. The hard part is a log that is pruned while it is read; only what is behind the reader goes, so the rows ahead
still follow each other.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

from edge.storage.log import LogError, LogRow, decode

READ_ROWS = 64
_READ = """SELECT seq_last, seq_first, boot_id, wall_ns, count, crc32, format, data, bytes_total FROM log
    WHERE seq_last > ? ORDER BY seq_last LIMIT ?"""
LOST = "these inputs cannot be replayed or explained any more; nothing that they caused is lost. A backup may have them"
GONE = "a stretch of the flight recorder is gone; compare with the last backup"


def check_log(connection: sqlite3.Connection, head: int, progress: Callable[[int], None]) -> Iterator[tuple[str, str]]:
    """What is wrong with the rows up to seq ``head``, with the remedy. ``progress`` is told each seq reached."""
    at, expected, total = 0, None, None
    while at < head:
        rows = connection.execute(_READ, (at, READ_ROWS)).fetchall()
        for *values, bytes_total in rows:
            row = LogRow(*values)
            if expected is None:
                yield from _beginning(connection, row.seq_first)
            elif row.seq_first != expected:
                yield f"inputs {expected} to {row.seq_first - 1} are missing", GONE
            try:
                decode(row)
            except LogError as error:
                yield f"inputs {row.seq_first} to {row.seq_last}: {error}", LOST
            if total is not None and bytes_total != total + len(row.data):
                yield (
                    f"the running total at input {row.seq_last} is wrong",
                    "none needed: retention by size is off a bit",
                )
            expected, total, at = row.seq_last + 1, bytes_total, row.seq_last
        progress(min(at, head))
        if len(rows) < READ_ROWS:
            break
    if expected is not None and at < head:
        yield f"inputs {at + 1} to {head} are missing", GONE


def _beginning(connection: sqlite3.Connection, first: int) -> Iterator[tuple[str, str]]:
    """A log begins with input 1, or behind a copy of the world, or it was pruned in this moment."""
    if first > 1 and connection.execute("SELECT 1 FROM snapshot WHERE seq = ?", (first - 1,)).fetchone() is None:
        oldest = connection.execute("SELECT min(seq_first) FROM log").fetchone()[0]
        if oldest == first:
            yield f"the log begins with input {first} and no copy of the world before it", GONE
