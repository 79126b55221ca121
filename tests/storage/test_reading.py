"""The API's reads: right rows, stable pages, short transactions, clear refusals."""

from __future__ import annotations

import base64
import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import MemberRow, OrderLineRow, OrderRow, PurseEntryRow, PurseRow
from edge.domain.kernel import Row
from edge.storage.batch import Batch
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.reading import MAX_ROWS, StoreReader

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
#: A read may last a quarter of a second, which a busy machine may be away for.
PATIENCE_S = 60.0


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[StoreReader]:
    reader = StoreReader(tmp_path / "store", limit_s=PATIENCE_S)
    yield reader
    reader.close()


@pytest.fixture
def orders(open_store: Open, write: Write, record: Record, sample_row: Callable[..., Any]) -> list[OrderRow]:
    """120 orders over three days; every fourth of a member; ids that do not sort like their seqs."""
    rows = [
        sample_row(
            OrderRow,
            order_id=f"{(seq * 37) % 120:03}",
            seq=seq,
            business_day=f"2026-11-{20 + seq // 50}",
            member="m1" if seq % 4 == 0 else None,
        )
        for seq in range(120)
    ]
    entries = [
        PurseEntryRow(seq=seq, member=f"m{seq % 3}", fen=1, balance_fen=seq, kind="pay", ref="", at_ns=0)
        for seq in range(60)
    ]
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[*rows, *entries])) is None
    return rows


def test_one_row_by_its_key(reader: StoreReader, orders: list[OrderRow]) -> None:
    assert reader.get(OrderRow, "037") == next(row for row in orders if row.order_id == "037")
    assert reader.get(OrderRow, "nobody") is None
    assert reader.get(PurseEntryRow, 7, "m1").balance_fen == 7
    assert reader.get(PurseEntryRow, 7, "m2") is None
    with pytest.raises(ValueError, match="keyed by seq, member"):
        reader.get(PurseEntryRow, 7)


def test_rows_by_columns(reader: StoreReader, orders: list[OrderRow]) -> None:
    found = reader.fetch(OrderRow, {"business_day": "2026-11-21", "member": "m1"})
    wanted = [row for row in orders if row.business_day == "2026-11-21" and row.member == "m1"]
    assert found == sorted(wanted, key=lambda row: row.order_id)
    assert len(reader.fetch(OrderRow, {"member": None})) == 90
    assert len(reader.fetch(OrderRow, limit=7)) == 7
    assert reader.fetch(OrderRow, {"seq": 2**70}) == []
    assert reader.fetch(OrderRow, {"order_id": "\ud800"}) == []
    for limit in (0, MAX_ROWS + 1):
        with pytest.raises(ValueError, match="limit must be"):
            reader.fetch(OrderRow, limit=limit)
    with pytest.raises(ValueError, match="no column 'name; DROP TABLE orders'"):
        reader.fetch(OrderRow, {"name; DROP TABLE orders": 1})


