"""The lines that a sink refused for good: listed, sent again when a person says so, or dropped.

The hard part is to let go of a line only when the sink has it for certain: a 204 may be undone by a crash of the
server (``progress``), so a line that was sent again stands here until the same server still answers a minute later,
and every sign of a restart sends it once more, onto the same key. A user would notice a mistake as a value that was
refused, then sent again, and is now neither on the server nor here.

Acts are marks in the table, made by the history process, which owns it; a worker that is killed finds them again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.storage.connect import open_reader
from edge.storage.migrate import packaged_samples

STANDS, AGAIN, UNSETTLED = 0, 1, 2
LIST_MAX = 1000
#: Ids in one act: SQLite takes 32,766 values in a statement.
IDS_MAX = 10_000

_COLUMNS = "id, sink, seq, wall_ns, sent, again, reason, line"


class AsideItem(msgspec.Struct, frozen=True, array_like=True):
    """One line. ``id`` names it within its ``samples.db``; ``wall_ns`` (UTC) is when it was set aside; ``sent`` is
    False for a sample that no line can hold; ``again`` is STANDS, AGAIN or UNSETTLED."""

    id: int
    sink: str
    seq: int
    wall_ns: int
    sent: bool
    again: int
    reason: str
    line: str


class AsideCount(NamedTuple):
    """Lines of a sink: all, and those that a person has asked to send again."""

    items: int
    again: int


class Marked(NamedTuple):
    """What an act came to: lines it was done to, and those that it cannot be done to."""

    done: int
    left: int


def listed(db: sqlite3.Connection, sink: str = "", after_id: int = 0, limit: int = LIST_MAX) -> list[AsideItem]:
    """The lines of ``sink`` ("": of all), oldest first, behind ``after_id``."""
    where, values = ("sink = ? AND ", [sink]) if sink else ("", [])
    sql = f"SELECT {_COLUMNS} FROM quarantine WHERE {where}id > ? ORDER BY id LIMIT ?"  # noqa: S608 - our names only
    rows = db.execute(sql, (*values, after_id, min(max(limit, 1), LIST_MAX))).fetchall()
    return [
        AsideItem(number, name, seq, wall_ns, bool(sent), again, reason, line)
        for number, name, seq, wall_ns, sent, again, reason, line in rows
    ]


def counts(db: sqlite3.Connection) -> dict[str, AsideCount]:
    """How many there are, by sink."""
    rows = db.execute("SELECT sink, count(*), sum(again <> 0) FROM quarantine GROUP BY sink ORDER BY sink")
    return {str(sink): AsideCount(items, again) for sink, items, again in rows}


def ask_again(db: sqlite3.Connection, sink: str, ids: Sequence[int] | None) -> Marked:
    """Have these lines of ``sink`` (None: all) sent again. What was never a line cannot be."""
    where, values = _chosen(sink, ids)
    done = db.execute(f"UPDATE quarantine SET again = 1 WHERE {where} AND sent = 1", values).rowcount  # noqa: S608
    left = db.execute(f"SELECT count(*) FROM quarantine WHERE {where} AND sent = 0", values).fetchone()[0]  # noqa: S608
    return Marked(done, left)


def drop(db: sqlite3.Connection, sink: str, ids: Sequence[int] | None) -> Marked:
    """Delete these lines of ``sink`` (None: all) for good."""
    where, values = _chosen(sink, ids)
    return Marked(db.execute(f"DELETE FROM quarantine WHERE {where}", values).rowcount, 0)  # noqa: S608


def _chosen(sink: str, ids: Sequence[int] | None) -> tuple[str, list[str | int]]:
    if ids is None:
        return "sink = ?", [sink]
    if len(ids) > IDS_MAX:
        raise ValueError(f"{len(ids)} lines at once; at most {IDS_MAX}: name fewer, or all of the sink")
    return f"sink = ? AND id IN ({', '.join('?' * len(ids))})", [sink, *ids]


def read_aside(samples_db: Path, sink: str = "", limit: int | None = None) -> list[AsideItem]:
    """The first ``limit`` lines (None: all) from a file that its owner may have open. Raises StoreError,
    sqlite3.Error."""
    found: list[AsideItem] = []
    with closing(open_reader(samples_db, packaged_samples()[-1].version)) as db:
        while limit is None or len(found) < limit:
            page = listed(db, sink, found[-1].id if found else 0, LIST_MAX if limit is None else limit - len(found))
            if not page:
                break
            found += page
    return found


class Aside:
    """A worker's hold on the marks of its own sink; in the worker's thread, on its connection."""

    def __init__(self, db: sqlite3.Connection, sink: str) -> None:
        self._db, self._sink = db, sink

    def due(self, limit: int) -> list[tuple[int, str]]:
        """The next lines to send again, as (id, line)."""
        sql = "SELECT id, line FROM quarantine WHERE sink = ? AND again = 1 ORDER BY id LIMIT ?"
        return [(int(number), str(line)) for number, line in self._db.execute(sql, (self._sink, limit))]

    def answered(self, taken: Sequence[int], refused: Sequence[tuple[int, str]]) -> None:
        """The sink took ``taken`` and refused others again, each with its reason: those stand aside again."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("UPDATE quarantine SET again = 2 WHERE id = ?", [(number,) for number in taken])
            self._db.executemany(
                "UPDATE quarantine SET again = 0, reason = ? WHERE id = ?",
                [(reason, number) for number, reason in refused],
            )
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def doubt(self) -> None:
        """The sink may have lost what it took: all that is not settled is sent once more. Also at a start."""
        self._db.execute("UPDATE quarantine SET again = 1 WHERE sink = ? AND again = 2", (self._sink,))

    def settled(self, ids: Sequence[int]) -> None:
        """The sink has these for certain. One that was marked anew meanwhile stays."""
        self._db.executemany("DELETE FROM quarantine WHERE id = ? AND again = 2", [(number,) for number in ids])
