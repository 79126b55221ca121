"""What the writer thread does when nobody waits: prune, put the ballast back, see to the checkpoints.

The hard part is that each step is short, because a payment may come in the middle of it: checkpoints run beside
(``checkpoint``), pruning goes ``PRUNE_ROWS`` rows at a time. A diner would notice a mistake as a payment that hangs for
a moment once an hour.
"""

from __future__ import annotations

import sqlite3
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from edge.storage import log_table
from edge.storage.ballast import Ballast, is_disk_full
from edge.storage.checkpoint import Checkpointer
from edge.storage.pulse_retention import PulseRetention

#: A checkpoint is due when about 4 MB were written since the log began anew ...
CHECKPOINT_PAGES = 1000
#: ... and again after so many more while it does not: it cannot while somebody reads or commits come in between.
AGAIN_PAGES = 125
#: Under load without a pause the log never begins anew by itself, and on a slow card checkpoints fall behind: at four
#: times that the commits wait for a checkpoint, or the log would grow without bound.
FORCED_PAGES = 4000
IDLE_S = 0.02
BALLAST_RETRY_S = 5.0
#: Under load without a pause, one slice of pruning after so many groups.
GROUPS_PER_SLICE = 64


class PruneGoal(NamedTuple):
    """See ``FactsStore.prune``."""

    keep_after_wall_ns: int
    max_bytes: int
    pulses_after_wall_ns: int = 0


class Chores:
    """Used by the writer thread alone, but for ``ask_prune``, which any thread may call."""

    def __init__(
        self,
        ballast: Ballast,
        checkpointer: Checkpointer,
        sealed_seq: Callable[[], int | None] | None = None,
        wal_salt: Callable[[], int] = lambda: 0,
    ) -> None:
        """``sealed_seq`` says how far the log is sealed as samples, None when nobody seals it. ``wal_salt`` gives
        another number whenever the write-ahead log has begun anew."""
        self._sealed_seq = sealed_seq or (lambda: None)
        self._wal_salt = wal_salt
        self._salt = 0
        self._ballast = ballast
        self._checkpointer = checkpointer
        self._pages = 0
        self._due_pages = CHECKPOINT_PAGES
        self._pages_behind = 0
        self._runs = 0
        self._groups = 0
        self._ballast_due_s = 0.0
        self._limit: int | None = None
        self._pulses = PulseRetention()
        self._goals: deque[PruneGoal] = deque(maxlen=1)
        self.counts = {"log_pruned": 0, "pulses_pruned": 0, "chore_errors": 0, "longest_chore_us": 0}

    def ask_prune(self, goal: PruneGoal) -> None:
        """Prune to ``goal`` when there is time; a newer goal replaces one that has not begun."""
        self._goals.append(goal)

    def wrote(self, pages: int) -> None:
        """A group with about ``pages`` pages was committed."""
        self._groups += 1
        if self._runs != self._checkpointer.runs:
            self._runs, self._pages_behind = self._checkpointer.runs, 0
        self._pages_behind += pages
        salt = self._wal_salt()
        if salt and salt != self._salt:  # 0: it could not be read now, which is no beginning
            self._salt, self._pages, self._due_pages = salt, 0, CHECKPOINT_PAGES
        self._pages += pages
        if self._pages >= self._due_pages:
            self._due_pages = self._pages + AGAIN_PAGES
            self._checkpointer.start()

    @property
    def forced(self) -> bool:
        """True when a step must be done even though batches wait."""
        late = self._groups >= GROUPS_PER_SLICE and self._pruning
        return late or self._checkpointer.failed or self._log_is_long

    @property
    def _log_is_long(self) -> bool:
        return max(self._checkpointer.frames, self._pages_behind) >= FORCED_PAGES

    @property
    def _pruning(self) -> bool:
        return bool(self._goals) or self._limit is not None

    def wait_s(self) -> float | None:
        """How long the writer may sleep before the next ``step``; None when nothing is due."""
        if self._pruning:
            return IDLE_S
        return BALLAST_RETRY_S if self._ballast.wanting else None

    def step(self, connection: sqlite3.Connection) -> None:
        """One short piece of work. A failure is counted and tried again later; it never stops the writer."""
        began_ns = time.monotonic_ns()
        try:
            self._step(connection)
        except (sqlite3.Error, OSError) as error:
            self._limit = None
            self._failed(error)
        took_us = (time.monotonic_ns() - began_ns) // 1000
        self.counts["longest_chore_us"] = max(self.counts["longest_chore_us"], took_us)

    def _failed(self, error: Exception) -> None:
        self.counts["chore_errors"] += 1
        if is_disk_full(error) and self._ballast.release():
            self._checkpointer.start()

    def _step(self, connection: sqlite3.Connection) -> None:
        self._groups = 0
        error = self._checkpointer.take_error()
        if error is not None:
            self._failed(error)
        elif self._log_is_long:
            self._checkpointer.now(connection)
            self._pages_behind = 0
        elif self._ballast.wanting and time.monotonic() >= self._ballast_due_s:
            self._ballast_due_s = time.monotonic() + BALLAST_RETRY_S
            self._ballast.restore()
        elif self._pruning:
            self._prune(connection)

    def _prune(self, connection: sqlite3.Connection) -> None:
        if self._goals:
            goal = self._goals.pop()
            self._limit = log_table.prune_limit(
                connection,
                keep_after_wall_ns=goal.keep_after_wall_ns,
                max_bytes=goal.max_bytes,
                sealed_seq=self._sealed_seq(),
            )
            self._pulses.begin(goal.pulses_after_wall_ns)
        if self._limit is None:
            return
        dropped = log_table.prune_slice(connection, self._limit) if self._limit else 0
        dropped = dropped or log_table.prune_replies(connection)
        self.counts["log_pruned"] += dropped
        if not dropped:
            dropped = self._pulses.slice(connection)
            self.counts["pulses_pruned"] = self._pulses.pruned
        self._pages += 2 * dropped
        if not dropped:
            self._limit = None
