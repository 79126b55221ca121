"""Committed rows as a kernel loads them (``edge.domain.kernel.Rows``)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from edge.domain.kernel import Row
from edge.storage.connect import unreadable
from edge.storage.tables import table_of

R = TypeVar("R", bound=Row)
T = TypeVar("T")
_FETCH = 256


class StoredRows:
    """Reads through a connection of its own; each iteration is one statement, rows in the order of their key. Raises
    StoreError "storage" or "damaged" while it is iterated."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def all(self, kind: type[R]) -> Iterator[R]:
        """Every row of a table."""
        return self.where(kind, {})

    def where(self, kind: type[R], where: Mapping[str, str | int]) -> Iterator[R]:
        """Rows whose columns have these values. Raises ValueError for an unknown column."""
        table = table_of(kind)
        terms = " AND ".join(f"{table.column(name)} = ?" for name in where)
        sql = f"{table.select_sql}{' WHERE ' if terms else ''}{terms}{table.order_sql}"
        return self._select(sql, tuple(where.values()), table.row)

    def since(self, kind: type[R], column: str, value: str | int) -> Iterator[R]:
        """Rows whose ``column`` is at least ``value``. Raises ValueError for an unknown column.

        SQLite, which cannot know that they are few, would rather read the whole table in the order of its key than sort
        what an index on ``column`` finds. The plus keeps it from using the key for the order."""
        table = table_of(kind)
        by_key = table.key[0] == column
        order = table.order_sql if by_key else f" ORDER BY {', '.join(f'+{name}' for name in table.key)}"
        sql = f"{table.select_sql} WHERE {table.column(column)} >= ?{order}"
        return self._select(sql, (value,), table.row)

    def columns_since(self, kind: type[R], columns: tuple[str, ...], value: str | int) -> Iterator[tuple[Any, ...]]:
        """These columns alone of the rows whose first of them is at least ``value``, in their order. Raises ValueError
        for an unknown column."""
        table = table_of(kind)
        names = ", ".join(table.column(name) for name in columns)
        sql = f"SELECT {names} FROM {table.name} WHERE {columns[0]} >= ? ORDER BY {names}"  # noqa: S608 - columns only
        return self._select(sql, (value,), tuple)

    def _select(self, sql: str, values: tuple[Any, ...], made: Callable[[tuple[Any, ...]], T]) -> Iterator[T]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, values)
            while found := cursor.fetchmany(_FETCH):
                yield from map(made, found)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            raise unreadable(self._path, error) from error
        finally:
            cursor.close()
