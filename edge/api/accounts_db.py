"""``api.db``: the file of users, sessions, tokens, throttles, consents and the audit trail.

One writer connection behind a lock (full sync: a revoked token must stay revoked after a power cut), one reader for the
look-up that every request makes, so that no request waits for another's disk. A user would notice a mistake here as a
login that is forgotten, or a lock-out that a restart lifts.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.api.account_types import AccountProblem
from edge.storage.ballast import is_disk_full
from edge.storage.errors import StoreError
from edge.storage.owner import give_to_owner_of
from edge.storage.restore_swap import refuse_half_restored

#: Numbered migrations; ``user_version`` counts those applied. Append only.
MIGRATIONS = (
    """
    CREATE TABLE users (username TEXT PRIMARY KEY, role TEXT NOT NULL, member TEXT, password_hash TEXT NOT NULL,
        created_ns INTEGER NOT NULL, last_login_ns INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE tokens (id TEXT PRIMARY KEY, secret_hash BLOB NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
        lane TEXT, created_by TEXT NOT NULL, created_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL,
        last_used_ns INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE TABLE sessions (id TEXT PRIMARY KEY, secret_hash BLOB NOT NULL UNIQUE,
        username TEXT REFERENCES users ON DELETE CASCADE, token_id TEXT REFERENCES tokens ON DELETE CASCADE,
        created_ns INTEGER NOT NULL, seen_ns INTEGER NOT NULL, idle_ns INTEGER NOT NULL,
        until_ns INTEGER NOT NULL) STRICT;
    CREATE INDEX sessions_by_user ON sessions (username);
    CREATE TABLE onetime (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, username TEXT REFERENCES users ON DELETE CASCADE,
        expires_ns INTEGER NOT NULL) STRICT;
    CREATE TABLE throttle (key TEXT PRIMARY KEY, fails INTEGER NOT NULL, last_ns INTEGER NOT NULL,
        until_ns INTEGER NOT NULL) STRICT;
    CREATE TABLE consents (member TEXT NOT NULL, family TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
        given_by TEXT NOT NULL, at_ns INTEGER NOT NULL, PRIMARY KEY (member, family)) STRICT;
    CREATE TABLE audit (seq INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
        subject TEXT NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL) STRICT;
    CREATE TABLE audit_head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
    """,
    """
    ALTER TABLE tokens ADD COLUMN panel TEXT;
    CREATE TABLE pins (username TEXT PRIMARY KEY REFERENCES users ON DELETE CASCADE, pin_hash TEXT NOT NULL,
        set_by TEXT NOT NULL, at_ns INTEGER NOT NULL) STRICT;
    """,
)

_OF_THE_DISK = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}


class AccountsError(Exception):
    """``api.db`` cannot be used; the message names the file and the remedy."""


class AccountsDb:
    """The open file. ``write`` is a transaction, ``read`` a look-up; both may be used from any thread."""

    def __init__(self, path: Path) -> None:
        try:
            refuse_half_restored(path.parent)
        except StoreError as exc:
            raise AccountsError(exc.text) from exc
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            give_to_owner_of(path.parent, path)
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        try:
            self._writer = _connect(path)
            self._migrate(path)
            self._reader = _connect(path)
        except sqlite3.DatabaseError as exc:
            raise AccountsError(f"{path}: {exc}; {_remedy(exc, path)}") from exc

    def _migrate(self, path: Path) -> None:
        (version,) = self._writer.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise AccountsError(f"{path}: made by a newer version ({version}); install that version or newer")
        for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
            self._writer.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed (and on disk) at the end, rolled back by an exception. Raises the problem
        ``accounts_unwritable`` when the disk is full or fails; the next one may succeed."""
        with self._write_lock:
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException as exc:
                if self._writer.in_transaction:  # on a full disk SQLite may have rolled back by itself
                    self._writer.execute("ROLLBACK")
                if _is_of_the_disk(exc):
                    raise AccountProblem("accounts_unwritable") from exc
                raise

    def read(self, query: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        """Rows of a short query over committed state."""
        with self._read_lock:
            return self._reader.execute(query, values).fetchall()

    def close(self) -> None:
        """Close both connections."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()


def _is_of_the_disk(error: BaseException) -> bool:
    """True for what room, a mended disk or another try can cure; a mistake of ours stays one."""
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    return code is not None and code & 0xFF in _OF_THE_DISK


def _remedy(error: sqlite3.Error, path: Path) -> str:
    """What to do about a file that cannot be opened. Only a damaged one may be moved away: it holds all accounts."""
    if is_disk_full(error):
        return f"make room (df -h {path.parent}), nothing in it is lost"
    if _is_of_the_disk(error):
        return "see that this user may write it and that the disk is whole; nothing was changed"
    return "restore it from a backup or move it away to set up anew"


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
    connection.row_factory = sqlite3.Row
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    return connection
