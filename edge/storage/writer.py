"""The writer thread: everything that waits goes to disk in one commit.

The hard part is what happens around a failure. The world in memory already holds what the failed inputs did, so
everything queued behind them is built on sand: it all fails together, and nothing more is taken until the owner has
rebuilt its world from rows. No ``done(None)`` is ever called before COMMIT returned. A diner would notice a mistake as
"paid" for a sale that is in no book.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from edge.storage import log_table
from edge.storage.ballast import Ballast, is_disk_full
from edge.storage.batch import Batch
from edge.storage.checkpoint import Checkpointer
from edge.storage.chores import Chores, PruneGoal
from edge.storage.errors import StoreBusy, StoreError
from edge.storage.transaction import ROW_FAULTS, Written, find_fault, write_group

MAX_QUEUED_BATCHES = 4096
MAX_QUEUED_BYTES = 64 << 20
SETTLE_TIMEOUT_S = 10.0

Done = Callable[[StoreError | None], None]
logger = logging.getLogger(__name__)


class _State(Enum):
    OPEN = "open"
    FAILING = "failing"
    FAILED = "failed"


class _Job(NamedTuple):
    batch: Batch
    done: Done
    size_bytes: int


class GroupWriter:
    """Owns the writing connection and its thread. ``connect`` opens the file (also again, after a failure);
    ``make_room`` lengthens its write-ahead log, and is called only while nobody commits."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        ballast: Ballast,
        *,
        build: str,
        on_point: Callable[[str], None],
        sealed_seq: Callable[[], int | None] | None = None,
        wal_salt: Callable[[], int] = lambda: 0,
        make_room: Callable[[], None] = lambda: None,
    ) -> None:
        self._connect = connect
        self._make_room = make_room
        self._ballast = ballast
        self._build = build
        self._on_point = on_point
        self._mutex = threading.Lock()
        self._changed = threading.Condition(self._mutex)
        self._asleep = False
        self._jobs: list[_Job] = []
        self._queued_bytes = 0
        self._state = _State.OPEN
        self._closing = False
        self._counts = dict.fromkeys(
            ("commits", "batches", "records", "rows", "failed", "refused_busy", "disk_full", "longest_group"), 0
        )
        self._load()
        self._checkpointer = Checkpointer(connect)
        self._chores = Chores(ballast, self._checkpointer, sealed_seq, wal_salt)
        self._thread = threading.Thread(target=self._run, name="facts-writer", daemon=True)
        self._thread.start()

    def _load(self) -> None:
        self._connection = self._connect()
        self._make_room()
        self._next_seq = log_table.last_seq(self._connection) + 1
        self._bytes_total = log_table.bytes_total(self._connection)

    # --- called by the owner ------------------------------------------------------------------------------------------

    def submit(self, batch: Batch, done: Done) -> None:
        """See ``FactsStore.submit``."""
        size = _size(batch)
        with self._mutex:
            if self._closing:
                raise StoreError("closed", "the store is closed")
            if self._state is not _State.OPEN:
                raise StoreError("storage", "an earlier write failed: rebuild the world from rows, then reset()")
            next_seq = _next_seq(batch, self._next_seq)
            full = len(self._jobs) >= MAX_QUEUED_BATCHES or self._queued_bytes + size > MAX_QUEUED_BYTES
            if full and self._jobs:
                self._counts["refused_busy"] += 1
                text = f"{len(self._jobs)} batches ({self._queued_bytes} bytes) wait for the disk; try again shortly"
                raise StoreBusy(text)
            self._next_seq = next_seq
            self._jobs.append(_Job(batch, done, size))
            self._queued_bytes += size
            if self._asleep:  # one is woken by the first of a crowd; telling it of each costs as much as taking them
                self._asleep = False
                self._changed.notify_all()

    def ask_prune(self, goal: PruneGoal) -> None:
        """See ``FactsStore.prune``."""
        with self._changed:
            self._chores.ask_prune(goal)
            self._changed.notify_all()

    def reset(self) -> None:
        """See ``FactsStore.reset``."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._state is not _State.FAILING, SETTLE_TIMEOUT_S):
                raise StoreError("storage", f"failed batches were not answered within {SETTLE_TIMEOUT_S} s")
            if self._closing:
                raise StoreError("closed", "the store is closed")
            if self._state is _State.OPEN:
                return
            try:
                self._connection.close()
                self._load()
            except sqlite3.Error as error:
                raise StoreError("storage", f"the store cannot be opened again: {error}") from error
            self._state = _State.OPEN
            self._changed.notify_all()

    def counters(self) -> dict[str, int]:
        """Counts since open, and the queue as it is now."""
        with self._changed:
            queue = {"queued": len(self._jobs), "queued_bytes": self._queued_bytes}
            return {**self._counts, **self._chores.counts, **self._checkpointer.counts, **queue}

    def close(self) -> None:
        """Write what is queued, end the thread, close the file. Idempotent."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._checkpointer.close()
        self._connection.close()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (jobs := self._take()) is not None:
            if jobs:
                self._write(jobs)
            if not jobs or self._chores.forced:
                self._chores.step(self._connection)

    def _take(self) -> list[_Job] | None:
        """All queued jobs; none when it is time for a chore; None when all is done and the store closed."""
        with self._changed:
            while not self._jobs:
                if self._closing:
                    return None
                wait_s = self._chores.wait_s() if self._state is _State.OPEN else None
                self._asleep = True
                woken = self._changed.wait(wait_s)
                self._asleep = False
                if not woken:
                    return []
            jobs, self._jobs, self._queued_bytes = self._jobs, [], 0
            return jobs

    def _write(self, jobs: Sequence[_Job]) -> None:
        batches = [job.batch for job in jobs]
        try:
            written = self._commit(batches)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing is on disk and everybody must hear of it
            self._fail(jobs, error)
            return
        self._bytes_total = written.bytes_total
        self._count(jobs, written)
        for job in jobs:
            self._answer(job, None)
        self._chores.wrote(written.pages)

    def _commit(self, batches: Sequence[Batch]) -> Written:
        try:
            return self._write_group(batches)
        except (sqlite3.Error, OSError) as error:
            if not is_disk_full(error):
                raise
            self._counts["disk_full"] += 1
            freed = self._ballast.release()
            self._chores.ask_prune(PruneGoal(0, log_table.bytes_kept(self._connection) // 2))
            if not freed:
                raise
        return self._write_group(batches)

    def _write_group(self, batches: Sequence[Batch]) -> Written:
        return write_group(
            self._connection, batches, build=self._build, bytes_total=self._bytes_total, on_point=self._on_point
        )

    def _fail(self, jobs: Sequence[_Job], error: Exception) -> None:
        fault = self._fault(jobs, error)
        with self._changed:
            self._state = _State.FAILING
            jobs = [*jobs, *self._jobs]
            self._jobs, self._queued_bytes = [], 0
            self._counts["failed"] += len(jobs)
        logger.error("a group of %d batches was not written: %s", len(jobs), error)
        for index, job in enumerate(jobs):
            code = "row" if index == fault else "storage"
            self._answer(job, StoreError(code, f"not written: {error}"))
        with self._changed:
            self._state = _State.FAILED
            self._changed.notify_all()

    def _fault(self, jobs: Sequence[_Job], error: Exception) -> int | None:
        if not isinstance(error, ROW_FAULTS):
            return None
        try:
            return find_fault(self._connection, [job.batch for job in jobs], build=self._build)
        except sqlite3.Error:
            return None

    def _answer(self, job: _Job, error: StoreError | None) -> None:
        try:
            job.done(error)
        except Exception:
            logger.exception("a done callback raised; the store goes on")

    def _count(self, jobs: Sequence[_Job], written: Written) -> None:
        counts = self._counts
        counts["commits"] += 1
        counts["batches"] += len(jobs)
        counts["records"] += written.records
        counts["rows"] += written.rows
        counts["longest_group"] = max(counts["longest_group"], len(jobs))


def _size(batch: Batch) -> int:
    """About how many bytes a batch holds in memory."""
    size = 64 + 1024 * len(batch.rows)
    for record in batch.records:
        size += 128 + len(record.input) + len(record.digests)
    for item in batch.set_aside:
        size += 256 + len(item.input) + len(item.error)
    return size + (len(batch.snapshot.world) if batch.snapshot else 0)


def _next_seq(batch: Batch, expected: int) -> int:
    """The seq after ``batch``. Raises ValueError when its seqs do not follow ``expected`` or a snapshot has none."""
    first = expected
    for record in batch.records:
        if record.stamp.seq != expected:
            raise ValueError(f"record seq {record.stamp.seq} where {expected} is due: seqs must be gapless")
        expected += 1
    if batch.snapshot is not None and not first <= batch.snapshot.seq < expected:
        raise ValueError(f"snapshot seq {batch.snapshot.seq} is not that of a record of its batch")
    return expected
