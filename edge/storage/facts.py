"""``facts.db``: one commit carries an input and all that it caused.  (Interface; the body follows.)"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edge.domain.kernel import Row, Rows
from edge.storage.batch import Batch
from edge.storage.errors import StoreError

Done = Callable[[StoreError | None], None]


class FactsStore:
    """The one writer of a store directory (``facts.db``, ``lock``, ``ballast``).

    Life: ``open`` -> ``rows()`` / ``last_seq()`` to load the world -> ``submit`` ... -> ``close``. After any ``done``
    with an error the store refuses further batches (StoreError "storage") until ``reset()``; everything queued behind
    the failed batch has then failed too, and the owner rebuilds its world from ``rows()``.
    """

    @classmethod
    def open(
        cls,
        directory: Path,
        row_types: Sequence[type[Row]],
        *,
        build: str = "",
        ballast_bytes: int = 64 << 20,
        on_point: Callable[[str], None] | None = None,
    ) -> FactsStore:
        """Lock, check, migrate and open. Raises StoreError ("locked", "newer", "schema", "damaged").

        ``on_point`` is called in the writer thread at "begin", "before_commit", "after_commit" of every transaction:
        the place where fault tests kill the process. ``build`` is written beside each snapshot."""
        raise NotImplementedError

    @property
    def degraded(self) -> str:
        """ "" when all is well; "disk_full" from the first full-disk error until space is back and the ballast restored."""
        raise NotImplementedError

    def rows(self) -> Rows:
        """Committed rows, in key order. Call it when nothing is in flight (before the first submit, after ``reset``, or
        after the ``done`` of an empty batch)."""
        raise NotImplementedError

    def last_seq(self) -> int:
        """Seq of the last committed record, 0 for a new store. The next record has this + 1."""
        raise NotImplementedError

    def submit(self, batch: Batch, done: Done) -> None:
        """Queue a batch; returns at once. ``done(None)`` is called from the writer thread when it is on disk,
        ``done(error)`` when it is not. ``done`` must be quick and must not raise (use ``loop.call_soon_threadsafe``).

        Raises StoreBusy when the queue is full, StoreError("storage") between a failure and ``reset``,
        StoreError("closed") after ``close``, ValueError when the seqs are not gapless. Then ``done`` is never called."""
        raise NotImplementedError

    def reset(self) -> None:
        """After a failure: waits until every failed ``done`` was called, opens the file anew and accepts batches from
        ``last_seq() + 1``. Raises StoreError("storage") when the file cannot be opened; call again later."""
        raise NotImplementedError

    def prune(self, *, keep_after_wall_ns: int, max_bytes: int) -> None:
        """Ask the writer thread to drop old log rows in slices between commits: those wholly before
        ``keep_after_wall_ns`` (UTC ns; pass 0 while the clock is not trusted) and the oldest beyond ``max_bytes`` of
        compressed log. Stops at a snapshot, so that replay can start at the oldest kept row. Returns at once."""
        raise NotImplementedError

    def counters(self) -> dict[str, int]:
        """Since open: commits, batches, records, rows, queued, failed, log_pruned, disk_full, longest_group, ..."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what is queued, call every ``done``, checkpoint, release the lock. Idempotent."""
        raise NotImplementedError
