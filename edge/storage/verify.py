"""``kangle store verify``: what is wrong with the stores, where, and what to do about it.

It may run beside the daemons: every question to a store is a short statement of its own, the log is read slice by
slice; only SQLite's page check is one long read, as a backup is. The hard part is to find what SQLite cannot: a bit
that changed inside a value is a valid page to it. The log has checksums; money is found by what no longer adds up
(``verify_rules``); what neither covers is told in docs/backup.md. A user would notice a mistake as a clean bill for a
sick store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from edge.storage import snapshots
from edge.storage.backup_facts import tables_of
from edge.storage.backup_stores import StoreFile
from edge.storage.connect import BUSY_TIMEOUT_MS, FILE_NAME
from edge.storage.log_table import last_seq
from edge.storage.migrate import (
    RECORDER_TABLES,
    Migration,
    in_order,
    migrate,
    packaged,
    packaged_samples,
    version_of,
)
from edge.storage.tables import CHECK_COLUMN, row_check
from edge.storage.verify_log import check_log
from edge.storage.verify_rules import RULES, SEQ_COLUMNS
from edge.storage.verify_samples import LOST, check_between, check_chunks, check_mark, check_times

MAX_FINDINGS = 5
RESTORE = "stop the daemon, copy the directory aside, then restore the last backup"

Tell = Callable[[str, int, int], None]


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong: in which store, which check found it, what it is, and the remedy."""

    store: str
    check: str
    what: str
    remedy: str


def verify_store(data_dir: Path, store: StoreFile, tell: Tell) -> list[Finding]:
    """Everything that is wrong with one store that exists; empty when it is whole. Never raises for what is in it."""
    path = data_dir / store.name
    found: list[Finding] = []
    check = "opens"
    try:
        with closing(_open(path)) as connection:
            for check, work in _checks(connection, data_dir, store, tell):
                tell(f"{store.name}: {check}", 0, 0)
                for what, remedy in work:
                    found.append(_finding(store, check, what, remedy))
                    if sum(each.check == check for each in found) >= MAX_FINDINGS:
                        break
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a flipped bit may make text that is none
        found.append(_finding(store, check, f"SQLite cannot read it: {error}", RESTORE))
    return found


def _finding(store: StoreFile, check: str, what: str, remedy: str) -> Finding:
    """Nobody shall put back last week's orders for the sake of a curve."""
    return Finding(store.name, check, what, LOST if store.is_samples and remedy == RESTORE else remedy)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()
    return connection


Found = Iterator[tuple[str, str]]


def _checks(
    connection: sqlite3.Connection, data_dir: Path, store: StoreFile, tell: Tell
) -> Iterator[tuple[str, Found]]:
    yield "version", _version(connection, store)
    yield "pages and indexes", _pages(connection)
    if store.is_samples:
        yield "tables", _tables(connection, packaged_samples())
        yield "times and roll-ups", check_times(connection)
        yield "chunks", check_chunks(connection, lambda slab: tell(f"{store.name}: slab {slab}", 0, 0))
        yield "what belongs together", check_between(connection)
        yield "marks", check_mark(connection, data_dir / store.vertical / FILE_NAME)
    if not store.is_facts:
        return
    yield "tables", _tables(connection, packaged(store.vertical))
    head = last_seq(connection)
    yield "log", check_log(connection, head, lambda seq: tell(f"{store.name}: log", seq, head))
    yield "snapshots", _snapshots(connection)
    yield "rows", _rows(connection)
    yield "rows of the log's inputs", _ahead(connection, store.vertical)
    for rule in RULES.get(store.vertical, ()):
        yield rule.name, ((row[0], rule.remedy) for row in connection.execute(f"{rule.sql} LIMIT {MAX_FINDINGS}"))


def _version(connection: sqlite3.Connection, store: StoreFile) -> Found:
    version = version_of(connection)
    if version > store.known_version:
        yield f"schema {version}, this release knows {store.known_version}", "verify with the daemons' release"


def _pages(connection: sqlite3.Connection) -> Found:
    for row in connection.execute(f"PRAGMA integrity_check({MAX_FINDINGS})"):
        if row[0] != "ok":
            yield str(row[0]), RESTORE


def _tables(connection: sqlite3.Connection, schema: Sequence[Migration]) -> Found:
    """The tables and indexes are those of the schema files, word for word."""
    version = version_of(connection)
    migrations = schema[:version]
    if not migrations:
        yield "it has no schema version", RESTORE
        return
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as model:
        migrate(model, in_order(migrations), "the schema files")
        wanted = _schema(model)
    for name in sorted(wanted.keys() - (there := _schema(connection)).keys()):
        yield f"{name} is missing", RESTORE
    for name in sorted(there.keys() & wanted.keys()):
        if there[name] != wanted[name]:
            yield f"{name} is not what the schema files make it", RESTORE


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    """Without the room for checksums, which a file has from its first start with this release on."""
    found = connection.execute("SELECT name, ifnull(sql, '') FROM sqlite_schema")
    return {name: sql.replace(f", {CHECK_COLUMN} INTEGER", "") for name, sql in found}


def _rows(connection: sqlite3.Connection) -> Found:
    """Every row has the checksum that it was written with."""
    for name in sorted(tables_of(connection) - RECORDER_TABLES):
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        if CHECK_COLUMN not in columns:
            continue
        columns.remove(CHECK_COLUMN)
        names = ", ".join(columns)
        sql = f"SELECT {CHECK_COLUMN}, {names} FROM {name} WHERE {CHECK_COLUMN} IS NOT NULL"  # noqa: S608 - our names
        for check, *values in connection.execute(sql):
            if row_check(tuple(values)) != check:
                yield f"{name}: the row that begins with {values[:2]} is not what was written", RESTORE


def _snapshots(connection: sqlite3.Connection) -> Found:
    for seq in sorted(snapshots.seqs(connection)):
        if snapshots.at(connection, seq) is None:
            yield f"the copy of the world after input {seq} is damaged", "none needed: a replay starts one earlier"


def _ahead(connection: sqlite3.Connection, vertical: str) -> Found:
    for table, column in SEQ_COLUMNS.get(vertical, ()):
        # The head is read in the same statement: rows and log grow together.
        sql = f"""SELECT max({column}), max(ifnull((SELECT max(seq_last) FROM log), 0),
            ifnull((SELECT max(seq) FROM snapshot), 0)) FROM {table}"""  # noqa: S608 - our names only
        newest, head = connection.execute(sql).fetchone()
        if newest is not None and newest > head:
            yield f"{table} tells of input {newest}, the log ends at {head}", RESTORE
