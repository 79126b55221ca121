"""One transaction for a group of batches.

The hard part is that a group is all or nothing and yet names the one batch that is at fault when a row breaks a rule of
the schema; only that one must not be tried again. Within a group the last row of a key wins, so it alone is written: 32
payments touch the totals of the day once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from edge.domain.kernel import Row
from edge.storage import log, log_table, snapshots
from edge.storage.batch import Batch, SetAside
from edge.storage.connect import PAGE_BYTES
from edge.storage.tables import Table, table_of

MAX_ERROR_CHARS = 16_384
_SET_ASIDE = (
    "INSERT OR REPLACE INTO set_aside (seq, boot_id, mono_ns, wall_ns, wall_trusted, input, error) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
#: What sqlite3 raises for a row that can never be stored: a broken CHECK, a value of another type, an int beyond 64
#: bits, a lone surrogate, a text beyond SQLite's limit.
ROW_FAULTS = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    OverflowError,
    UnicodeEncodeError,
)


class Written(NamedTuple):
    """What a group came to. ``pages`` bounds from above how many pages it put into the write-ahead log."""

    records: int
    rows: int
    pages: int
    bytes_total: int


def write_group(
    connection: sqlite3.Connection,
    batches: Sequence[Batch],
    *,
    build: str,
    bytes_total: int,
    on_point: Callable[[str], None],
) -> Written:
    """Write ``batches`` (in order) as one transaction and return when it is on disk. Raises what sqlite3 raises; then
    nothing of the group is committed."""
    if not any(_holds_something(batch) for batch in batches):
        return Written(0, 0, 0, bytes_total)
    connection.execute("BEGIN IMMEDIATE")
    try:
        on_point("begin")
        written = _put(connection, batches, build, bytes_total)
        on_point("before_commit")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    on_point("after_commit")
    return written


def find_fault(connection: sqlite3.Connection, batches: Sequence[Batch], *, build: str) -> int | None:
    """The index of the first batch that breaks a rule when the group is written batch by batch; nothing is kept."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for index, batch in enumerate(batches):
            try:
                _put(connection, [batch], build, 0)
            except ROW_FAULTS:
                return index
        return None
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _holds_something(batch: Batch) -> bool:
    return bool(batch.records or batch.rows or batch.snapshot or batch.set_aside)


def _put(connection: sqlite3.Connection, batches: Sequence[Batch], build: str, bytes_total: int) -> Written:
    records = [record for batch in batches for record in batch.records]
    copies = [batch.snapshot for batch in batches if batch.snapshot is not None]
    log_rows = log.encode(records, {copy.seq for copy in copies})
    before = bytes_total
    bytes_total = log_table.append(connection, log_rows, bytes_total)
    pages = 3 * len(log_rows) + (bytes_total - before) // PAGE_BYTES  # two leaves or one and what is above it
    rows = 0
    for table, by_key in _last_of_each_key(batches).items():
        connection.executemany(table.put_sql, by_key.values())
        rows += len(by_key)
        pages += 2 * len(by_key) + 1
    aside = [_aside_values(item) for batch in batches for item in batch.set_aside]
    if aside:
        connection.executemany(_SET_ASIDE, aside)
        pages += sum(2 + (len(values[5]) + len(values[6])) // PAGE_BYTES for values in aside)
    walls = {record.stamp.seq: record.stamp.wall_ns for record in records} if copies else {}
    for copy in copies:
        pages += 2 + snapshots.put(connection, copy, build=build, wall_ns=walls[copy.seq]) // PAGE_BYTES
    return Written(len(records), rows, pages, bytes_total)


def _last_of_each_key(batches: Sequence[Batch]) -> dict[Table[Any], dict[Any, tuple[Any, ...]]]:
    by_kind: dict[type[Row], list[Row]] = {}
    for batch in batches:
        for row in batch.rows:
            by_kind.setdefault(type(row), []).append(row)
    found = {}
    for kind, rows in by_kind.items():
        table = table_of(kind)
        values = map(table.values, rows)
        found[table] = {table.key_of(value): value for value in values}
    return found


def _aside_values(item: SetAside) -> tuple[Any, ...]:
    stamp = item.stamp
    error = item.error[:MAX_ERROR_CHARS].encode("utf-8", "backslashreplace").decode()
    return (stamp.seq, stamp.boot_id, stamp.mono_ns, stamp.wall_ns, stamp.wall_trusted, item.input, error)
