"""Forgets the pulse of workouts of long ago: a heart second by second is not kept longer than other samples are.

The hard part is that a slice must stay short however many workouts there are, with and without a pulse: the workouts
are gone through once, day by day, and where the last slice ended the next one begins. The workout itself stays, with
its mean and its highest pulse. A member would notice a mistake as a curve of last week that is gone.
"""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

SLICE_WORKOUTS = 100
NS_PER_S = 1_000_000_000
#: A day that an untrusted clock gave says nothing of how long ago it was.
_OLD = """SELECT day, asset, workout_id FROM workout
    WHERE (day, asset, workout_id) > (?, ?, ?) AND day < ? AND clock_trusted = 1
    ORDER BY day, asset, workout_id LIMIT ?"""
_HAS_PULSES = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'pulse'"


class PulseRetention:
    """Used by the writer thread alone. ``pruned`` counts rows since the start."""

    def __init__(self) -> None:
        self.pruned = 0
        self._before_day = ""
        self._done = ("", "", "")

    def begin(self, keep_after_wall_ns: int) -> None:
        """Keep the pulse of workouts from the day (UTC) of ``keep_after_wall_ns`` on; 0 keeps all."""
        self._before_day = datetime.fromtimestamp(max(0, keep_after_wall_ns) / NS_PER_S, UTC).date().isoformat()

    def slice(self, connection: sqlite3.Connection, workouts: int = SLICE_WORKOUTS) -> int:
        """Look at the next ``workouts`` old ones in a transaction of its own. How many rows went and workouts were
        looked at, 0 when all are done. Raises what sqlite3 raises; the slice is then looked at again."""
        if connection.execute(_HAS_PULSES).fetchone() is None:
            return 0
        old = connection.execute(_OLD, (*self._done, self._before_day, workouts)).fetchall()
        if not old:
            return 0
        connection.execute("BEGIN IMMEDIATE")
        try:
            dropped = connection.executemany(
                "DELETE FROM pulse WHERE workout_id = ?", [row[2:] for row in old]
            ).rowcount
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._done = old[-1]
        self.pruned += dropped
        return dropped + len(old)
