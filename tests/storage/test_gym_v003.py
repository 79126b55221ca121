"""A gym's file of schema 2 keeps its days of wear and of outdoor points, and knows what was not kept of them."""

from __future__ import annotations

from pathlib import Path

from edge.domain.gym.rows import ROW_TYPES
from edge.domain.gym.trail_rows import CountDayRow
from edge.domain.gym.wear_rows import WearDayRow
from edge.storage.connect import open_writer
from edge.storage.facts import FactsStore
from edge.storage.migrate import migrate, packaged, version_of
from edge.storage.reading import StoreReader
from edge.storage.tables import table_of

COUNTED = CountDayRow(asset="out-1", day="2026-11-20", uses=41, counter=912, at_ns=5, hours=b"")
WORN = WearDayRow(
    asset="tm-1", day="2026-11-20", busy_ms=9000, distance_m=4200.5, starts=7, uses=0, current_index=1.02,
    peak_current_ma=3100, peak_temperature_c=41.0, n=800, mean_current_ma=None,
)  # fmt: skip


def test_days_survive_without_what_was_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "facts.db"
    connection = open_writer(path)
    assert migrate(connection, packaged("gym")[:2], "old") == 2
    connection.execute("INSERT INTO count_day VALUES ('out-1', '2026-11-20', 41, 912, 5, NULL)")
    connection.execute(
        "INSERT INTO wear_day VALUES ('tm-1', '2026-11-20', 9000, 4200.5, 7, 0, 1.02, 3100, 41.0, 800, NULL)"
    )
    connection.execute("INSERT INTO meta (key, value) VALUES ('store_id', 'x')")
    connection.close()
    FactsStore.open(tmp_path, ROW_TYPES, vertical="gym", ballast_bytes=0).close()
    connection = open_writer(path)
    assert version_of(connection) == len(packaged("gym")) >= 3
    for kind in (CountDayRow, WearDayRow):
        table_of(kind).check(connection)
    connection.close()
    reader = StoreReader(tmp_path, vertical="gym")
    assert reader.fetch(CountDayRow) == [COUNTED]
    assert reader.fetch(WearDayRow) == [WORN]
    reader.close()
