"""A commit that fails, a row that breaks a rule, a full queue, a close in the middle: who is told what."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest

from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import PurseRow
from edge.domain.kernel import Row
from edge.storage.batch import Batch
from edge.storage.errors import StoreBusy, StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
WAIT_S = 60.0


def audit(seq: int) -> AuditRow:
    return AuditRow(seq=seq, role="cashier", user="u", action="pay", ref=str(seq), at_ns=seq)


@pytest.mark.parametrize("error", [sqlite3.OperationalError("disk I/O error"), OSError(5, "EIO"), MemoryError()])
def test_a_failed_commit_fails_all_that_waits_until_reset(
    open_store: Open, write: Write, record: Record, error: Exception, gate: Any, answers: Any
) -> None:
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


def test_only_the_batch_at_fault_is_told_so(
    open_store: Open, write: Write, record: Record, gate: Any, answers: Any
) -> None:
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


def test_a_done_that_raises_stops_nobody(open_store: Open, record: Record, answers: Any) -> None:
    store = open_store()

    def broken(error: StoreError | None) -> None:
        raise RuntimeError("a bug of the owner")

    store.submit(Batch(records=[record(1)]), broken)
    store.submit(Batch(records=[record(2)]), answers.of(2))
    assert answers.wait(1) == [(2, "ok")]


def test_a_full_queue_refuses_and_recovers(
    open_store: Open, record: Record, monkeypatch: pytest.MonkeyPatch, gate: Any, answers: Any
) -> None:
    monkeypatch.setattr("edge.storage.writer.MAX_QUEUED_BATCHES", 10)
    monkeypatch.setattr("edge.storage.writer.MAX_QUEUED_BYTES", 20_000)
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


def test_close_writes_what_is_queued_and_answers(open_store: Open, record: Record, gate: Any, answers: Any) -> None:
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


def test_close_after_a_failure_ends(open_store: Open, record: Record, gate: Any, answers: Any) -> None:
    store = open_store(on_point=gate)
    gate.error = sqlite3.OperationalError("disk I/O error")
    store.submit(Batch(records=[record(1)]), answers.of(1))
    answers.wait(1)
    store.close()
    assert open_store().last_seq() == 0