def test_pages_give_every_row_once_in_order(reader: StoreReader, orders: list[OrderRow]) -> None:
    wanted = [row for row in orders if row.business_day == "2026-11-20"]
    day = {"business_day": "2026-11-20"}
    for limit, newest_first in itertools.product([1, 7, 49, 50, 51, 500], [True, False]):
        found, cursor, pages = [], None, 0
        while cursor is not None or not pages:
            page = reader.page(OrderRow, day, by=("seq",), newest_first=newest_first, cursor=cursor, limit=limit)
            found += page.rows
            cursor = page.cursor
            pages += 1
        assert found == (wanted[::-1] if newest_first else wanted)
        assert pages == -(-len(wanted) // limit)


def test_rows_that_come_between_pages_shift_nothing(
    reader: StoreReader, orders: list[OrderRow], open_store: Open, tmp_path: Path
) -> None:
    first = reader.page(PurseEntryRow, {"member": "m1"}, by=("seq",), limit=5)
    assert [row.seq for row in first.rows] == [58, 55, 52, 49, 46]
    other = sqlite3.connect(tmp_path / "store" / "facts.db")
    other.execute("INSERT INTO purse_entry VALUES (1000, 'm1', 1, 1, 'pay', '', 0, NULL)")
    other.execute("DELETE FROM purse_entry WHERE seq = 46")
    other.commit()
    other.close()
    second = reader.page(PurseEntryRow, {"member": "m1"}, by=("seq",), limit=5, cursor=first.cursor)
    assert [row.seq for row in second.rows] == [43, 40, 37, 34, 31]


def test_equal_sort_values_are_told_apart_by_the_key(
    reader: StoreReader, open_store: Open, write: Write, record: Record, sample_row: Callable[..., Any]
) -> None:
    rows = [sample_row(OrderLineRow, order_id=f"o{i // 5}", line_no=i % 5, sodium_mg=i % 2) for i in range(40)]
    assert write(open_store(), Batch(records=[record(1)], rows=rows)) is None
    found, cursor = [], None
    while True:
        page = reader.page(OrderLineRow, by=("sodium_mg",), newest_first=False, cursor=cursor, limit=3)
        found += page.rows
        cursor = page.cursor
        if cursor is None:
            break
    assert found == sorted(rows, key=lambda row: (row.sodium_mg, row.order_id, row.line_no))


def test_a_cursor_of_another_list_is_refused(reader: StoreReader, orders: list[OrderRow]) -> None:
    cursor = reader.page(OrderRow, by=("business_day", "seq"), limit=5).cursor
    assert reader.page(OrderRow, by=("business_day", "seq"), cursor=cursor, limit=5).rows
    for kind, by, newest_first in (
        (PurseEntryRow, ("seq",), True),
        (OrderRow, ("seq",), True),
        (OrderRow, ("business_day", "seq"), False),
    ):
        with pytest.raises(StoreError, match="another list") as caught:
            reader.page(kind, by=by, newest_first=newest_first, cursor=cursor)
        assert caught.value.code == "cursor"
    with pytest.raises(ValueError, match=r"orders\.member may be null"):
        reader.page(OrderRow, by=("member",))


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")))
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(StoreError) as caught:
        StoreReader(Path("/nonexistent")).page(OrderRow, by=("seq",), cursor=text)
    assert caught.value.code == "cursor"


def test_the_reads_of_the_api_use_an_index(open_store: Open, tmp_path: Path, reader: StoreReader) -> None:
    open_store()
    seen: list[str] = []
    reader.fetch(OrderRow, limit=1)
    reader._connection.set_trace_callback(seen.append)
    reader.page(OrderRow, {"business_day": "2026-11-20"}, by=("seq",))
    reader.page(OrderRow, {"member": "m1"}, by=("seq",))
    reader.page(OrderRow, by=("business_day", "seq"))
    reader.page(PurseEntryRow, {"member": "m1"}, by=("seq",))
    reader.fetch(OrderLineRow, {"business_day": "2026-11-20", "order_id": "1"})
    statements = [text for text in seen if text.startswith("SELECT")]
    assert len(statements) == 5
    for text in statements:
        plan = " ".join(str(row[3]) for row in reader._connection.execute("EXPLAIN QUERY PLAN " + text))
        assert "TEMP B-TREE" not in plan, (text, plan)
        assert "INDEX" in plan or "PRIMARY KEY" in plan, (text, plan)


def test_a_reader_sees_whole_commits_while_the_writer_writes(
    open_store: Open, record: Record, reader: StoreReader
) -> None:
    store = open_store()
    stop, errors = threading.Event(), []
    answered = threading.Semaphore(0)

    def write() -> None:
        seq = 0
        while not stop.is_set():
            seq += 1
            audit = AuditRow(seq=seq, role="r", user="u", action="a", ref="", at_ns=0)
            rows: list[Row] = [PurseRow(member=name, balance_fen=seq) for name in "abc"]
            store.submit(Batch(records=[record(seq)], rows=[audit, *rows]), lambda _error: answered.release())
            answered.acquire()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        last = 0
        begun = time.monotonic()
        while last <= 10 or time.monotonic() < begun + 0.5:
            assert time.monotonic() < begun + 60, f"the writer writes nothing more after {last}"
            balances = {row.balance_fen for row in reader.fetch(PurseRow)}
            if len(balances) > 1 or (balances and max(balances) < last):
                errors.append(balances)
            last = max(balances, default=last)
    finally:
        stop.set()
        thread.join()
    assert errors == []


def test_a_long_read_is_stopped(open_store: Open, write: Write, record: Record, tmp_path: Path) -> None:
    store = open_store()
    rows = [
        MemberRow(token=f"t{i}", card=f"c{i}", born="1950-01-01", district="d", hukou=True, low_income=False)
        for i in range(20_000)
    ]
    assert write(store, Batch(records=[record(1)], rows=rows)) is None
    reader = StoreReader(tmp_path / "store", limit_s=0.001)
    with pytest.raises(StoreError, match="took longer than 1 ms") as caught:
        reader.page(MemberRow, by=("district", "born"), limit=5)
    assert caught.value.code == "slow"
    patient = StoreReader(tmp_path / "store", limit_s=PATIENCE_S)
    assert len(patient.page(MemberRow, by=("district", "born"), limit=5).rows) == 5
    store._writer._checkpointer.close()  # its checkpoint is not what is asked about
    busy, _, _ = store._writer._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0, "a stopped read must not stay open"
    reader.close()
    patient.close()


def test_a_reader_behind_another_one_waits_only_so_long(orders: list[OrderRow], tmp_path: Path) -> None:
    reader = StoreReader(tmp_path / "store", limit_s=0.02)
    with reader._mutex, pytest.raises(StoreError) as caught:
        reader.fetch(OrderRow)
    assert caught.value.code == "slow"
    reader._limit_s = PATIENCE_S
    assert reader.fetch(OrderRow, limit=1)
    reader.close()


def test_nothing_can_be_written(orders: list[OrderRow], reader: StoreReader) -> None:
    reader.fetch(OrderRow, limit=1)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM orders")


def test_refusals_name_their_remedy(open_store: Open, tmp_path: Path) -> None:
    absent = StoreReader(tmp_path / "store")
    with pytest.raises(StoreError, match="start the daemon once") as caught:
        absent.fetch(OrderRow)
    assert caught.value.code == "absent"
    open_store().close()
    assert absent.fetch(OrderRow) == []
    for known, code in ((0, "newer"), (2, "schema")):
        other = StoreReader(tmp_path / "store", known_version=known)
        with pytest.raises(StoreError, match="same release as the daemon") as caught:
            other.fetch(OrderRow)
        assert caught.value.code == code
        other.close()
    absent.close()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "facts.db").write_bytes(b"no database at all" * 300)
    with pytest.raises(StoreError) as caught:
        StoreReader(broken).fetch(OrderRow)
    assert caught.value.code == "damaged"


