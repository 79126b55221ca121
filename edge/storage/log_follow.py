"""Reading the log of a running daemon in order, from outside: short read-only looks, never a transaction held open.

The hard part is to be told the truth about holes: what was pruned before we came, what is damaged, and that the file is
another one (a restored backup whose numbers begin earlier). A user would notice a mistake as a curve that silently
lacks an hour, or as a store that grows because somebody reads it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from edge.storage import log_table
from edge.storage.connect import FILE_NAME, open_reader
from edge.storage.errors import StoreError
from edge.storage.log import LogDamage, LogEntry, LogError, LogRow, decode_inputs
from edge.storage.migrate import packaged

T = TypeVar("T")

READ_LIMIT_S = 0.25
READ_ROWS = 32
_PROGRESS_STEPS = 1000
_COLUMNS = "seq_last, seq_first, boot_id, wall_ns, count, crc32, format, data"
_READ = f"SELECT {_COLUMNS} FROM log WHERE seq_last > ? ORDER BY seq_last LIMIT ?"  # noqa: S608

_STORE_ID = "SELECT value FROM meta WHERE key = 'store_id'"
_ROW = "SELECT seq_last, seq_first, crc32 FROM log WHERE seq_last >= ? ORDER BY seq_last LIMIT 1"


class LogPart(NamedTuple):
    """``through_seq``: all that the log holds up to there is in ``entries`` or named in ``damage``; equal to the seq
    asked behind when there is nothing new. ``wall_ns`` is that of the last record, 0 when none; ``crc32`` that of the
    last row."""

    through_seq: int
    wall_ns: int
    entries: list[LogEntry]
    damage: list[LogDamage]
    crc32: int = 0


class LogFollower:
    """For one thread. Every method raises StoreError ("absent", "schema", "newer", "storage", "damaged"): not now."""

    def __init__(self, directory: Path, vertical: str, *, limit_s: float = READ_LIMIT_S) -> None:
        self._path = directory / FILE_NAME
        self._version = packaged(vertical)[-1].version
        self._limit_s = limit_s
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)

    def head_seq(self) -> int:
        """The last committed seq."""
        return self._look(log_table.last_seq)

    def first_seq(self) -> int | None:
        """The oldest seq that the log still holds; None for an empty log."""
        return self._look(log_table.oldest_kept)

    def store_id(self) -> str:
        """The name that the store was given when it was made; "" for one of an earlier release."""
        row = self._look(lambda connection: connection.execute(_STORE_ID).fetchone())
        return str(row[0]) if row else ""

    def agrees(self, seq: int, crc32: int) -> bool | None:
        """Whether the row that ends with ``seq`` has this checksum; None when it was pruned."""
        row = self._look(lambda connection: connection.execute(_ROW, (seq,)).fetchone())
        if row is None:
            return None if self.head_seq() >= seq else False
        return None if row[1] > seq else (row[0], row[2]) == (seq, crc32)

    def read(self, after_seq: int, rows_max: int = READ_ROWS) -> LogPart:
        """What follows ``after_seq``, at most ``rows_max`` rows of the log."""
        rows = self._look(lambda connection: connection.execute(_READ, (after_seq, rows_max)).fetchall())
        expected = after_seq + 1
        entries: list[LogEntry] = []
        damage: list[LogDamage] = []
        wall_ns = 0
        for row in (LogRow(*values) for values in rows):
            if row.seq_first > expected:
                damage.append(LogDamage(expected, row.seq_first - 1, "missing"))
            first, expected = max(expected, row.seq_first), max(expected, row.seq_last + 1)
            try:
                found = decode_inputs(row)
            except LogError as error:
                damage.append(LogDamage(first, row.seq_last, str(error)))
                continue
            wall_ns = row.wall_ns
            entries += found if first == row.seq_first else [entry for entry in found if entry.seq >= first]
        return LogPart(expected - 1, wall_ns, entries, damage, rows[-1][5] if rows else 0)

    def close(self) -> None:
        """Let go of the file; a later read opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _look(self, work: Callable[[sqlite3.Connection], T]) -> T:
        until = time.monotonic() + self._limit_s
        try:
            connection = self._opened()
            connection.set_progress_handler(lambda: time.monotonic() > until, _PROGRESS_STEPS)
            return work(connection)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # its words about a damaged file may be no text
            self.close()
            raise StoreError("storage", f"{self._path} cannot be read now: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        try:
            found = self._path.stat()
        except OSError:
            self.close()
            raise StoreError("absent", f"{self._path} does not exist yet: start the daemon once") from None
        identity = (found.st_dev, found.st_ino)
        if self._connection is None or identity != self._identity:
            self.close()
            self._connection, self._identity = open_reader(self._path, self._version), identity
        return self._connection
