"""Read-only access to a daemon's store, for the API and for tools.

The hard part is to be a good guest: a long read would keep the write-ahead log from being reset and let the file grow,
so every read is one short statement with a time limit, and a file of another version is refused instead of misread. A
user would notice a mistake as a checkout that becomes slow while somebody browses the history.
"""

from __future__ import annotations

import base64
import binascii
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from edge.domain.kernel import Row
from edge.storage.connect import FILE_NAME, damaged, open_reader
from edge.storage.errors import StoreError
from edge.storage.migrate import packaged, version_of
from edge.storage.tables import Table, table_of

R = TypeVar("R", bound=Row)
Value = str | int | None

READ_LIMIT_S = 1.0
MAX_ROWS = 500
_PROGRESS_STEPS = 1000


class Page(msgspec.Struct, Generic[R], frozen=True):
    """Some rows, and where to go on: pass ``cursor`` to get the next ones; None when there are no more."""

    rows: list[R]
    cursor: str | None


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """What a cursor holds: which list it belongs to, and the sort values of the last row given out."""

    table: str
    by: tuple[str, ...]
    newest_first: bool
    last: tuple[Value, ...]


_decode_place = msgspec.msgpack.Decoder(_Place).decode


class StoreReader:
    """One read-only connection, opened at the first read and shared by threads (a read waits for the one before it).

    Every method raises StoreError: "absent", "newer", "schema", "damaged", "slow" or "storage" (all of them mean: not
    now, 503); ``page`` also "cursor" (a bad request)."""

    def __init__(
        self,
        directory: Path,
        *,
        vertical: str = "canteen",
        known_version: int | None = None,
        limit_s: float = READ_LIMIT_S,
    ) -> None:
        """``directory`` is the store of ``vertical``; ``known_version`` replaces the packaged schema's (tests)."""
        self._path = directory / FILE_NAME
        self._known_version = packaged(vertical)[-1].version if known_version is None else known_version
        self._limit_s = limit_s
        self._connection: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._mutex = threading.Lock()

    def get(self, kind: type[R], *key: Value) -> R | None:
        """The row with this primary key (values in the order of ``KEY``)."""
        table = table_of(kind)
        if len(key) != len(table.key):
            raise ValueError(f"{table.name} is keyed by {', '.join(table.key)}; {len(key)} values were given")
        found = self.fetch(kind, dict(zip(table.key, key, strict=True)), limit=1)
        return found[0] if found else None

    def fetch(self, kind: type[R], where: Mapping[str, Value] | None = None, *, limit: int = MAX_ROWS) -> list[R]:
        """At most ``limit`` (<= 500) rows whose columns equal ``where`` (None: IS NULL), in key order."""
        table = table_of(kind)
        terms, values = _equal(table, where or {})
        sql = f"{table.select_sql}{_where(terms)}{table.order_sql} LIMIT ?"
        return [table.row(row) for row in self._select(sql, (*values, _bounded(limit)))]

    def page(
        self,
        kind: type[R],
        where: Mapping[str, Value] | None = None,
        *,
        by: Sequence[str],
        newest_first: bool = True,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[R]:
        """Rows whose columns equal ``where``, sorted by ``by`` (NOT NULL columns that an index serves) and then by key.
        Rows that come or change between two pages neither shift nor repeat the others. The cursor is opaque and only
        good for the same ``kind``, ``by`` and direction."""
        table = table_of(kind)
        sort = _sort_columns(table, by)
        terms, values = _equal(table, where or {})
        if cursor is not None:
            place = _open_cursor(cursor)
            here = (table.name, sort, newest_first, len(sort))
            if (place.table, place.by, place.newest_first, len(place.last)) != here:
                raise StoreError("cursor", "this cursor belongs to another list: start again without one")
            terms.append(f"({', '.join(sort)}) {'<' if newest_first else '>'} ({', '.join('?' * len(sort))})")
            values.extend(place.last)
        direction = " DESC" if newest_first else ""
        order = ", ".join(f"{name}{direction}" for name in sort)
        size = _bounded(limit)
        found = self._select(f"{table.select_sql}{_where(terms)} ORDER BY {order} LIMIT ?", (*values, size + 1))
        rows = [table.row(row) for row in found[:size]]
        if len(found) <= size:
            return Page(rows, None)
        last = tuple(getattr(rows[-1], name) for name in sort)
        place = _Place(table.name, sort, newest_first, last)
        return Page(rows, base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("="))

    def close(self) -> None:
        """Let go of the file. A later read opens it again."""
        with self._mutex:
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _select(self, sql: str, values: Sequence[Value]) -> list[tuple[Any, ...]]:
        until = time.monotonic() + self._limit_s
        if not self._mutex.acquire(timeout=self._limit_s):
            raise _slow(self._limit_s)
        try:
            connection = self._opened()
            connection.set_progress_handler(lambda: time.monotonic() > until, _PROGRESS_STEPS)
            return connection.execute(sql, values).fetchall()
        except UnicodeDecodeError as error:  # SQLite's own words about a damaged file
            self._drop()
            raise damaged(self._path, str(error)) from error
        except sqlite3.Error as error:
            raise self._explained(error) from error
        except (OverflowError, UnicodeEncodeError):
            return []  # an int beyond 64 bits or a lone surrogate is in no row
        finally:
            self._mutex.release()

    def _opened(self) -> sqlite3.Connection:
        """The connection to the file that is there now: a restored backup is another file, an upgraded one another
        version."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._drop()
            raise StoreError("absent", f"{self._path} does not exist yet: start the daemon once") from None
        identity = (found.st_dev, found.st_ino)
        known = self._connection is not None and identity == self._identity
        if self._connection is not None and known and version_of(self._connection) == self._known_version:
            return self._connection
        self._drop()
        self._connection, self._identity = open_reader(self._path, self._known_version), identity
        return self._connection

    def _explained(self, error: sqlite3.Error) -> StoreError:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return _slow(self._limit_s)
        self._drop()
        if isinstance(error, sqlite3.OperationalError):
            return StoreError("storage", f"{self._path} cannot be read now: {error}")
        return damaged(self._path, str(error))


def _slow(limit_s: float) -> StoreError:
    return StoreError(
        "slow", f"the read took longer than {limit_s * 1000:.0f} ms and was stopped: ask for less, or again"
    )


def _bounded(limit: int) -> int:
    if not 1 <= limit <= MAX_ROWS:
        raise ValueError(f"limit must be 1 to {MAX_ROWS}, not {limit}")
    return limit


def _equal(table: Table[Any], where: Mapping[str, Value]) -> tuple[list[str], list[Value]]:
    terms = [f"{table.column(name)} {'IS NULL' if value is None else '= ?'}" for name, value in where.items()]
    return terms, [value for value in where.values() if value is not None]


def _where(terms: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(terms)}" if terms else ""


def _sort_columns(table: Table[Any], by: Sequence[str]) -> tuple[str, ...]:
    names = [table.column(name) for name in by]
    nullable = [column.name for column in table.columns if column.name in names and not column.not_null]
    if nullable:
        raise ValueError(f"{table.name}.{nullable[0]} may be null: rows cannot be paged by it")
    return tuple(dict.fromkeys([*names, *table.key]))


def _open_cursor(cursor: str) -> _Place:
    try:
        packed = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return _decode_place(packed)
    except (UnicodeEncodeError, binascii.Error, msgspec.MsgspecError) as error:
        raise StoreError("cursor", "this is no cursor of ours: start again without one") from error
