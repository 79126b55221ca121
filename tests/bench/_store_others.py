"""What our store is held against, each with one durable commit a batch: SQLite rows, and DuckDB where it is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from _store_data import DAY_SERIES, SERIES, T0, Floats, S, hour

#: The whole days have numbers from here on.
DAY_FIRST = 100_000
DAY = DAY_FIRST + DAY_SERIES // 3


class Rows:
    """SQLite, WITHOUT ROWID (series, ts), synchronous=FULL."""

    name = "SQLite rows"

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.path = directory / "rows.db"
        self._connection = sqlite3.connect(self.path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 16384", "cache_size = -32768"):
            self._connection.execute(f"PRAGMA {pragma}").fetchall()
        self._connection.execute(
            "CREATE TABLE sample (series INTEGER, ts INTEGER, value REAL, PRIMARY KEY (series, ts)) WITHOUT ROWID"
        )

    def put(self, second: int, values: Floats) -> None:
        at = T0 + second * S
        self._insert((n, at, value) for n, value in enumerate(values.tolist()))

    def _insert(self, rows: Any) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR REPLACE INTO sample VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")

    def load_days(self, values: Floats) -> None:
        for n in range(DAY_SERIES):
            column = values[:, n].tolist()
            self._insert((DAY_FIRST + n, T0 + second * S, value) for second, value in enumerate(column))

    def asked(self, day_s: int) -> dict[str, Callable[[], int]]:
        minutes = "SELECT ts / 60000000000, avg(value) FROM sample WHERE series = ? AND ts >= ? AND ts < ? GROUP BY 1"
        last = "SELECT series, max(ts), value FROM sample WHERE series < ? GROUP BY series"
        raw = "SELECT ts, value FROM sample WHERE series = ? AND ts >= ? AND ts < ?"
        return {
            "raw hour": lambda: self._count(raw, DAY, *hour(day_s)),
            "24-h 1-min mean": lambda: self._count(minutes, DAY, T0, T0 + day_s * S),
            "last values": lambda: self._count(last, SERIES),
        }

    def _count(self, sql: str, *values: int) -> int:
        return len(self._connection.execute(sql, values).fetchall())

    def close(self) -> None:
        self._connection.close()


class Duck:
    """DuckDB, arrays in, one transaction a batch."""

    name = "DuckDB"

    def __init__(self, directory: Path) -> None:
        import duckdb

        directory.mkdir(parents=True)
        self.path = directory / "duck.db"
        self._connection: Any = duckdb.connect(str(self.path))
        self._connection.execute("CREATE TABLE sample (series INTEGER, ts BIGINT, value DOUBLE)")

    def put(self, second: int, values: Floats) -> None:
        self._insert(np.arange(values.size, dtype=np.int32), np.full(values.size, T0 + second * S), values)

    def _insert(self, series: Any, ts: Any, value: Any) -> None:
        self._connection.register("batch", {"series": series, "ts": ts, "value": value})
        self._connection.execute("INSERT INTO sample SELECT series, ts, value FROM batch")
        self._connection.unregister("batch")

    def load_days(self, values: Floats) -> None:
        ts = T0 + np.arange(len(values)) * S
        for n in range(DAY_SERIES):
            numbers = np.full(len(values), DAY_FIRST + n, np.int32)
            self._insert(numbers, ts, np.ascontiguousarray(values[:, n]))

    def asked(self, day_s: int) -> dict[str, Callable[[], int]]:
        minutes = "SELECT ts // 60000000000, avg(value) FROM sample WHERE series = ? AND ts >= ? AND ts < ? GROUP BY 1"
        last = "SELECT series, max(ts), arg_max(value, ts) FROM sample WHERE series < ? GROUP BY series"
        raw = "SELECT ts, value FROM sample WHERE series = ? AND ts >= ? AND ts < ? ORDER BY ts"
        return {
            "raw hour": lambda: self._count(raw, DAY, *hour(day_s)),
            "24-h 1-min mean": lambda: self._count(minutes, DAY, T0, T0 + day_s * S),
            "last values": lambda: self._count(last, SERIES),
        }

    def _count(self, sql: str, *values: int) -> int:
        return len(next(iter(self._connection.execute(sql, list(values)).fetchnumpy().values())))

    def close(self) -> None:
        self._connection.close()


def others() -> list[type[Rows | Duck]]:
    """Those that are installed."""
    return [Rows, Duck] if find_spec("duckdb") else [Rows]
