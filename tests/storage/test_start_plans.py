"""No start reads a table that grows from end to end: so says SQLite's own plan of every query of a ``load``."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge.domain.canteen import rows as canteen_rows
from edge.domain.canteen.kernel import CanteenKernel
from edge.domain.garage import rows as garage_rows
from edge.domain.garage.kernel import GarageKernel
from edge.domain.garage.session_rows import ChargeRow, PortChargingRow, SessionRow
from edge.domain.gym import rows as gym_rows
from edge.domain.gym.kernel import GymKernel
from edge.storage.connect import open_writer
from edge.storage.facts import FactsStore
from edge.storage.stored_rows import StoredRows
from edge.storage.tables import table_of

#: Tables that may be read whole: they hold one row for each thing there is, or (a day, an hour) one small row for each.
WHOLE = {
    "garage": {"alarm_clock", "alarm_hour", "business_day", "config", "load_queue", "port_charging", "purse_copy",
               "switch", "zone"},
    "gym": {"alarm_clock", "alarm_hour", "business_day", "config", "person", "wear"},
    "canteen": {"business_day", "config", "lane_stats", "member", "plate", "purse", "scheme"},
}  # fmt: skip
#: Indexes that hold what is open only.
PARTIAL = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql LIKE '% WHERE %'"
SCAN = re.compile(r"SCAN (?P<table>\w+)(?: USING (?:COVERING )?INDEX (?P<index>\w+))?$")
#: A day, for nothing of days is read before the first; and a port with a session, which is then looked for.
DAY = "2026-11-23"
OPEN_PORT = PortChargingRow(port="p", session_id="s", open=True, armed=True, at_ns=1, charging=b"", bill=b"")
ROWS = {"garage": [garage_rows.DayRow(day=DAY), OPEN_PORT], "gym": [gym_rows.DayRow(day=DAY)],
        "canteen": [canteen_rows.DayRow(day=DAY)]}  # fmt: skip
KERNELS = {"garage": GarageKernel(), "gym": GymKernel(), "canteen": CanteenKernel()}


class Planned(sqlite3.Cursor):
    """Notes how each query is carried out, with the very values that it is asked with."""

    def execute(self, sql: str, values: Any = ()) -> Planned:  # type: ignore[override]
        plan = self.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        self.connection.plans += [str(step[3]) for step in plan]  # type: ignore[attr-defined]
        super().execute(sql, values)
        return self


class Planning(sqlite3.Connection):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.plans: list[str] = []

    def cursor(self) -> Planned:  # type: ignore[override]
        return Planned(self)


def scanned(directory: Path, vertical: str) -> set[str]:
    """What a start of this vertical reads from end to end: tables, and indexes that hold rows of all time."""
    kernel, path = KERNELS[vertical], directory / "facts.db"
    FactsStore.open(directory, kernel.row_types, vertical=vertical, ballast_bytes=0).close()
    writer = open_writer(path)
    for row in ROWS[vertical]:
        writer.execute(table_of(type(row)).put_sql, table_of(type(row)).values(row))
    writer.close()
    connection = sqlite3.connect(path, factory=Planning)
    kernel.load(StoredRows(connection, path))
    partial = {name for (name,) in connection.execute(PARTIAL)}
    connection.close()
    scans = [found for step in connection.plans if (found := SCAN.match(step))]
    assert len(connection.plans) > len(scans) > 3
    return {found["table"] for found in scans if found["index"] not in partial}


@pytest.mark.parametrize("vertical", KERNELS)
def test_only_what_does_not_grow_is_read_from_end_to_end(tmp_path: Path, vertical: str) -> None:
    assert scanned(tmp_path, vertical) == WHOLE[vertical]


def test_charges_are_found_by_their_state_and_answer_and_sessions_by_their_key(tmp_path: Path) -> None:
    FactsStore.open(tmp_path, garage_rows.ROW_TYPES, vertical="garage", ballast_bytes=0).close()
    connection = sqlite3.connect(tmp_path / "facts.db", factory=Planning)
    rows = StoredRows(connection, tmp_path / "facts.db")
    asked = [
        rows.where(ChargeRow, {"state": "pending"}),
        rows.where(ChargeRow, {"state": "owed"}),
        rows.since(ChargeRow, "answered_ns", 5),
        rows.where(SessionRow, {"session_id": "s"}),
        rows.columns_since(SessionRow, ("day", "session_id"), "2026-08-15"),
    ]
    assert [list(found) for found in asked] == [[]] * len(asked)
    assert [step for step in connection.plans if "TEMP B-TREE" not in step] == [
        "SCAN charge_outbox USING INDEX charge_outbox_pending",
        "SCAN charge_outbox USING INDEX charge_outbox_owed",
        "SEARCH charge_outbox USING INDEX charge_outbox_by_answer (answered_ns>?)",
        "SEARCH charging_session USING PRIMARY KEY (session_id=?)",
        "SEARCH charging_session USING COVERING INDEX charging_session_by_day (day>?)",
    ]
    connection.close()


def test_what_a_start_sorts_needs_no_room_on_the_disk(tmp_path: Path) -> None:
    """A full disk is no reason not to start: SQLite would put a sort of more than 2 MB into a file."""
    store = FactsStore.open(tmp_path, canteen_rows.ROW_TYPES, ballast_bytes=0)
    kept_in = store.rows()._connection.execute("PRAGMA temp_store").fetchone()
    store.close()
    assert kept_in == (2,), "memory"
