"""Pruning ends at snapshots and goes in slices; the write-ahead log stays small; nobody waits for either."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.domain.answered import AuditRow, ReplyRow
from edge.domain.kernel import Stamp
from edge.storage import log_table, snapshots
from edge.storage.batch import Batch, SetAside, WorldSnapshot
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
Wait = Callable[[Callable[[], bool]], None]
S = 1_000_000_000


@pytest.fixture
def store(open_store: Open, write: Write, record: Record, monkeypatch: pytest.MonkeyPatch) -> FactsStore:
    """300 inputs, one a second of wall time, a row each; snapshots at 1, 100, 200."""
    monkeypatch.setattr("edge.storage.log.MAX_RECORDS", 1)
    store = open_store()
    for first, last in ((1, 1), (2, 100), (101, 200), (201, 300)):
        records = [record(seq, os.urandom(1000)) for seq in range(first, last + 1)]
        snapshot = WorldSnapshot(last, "hourly", b"w") if last < 300 else None
        assert write(store, Batch(records=records, snapshot=snapshot)) is None
    return store


def limit(store: FactsStore, keep_after_s: int, max_bytes: int = 1 << 40) -> int:
    return log_table.prune_limit(store._reader, keep_after_wall_ns=keep_after_s * S, max_bytes=max_bytes)


def test_by_age_the_cut_is_the_last_snapshot_that_is_old_enough(store: FactsStore) -> None:
    wanted = {0: 0, 1: 0, 2: 1, 100: 1, 101: 100, 200: 100, 201: 200, 9999: 200}
    assert {keep_after_s: limit(store, keep_after_s) for keep_after_s in wanted} == wanted


def test_by_size_the_cut_leaves_at_most_the_bytes_asked_for(store: FactsStore) -> None:
    kept = log_table.bytes_kept(store._reader)
    assert limit(store, 0, kept) == 0
    assert limit(store, 0, kept - 1) == 1
    assert limit(store, 0, kept * 2 // 3 + 100) == 100
    assert limit(store, 0, kept // 2) == 200
    assert limit(store, 0, 0) == 200, "the last snapshot is the end, even when too much is left"


def test_a_clock_that_stepped_makes_pruning_shy_not_greedy(open_store: Open, write: Write, record: Record) -> None:
    store = open_store()
    walls = [1000, 2000, 50, 3000]
    for seq, wall in enumerate(walls, 1):
        batch = Batch(records=[record(seq, wall_ns=wall * S)], snapshot=WorldSnapshot(seq, "hourly", b"w"))
        assert write(store, batch) is None
    assert limit(store, 500) == 0
    assert limit(store, 1500) == 1
    assert limit(store, 2500) == 3


def test_pruning_leaves_a_log_that_a_snapshot_begins(
    wait_until: Wait, store: FactsStore, write: Write, record: Record
) -> None:
    store.prune(keep_after_wall_ns=150 * S, max_bytes=1 << 40)
    wait_until(lambda: store.counters()["log_pruned"] >= 101)
    wait_until(lambda: snapshots.seqs(store._reader) == {100, 200})
    assert [item.stamp.seq for item in log_table.read(store._reader, 101)] == list(range(101, 301))
    assert log_table.oldest_kept(store._reader) == 101
    assert snapshots.last_until(store._reader, 100).seq == 100
    store.prune(keep_after_wall_ns=1 << 62, max_bytes=0)
    wait_until(lambda: snapshots.seqs(store._reader) == {200})
    assert log_table.oldest_kept(store._reader) == 201
    assert write(store, Batch(records=[record(301)])) is None


def test_old_answers_go_and_what_was_sold_stays(
    wait_until: Wait, open_store: Open, write: Write, record: Record
) -> None:
    store = open_store()
    days = ["2026-09-01", "2026-10-22", "2026-10-24", "2026-11-23"]
    replies = [ReplyRow(day=day, command_id=day, digest=b"d", code="ok", body=b"") for day in days]
    audits = [AuditRow(seq=n, role="r", user="u", action="a", ref="", at_ns=n) for n in range(4)]
    assert write(store, Batch(records=[record(1)], rows=[*replies, *audits])) is None
    store.prune(keep_after_wall_ns=0, max_bytes=1 << 40)
    wait_until(lambda: [row.day for row in store.rows().all(ReplyRow)] == days[2:])
    assert len(list(store.rows().all(AuditRow))) == 4


def test_a_log_pruned_to_its_last_snapshot_still_counts_on(
    wait_until: Wait, open_store: Open, write: Write, record: Record
) -> None:
    store = open_store()
    batch = Batch(records=[record(1), record(2)], snapshot=WorldSnapshot(2, "start", b"w"))
    assert write(store, batch) is None
    store.prune(keep_after_wall_ns=1 << 62, max_bytes=0)
    wait_until(lambda: log_table.oldest_kept(store._reader) is None)
    store.close()
    store = open_store()
    assert store.last_seq() == 2
    assert write(store, Batch(records=[record(3)])) is None
    assert store.last_seq() == 3


def test_a_slice_is_bounded(store: FactsStore) -> None:
    connection = store._writer._connection
    assert log_table.prune_slice(connection, 200, rows=50) == 50
    assert log_table.oldest_kept(connection) == 51
    assert log_table.prune_slice(connection, 200, rows=149) == 149
    assert snapshots.seqs(connection) == {1, 100, 200}
    assert log_table.prune_slice(connection, 200, rows=50) == 3
    assert snapshots.seqs(connection) == {200}
    assert log_table.prune_slice(connection, 200, rows=50) == 0


def test_of_set_aside_inputs_the_newest_thousand_stay(open_store: Open, write: Write) -> None:
    store = open_store()
    aside = [SetAside(Stamp(seq, "b", 0, 0, wall_trusted=True), b"", "e") for seq in range(1, 1031)]
    assert write(store, Batch(set_aside=aside)) is None
    connection = store._writer._connection
    assert log_table.prune_slice(connection, 0, rows=20) == 20
    assert log_table.prune_slice(connection, 0, rows=20) == 10
    assert connection.execute("SELECT min(seq), count(*) FROM set_aside").fetchone() == (31, 1000)


def test_payments_go_on_while_the_log_is_pruned(wait_until: Wait, store: FactsStore, record: Record) -> None:
    store.prune(keep_after_wall_ns=1 << 62, max_bytes=0)
    answered = threading.Semaphore(0)
    for seq in range(301, 501):
        store.submit(Batch(records=[record(seq)]), lambda _error: answered.release())
        assert answered.acquire(timeout=60)
    wait_until(lambda: store.counters()["log_pruned"] >= 200)
    assert store.counters()["chore_errors"] == 0


def test_the_write_ahead_log_stays_small(
    wait_until: Wait, open_store: Open, write: Write, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.storage.chores.CHECKPOINT_PAGES", 40)
    monkeypatch.setattr("edge.storage.chores.AGAIN_PAGES", 5)
    monkeypatch.setattr("edge.storage.chores.FORCED_PAGES", 100)
    store = open_store()
    wal = tmp_path / "store" / "facts.db-wal"
    for seq in range(1, 401):  # without a pause
        row = AuditRow(seq=seq, role="r", user="u", action="a", ref="x" * 500, at_ns=0)
        assert write(store, Batch(records=[record(seq, os.urandom(2000))], rows=[row])) is None
    assert store.counters()["checkpoints"] >= 10
    assert wal.stat().st_size < 400 * 4120, "unchecked it would be 1600 frames or more"
    before = store.counters()["checkpoints"]
    assert write(store, Batch(records=[record(401, os.urandom(200_000))])) is None
    wait_until(lambda: store.counters()["checkpoints"] > before)


def test_commits_wait_when_checkpoints_fall_far_behind(
    wait_until: Wait, open_store: Open, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.storage.chores.CHECKPOINT_PAGES", 10)
    monkeypatch.setattr("edge.storage.chores.FORCED_PAGES", 60)
    store = open_store()
    committed = threading.Semaphore(0)
    with store._writer._checkpointer._running:
        for seq in range(1, 10):
            store.submit(Batch(records=[record(seq, os.urandom(40_000))]), lambda _error: committed.release())
            committed.acquire(timeout=0.3)
        assert store.last_seq() < 9, "the log must not grow without bound"
    store.submit(Batch(), lambda _error: committed.release())
    wait_until(lambda: store.last_seq() == 9)
    assert store.counters()["checkpoints"] >= 1


def test_no_commit_waits_for_a_checkpoint(
    wait_until: Wait, open_store: Open, write: Write, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow card a checkpoint takes seconds; here it takes as long as the test wants."""
    monkeypatch.setattr("edge.storage.chores.CHECKPOINT_PAGES", 10)
    store = open_store()
    checkpointer = store._writer._checkpointer
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def execute(self, sql: str) -> sqlite3.Cursor:
            begun.set()
            assert go_on.wait(250)
            return store._reader.execute("SELECT 0, 5, 5")

        def close(self) -> None:
            pass

    checkpointer._connection = Slow()
    assert write(store, Batch(records=[record(1, os.urandom(80_000))])) is None
    assert begun.wait(60)
    for seq in range(2, 20):
        assert write(store, Batch(records=[record(seq)])) is None
    assert store.counters()["checkpoints"] == 0
    go_on.set()
    wait_until(lambda: store.counters()["checkpoints"] >= 1)


