"""A row struct and its table: names, types and the SQL for both directions, worked out once per struct.

The hard part is that the struct is the only description: column order is field order, the key is ``KEY``, the table's
name is the msgspec tag. A mistake here would be seen as a store that refuses to open (``check``), never as a mixed-up
column.

Behind the columns of the struct stands ``row_check``, a CRC-32 over all of them: SQLite knows no checksums, so a bit
that flips inside a value is a good page to it, and a purse that holds another balance would be believed.
"""

from __future__ import annotations

import sqlite3
import types
import typing
import zlib
from collections.abc import Callable
from functools import cache
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from edge.domain.kernel import Row
from edge.storage.errors import StoreError

R = TypeVar("R", bound=Row)

_SQL_TYPES: dict[type, str] = {int: "INTEGER", bool: "INTEGER", float: "REAL", str: "TEXT", bytes: "BLOB"}


#: The column that holds the checksum of the others; NULL in rows that a release without it wrote.
CHECK_COLUMN = "row_check"
_encode = msgspec.msgpack.Encoder().encode


def row_check(values: tuple[Any, ...]) -> int:
    """The checksum of a row's columns in order, as SQLite gives them back (no bool, no -0.0)."""
    return zlib.crc32(_encode(values))


class Column(NamedTuple):
    """One column as the struct wants it. ``key`` is its place in the primary key from 1 on, 0 when it is no part."""

    name: str
    sql_type: str
    not_null: bool
    key: int
    boolean: bool


class Table(Generic[R]):
    """How rows of one struct are written and read. Build it with ``table_of``."""

    def __init__(self, kind: type[R]) -> None:
        tag = kind.__struct_config__.tag
        if not isinstance(tag, str):
            raise TypeError(f"{kind.__name__} has no tag, so it names no table")
        key: tuple[str, ...] = getattr(kind, "KEY", ())
        self.kind = kind
        self.name = tag
        self.columns = tuple(_column(kind, field, key) for field in msgspec.structs.fields(kind))
        self.names = tuple(column.name for column in self.columns)
        missing = [name for name in key if name not in self.names]
        if not key or missing:
            raise TypeError(f"{kind.__name__}.KEY must name fields of it; it is {key!r}")
        self.key = key
        #: The primary key within a tuple of all columns (a bare value when it is one column).
        self.key_of: Callable[[tuple[Any, ...]], Any] = itemgetter(*(self.names.index(name) for name in key))
        self._booleans = tuple(i for i, column in enumerate(self.columns) if column.boolean)
        self._reals = tuple(i for i, column in enumerate(self.columns) if column.sql_type == "REAL")
        columns = ", ".join((*self.names, CHECK_COLUMN))
        marks = ", ".join("?" * (len(self.names) + 1))
        self.put_sql = f"INSERT OR REPLACE INTO {self.name} ({columns}) VALUES ({marks})"  # noqa: S608 - our names only
        self.select_sql = f"SELECT {columns} FROM {self.name}"  # noqa: S608 - our names only
        self.order_sql = f" ORDER BY {', '.join(key)}"

    def values(self, row: Row) -> tuple[Any, ...]:
        """The row's columns in order, as SQLite will give them back, and their checksum."""
        fields = msgspec.structs.astuple(row)
        if self._booleans or self._reals:
            plain = list(fields)
            for place in self._booleans:
                plain[place] = None if fields[place] is None else int(fields[place])
            for place in self._reals:
                plain[place] = _real(fields[place])
            fields = tuple(plain)
        return (*fields, row_check(fields))

    def row(self, values: tuple[Any, ...]) -> R:
        """The struct of a tuple of all columns and the checksum as SQLite gives it (STRICT tables: types are right but
        for bool). Raises StoreError "damaged" when the row is not what was written."""
        *own, check = values
        if check is not None and row_check(tuple(own)) != check:
            key = self.key_of(tuple(own))
            text = f"the row {key} of table {self.name} is damaged (checksum differs). Run: kangle store verify"
            raise StoreError("damaged", f"{text}. Stop the daemon and restore the last backup")
        fields = dict(zip(self.names, own, strict=True))
        for place in self._booleans:
            if values[place] is not None:
                fields[self.names[place]] = bool(values[place])
        return self.kind(**fields)

    def column(self, name: str) -> str:
        """``name``, when it is a column: for SQL that a caller builds."""
        if name not in self.names:
            raise ValueError(f"{self.name} has no column {name!r}; it has {', '.join(self.names)}")
        return name

    def check(self, connection: sqlite3.Connection) -> None:
        """Raises StoreError "schema" unless the table in the file is exactly this struct."""
        found = [
            Column(name, sql_type, bool(not_null), key, boolean=False)
            for _, name, sql_type, not_null, _, key, hidden in connection.execute(f"PRAGMA table_xinfo({self.name})")
            if not hidden and name != CHECK_COLUMN
        ]
        wanted = [column._replace(boolean=False) for column in self.columns]
        if found != wanted:
            text = f"table {self.name} does not match {self.kind.__name__}: {_difference(found, wanted)}; "
            raise StoreError("schema", text + "add a numbered file under edge/storage/schema")


def _real(value: float | None) -> float | None:
    """As SQLite gives it back: no NaN, no -0.0, no int."""
    return None if value is None or value != value else float(value) + 0.0  # noqa: PLR0124 - NaN


def _column(kind: type[Row], field: msgspec.structs.FieldInfo, key: tuple[str, ...]) -> Column:
    union = typing.get_origin(field.type) in (types.UnionType, typing.Union)
    parts = set(typing.get_args(field.type)) if union else {field.type}
    base = parts - {type(None)}
    sql_type = _SQL_TYPES.get(next(iter(base))) if len(base) == 1 else None
    if sql_type is None:
        raise TypeError(
            f"{kind.__name__}.{field.name}: {field.type} cannot be a column; use int, float, str, bool, bytes"
        )
    place = key.index(field.name) + 1 if field.name in key else 0
    return Column(field.name, sql_type, type(None) not in parts, place, base == {bool})


def _difference(found: list[Column], wanted: list[Column]) -> str:
    if not found:
        return "the file has no such table"
    for have, want in zip(found, wanted, strict=False):
        if have != want:
            return f"column {want.name} should be {want[1:4]}, the file has {have.name} {have[1:4]}"
    return f"the file has {len(found)} columns, the struct {len(wanted)} fields"


_tables: Callable[[type[Row]], Table[Any]] = cache(Table)


def table_of(kind: type[R]) -> Table[R]:
    """The table of a row struct. Raises TypeError when the struct cannot be one."""
    return _tables(kind)
