"""Committed rows as a kernel loads them (``edge.domain.kernel.Rows``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from edge.domain.kernel import Row
from edge.storage.connect import unreadable
from edge.storage.tables import Table, table_of

R = TypeVar("R", bound=Row)
_FETCH = 256


class StoredRows:
    """Reads through a connection of its own; each iteration is one statement, in the order of the primary key. Raises
    StoreError "storage" or "damaged" while it is iterated."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def all(self, kind: type[R]) -> Iterator[R]:
        """Every row of a table."""
        table = table_of(kind)
        return self._select(table, table.select_sql + table.order_sql, ())

    def since(self, kind: type[R], column: str, value: str | int) -> Iterator[R]:
        """Rows whose ``column`` is at least ``value``. Raises ValueError for an unknown column."""
        table = table_of(kind)
        sql = f"{table.select_sql} WHERE {table.column(column)} >= ?{table.order_sql}"
        return self._select(table, sql, (value,))

    def _select(self, table: Table[R], sql: str, values: tuple[Any, ...]) -> Iterator[R]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, values)
            while found := cursor.fetchmany(_FETCH):
                for row in found:
                    yield table.row(row)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise unreadable(self._path, error) from error
        finally:
            cursor.close()
