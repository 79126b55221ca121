"""Checkpoints beside the commits: what the write-ahead log holds goes into the main file in a thread of its own.

The hard part is a slow card: a thousand scattered pages may take seconds there, and a payment must not stand behind
them. In WAL mode a passive checkpoint blocks neither writer nor readers (SQLite's WAL documentation), so it runs on its
own connection; only the disk is shared. A diner would notice a mistake as a payment that hangs now and then.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable


class Checkpointer:
    """``start`` asks for a checkpoint and returns at once; the rest says what became of the last one."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._asked = threading.Event()
        self._running = threading.Lock()
        self._closing = False
        self._error: sqlite3.Error | None = None
        self.frames = 0
        self.counts = {"checkpoints": 0, "checkpoint_longest_us": 0}
        self._thread = threading.Thread(target=self._run, name="facts-checkpoint", daemon=True)
        self._thread.start()

    def start(self) -> None:
        """Checkpoint soon; one that runs already is followed by another."""
        self._asked.set()

    @property
    def runs(self) -> int:
        """How many checkpoints have ended."""
        return self.counts["checkpoints"]

    @property
    def failed(self) -> bool:
        """True while an error waits for ``take_error``."""
        return self._error is not None

    def take_error(self) -> sqlite3.Error | None:
        """The error of the last checkpoint, once."""
        error, self._error = self._error, None
        return error

    def now(self, connection: sqlite3.Connection) -> None:
        """Checkpoint in the caller's thread, after the one under way: when nothing is written meanwhile and nobody
        reads, the log begins anew behind it."""
        began_ns = time.monotonic_ns()
        with self._running:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self.frames = 0
            self._count(began_ns)

    def close(self) -> None:
        """End the thread; a checkpoint under way is finished first. Idempotent."""
        self._closing = True
        self._asked.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._closing:
                break
            with self._running:
                self._checkpoint()
        if self._connection is not None:
            self._connection.close()

    def _checkpoint(self) -> None:
        began_ns = time.monotonic_ns()
        try:
            if self._connection is None:
                self._connection = self._connect()
            row = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self.frames = max(int(row[1]), 0)
        except sqlite3.Error as error:
            self._error = error
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        self._count(began_ns)

    def _count(self, began_ns: int) -> None:
        took_us = (time.monotonic_ns() - began_ns) // 1000
        self.counts["checkpoints"] += 1
        self.counts["checkpoint_longest_us"] = max(self.counts["checkpoint_longest_us"], took_us)