def test_an_upgrade_or_a_restored_backup_is_noticed(
    orders: list[OrderRow], open_store: Open, reader: StoreReader, tmp_path: Path
) -> None:
    assert len(reader.fetch(OrderRow)) == 120
    path = tmp_path / "store" / "facts.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 7")
    with pytest.raises(StoreError) as caught:
        reader.fetch(OrderRow)
    assert caught.value.code == "newer"
    other.execute("PRAGMA user_version = 1")
    other.close()
    assert len(reader.fetch(OrderRow)) == 120
    empty = open_store(tmp_path / "backup")
    empty.close()
    os.replace(tmp_path / "backup" / "facts.db", path)  # noqa: PTH105 - the atomic rename of a restore
    for name in ("facts.db-wal", "facts.db-shm"):
        (tmp_path / "store" / name).unlink(missing_ok=True)
    assert reader.fetch(OrderRow) == []


def test_a_store_can_be_read_while_its_daemon_is_down(
    open_store: Open, write: Write, record: Record, reader: StoreReader
) -> None:
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[PurseRow(member="m", balance_fen=5)])) is None
    store.close()
    assert reader.fetch(PurseRow) == [PurseRow(member="m", balance_fen=5)]
    store = open_store()
    assert write(store, Batch(records=[record(2)], rows=[PurseRow(member="m", balance_fen=6)])) is None
    assert reader.fetch(PurseRow) == [PurseRow(member="m", balance_fen=6)]
