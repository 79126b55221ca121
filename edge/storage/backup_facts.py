"""What is worth knowing of one store file at rest: its version, how far its log goes, where its sinks stand; and
whether SQLite itself calls it whole.

Shared by backup (what the manifest says), restore (whether a file is what the manifest says) and ``store info``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from edge.storage.connect import damaged
from edge.storage.log_table import last_seq
from edge.storage.migrate import version_of


class StoreFacts(NamedTuple):
    """See ``backup_file.Member``."""

    user_version: int
    store_id: str
    head_seq: int
    seal_seq: int
    cursors: dict[str, int]


def tables_of(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of its tables."""
    return frozenset(row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'"))


def facts_of(connection: sqlite3.Connection) -> StoreFacts:
    """Read them from any store of ours. Raises sqlite3.Error."""
    tables = tables_of(connection)
    store_id, head, seal = "", 0, 0
    cursors: dict[str, int] = {}
    if "meta" in tables:
        meta = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('store_id', 'seal_seq')"))
        store_id, seal = str(meta.get("store_id", "")), int(meta.get("seal_seq", 0))
    if "cursor" in tables:
        cursors = {str(sink): int(seq) for sink, seq in connection.execute("SELECT sink, seq FROM cursor")}
    if {"log", "snapshot"} <= tables:
        head = last_seq(connection)
    return StoreFacts(version_of(connection), store_id, head, seal, cursors)


def check_whole(path: Path) -> StoreFacts:
    """Open a store file at rest, have SQLite check every page and index, and read its facts. Raises StoreError
    "damaged"."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as reader:
            found = [str(row[0]) for row in reader.execute("PRAGMA integrity_check(5)")]
            if found != ["ok"]:
                raise damaged(path, "; ".join(found))
            return facts_of(reader)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise damaged(path, str(error)) from error
