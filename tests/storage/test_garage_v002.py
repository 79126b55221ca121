"""A garage's file of schema 1 keeps its journal of doors, and holds what version 2 may write."""

from __future__ import annotations

from pathlib import Path

from edge.domain.garage.access_rows import AccessEventRow
from edge.domain.garage.rows import ROW_TYPES
from edge.storage.connect import open_writer
from edge.storage.facts import FactsStore
from edge.storage.migrate import migrate, packaged, version_of
from edge.storage.reading import StoreReader
from edge.storage.tables import table_of

OLD = AccessEventRow(
    seq=7, door="d1", what="denied", why="unknown_card", holder="", card_end="9:41", at_ns=5, at_trusted=True
)
KEPT = "INSERT INTO access_event VALUES (7, 'd1', 'denied', 'unknown_card', '', '9:41', 5, 1, NULL)"


def test_the_journal_of_doors_survives_and_knows_a_release(tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    connection = open_writer(path)
    assert migrate(connection, packaged("garage")[:1], "old") == 1
    connection.execute(KEPT)
    connection.execute("INSERT INTO meta (key, value) VALUES ('store_id', 'x')")
    connection.close()
    FactsStore.open(tmp_path, ROW_TYPES, vertical="garage", ballast_bytes=0).close()
    connection = open_writer(path)
    assert version_of(connection) == len(packaged("garage")) >= 2
    table_of(AccessEventRow).check(connection)
    connection.execute("INSERT INTO access_event VALUES (8, 'd1', 'released', '', '', '', 6, 1, NULL)")
    connection.close()
    reader = StoreReader(tmp_path, vertical="garage")
    rows = reader.page(AccessEventRow, {"door": "d1"}, by=("seq",), newest_first=False, limit=9).rows
    reader.close()
    assert rows[0] == OLD
    assert [row.what for row in rows] == ["denied", "released"]
