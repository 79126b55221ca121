"""One consistent copy of a store that is being written.

The hard part is to take long and yet hold nobody up. SQLite's backup API starts over whenever another process commits
between two steps, so a busy store would never end; here the source holds one read transaction, in which the steps see
one state (SQLite's WAL documentation: a reader never blocks the writer). What is left to share is the disk: a copy
is synced slice by slice and rests as long as each slice took, because one big sync at the end would stand in front of a
payment's. A diner would notice a mistake as a checkout that hangs whenever somebody makes a backup.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from edge.storage.connect import BUSY_TIMEOUT_MS, PAGE_BYTES, damaged
from edge.storage.errors import StoreError

#: 256 KiB: a sync of 10 to 25 ms on a card that writes 10 to 25 MB/s.
SLICE_PAGES = 64
REST_MAX_S = 0.5

Progress = Callable[[int, int], None]


class Copied(NamedTuple):
    """A copy that was made: its size, how long its longest slice held the disk, how long all of it took."""

    bytes: int
    longest_slice_s: float
    seconds: float


def copy_store(source: Path, target: Path, progress: Progress) -> Copied:
    """Copy ``source`` as it is now into the new file ``target``. ``progress(bytes done, bytes in all)``.

    Raises StoreError: "damaged" when SQLite cannot read the source, "storage" when the target cannot be written."""
    begun_s = time.monotonic()
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    slices = _Slices(target, progress)
    try:
        with closing(_open_source(source)) as reader, closing(sqlite3.connect(target, isolation_level=None)) as writer:
            writer.execute("PRAGMA synchronous = OFF")
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            reader.backup(writer, pages=SLICE_PAGES, progress=slices.done)
            reader.execute("COMMIT")
            # One file, without a write-ahead log beside it, that any SQLite opens.
            writer.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.OperationalError as error:
        raise StoreError("storage", f"{source} cannot be copied to {target.parent} now: {error}") from error
    except sqlite3.DatabaseError as error:
        raise damaged(source, str(error)) from error
    finally:
        slices.close()
    return Copied(target.stat().st_size, slices.longest_s, time.monotonic() - begun_s)


def _open_source(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()
    return connection


class _Slices:
    """Syncs what was written after each slice, and rests as long as that took."""

    def __init__(self, target: Path, progress: Progress) -> None:
        self._fd = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        self._progress = progress
        self._begun_s = time.monotonic()
        self.longest_s = 0.0

    def done(self, _status: int, remaining: int, total: int) -> None:
        """Called by SQLite after each step."""
        os.fdatasync(self._fd)
        took_s = time.monotonic() - self._begun_s
        self.longest_s = max(self.longest_s, took_s)
        self._progress((total - remaining) * PAGE_BYTES, total * PAGE_BYTES)
        if remaining:
            time.sleep(min(took_s, REST_MAX_S))
        self._begun_s = time.monotonic()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)
