"""Group commit, order, failure and what is told to whom."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.domain.canteen.rows import AuditRow, DayRow, MemberRow, PurseEntryRow, PurseRow
from edge.domain.kernel import Row
from edge.storage import log_table, snapshots
from edge.storage.batch import Batch, SetAside, WorldSnapshot
from edge.storage.errors import StoreBusy, StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
WAIT_S = 10.0


def audit(seq: int) -> AuditRow:
    return AuditRow(seq=seq, role="cashier", user="u", action="pay", ref=str(seq), at_ns=seq)


class Gate:
    """Holds the writer thread before its next commit, so that a test can queue what shall go into one group; or raises
    there, as a commit that fails does."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.error: Exception | None = None

    def __call__(self, name: str) -> None:
        if name == "before_commit":
            self.reached.set()
            assert self.open.wait(WAIT_S)
            if self.error is not None:
                error, self.error = self.error, None
                raise error

    def hold(self) -> None:
        self.reached.clear()
        self.open.clear()


class Answers:
    """Collects what ``done`` says, by seq, in order."""

    def __init__(self) -> None:
        self.got: list[tuple[int, str]] = []
        self._changed = threading.Condition()

    def of(self, seq: int) -> Callable[[StoreError | None], None]:
        def done(error: StoreError | None) -> None:
            with self._changed:
                self.got.append((seq, "ok" if error is None else error.code))
                self._changed.notify_all()

        return done

    def wait(self, count: int) -> list[tuple[int, str]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, WAIT_S), self.got
            return list(self.got)


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


def test_done_waits_for_commit(open_store: Open, record: Record, tmp_path: Path) -> None:
    gate, answers = Gate(), Answers()
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


def test_what_waits_goes_into_one_commit_in_order(open_store: Open, record: Record) -> None:
    gate, answers, statements = Gate(), Answers(), []
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


def test_many_producers_share_commits_and_lose_nothing(open_store: Open, record: Record) -> None:
    store = open_store()
    order, answers, next_seq = threading.Lock(), Answers(), iter(range(1, 10_000))

    def produce() -> None:
        for _ in range(25):
            answered = threading.Event()
            with order:
                seq = next(next_seq)
                tell = answers.of(seq)
                store.submit(
                    Batch(records=[record(seq)], rows=[audit(seq)]),
                    lambda error, tell=tell, answered=answered: (tell(error), answered.set()),
                )
            assert answered.wait(WAIT_S)

    threads = [threading.Thread(target=produce) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.got == [(seq, "ok") for seq in range(1, 401)]
    assert [row.seq for row in store.rows().all(AuditRow)] == list(range(1, 401))
    assert store.counters()["commits"] < 200, "16 waiting producers must share commits"


def test_every_commit_is_synced(open_store: Open) -> None:
    connection = open_store()._writer._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), OSError(5, "EIO"), MemoryError()])
def test_a_failed_commit_fails_all_that_waits_until_reset(
    open_store: Open, write: Write, record: Record, error: Exception
) -> None:
    gate, answers = Gate(), Answers()
    store = open_store(on_point=gate)
    assert write(store, Batch(records=[record(1)], rows=[audit(1)])) is None
    gate.hold()
    gate.error = error
    store.submit(Batch(records=[record(2)], rows=[audit(2)]), answers.of(2))
    assert gate.reached.wait(WAIT_S)
    for seq in range(3, 6):
        store.submit(Batch(records=[record(seq)], rows=[audit(seq)]), answers.of(seq))
    gate.open.set()
    assert answers.wait(4) == [(seq, "storage") for seq in range(2, 6)]
    with pytest.raises(StoreError, match=r"reset\(\)") as caught:
        store.submit(Batch(records=[record(6)]), answers.of(6))
    assert caught.value.code == "storage"
    store.reset()
    assert store.last_seq() == 1
    assert [row.seq for row in store.rows().all(AuditRow)] == [1]
    assert write(store, Batch(records=[record(2, b"again")], rows=[audit(2)])) is None
    assert [row.seq for row in store.rows().all(AuditRow)] == [1, 2]
    assert store.counters()["failed"] == 4


def test_only_the_batch_at_fault_is_told_so(open_store: Open, write: Write, record: Record) -> None:
    gate, answers = Gate(), Answers()
    store = open_store(on_point=gate)
    gate.hold()
    store.submit(Batch(), answers.of(0))
    store.submit(Batch(records=[record(1)]), answers.of(1))
    assert gate.reached.wait(WAIT_S)
    bad: dict[int, Row] = {3: PurseRow(member="m", balance_fen=-1)}
    for seq in range(2, 6):
        store.submit(Batch(records=[record(seq)], rows=[bad.get(seq, audit(seq))]), answers.of(seq))
    gate.open.set()
    codes = answers.wait(6)
    assert codes == [(0, "ok"), (1, "ok"), (2, "storage"), (3, "row"), (4, "storage"), (5, "storage")]
    store.reset()
    assert list(store.rows().all(AuditRow)) == []
    assert write(store, Batch(records=[record(2)], rows=[audit(2)])) is None


@pytest.mark.parametrize("value", [2**63, "\ud800", ["a", "list"], float("nan")])
def test_a_value_that_no_column_takes_is_the_batchs_own_fault(
    open_store: Open, write: Write, record: Record, value: Any
) -> None:
    store = open_store()
    error = write(store, Batch(records=[record(1)], rows=[PurseRow(member="m", balance_fen=value)]))
    assert error is not None
    assert error.code == "row"
    store.reset()
    assert write(store, Batch(records=[record(1)])) is None


