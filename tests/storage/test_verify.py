"""A store that is whole is called whole; a changed number, a lost row, a flipped bit in the log is found and named."""

from __future__ import annotations

import importlib.util
import random
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.canteen.messages import RefundLines, TopUp, VoidOrder
from edge.storage.backup_stores import StoreFile, site_stores
from edge.storage.migrate import packaged
from edge.storage.verify import verify_store
from edge.storage.verify_rules import RULES

CANTEEN, GARAGE = (
    next(store for store in site_stores((name,), StoreFile("api.db", 1)) if store.is_facts)
    for name in ("canteen", "garage")
)


def silent(_stage, _done, _total):
    pass


def kit():
    path = Path(__file__).parent.parent / "runtime" / "test_replay_canteen.py"
    name = "kangle_lunch"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="module")
def lunch(tmp_path_factory):
    """A canteen's store after 60 trays: purses, cash, refunds, a void, a restart."""
    directory = tmp_path_factory.mktemp("lunch")
    draw = random.Random(5)
    canteen = kit().StoredCanteen(directory / "canteen")
    for member in ("m-elder", "m-young"):
        canteen.command(TopUp(member=member, fen=50_000, method="cash"))
    sold = [order for number in range(60) if (order := kit().serve(canteen, draw, number))]
    assert len(sold) > 20
    for number, order in enumerate(sold[::4]):
        canteen.command(RefundLines(order_id=order, refund_id=f"r{number}", line_nos=(1,), reason="cold"))
    canteen.command(VoidOrder(order_id=sold[1], reason="mistake"))
    canteen.restart()
    canteen.settle_disk()
    yield canteen
    canteen.store.close()


