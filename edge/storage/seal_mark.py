"""How far a log is sealed, for the daemon that owns the log: read from ``samples.db``, which another process owns.

Apart from ``sample_db``, so that a store of facts loads nothing of what keeps samples. A user would notice a mistake as
readings that left the log before they were kept.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from edge.storage.connect import open_reader
from edge.storage.errors import StoreError
from edge.storage.migrate import packaged_samples

SAMPLES_FILE = "samples.db"


def seal_mark(path: Path) -> int | None:
    """How far the log beside ``path`` (a store's directory) is sealed; None when there is no ``samples.db``: nobody
    seals. For the daemon that prunes its log, read-only. Of a file that cannot be read now nothing counts as sealed: if
    it is damaged, the log is all there is to make it again from (the log's bound in bytes holds all the same)."""
    file = path / SAMPLES_FILE
    if not file.exists():
        return None
    try:
        connection = open_reader(file, packaged_samples()[-1].version)
    except (StoreError, sqlite3.Error):
        return 0
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'seal_seq'").fetchone()
        return int(row[0]) if row else 0
    except (sqlite3.Error, UnicodeDecodeError, ValueError):
        return 0
    finally:
        connection.close()
