"""Schema versions: numbered SQL files of a vertical, each applied once and whole.

``PRAGMA user_version`` is the number of the last file applied. The hard part is the moment between two versions: a file
and its number are one transaction, so a power cut leaves the old version or the new one. A user would notice a mistake
as a box that no longer starts after an upgrade; every kept dump of an older version is migrated in the tests.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from edge.storage.errors import StoreError
from edge.storage.tables import CHECK_COLUMN

#: Tables that are not rows of a vertical: the log and its neighbours have checksums of their own.
RECORDER_TABLES = frozenset({"meta", "log", "snapshot", "set_aside"})
#: Tables with room for a checksum.
_CHECKED = "SELECT s.name FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table' AND c.name = ?"
_DISK_CODES = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
#: The schema files lie beside this module: ``importlib.resources`` would be a thirtieth of a daemon's start.
SCHEMA = Path(__file__).parent / "schema"
_FILE_NAME = re.compile(r"v(\d{3,})\.sql")


class Migration(NamedTuple):
    """One schema file: the SQL that takes a store from the version before it to ``version``."""

    version: int
    sql: str


@cache
def packaged(vertical: str = "canteen") -> tuple[Migration, ...]:
    """The schema files for the store of a vertical, in order: its own, each with the recorder's file of the same number
    before it; a vertical without tables has the recorder's alone. Raises StoreError "schema" when their numbers have a
    hole."""
    return in_order(_read_folders("recorder", vertical))


@cache
def packaged_samples() -> tuple[Migration, ...]:
    """The schema files of ``samples.db``, the same for every vertical."""
    return in_order(_read_folders("samples"))


def _read_folders(*folders: str) -> list[Migration]:
    parts: dict[int, list[str]] = {}
    for folder in folders:
        place = SCHEMA / folder
        for entry in place.iterdir() if place.is_dir() else ():
            match = _FILE_NAME.fullmatch(entry.name)
            if match:
                parts.setdefault(int(match[1]), []).append(entry.read_text(encoding="utf-8"))
    return [Migration(number, "\n".join(texts)) for number, texts in parts.items()]


def in_order(migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """``migrations`` sorted. Raises StoreError "schema" unless they are numbered 1, 2, 3 ..."""
    ordered = tuple(sorted(migrations))
    numbers = [migration.version for migration in ordered]
    if not ordered or numbers != list(range(1, len(ordered) + 1)):
        raise StoreError("schema", f"schema files must be numbered v001, v002 ... without a hole; found {numbers}")
    return ordered


def version_of(connection: sqlite3.Connection) -> int:
    """The schema version of an open file; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration], path: str) -> int:
    """Apply what is missing and return how many files that was. ``connection`` is in autocommit mode.

    Raises StoreError: "newer" when the file is ahead of us, "schema" when it is no store of ours or a schema file
    fails, "storage" when it fails for the disk's sake (the store is then as it was before that schema file)."""
    ordered = in_order(migrations)
    version = version_of(connection)
    if version > len(ordered):
        raise StoreError(
            "newer",
            f"{path} has schema {version}, this release knows up to {len(ordered)}: "
            "install the newer release again, or restore a backup made before the upgrade",
        )
    if version == 0 and connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
        raise StoreError("schema", f"{path} has tables but no schema version: it is not a store of ours; move it away")
    for migration in ordered[version:]:
        _apply(connection, migration, path)
    _add_row_checks(connection)
    return len(ordered) - version


def _add_row_checks(connection: sqlite3.Connection) -> None:
    """Every table of rows beside a log has room for a checksum (``tables.row_check``), whatever schema file made it.
    All tables in one transaction: one sync instead of one a table, and what a power cut leaves out is done at the next
    start."""
    tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables >= RECORDER_TABLES:
        return
    checked = {str(row[0]) for row in connection.execute(_CHECKED, (CHECK_COLUMN,))}
    missing = [name for name in sorted(tables - RECORDER_TABLES - checked) if not name.startswith("sqlite_")]
    if not missing:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name in missing:
            connection.execute(f"ALTER TABLE {name} ADD COLUMN {CHECK_COLUMN} INTEGER")
        connection.execute("COMMIT")
    except sqlite3.Error:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _apply(connection: sqlite3.Connection, migration: Migration, path: str) -> None:
    script = f"BEGIN IMMEDIATE;\n{migration.sql}\n;PRAGMA user_version = {migration.version};\nCOMMIT;"
    try:
        connection.executescript(script)
    except sqlite3.Error as error:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        text = f"{path}: schema file v{migration.version:03} failed ({error}); the file is unchanged. "
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK_CODES:
            raise StoreError("storage", text + "Free disk space, look after the disk, then start again") from error
        raise StoreError("schema", text + "Go back to the old release") from error