@pytest.fixture
def books(lunch, tmp_path):
    """Change a copy of the lunch's store by SQL, and verify it."""
    lunch.settle_disk()
    target = tmp_path / "canteen"
    target.mkdir()
    connect = sqlite3.connect
    with closing(connect(lunch.directory / "facts.db")) as source, closing(connect(target / "facts.db")) as copy:
        source.backup(copy)

    def change(*statements):
        with closing(sqlite3.connect(target / "facts.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            for statement in statements:
                assert connection.execute(statement).rowcount != 0, statement
        return verify_store(tmp_path, CANTEEN, silent)

    return change


def test_a_lunch_is_whole_also_while_it_is_being_written(lunch, books):
    assert books() == []
    assert verify_store(lunch.directory.parent, CANTEEN, silent) == []


MONEY = [
    (
        "UPDATE orders SET payable_fen = payable_fen + 1, rounding_fen = rounding_fen + 1 WHERE seq = {seq}",
        "lines of an order add up",
    ),
    ("UPDATE orders SET list_fen = list_fen + 64 WHERE seq = {seq}", "lines of an order add up"),
    (
        "UPDATE order_line SET payable_fen = payable_fen + 8 WHERE order_id = '{order}' AND line_no = 1",
        "lines of an order add up",
    ),
    ("UPDATE order_line SET fen_json = '[1]' WHERE order_id = '{order}' AND line_no = 1", "sum of its steps"),
    ("DELETE FROM order_line WHERE order_id = '{order}' AND line_no = 1", "lines of an order add up"),
    ("UPDATE order_step SET fen = fen + 1 WHERE order_id = '{order}' AND step_no = 0", "sum of its steps"),
    ("DELETE FROM payment WHERE order_id = '{order}'", "one payment"),
    ("UPDATE payment SET fen = fen + 1 WHERE order_id = '{order}'", "one payment"),
    ("DELETE FROM orders WHERE order_id = '{order}'", "one payment"),
    ("UPDATE orders SET business_day = '2026-11-23' WHERE order_id = '{order}'", "one payment"),
    ("UPDATE orders SET refunded_fen = 1 WHERE order_id = '{order}'", "given back"),
    ("UPDATE orders SET status = 'refunded' WHERE order_id = '{order}'", "given back"),
    ("UPDATE refund SET paid_fen = paid_fen + 1", "given back"),
    ("UPDATE claim SET order_id = 'o999' WHERE order_id = '{order}'", "at most once"),
    ("DELETE FROM claim WHERE order_id = '{order}'", "at most once"),
    ("UPDATE purse SET balance_fen = balance_fen + 4096", "sum of its movements"),
    ("DELETE FROM purse", "sum of its movements"),
    ("UPDATE purse_entry SET fen = fen + 1 WHERE kind = 'pay'", "follows the one before"),
    ("UPDATE purse_entry SET ref = 'o999' WHERE kind = 'pay'", "paid for exists"),
    ("UPDATE business_day SET paid_fen = paid_fen + 2", "totals of a day"),
    ("UPDATE business_day SET plates_sold = plates_sold - 1", "totals of a day"),
    ("UPDATE audit SET seq = seq + 100000", "rows of the log's inputs"),
    ("UPDATE log SET wall_ns = wall_ns + 1 WHERE seq_last = (SELECT min(seq_last) FROM log)", "log"),
    ("UPDATE log SET data = zeroblob(length(data)) WHERE seq_last = (SELECT max(seq_last) FROM log)", "log"),
    ("DELETE FROM log WHERE seq_last = (SELECT seq_last FROM log ORDER BY seq_last LIMIT 1 OFFSET 3)", "log"),
    ("UPDATE log SET bytes_total = bytes_total + 1 WHERE seq_last > 40", "log"),
    ("UPDATE snapshot SET data = zeroblob(20)", "snapshots"),
    ("DROP TABLE claim", "tables"),
    ("DROP INDEX refund_day", "tables"),
    ("PRAGMA user_version = 99", "version"),
]


@pytest.mark.parametrize(("statement", "check"), MONEY, ids=range(len(MONEY)))
def test_what_is_changed_is_found(lunch, books, statement, check):
    with closing(sqlite3.connect(lunch.directory / "facts.db")) as connection:
        seq, order = connection.execute(
            "SELECT seq, order_id FROM orders WHERE status = 'paid' AND payable_fen > 0 ORDER BY seq LIMIT 1"
        ).fetchone()
    found = books(statement.format(seq=seq, order=order))
    assert any(check in finding.check for finding in found), found
    assert all(finding.remedy and finding.store == "canteen/facts.db" for finding in found)


def test_a_log_that_begins_behind_no_snapshot_is_found(books):
    """How many inputs share a row of the log depends on the machine: so all but the last row go, with the snapshots."""
    found = books("DELETE FROM snapshot", "DELETE FROM log WHERE seq_last < (SELECT max(seq_last) FROM log)")
    assert any("log" in finding.check for finding in found), found


def test_each_rule_finds_something():
    """Every rule of the canteen is named by a change above: none of them is a question that always says yes."""
    words = [check for _, check in MONEY]
    unasked = [rule.name for rule in RULES["canteen"] if not any(word in rule.name for word in words)]
    assert unasked == ["lines and steps belong to an order of their day"]


def test_lines_of_another_day_are_found(books):
    found = books("UPDATE order_step SET business_day = '2026-11-23'")
    assert "lines and steps belong to an order of their day" in {finding.check for finding in found}


GARAGE_CHANGES = [
    (
        "INSERT INTO charge_outbox VALUES ('s1', 'm', 5, 'pending', '', 0, 0, 0, NULL)",
        "a charge that is posted is that of a session",
    ),
    (
        "INSERT INTO port_charging VALUES ('p', 's9', 1, 0, 0, x'', x'', NULL)",
        "an open port charges a session that is not ended",
    ),
    (
        "INSERT INTO zone VALUES ('z', 'latched_fire', 1, 0, 0, 0, 0, 0, 0, 0, NULL)",
        "a latched zone has its cause",
    ),
    (
        "INSERT INTO alarm VALUES ('a', 'k', '', '', 'fire', '', 1, 0, 0, x'', NULL)",
        "an alarm that stands has its history",
    ),
]


@pytest.mark.parametrize(("statement", "check"), GARAGE_CHANGES, ids=[check for _, check in GARAGE_CHANGES])
def test_a_garage_that_contradicts_itself_is_found(tmp_path, statement, check):
    from edge.storage.migrate import migrate

    (tmp_path / "garage").mkdir()
    with closing(sqlite3.connect(tmp_path / "garage" / "facts.db", isolation_level=None)) as connection:
        migrate(connection, packaged("garage"), "here")
        assert verify_store(tmp_path, GARAGE, silent) == []
        connection.execute(statement)
    assert [finding.check for finding in verify_store(tmp_path, GARAGE, silent)] == [check]
    assert {name for _, name in GARAGE_CHANGES} == {rule.name for rule in RULES["garage"]}


def test_a_file_that_is_no_store_is_told(tmp_path):
    (tmp_path / "canteen").mkdir()
    path = tmp_path / "canteen" / "facts.db"
    path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    (finding,) = verify_store(tmp_path, CANTEEN, silent)
    assert "SQLite cannot read it" in finding.what
    path.write_bytes(b"")
    assert any("schema" in finding.what for finding in verify_store(tmp_path, CANTEEN, silent))


def test_a_pruned_log_is_whole(lunch, books, tmp_path):
    with closing(sqlite3.connect(tmp_path / "canteen" / "facts.db")) as connection:
        seqs = [row[0] for row in connection.execute("SELECT seq FROM snapshot ORDER BY seq")]
        (head,) = connection.execute("SELECT max(seq_last) FROM log").fetchone()
    assert len(seqs) >= 2
    assert seqs[1] < head
    assert books(f"DELETE FROM log WHERE seq_last <= {seqs[1]}", f"DELETE FROM snapshot WHERE seq < {seqs[1]}") == []
    shutil.rmtree(tmp_path / "canteen")
