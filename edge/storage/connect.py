"""Opening ``facts.db``: the settings that durability rests on, and SQLite's own check.

WAL with ``synchronous=FULL`` syncs the write-ahead log once per commit and before the commit returns (SQLite's pragma
documentation); every promise of the store is that one sync. Checkpoints are left to the writer thread, because the
automatic one would run inside somebody's payment.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from edge.storage.errors import StoreError
from edge.storage.migrate import version_of

FILE_NAME = "facts.db"
PAGE_BYTES = 4096
_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_SALT_AT = 16
#: STRICT tables came with SQLite 3.37.0 (sqlite.org/stricttables.html).
MIN_SQLITE = (3, 37, 0)
BUSY_TIMEOUT_MS = 2000
#: A write-ahead log that a hanging reader kept from beginning anew is cut back to this when the reader has gone. More
#: than it ever has without one (``chores.FORCED_PAGES``), so that no ordinary commit cuts.
WAL_LIMIT_BYTES = 24 << 20
CACHE_KIB = 8192
#: A start must answer within 2 s (issue 2); the check gets a quarter of that, however large the file.
QUICK_CHECK_LIMIT_S = 0.5
_PROGRESS_STEPS = 20_000
_READ_BYTES = 1 << 20


def open_writer(path: Path) -> sqlite3.Connection:
    """The one writing connection, in autocommit mode. Raises sqlite3.Error, StoreError "schema" for an old library,
    "damaged" for a file of which SQLite cannot even say in words what is wrong."""
    if sqlite3.sqlite_version_info < MIN_SQLITE:
        wanted = ".".join(map(str, MIN_SQLITE))
        raise StoreError(
            "schema", f"SQLite {sqlite3.sqlite_version} is too old, {wanted} is needed: use Debian 12 or later"
        )
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in (
            f"page_size = {PAGE_BYTES}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "wal_autocheckpoint = 0",
            f"journal_size_limit = {WAL_LIMIT_BYTES}",
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            f"cache_size = -{CACHE_KIB}",
            "temp_store = MEMORY",
            "secure_delete = FAST",
            "cell_size_check = ON",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except UnicodeDecodeError as error:  # SQLite quotes the damaged definition of a table, which is no text any more
        connection.close()
        raise damaged(path, str(error)) from error
    except BaseException:
        connection.close()
        raise
    if mode != "wal":
        connection.close()
        raise StoreError(
            "schema", f"{path}: this file system cannot do WAL (mode {mode}); put the data on a local disk"
        )
    return connection


def lengthen_wal(path: Path, pages: int) -> None:
    """Fill the write-ahead log with zeros up to ``pages`` frames, so that a commit overwrites instead of appends.

    An append makes the file system journal the file's new length within each sync: measured 1.6 times the median and
    3.6 times the 90th percentile of a small commit after a start. What follows the last valid frame means nothing to
    SQLite (its WAL format: frames count while salt and checksum fit), as after every reset of the log. It is also room
    for the last commits of a full disk; when there is none now, the log grows as it always did.

    Nobody may commit meanwhile: a frame that is appended between the look and the write would be zeros."""
    with suppress(OSError):
        fd = os.open(path.with_name(path.name + "-wal"), os.O_RDWR | os.O_CLOEXEC)
        try:
            length = os.fstat(fd).st_size
            missing = _WAL_HEADER_BYTES + pages * (_FRAME_HEADER_BYTES + PAGE_BYTES) - length
            if missing > 0:
                os.pwrite(fd, bytes(missing), length)
                os.fsync(fd)
        finally:
            os.close(fd)


def wal_salt(path: Path) -> int:
    """A number that is another one whenever the write-ahead log has begun anew (SQLite's file format, 4.1: the first
    salt is incremented then); 0 for none. The file of the log may be opened and closed at any time: SQLite holds its
    locks on the others."""
    try:
        fd = os.open(path.with_name(path.name + "-wal"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int.from_bytes(os.pread(fd, 4, _SALT_AT), "big")
    except OSError:
        return 0
    finally:
        os.close(fd)


def open_reader(path: Path, known_version: int) -> sqlite3.Connection:
    """A read-only connection in autocommit mode. Raises StoreError: "absent", "newer" or "schema" (not migrated yet),
    "damaged"."""
    if not path.exists():
        raise StoreError("absent", f"{path} does not exist yet: start the daemon once")
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()
        version = version_of(connection)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        connection.close()
        raise damaged(path, str(error)) from error
    if version != known_version:
        connection.close()
        code = "newer" if version > known_version else "schema"
        remedy = "restart this process with the same release as the daemon"
        raise StoreError(code, f"{path} has schema {version}, this process knows {known_version}: {remedy}")
    return connection


def quick_check(connection: sqlite3.Connection, path: Path, limit_s: float = QUICK_CHECK_LIMIT_S) -> bool:
    """SQLite's quick check, at most ``limit_s``. True when it ran to the end, False when it was cut short (a large
    file; what was looked at was good). Raises StoreError "damaged"."""
    until = time.monotonic() + limit_s
    connection.set_progress_handler(lambda: time.monotonic() > until, _PROGRESS_STEPS)
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return False
        raise damaged(path, str(error)) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite quotes what it finds, damaged as it is
        raise damaged(path, str(error)) from error
    finally:
        connection.set_progress_handler(None, 0)
    if found != ["ok"]:
        raise damaged(path, "; ".join(found))
    return True


def disk_trouble(path: Path) -> OSError | None:
    """What the disk says when a file and its write-ahead log are read past SQLite; None when every byte can be had.

    SQLite tells of a read that failed with EIO in the words of damage: "database disk image is malformed" (os_unix.c,
    SQLITE_IOERR_CORRUPTFS; vdbe.c makes SQLITE_CORRUPT of it). So damage is believed only where the disk itself does
    not complain. Takes as long as reading the files takes: for starts."""
    for name in (path.name, path.name + "-wal"):
        try:
            fd = os.open(path.with_name(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError as error:
            return error
        try:
            at = 0
            while data := os.pread(fd, _READ_BYTES, at):
                at += len(data)
        except OSError as error:
            return error
        finally:
            os.close(fd)
    return None


def disk_fails(path: Path, trouble: OSError) -> StoreError:
    """The error for a file that the disk does not give out."""
    return StoreError(
        "storage",
        f"{path} cannot be read: {trouble.strerror}. Nothing was changed, and it is tried again at each start. If this "
        "stays, the disk is failing: put in another one and restore the last backup",
    )


def says_damaged(error: Exception) -> bool:
    """True when SQLite, or our own check, calls the file bad; it may still be the disk (``disk_trouble``)."""
    if isinstance(error, StoreError):
        return error.code == "damaged"
    return isinstance(error, UnicodeDecodeError) or (
        isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    )


def unreadable(path: Path, error: sqlite3.Error | UnicodeDecodeError) -> StoreError:
    """The error for a store that is open and cannot be read: "storage", for at work nobody can wait until the disk is
    told from the file (``disk_trouble``); the next start does."""
    if isinstance(error, UnicodeDecodeError):
        return damaged(path, str(error))
    return StoreError("storage", f"{path} cannot be read: {error}. Is the disk well? A new start looks at all of it")


def damaged(path: Path, why: str) -> StoreError:
    """The error for a file that SQLite itself calls bad."""
    return StoreError(
        "damaged",
        f"{path} is damaged ({why}). Nothing was changed. Stop the daemon, copy the directory aside, "
        "then restore the last backup",
    )
