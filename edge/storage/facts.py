"""``facts.db``: one commit carries an input and all that it caused.

The store of one daemon, as it sees it: open, read rows, hand over batches, be told when they are on disk. The hard part
is in ``writer`` (group commit, failure), ``migrate`` (upgrade) and ``log`` (damage); here it is the order of opening:
lock first, then look, then change. A user would notice a mistake as two daemons that sell the same plate.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from edge.domain.kernel import Row
from edge.storage.ballast import Ballast
from edge.storage.batch import Batch
from edge.storage.chores import CHECKPOINT_PAGES, PruneGoal
from edge.storage.connect import (
    FILE_NAME,
    damaged,
    disk_fails,
    disk_trouble,
    lengthen_wal,
    open_writer,
    quick_check,
    says_damaged,
    unreadable,
    wal_salt,
)
from edge.storage.errors import StoreError
from edge.storage.lock import StoreLock
from edge.storage.log_table import last_seq, newest_wall_ns
from edge.storage.migrate import Migration, migrate, packaged
from edge.storage.restore_swap import refuse_half_restored
from edge.storage.seal_mark import seal_mark
from edge.storage.stored_rows import StoredRows
from edge.storage.tables import table_of
from edge.storage.writer import Done, GroupWriter

BALLAST_BYTES = 64 << 20


def _no_point(_name: str) -> None:
    """Nobody watches the points of a transaction."""


class FactsStore:
    """The one writer of a store directory (``facts.db``, ``lock``, ``ballast``).

    Life: ``open`` -> ``rows()`` / ``last_seq()`` to load the world -> ``submit`` ... -> ``close``. After any ``done``
    with an error the store refuses further batches (StoreError "storage") until ``reset()``; everything queued behind
    the failed batch has then failed too, and the owner rebuilds its world from ``rows()``.
    """

    def __init__(
        self, lock: StoreLock, ballast: Ballast, writer: GroupWriter, path: Path, row_types: Sequence[type[Row]]
    ) -> None:
        """Use ``open``."""
        self._lock = lock
        self._ballast = ballast
        self._writer = writer
        self._row_types = frozenset(row_types)
        self._path = path
        self._reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._reader.execute("PRAGMA query_only = ON")
        self._reader.execute(
            "PRAGMA temp_store = MEMORY"
        )  # rows are sorted at a start, which a full disk must not stop
        self._closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        row_types: Sequence[type[Row]],
        *,
        vertical: str = "canteen",
        build: str = "",
        ballast_bytes: int = BALLAST_BYTES,
        schema: Sequence[Migration] | None = None,
        on_point: Callable[[str], None] = _no_point,
    ) -> FactsStore:
        """Lock, check, migrate and open; the directory is made when it is not there.

        ``vertical`` says whose tables it holds; ``build`` is written beside each snapshot. ``schema``
        replaces the packaged schema files (tests with toy rows: ``(*packaged(), Migration(version, sql))``).
        ``on_point`` is called in the writer thread at "begin", "before_commit" and "after_commit" of every transaction:
        where fault tests kill the process or raise (not at the last). Raises
        StoreError "locked", "newer", "schema", "damaged", "storage"."""
        refuse_half_restored(directory.parent)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = directory / FILE_NAME
        lock = StoreLock(directory)
        try:
            _prepare_surely(path, row_types, packaged(vertical) if schema is None else schema)
            ballast = Ballast(directory, ballast_bytes)
            ballast.load()
            writer = GroupWriter(
                lambda: open_writer(path),
                ballast,
                build=build,
                on_point=on_point,
                sealed_seq=lambda: seal_mark(directory),
                wal_salt=lambda: wal_salt(path),
                make_room=lambda: _make_room(path),
            )
            return cls(lock, ballast, writer, path, row_types)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            lock.release()
            raise _explained(path, error) from error
        except BaseException:
            lock.release()
            raise

    @property
    def degraded(self) -> str:
        """Empty when all is well; "disk_full" from the first full-disk error until the ballast stands again."""
        return self._ballast.degraded

    def rows(self) -> StoredRows:
        """Committed rows, in key order. Call it when nothing is in flight (before the first submit, after ``reset``, or
        after the ``done`` of an empty batch)."""
        return StoredRows(self._reader, self._path)

    def last_seq(self) -> int:
        """Seq of the last committed record, 0 for a new store. The next record has this + 1. Raises StoreError."""
        return self._read(last_seq)

    def newest_wall_ns(self) -> int:
        """Wall time (UTC ns) of the newest committed record, 0 for a new store: an honest clock is not before it.
        Raises StoreError."""
        return self._read(newest_wall_ns)

    def _read(self, work: Callable[[sqlite3.Connection], int]) -> int:
        try:
            return work(self._reader)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise unreadable(self._path, error) from error

    def submit(self, batch: Batch, done: Done) -> None:
        """Queue a batch; returns at once. ``done(None)`` is called from the writer thread when it is on disk,
        ``done(error)`` when it is not: code "row" when this very batch breaks a rule of the schema (give it up),
        "storage" otherwise (may be tried again). ``done`` must be quick and not raise (``loop.call_soon_threadsafe``).

        Raises StoreBusy when the queue is full, StoreError("storage") between a failure and ``reset``,
        StoreError("closed") after ``close``, ValueError for seqs that are not gapless or a row of an unknown type.
        Then nothing was queued and ``done`` is never called."""
        if batch.rows and not self._row_types.issuperset(map(type, batch.rows)):
            name = min(kind.__name__ for kind in set(map(type, batch.rows)) - self._row_types)
            raise ValueError(f"{name} is not among the row types that this store was opened with")
        self._writer.submit(batch, done)

    def reset(self) -> None:
        """After a failure: waits until every failed ``done`` was called, opens the file anew and accepts batches from
        ``last_seq() + 1``. Raises StoreError("storage") when the file cannot be opened; call again later."""
        self._writer.reset()

    def prune(self, *, keep_after_wall_ns: int, max_bytes: int, pulses_after_wall_ns: int = 0) -> None:
        """Ask the writer thread to drop old log rows in slices between commits: those wholly before
        ``keep_after_wall_ns`` (UTC ns; pass 0 while the clock is not trusted) and the oldest beyond ``max_bytes`` of
        compressed log; what is not sealed as samples yet goes only for the bytes' sake. Stops at a snapshot, so that
        replay can start at the oldest kept row. The pulse of workouts before ``pulses_after_wall_ns`` goes too. Returns
        at once."""
        self._writer.ask_prune(PruneGoal(keep_after_wall_ns, max_bytes, pulses_after_wall_ns))

    def counters(self) -> dict[str, int]:
        """Since open: commits, batches, records, rows, failed, refused_busy, disk_full, longest_group, checkpoints,
        checkpoint_longest_us, log_pruned, pulses_pruned, chore_errors, longest_chore_us; now: queued, queued_bytes."""
        return self._writer.counters()

    def close(self) -> None:
        """Write what is queued, call every ``done``, checkpoint, release the lock. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._reader.close()
        self._writer.close()
        self._lock.release()


