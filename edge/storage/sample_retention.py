"""What goes when samples grow old, or when they take too much of the disk.

By age: chunks after ``chunks_days``, roll-ups after ``rollups_days``. By bytes, oldest first, in this order: chunks
that every sink has, chunks that a sink still lacks (a recorded gap and an alarm), minutes, hours. Money and safety are
not here at all: they are rows of ``facts.db``, and the last room on the disk is theirs. The hard part is to delete in
slices and to tell what was dropped before it was asked for. A user would notice a mistake as a dashboard that silently
lacks the week of the outage.
"""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple

from edge.log import structlog
from edge.storage.rollups import BLOCK_BINS, HOUR_NS, HOUR_S, MINUTE_S, NS
from edge.storage.sample_db import SampleDb, put_meta

DAY_NS = 24 * HOUR_NS
#: Rows of one transaction.
SLICE = 500
#: With less than this left on the disk (or a twentieth of a small one) samples.db grows no further: the oldest samples
#: make room within the file for new ones, and this much of it is kept free.
RESERVE_BYTES = 512 << 20
ROOM_BYTES = 64 << 20
_log = structlog.get_logger("samples")

_OLDEST = "SELECT id, seq_last, t_first, t_last FROM slab ORDER BY t_last LIMIT 1"
#: Of those that every sink has: back-fill that a sink still lacks may be older than what it was sent long ago.
_OLDEST_SENT = (
    "SELECT id, seq_last, t_first, t_last FROM slab WHERE seq_last <= (SELECT min(seq) FROM cursor) "
    "ORDER BY t_last LIMIT 1"
)
_FREE_PAGES = (
    "SELECT page_count, freelist_count, page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
_GAP = (
    "INSERT INTO gap (seq_first, seq_last, t_first, t_last, reason, wall_ns) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (seq_first) DO UPDATE SET seq_last = max(seq_last, excluded.seq_last), "
    "t_first = min(t_first, excluded.t_first), t_last = max(t_last, excluded.t_last)"
)
#: Of a slab of late samples only what it holds: the stretch that it shares with the main slab is not lost with it.
_HELD = "SELECT min(seq_first), max(seq_last) FROM chunk WHERE slab = ?"
_DROP_ROLLUPS = (
    "DELETE FROM rollup WHERE (level, block, series) IN "
    "(SELECT level, block, series FROM rollup WHERE level = ? AND block < ? ORDER BY block LIMIT ?)"
)


class Retention(NamedTuple):
    """How long samples are kept, and how much of the disk they may take."""

    chunks_days: int = 400
    rollups_days: int = 3650
    max_bytes: int = 16 << 30


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes of the file that hold something; freed pages are used again and do not count."""
    pages, free, size = connection.execute(_FREE_PAGES).fetchone()
    return int((pages - free) * size)


class _Oldest(NamedTuple):
    """The slab that ends first."""

    slab: int
    seq_last: int
    t_first: int
    t_last: int


class Keeper:
    """Drops a slice at a time; one thread. ``dropped_unsent`` is the wall time (UTC ns) when samples that a sink still
    lacked were last dropped, 0 for never."""

    def __init__(self, db: SampleDb, retention: Retention) -> None:
        self._db = db
        self._retention = retention
        self._slab: int | None = None
        self.dropped_unsent_ns = int(db.meta("dropped_unsent_ns", "0"))
        self.counts = {"slabs_dropped": 0, "rollups_dropped": 0}

    def step(self, now_ns: int, trusted_ns: int) -> bool:
        """One slice. ``now_ns``: the wall time of the last input that was read. ``trusted_ns``: that of the last one
        whose clock was to be trusted, 0 for none: only that makes anything old, or a box that wakes up in 2099 would
        empty its store. True when there is more."""
        if self._slab is not None:
            return self._empty_slab()
        with self._db.read() as connection:
            too_big = used_bytes(connection) > self._limit_bytes(connection)
            row = connection.execute(_OLDEST_SENT).fetchone() if too_big else None
            row = row or connection.execute(_OLDEST).fetchone()
        if row is not None and (too_big or row[3] < trusted_ns - self._retention.chunks_days * DAY_NS):
            self._begin_slab(_Oldest(*row), now_ns, trusted_ns, by_bytes=too_big)
            return True
        horizon_ns = trusted_ns - self._retention.rollups_days * DAY_NS
        for level in (MINUTE_S, HOUR_S):
            if self._drop_rollups(level, horizon_ns, too_big=too_big and row is None):
                return True
        return False

    def _limit_bytes(self, connection: sqlite3.Connection) -> int:
        """What samples may take now: on a disk that is nearly full no more than the file has, so that it grows no
        further and what is left is for money and safety."""
        space = os.statvfs(self._db.path.parent)
        reserve = min(RESERVE_BYTES, space.f_blocks * space.f_frsize // 20)
        if space.f_bavail * space.f_frsize >= reserve:
            return self._retention.max_bytes
        pages, _, page_bytes = connection.execute(_FREE_PAGES).fetchone()
        size = int(pages) * int(page_bytes)
        return min(self._retention.max_bytes, size - min(ROOM_BYTES, size // 8))

    def _begin_slab(self, oldest: _Oldest, now_ns: int, trusted_ns: int, *, by_bytes: bool) -> None:
        with self._db.write() as connection:
            self._tell_unsent(connection, oldest, now_ns, by_bytes=by_bytes)
            connection.execute("DELETE FROM slab WHERE id = ?", (oldest.slab,))
            # Hours that lost samples keep the roll-up they have (``rollups.Roller``): made anew they would hold less.
            # It never falls (back-fill may be older than what went before), and a slab from a clock that was ahead of
            # the time does not count: no roll-up would be made until then.
            if not trusted_ns or oldest.t_last <= trusted_ns:
                kept_ns = int(self._db.meta("chunks_from_ns", "0"))
                put_meta(connection, "chunks_from_ns", max(kept_ns, oldest.t_last + 1))
            put_meta(connection, "emptying_slab", oldest.slab)
        self._slab = oldest.slab
        self.counts["slabs_dropped"] += 1

    def _tell_unsent(self, connection: sqlite3.Connection, oldest: _Oldest, now_ns: int, *, by_bytes: bool) -> None:
        """A gap for what a sink still lacks of this slab."""
        behind = connection.execute("SELECT min(seq) FROM cursor").fetchone()[0]
        seq_first, seq_last = connection.execute(_HELD, (oldest.slab,)).fetchone()
        seq_last = min(seq_last or 0, oldest.seq_last)  # less than it holds after a restore of the log
        if behind is None or behind >= seq_last:
            return
        reason = "dropped: the disk share of samples is full" if by_bytes else "dropped: older than kept"
        first = max(seq_first, int(behind) + 1)
        connection.execute(_GAP, (first, seq_last, oldest.t_first, oldest.t_last, reason, now_ns))
        put_meta(connection, "dropped_unsent_ns", now_ns)
        self.dropped_unsent_ns = now_ns
        _log.error("samples were dropped that a sink still lacks", seq_first=first, seq_last=seq_last)

    def resume(self) -> None:
        """After a start: go on with a slab that was being emptied."""
        slab = self._db.meta("emptying_slab")
        self._slab = int(slab) if slab else None

    def _empty_slab(self) -> bool:
        with self._db.write() as connection:
            for table, key in (("chunk", "series, part"), ("time_column", "id")):
                done = connection.execute(
                    f"DELETE FROM {table} WHERE slab = ?1 AND ({key}) IN "  # noqa: S608 - names of ours
                    f"(SELECT {key} FROM {table} WHERE slab = ?1 LIMIT ?2)",
                    (self._slab, SLICE),
                ).rowcount
                if done:
                    return True
            connection.execute("DELETE FROM meta WHERE key = 'emptying_slab'")
        self._slab = None
        return True

    def _drop_rollups(self, level: int, horizon_ns: int, *, too_big: bool) -> bool:
        width_ns = level * NS * BLOCK_BINS[level]
        with self._db.write() as connection:
            before = horizon_ns // width_ns
            if too_big:
                oldest = connection.execute("SELECT min(block) FROM rollup WHERE level = ?", (level,)).fetchone()[0]
                before = max(before, (oldest or 0) + 1)
            done = connection.execute(_DROP_ROLLUPS, (level, before, SLICE)).rowcount
        self.counts["rollups_dropped"] += done
        return done > 0
