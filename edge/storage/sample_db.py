"""``samples.db``: opening it, writing it from several threads, and what to do when it is lost or damaged.

It holds nothing that cannot be lost: the span still in the log is sealed again, older comes from a backup. So a damaged
file never stops the box: it is kept aside under a name with the time, a new one begins, and the span that the new one
cannot have is told as a gap. The hard part is to tell *damaged* from *in use, full or newer*, for those must not cost a
year of curves. A user would notice a mistake as an empty history after a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge.log import structlog
from edge.storage.connect import disk_fails, disk_trouble, open_reader, open_writer, quick_check, says_damaged
from edge.storage.errors import StoreError
from edge.storage.lock import StoreLock
from edge.storage.migrate import migrate, packaged_samples
from edge.storage.restore_swap import refuse_half_restored

SAMPLES_FILE = "samples.db"
SAMPLES_LOCK = "samples.lock"
#: Stands beside a file in which SQLite met damage while it was at work, a byte for each time since it was last written;
#: the next start looks at all of it, and so many times are believed whatever that look says.
BAD_MARK = "samples.db.bad"
MARKS_MAX = 3
#: Damaged files kept aside; the oldest goes when another comes.
ASIDE_MAX = 2
CHECK_LIMIT_S = 5.0
MARKED_CHECK_LIMIT_S = 1800.0
#: About 8 MB of write-ahead log, then it goes into the file.
CHECKPOINT_PAGES = 2000
#: A log that a hanging reader kept from being reset is cut back to this when the reader has gone.
WAL_LIMIT_BYTES = 16 << 20

#: Values of ``meta`` that are whole numbers.
_NUMBERS = frozenset(
    ("seal_seq", "seal_wall_ns", "last_slab", "emptying_slab", "chunks_from_ns", "dropped_unsent_ns", "log_changed_ns")
)

_log = structlog.get_logger("samples")


class SampleDb:
    """The one writer of a directory's ``samples.db``. ``write`` may be called from any thread; transactions follow one
    another and must be short (a slab is the longest: some hundred milliseconds).

    ``set_aside``: the damaged file that was found at opening, None when all was well."""

    def __init__(self, directory: Path, *, wall_ns: int | None = None) -> None:
        """Raises StoreError "locked", "newer", "schema", "storage"."""
        refuse_half_restored(directory.parent)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = directory / SAMPLES_FILE
        self._lock = StoreLock(directory, SAMPLES_LOCK)
        self._mutex = threading.RLock()
        self.set_aside: Path | None = None
        try:
            try:
                self._connection = _prepare_surely(self.path)
            except StoreError as error:
                if error.code != "damaged":
                    raise
                self.set_aside = _put_aside(self.path, time.time_ns() if wall_ns is None else wall_ns)
                _log.error("samples.db is damaged: begun anew", kept=str(self.set_aside), reason=error.text)
                self._connection = _prepare(self.path)
        except sqlite3.Error as error:
            self._lock.release()
            raise StoreError("storage", f"{self.path} cannot be opened: {error}") from error
        except BaseException:
            self._lock.release()
            raise
        self._opened = self._named()

    def in_place(self) -> bool:
        """Whether the open file is still the one of this name. One that a hand took away takes whatever is written, and
        nobody will find it again."""
        try:
            return self._named() == self._opened
        except FileNotFoundError:
            return False
        except OSError:
            return True  # the disk does not tell

    def _named(self) -> tuple[int, int]:
        found = self.path.stat()
        return found.st_dev, found.st_ino

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        with self._mutex:
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The writing connection for reading, such as by chores that then write."""
        with self._mutex:
            yield self._connection

    def reader(self) -> sqlite3.Connection:
        """A read-only connection of the caller's own. Keep its transactions short."""
        return open_reader(self.path, packaged_samples()[-1].version)

    def meta(self, key: str, default: str = "") -> str:
        """A value of table ``meta``."""
        with self._mutex:
            row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else default

    def close(self) -> None:
        """Let go of the file. Idempotent."""
        with self._mutex:
            self._connection.close()
        self._lock.release()


