"""The sinks' cursors and set-aside items in ``samples.db``.

A sink has two rows in ``cursor``: its own, with the acknowledged seq and its status as JSON, and ``<sink>#settled``,
with the seq to which any doubt goes back and the state of its keys. So the smallest ``seq`` over the table is what
every sink may still ask for. The hard part is small: a cursor may fall behind what was sent (it is sent again, onto
the same keys), but never run ahead, and an item is on disk in ``quarantine`` in the same commit that lets the cursor
pass it. A user would notice a mistake as a value that is neither on the server nor in the quarantine.

synchronous=NORMAL on purpose: a power cut takes back the last commits together, which is only sent again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec

from edge.storage.sinks.keys import KeysError, TimeKeys
from edge.storage.sinks.prepared import Unsendable
from edge.storage.sinks.progress import Mark
from edge.storage.sinks.quarantine import Aside
from edge.storage.sinks.status import SinkStatus

SETTLED = "#settled"
#: Items kept per sink; what does not fit is counted.
QUARANTINE_MAX = 10_000
#: So many of a block replace older ones when there is no room. A backlog from before a bucket's retention is refused to
#: the last line: to write each one down, for the next to push it out, costs the card a thousand times the samples.
REPLACED_MAX = 100
BUSY_TIMEOUT_MS = 5000

SCHEMA = """
CREATE TABLE IF NOT EXISTS cursor(sink TEXT PRIMARY KEY, seq INTEGER, wall_ns INTEGER, state TEXT);
CREATE TABLE IF NOT EXISTS quarantine(
  id INTEGER PRIMARY KEY, sink TEXT, seq INTEGER, line TEXT, reason TEXT, wall_ns INTEGER,
  sent INTEGER NOT NULL DEFAULT 1, again INTEGER NOT NULL DEFAULT 0);
"""


class Cursors:
    """The cursor of one sink in one ``samples.db``. Use it in the thread that made it. Raises sqlite3.Error."""

    def __init__(self, path: Path, sink: str) -> None:
        self._sink = sink
        self._db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_TIMEOUT_MS / 1000)
        self._db.execute("PRAGMA synchronous = NORMAL").fetchall()

    def close(self) -> None:
        self._db.close()

    def aside(self) -> Aside:
        """The lines of this sink that are set aside."""
        return Aside(self._db, self._sink)

    def settled(self) -> Mark | None:
        """Where to go on after a start; None: this sink has no cursor yet, or one that cannot be read."""
        row = self._db.execute("SELECT seq, state FROM cursor WHERE sink = ?", (self._sink + SETTLED,)).fetchone()
        if row is None:
            return None
        try:
            return Mark(int(row[0]), TimeKeys.decode(str(row[1])))
        except KeysError:
            return None

    def status(self) -> SinkStatus | None:
        """The status as it was last saved."""
        row = self._db.execute("SELECT state FROM cursor WHERE sink = ?", (self._sink,)).fetchone()
        return _decode(str(row[0])) if row is not None else None

    def save(
        self, status: SinkStatus, settled: Mark | None = None, set_aside: Sequence[Unsendable] = (), wall_ns: int = 0
    ) -> None:
        """One commit: status with the acknowledged seq, the settled position when it moved, items set aside."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if set_aside:
                self._set_aside(status, set_aside, wall_ns)
            state = msgspec.json.encode(status).decode()
            self._put(self._sink, status.acked_seq, wall_ns, state)
            if settled is not None:
                self._put(self._sink + SETTLED, settled.seq, wall_ns, settled.keys.encode())
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _put(self, name: str, seq: int, wall_ns: int, state: str) -> None:
        self._db.execute(
            "INSERT INTO cursor VALUES (?, ?, ?, ?) ON CONFLICT (sink) DO UPDATE"
            " SET seq = excluded.seq, wall_ns = excluded.wall_ns, state = excluded.state",
            (name, seq, wall_ns, state),
        )

    def _set_aside(self, status: SinkStatus, items: Sequence[Unsendable], wall_ns: int) -> None:
        """An item that was set aside before (a stretch is sent again) is not kept twice."""
        first = min(item.seq for item in items)
        known = set(
            self._db.execute("SELECT seq, line FROM quarantine WHERE sink = ? AND seq >= ?", (self._sink, first))
        )
        new = [item for item in items if (item.seq, item.text) not in known]
        count = self._db.execute("SELECT count(*) FROM quarantine WHERE sink = ?", (self._sink,)).fetchone()[0]
        kept = new[-max(QUARANTINE_MAX - count, REPLACED_MAX) :]
        self._db.executemany(
            "INSERT INTO quarantine (sink, seq, line, reason, wall_ns, sent) VALUES (?, ?, ?, ?, ?, ?)",
            [(self._sink, item.seq, item.text, item.reason, wall_ns, item.sent) for item in kept],
        )
        over = max(0, count + len(kept) - QUARANTINE_MAX)
        status.quarantined += len(new)
        status.quarantine_dropped += over + len(new) - len(kept)
        if over:
            self._db.execute(
                "DELETE FROM quarantine WHERE id IN (SELECT id FROM quarantine WHERE sink = ? ORDER BY id LIMIT ?)",
                (self._sink, over),
            )


def forget(db: sqlite3.Connection, sink: str) -> None:
    """Delete the cursor of a sink that is no longer used, so that retention does not wait for it."""
    db.execute("DELETE FROM cursor WHERE sink IN (?, ?)", (sink, sink + SETTLED))


def _decode(text: str) -> SinkStatus | None:
    try:
        return msgspec.json.decode(text, type=SinkStatus)
    except msgspec.MsgspecError:
        return None


def read_statuses(samples_db: Path) -> list[SinkStatus]:
    """The saved status of every sink of one ``samples.db``, read-only, for the API and ``doctor``. Raises
    sqlite3.Error."""
    with closing(sqlite3.connect(f"{samples_db.resolve().as_uri()}?mode=ro", uri=True)) as db:
        db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()
        return statuses_of(db)


def sinks_in(samples_db: Path) -> set[str]:
    """The sinks of which one ``samples.db`` holds anything, also those that nobody uses now. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"{samples_db.resolve().as_uri()}?mode=ro", uri=True)) as db:
        db.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()
        rows = db.execute("SELECT sink FROM cursor UNION SELECT sink FROM quarantine").fetchall()
    return {str(name).removesuffix(SETTLED) for (name,) in rows}


def statuses_of(db: sqlite3.Connection) -> list[SinkStatus]:
    """``read_statuses`` on an open file."""
    rows = db.execute("SELECT state FROM cursor WHERE sink NOT LIKE ? ORDER BY sink", (f"%{SETTLED}",)).fetchall()
    return [status for row in rows if (status := _decode(str(row[0]))) is not None]