def test_a_done_that_raises_stops_nobody(open_store: Open, record: Record) -> None:
    store, answers = open_store(), Answers()

    def broken(error: StoreError | None) -> None:
        raise RuntimeError("a bug of the owner")

    store.submit(Batch(records=[record(1)]), broken)
    store.submit(Batch(records=[record(2)]), answers.of(2))
    assert answers.wait(1) == [(2, "ok")]


def test_an_empty_batch_is_a_barrier(open_store: Open, record: Record) -> None:
    store, answers = open_store(), Answers()
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


def test_a_full_queue_refuses_and_recovers(open_store: Open, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.storage.writer.MAX_QUEUED_BATCHES", 10)
    monkeypatch.setattr("edge.storage.writer.MAX_QUEUED_BYTES", 20_000)
    gate, answers = Gate(), Answers()
    store = open_store(on_point=gate)
    gate.hold()
    store.submit(Batch(records=[record(1)]), answers.of(1))
    assert gate.reached.wait(WAIT_S)
    for seq in range(2, 12):
        store.submit(Batch(records=[record(seq)]), answers.of(seq))
    with pytest.raises(StoreBusy, match="10 batches"):
        store.submit(Batch(records=[record(12)]), answers.of(12))
    assert store.counters()["refused_busy"] == 1
    assert store.counters()["queued"] == 10
    gate.open.set()
    answers.wait(11)
    gate.hold()
    store.submit(Batch(records=[record(12)]), answers.of(12))
    assert gate.reached.wait(WAIT_S)
    store.submit(Batch(records=[record(13, bytes(50_000))]), answers.of(13))  # alone in the queue it may be larger
    with pytest.raises(StoreBusy):
        store.submit(Batch(records=[record(14)]), answers.of(14))
    gate.open.set()
    assert answers.wait(13)[-1] == (13, "ok")


def test_close_writes_what_is_queued_and_answers(open_store: Open, record: Record) -> None:
    gate, answers = Gate(), Answers()
    store = open_store(on_point=gate)
    gate.hold()
    for seq in range(1, 21):
        store.submit(Batch(records=[record(seq)]), answers.of(seq))
    threading.Timer(0.05, gate.open.set).start()
    store.close()
    assert answers.got == [(seq, "ok") for seq in range(1, 21)]
    with pytest.raises(StoreError) as caught:
        store.submit(Batch(), answers.of(0))
    assert caught.value.code == "closed"
    store.close()
    assert open_store().last_seq() == 20


def test_close_after_a_failure_ends(open_store: Open, record: Record) -> None:
    gate, answers = Gate(), Answers()
    store = open_store(on_point=gate)
    gate.error = sqlite3.OperationalError("disk I/O error")
    store.submit(Batch(records=[record(1)]), answers.of(1))
    answers.wait(1)
    store.close()
    assert open_store().last_seq() == 0


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
    busy, _, _ = store._writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


def test_a_second_opener_is_told_who_holds_it(open_store: Open, tmp_path: Path) -> None:
    import os

    open_store()
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()}: stop it first") as caught:
        open_store()
    assert caught.value.code == "locked"
    code = (
        "import sys; from pathlib import Path; from edge.storage.facts import FactsStore\n"
        "from edge.storage.errors import StoreError\n"
        "try: FactsStore.open(Path(sys.argv[1]), ())\n"
        "except StoreError as error: print(error.code, error.text)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "store"], capture_output=True, text=True, timeout=20, check=True
    ).stdout
    assert answer.startswith("locked")
    assert f"process {os.getpid()}" in answer


def test_the_lock_goes_with_the_store(open_store: Open) -> None:
    open_store().close()
    open_store().close()


def test_a_damaged_file_is_refused_and_left_alone(
    open_store: Open, write: Write, record: Record, tmp_path: Path
) -> None:
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[audit(seq) for seq in range(1, 2000)])) is None
    store.close()
    path = tmp_path / "store" / "facts.db"
    whole = path.read_bytes()
    for damage in (whole[:100] + bytes(200) + whole[300:], b"no database" * 500, whole[: len(whole) // 2]):
        path.write_bytes(damage)
        with pytest.raises(StoreError, match="restore the last backup") as caught:
            open_store()
        assert caught.value.code == "damaged"
        assert path.read_bytes() == damage
    path.write_bytes(whole)
    assert len(list(open_store().rows().all(AuditRow))) == 1999


def test_a_later_snapshot_of_the_same_seq_replaces_a_copy_never_a_beginning(
    open_store: Open, write: Write, record: Record
) -> None:
    store = open_store(build="b1")
    batch = Batch(records=[record(1)], snapshot=WorldSnapshot(1, "start", b"one"))
    assert write(store, batch) is None
    connection = store._writer._connection
    snapshots.put(connection, WorldSnapshot(1, "hourly", b"two"), build="b2", wall_ns=0)
    assert snapshots.at(connection, 1) == (1, "start", "b1", b"one")
    snapshots.put(connection, WorldSnapshot(1, "rebuild", b"three"), build="b2", wall_ns=0)
    assert snapshots.at(connection, 1) == (1, "rebuild", "b2", b"three")


def test_a_damaged_snapshot_is_passed_over(open_store: Open, write: Write, record: Record) -> None:
    store = open_store()
    for seq in (1, 2, 3):
        batch = Batch(records=[record(seq)], snapshot=WorldSnapshot(seq, "hourly", b"world %d" % seq * 50))
        assert write(store, batch) is None
    connection = store._writer._connection
    connection.execute("UPDATE snapshot SET data = x'00' WHERE seq = 3")
    connection.execute("UPDATE snapshot SET reason = 'start' WHERE seq = 1")
    assert snapshots.last_until(connection, 3).seq == 2
    assert snapshots.first_from(connection, 0).seq == 2
    assert snapshots.at(connection, 1) is None
    assert snapshots.seqs(connection) == {1, 2, 3}
