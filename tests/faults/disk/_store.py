"""What a store must hold after anything: the inputs 1 to n, whole, each with all that it caused, n not below what was
acknowledged; or an honest error instead.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import NamedTuple

from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import PurseRow
from edge.storage import facts, log_table
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

ROWS = (AuditRow, PurseRow)


class Looked(NamedTuple):
    """``count``: inputs that are there. ``error``: why the store was refused ("" when it opened). ``wrong``: what
    differs from what was written ("" when nothing does)."""

    count: int
    error: str
    wrong: str


def acknowledged(acks: Path) -> int:
    """The highest number that was promised."""
    lines = acks.read_bytes().split(b"\n")[:-1] if acks.exists() else []
    return max((int(line) for line in lines), default=0)


def look(directory: Path) -> Looked:
    """Open the store as its daemon does, and compare all that is in it with what was written."""
    facts.CHECKPOINT_PAGES = 16
    try:
        store = FactsStore.open(directory, ROWS, ballast_bytes=0)
    except StoreError as error:
        return Looked(0, f"{error.code}: {error.text}", "")
    try:
        return _look(store)
    except (sqlite3.DatabaseError, StoreError) as error:
        return Looked(0, f"reading: {error}", "")
    finally:
        store.close()


def _look(store: FactsStore) -> Looked:
    count = store.last_seq()
    records = list(log_table.read(store._reader, 1))
    damage = [each for each in records if not isinstance(each, LogRecord)]
    if damage:
        return Looked(count, f"log: {damage[0]}", "")
    wrong = ""
    if [each.stamp.seq for each in records] != list(range(1, count + 1)):
        wrong = "the log has holes that it does not tell of"
    if any(each.input != b"input %d" % seq * (seq % 7) for seq, each in enumerate(records, 1)):
        wrong = "an input is another"
    audits = [AuditRow(seq=seq, role="r", user="u", action="a", ref=str(seq), at_ns=seq) for seq in range(1, count + 1)]
    if list(store.rows().all(AuditRow)) != audits:
        wrong = "the audit rows are others"
    last = {f"m{seq % 5}": seq for seq in range(1, count + 1)}
    if {row.member: row.balance_fen for row in store.rows().all(PurseRow)} != last:
        wrong = "a purse holds another balance"
    return Looked(count, "", wrong)


def copied(source: Path, target: Path) -> Path:
    """A copy of a store's files without SQLite's shared memory, as a disk is after a power cut."""
    target.mkdir()
    for name in ("facts.db", "facts.db-wal"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    return target
