"""Group commit, order, barriers, rows in key order."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import DayRow, MemberRow, PurseEntryRow, PurseRow
from edge.domain.kernel import Row
from edge.storage import log_table, snapshots
from edge.storage.batch import Batch, SetAside, WorldSnapshot
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
WAIT_S = 60.0


def audit(seq: int) -> AuditRow:
    return AuditRow(seq=seq, role="cashier", user="u", action="pay", ref=str(seq), at_ns=seq)


def test_a_batch_is_on_disk_when_done_is_called(open_store: Open, write: Write, record: Record, tmp_path: Path) -> None:
    store = open_store()
    stamp = record(2).stamp
    batch = Batch(
        records=[record(1, b"one"), record(2, b"two")],
        rows=[PurseRow(member="m", balance_fen=5), audit(2), PurseRow(member="m", balance_fen=7)],
        snapshot=WorldSnapshot(2, "start", b"world"),
        set_aside=[SetAside(stamp, b"two", "ValueError: \ud800 no")],
    )
    assert write(store, batch) is None
    other = sqlite3.connect(f"file:{tmp_path / 'store' / 'facts.db'}?mode=ro", uri=True)
    assert list(log_table.read(other, 1)) == list(batch.records)
    assert other.execute("SELECT member, balance_fen FROM purse").fetchall() == [("m", 7)]
    assert snapshots.at(other, 2) == snapshots.StoredSnapshot(2, "start", "", b"world")
    assert other.execute("SELECT seq, input, error FROM set_aside").fetchall() == [
        (2, b"two", r"ValueError: \ud800 no")
    ]
    other.close()
    assert store.last_seq() == 2
    store.close()
    again = open_store()
    assert again.last_seq() == 2
    assert list(again.rows().all(PurseRow)) == [PurseRow(member="m", balance_fen=7)]


def test_done_waits_for_commit(open_store: Open, record: Record, tmp_path: Path, gate: Any, answers: Any) -> None:
    store = open_store(on_point=gate)
    gate.hold()
    store.submit(Batch(records=[record(1)], rows=[audit(1)]), answers.of(1))
    assert gate.reached.wait(WAIT_S)
    other = sqlite3.connect(f"file:{tmp_path / 'store' / 'facts.db'}?mode=ro", uri=True)
    time.sleep(0.02)
    assert other.execute("SELECT count(*) FROM audit").fetchone() == (0,)
    assert answers.got == []
    gate.open.set()
    assert answers.wait(1) == [(1, "ok")]
    assert other.execute("SELECT count(*) FROM audit").fetchone() == (1,)
    other.close()


def test_what_waits_goes_into_one_commit_in_order(open_store: Open, record: Record, gate: Any, answers: Any) -> None:
    statements: list[str] = []
    store = open_store(on_point=gate)
    gate.hold()
    store.submit(Batch(records=[record(1)]), answers.of(1))
    assert gate.reached.wait(WAIT_S)
    for seq in range(2, 202):
        rows = [audit(seq), DayRow(day="2026-11-22", orders=seq)]
        store.submit(Batch(records=[record(seq)], rows=rows), answers.of(seq))
    store._writer._connection.set_trace_callback(statements.append)
    gate.open.set()
    assert answers.wait(201) == [(seq, "ok") for seq in range(1, 202)]
    store._writer._connection.set_trace_callback(None)
    counters = store.counters()
    assert (counters["commits"], counters["batches"], counters["longest_group"]) == (2, 201, 200)
    assert statements.count("COMMIT") == 2
    days = [text for text in statements if "INTO business_day" in text]
    assert len(days) == 1, "only the last row of a key is written"
    assert next(iter(store.rows().all(DayRow))).orders == 201
    assert [row.seq for row in store.rows().all(AuditRow)] == list(range(2, 202))


def test_many_producers_share_commits_and_lose_nothing(open_store: Open, record: Record, answers: Any) -> None:
    """A commit lasts until every producer waits for one, as on a disk that is slow: however fast this one is."""
    order, next_seq = threading.Lock(), iter(range(1, 10_000))
    changed, waiting, working = threading.Condition(), set(), set(range(16))

    def slow(name: str) -> None:
        with changed:
            assert name != "before_commit" or changed.wait_for(lambda: len(waiting) == len(working), WAIT_S)

    def change(act: Callable[[int], None], producer: int) -> None:
        with changed:
            act(producer)
            changed.notify_all()

    store = open_store(on_point=slow)

    def produce(number: int) -> None:
        for _ in range(25):
            answered = threading.Event()
            with order:
                seq = next(next_seq)
                tell = answers.of(seq)

                def done(error: StoreError | None, tell: Any = tell, answered: threading.Event = answered) -> None:
                    change(waiting.discard, number)
                    tell(error)
                    answered.set()

                change(waiting.add, number)
                store.submit(Batch(records=[record(seq)], rows=[audit(seq)]), done)
            assert answered.wait(WAIT_S)
        change(working.discard, number)

    threads = [threading.Thread(target=produce, args=(number,)) for number in sorted(working)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.got == [(seq, "ok") for seq in range(1, 401)]
    assert [row.seq for row in store.rows().all(AuditRow)] == list(range(1, 401))
    assert store.counters()["commits"] < 100, "16 waiting producers must share commits"


def test_every_commit_is_synced(open_store: Open) -> None:
    connection = open_store()._writer._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


def test_an_empty_batch_is_a_barrier(open_store: Open, record: Record, answers: Any) -> None:
    store = open_store()
    for seq in range(1, 50):
        store.submit(Batch(records=[record(seq)]), answers.of(seq))
    store.submit(Batch(), answers.of(0))
    assert answers.wait(50)[-1] == (0, "ok")
    assert store.last_seq() == 49


def test_seqs_must_be_gapless(open_store: Open, write: Write, record: Record) -> None:
    store = open_store()
    assert write(store, Batch(records=[record(1), record(2)])) is None
    for seqs in ([2], [4], [3, 5]):
        with pytest.raises(ValueError, match="gapless"):
            write(store, Batch(records=[record(seq) for seq in seqs]))
    with pytest.raises(ValueError, match="not that of a record"):
        write(store, Batch(records=[record(3)], snapshot=WorldSnapshot(2, "hourly", b"")))
    with pytest.raises(ValueError, match="_Stranger is not among the row types"):
        write(store, Batch(records=[record(3)], rows=[_Stranger(a=1)]))
    assert write(store, Batch(records=[record(3)])) is None


class _Stranger(Row, frozen=True, kw_only=True, tag="stranger"):
    KEY = ("a",)
    a: int


def test_rows_come_in_key_order_and_since_a_value(open_store: Open, write: Write, record: Record) -> None:
    store = open_store()
    entries = [
        PurseEntryRow(seq=seq, member=member, fen=1, balance_fen=1, kind="pay", ref="", at_ns=0)
        for seq, member in ((3, "a"), (1, "b"), (1, "a"), (2, "啊"), (2, "Z"), (10, "a"))
    ]
    assert write(store, Batch(records=[record(1)], rows=entries)) is None
    keys = [(row.seq, row.member) for row in store.rows().all(PurseEntryRow)]
    assert keys == [(1, "a"), (1, "b"), (2, "Z"), (2, "啊"), (3, "a"), (10, "a")]
    assert [row.seq for row in store.rows().since(PurseEntryRow, "seq", 2)] == [2, 2, 3, 10]
    assert [row.seq for row in store.rows().since(PurseEntryRow, "member", "b")] == [1, 2]
    with pytest.raises(ValueError, match="no column 'balance'"):
        list(store.rows().since(PurseEntryRow, "balance", 1))
    assert list(store.rows().all(MemberRow)) == []


def test_a_half_read_iteration_holds_nothing_open(open_store: Open, write: Write, record: Record) -> None:
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[audit(seq) for seq in range(1, 1000)])) is None
    half = store.rows().all(AuditRow)
    next(half)
    half.close()
    store._writer._checkpointer.close()  # its checkpoint is not what is asked about
    busy, _, _ = store._writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0