def test_a_checkpoint_that_finds_the_disk_full_gives_up_the_ballast(
    wait_until: Wait, open_store: Open, write: Write, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.storage.chores.CHECKPOINT_PAGES", 10)
    monkeypatch.setattr("edge.storage.chores.BALLAST_RETRY_S", 60.0)
    store = open_store(ballast_bytes=1 << 20)
    store._writer._chores._ballast_due_s = float("inf")
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL

    class Full:
        def execute(self, sql: str) -> None:
            raise error

        def close(self) -> None:
            pass

    store._writer._checkpointer._connection = Full()
    assert write(store, Batch(records=[record(1, os.urandom(80_000))])) is None
    wait_until(lambda: store._writer._checkpointer.failed or store.degraded == "disk_full")  # or met at once
    assert write(store, Batch(records=[record(2)])) is None
    wait_until(lambda: store.degraded == "disk_full")
    wait_until(lambda: not (tmp_path / "store" / "ballast").exists())
    assert write(store, Batch(records=[record(3)])) is None
    wait_until(lambda: store.counters()["checkpoints"] == 2)
    assert store.counters()["chore_errors"] == 1


def test_the_page_estimate_is_an_upper_bound(open_store: Open, write: Write, record: Record) -> None:
    store = open_store()
    chores = store._writer._chores
    for seq in range(1, 101):
        row = AuditRow(seq=seq, role="r", user="u", action="a", ref="x" * 500, at_ns=0)
        assert write(store, Batch(records=[record(seq, os.urandom(seq * 20))], rows=[row])) is None
    _, in_log, _ = store._writer._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    schema_pages = 100
    assert in_log - schema_pages <= chores._pages <= 4 * in_log


def test_a_chore_that_fails_is_counted_and_the_store_goes_on(
    wait_until: Wait, store: FactsStore, write: Write, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_options: object) -> int:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("edge.storage.log_table.prune_slice", broken)
    store.prune(keep_after_wall_ns=1 << 62, max_bytes=0)
    wait_until(lambda: store.counters()["chore_errors"] == 1)
    assert write(store, Batch(records=[record(301)])) is None
    time.sleep(0.1)
    assert store.counters()["chore_errors"] == 1, "it is not tried over and over"
