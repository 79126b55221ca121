"""A garage's file of schema 2 keeps its charges, and finds those on their way without reading the others."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.domain.garage.rows import ROW_TYPES
from edge.domain.garage.session_rows import ChargeRow
from edge.storage.connect import open_writer
from edge.storage.facts import FactsStore
from edge.storage.migrate import migrate, packaged, version_of
from edge.storage.tables import table_of

CHARGES = [
    ChargeRow(
        session_id=f"s{n}", member="m1", fen=7, state=state, code="", attempts=1, at_ns=n, answered_ns=answered_ns
    )
    for n, (state, answered_ns) in enumerate([("paid", 5), ("pending", 0), ("owed", 3), ("paid", 9)])
]
INDEXES = "SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'charge_outbox' AND sql IS NOT NULL"


def indexes(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute(INDEXES)}


def test_charges_survive_and_are_found_by_state_and_answer(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "facts.db")
    assert migrate(connection, packaged("garage")[:2], "old") == 2
    assert indexes(connection) == {"charge_outbox_open"}
    table = table_of(ChargeRow)
    for charge in CHARGES:
        *values, _ = table.values(charge)
        connection.execute("INSERT INTO charge_outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", values)
    connection.execute("INSERT INTO meta (key, value) VALUES ('store_id', 'x')")
    connection.close()
    store = FactsStore.open(tmp_path, ROW_TYPES, vertical="garage", ballast_bytes=0)
    rows = store.rows()
    assert list(rows.all(ChargeRow)) == CHARGES
    assert [charge.session_id for charge in rows.where(ChargeRow, {"state": "owed"})] == ["s2"]
    assert [charge.session_id for charge in rows.where(ChargeRow, {"state": "pending"})] == ["s1"]
    assert [charge.session_id for charge in rows.since(ChargeRow, "answered_ns", 5)] == ["s0", "s3"]
    store.close()
    connection = open_writer(tmp_path / "facts.db")
    assert version_of(connection) == len(packaged("garage")) >= 3
    table.check(connection)
    assert indexes(connection) == {"charge_outbox_pending", "charge_outbox_owed", "charge_outbox_by_answer"}
    connection.close()