def _prepare_surely(path: Path, row_types: Sequence[type[Row]], schema: Sequence[Migration]) -> None:
    """``_prepare``; a file is called damaged only when it is so at a second look, on a disk that can be read."""
    try:
        _prepare(path, row_types, schema)
    except (StoreError, sqlite3.Error, UnicodeDecodeError) as error:
        if not says_damaged(error):
            raise
        trouble = disk_trouble(path)
        if trouble is not None:
            raise disk_fails(path, trouble) from error
        _prepare(path, row_types, schema)


def _prepare(path: Path, row_types: Sequence[type[Row]], schema: Sequence[Migration]) -> None:
    """Check what is there, bring it to the newest version, compare its tables with ``row_types``."""
    new = not path.exists()
    connection = open_writer(path)
    try:
        if new:
            _sync_directory(path.parent)
        else:
            quick_check(connection, path)
        migrate(connection, schema, str(path))
        for kind in row_types:
            table_of(kind).check(connection)
        connection.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('store_id', ?)", (uuid.uuid4().hex,))
    finally:
        with suppress(sqlite3.Error):
            connection.close()


def _make_room(path: Path) -> None:
    lengthen_wal(path, CHECKPOINT_PAGES + CHECKPOINT_PAGES // 4)  # commits go on while a checkpoint runs


def _explained(path: Path, error: sqlite3.Error | UnicodeDecodeError) -> StoreError:
    if isinstance(error, sqlite3.OperationalError):
        text = f"{path} cannot be opened: {error}. Is there free space, and does the directory belong to this user?"
        return StoreError("storage", text)
    trouble = disk_trouble(path)
    return damaged(path, str(error)) if trouble is None else disk_fails(path, trouble)


def _sync_directory(directory: Path) -> None:
    for path in (directory, directory.parent):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