def put_meta(connection: sqlite3.Connection, key: str, value: str | int) -> None:
    """Write a value of table ``meta`` within the open transaction."""
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, str(value)),
    )


def is_malformed(error: Exception) -> bool:
    """True when SQLite says that the file itself is damaged, or lacks what our own schema has: one letter of a table's
    definition, which every page check calls well."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_ERROR and isinstance(error, sqlite3.OperationalError):
        return str(error).startswith("no such ") or "has no column named" in str(error)
    return isinstance(error, sqlite3.DatabaseError) and code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def mark_bad(directory: Path) -> None:
    """Have the next start look at the whole file: its usual check is cut short, so damage may only be met at work. A
    read that failed looks the same (``connect.disk_trouble``), so one mark alone condemns no file."""
    with suppress(OSError), (directory / BAD_MARK).open("ab") as file:
        file.write(b"x")


def clear_bad(directory: Path) -> None:
    """It was written again: what looked like damage was the disk's trouble of a moment."""
    with suppress(OSError):
        (directory / BAD_MARK).unlink()


def _marks(path: Path) -> int:
    try:
        return path.with_name(BAD_MARK).stat().st_size
    except FileNotFoundError:
        return 0


def _prepare_surely(path: Path) -> sqlite3.Connection:
    """``_prepare``; a file is called damaged only when it is so at a second look, on a disk that can be read."""
    try:
        return _prepare(path)
    except StoreError as error:
        if error.code != "damaged":
            raise
        trouble = disk_trouble(path)
        if trouble is not None:
            raise disk_fails(path, trouble) from error
    return _prepare(path)


def _prepare(path: Path) -> sqlite3.Connection:
    connection = None
    marks = _marks(path)
    if marks and not path.exists():
        path.with_name(BAD_MARK).unlink()
        marks = 0
    if marks >= MARKS_MAX:
        raise StoreError("damaged", f"{path}: damage was met in it while it was written")
    try:
        connection = open_writer(path)
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        quick_check(connection, path, MARKED_CHECK_LIMIT_S if marks else CHECK_LIMIT_S)
        migrate(connection, packaged_samples(), str(path))
        _check_meta(connection, path)
        connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('store_id', ?)", (uuid.uuid4().hex,))
        return connection
    except BaseException as error:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
        if isinstance(error, sqlite3.Error | UnicodeDecodeError) and says_damaged(error):
            raise StoreError("damaged", f"{path}: {error}") from error
        raise


def _check_meta(connection: sqlite3.Connection, path: Path) -> None:
    """A flipped bit in a mark is met here, as damage, not as a number that cannot be read at every start."""
    try:
        rows = {str(key): str(value) for key, value in connection.execute("SELECT key, value FROM meta")}
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        raise StoreError("damaged", f"{path}: {error}") from error
    for key in sorted(_NUMBERS & rows.keys()):
        digits = rows[key].removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()):
            raise StoreError("damaged", f"{path}: {key} is {rows[key]!r}")


def _put_aside(path: Path, wall_ns: int) -> Path:
    older = sorted(found for found in path.parent.glob(f"{path.name}.damaged-*") if not found.name.endswith("-wal"))
    for gone in older[: max(0, len(older) - ASIDE_MAX + 1)]:
        gone.unlink(missing_ok=True)
        gone.with_name(gone.name + "-wal").unlink(missing_ok=True)
    aside = path.with_name(f"{path.name}.damaged-{wall_ns}")
    path.rename(aside)
    with suppress(FileNotFoundError):
        path.with_name(path.name + "-wal").rename(aside.with_name(aside.name + "-wal"))
    path.with_name(path.name + "-shm").unlink(missing_ok=True)
    return aside
