"""Gathers decided inputs into batches for the store and says what became of them.

The hard part is that order and urgency do not fight: an urgent input takes everything before it along, so the log is
always in order of sequence, and what nobody waits for is written with whatever comes within a second. Each urgent
input ends its batch: the store groups batches into one transaction anyway, and when a row breaks a rule it can name
the one input at fault. A user would notice a mistake here as a receipt that answers late, or as a second of readings
lost where the README promises one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from edge.domain.kernel import Row, Rows, Stamp
from edge.runtime.inbox import Entry
from edge.storage.batch import Batch, LogRecord, SetAside, WorldSnapshot
from edge.storage.errors import StoreBusy, StoreError

#: The loss window of readings that the README states.
GATHER_S = 1.0

#: Inputs whose sender waits for the disk to acknowledge them (MQTT) go to it when so many are gathered: half of the
#: window after which Mosquitto, as shipped, sends no more (mosquitto.conf(5): max_inflight_messages 20).
AWAITED_MAX = 10

#: Records in one batch at most (the log is read back batch by batch).
BATCH_RECORDS_MAX = 512


class Store(Protocol):
    """What the daemon needs of ``edge.storage.facts.FactsStore``."""

    @property
    def degraded(self) -> str: ...

    def rows(self) -> Rows: ...

    def last_seq(self) -> int: ...

    def submit(self, batch: Batch, done: Callable[[StoreError | None], None]) -> None: ...

    def reset(self) -> None: ...

    def prune(self, *, keep_after_wall_ns: int, max_bytes: int, pulses_after_wall_ns: int = 0) -> None: ...

    def counters(self) -> dict[str, int]: ...


class Decided(msgspec.Struct, frozen=True):
    """An input with what the kernel made of it. ``entry`` is None for a resumed world (nothing entered);
    ``set_aside`` is there when the kernel could not take it."""

    entry: Entry | None
    stamp: Stamp
    record: LogRecord
    rows: Sequence[Row]
    urgent: bool
    set_aside: SetAside | None = None


@dataclass(eq=False, slots=True)
class Work:
    """A batch on its way, or (``decided`` empty) a barrier. ``error`` is set when it failed."""

    decided: list[Decided] = field(default_factory=list)
    snapshot: WorldSnapshot | None = None
    barrier: Callable[[], None] | None = None
    error: StoreError | None = None

    @property
    def culprit(self) -> Decided | None:
        """The input whose row broke a rule, when that is certain."""
        if self.error is None or self.error.code != "row":
            return None
        urgent = [decided for decided in self.decided if decided.urgent]
        return urgent[0] if len(urgent) == 1 else None


class Journal:
    """``add`` what was decided; ``committed(seq)`` and ``failed(work)`` are called back in the event loop."""

    def __init__(self, store: Store, committed: Callable[[int], None], failed: Callable[[Work], None]) -> None:
        self._store = store
        self._committed = committed
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._pending = Work()
        self._in_flight: deque[Work] = deque()
        #: Inputs that were decided and are not on disk yet.
        self.uncommitted = 0
        self._awaited = 0
        self._timer: asyncio.TimerHandle | None = None
        self.counters = {"batches": 0, "urgent": 0, "store_busy": 0}

    @property
    def idle(self) -> bool:
        """True when the store has said of every batch what became of it."""
        return not self._in_flight

    def add(self, decided: Decided, snapshot: WorldSnapshot | None = None) -> None:
        """Queue an input; an urgent one goes to the store at once with all before it."""
        pending, entry = self._pending.decided, decided.entry
        pending.append(decided)
        self.uncommitted += 1
        if entry is not None and entry.settled is not None:
            self._awaited += 1
        if snapshot is not None:
            self._pending.snapshot = snapshot
        if decided.urgent:
            self.counters["urgent"] += 1
            self.flush()
        elif len(pending) >= BATCH_RECORDS_MAX or self._awaited >= AWAITED_MAX:
            self.flush()
        elif self._timer is None:
            self._timer = self._loop.call_later(GATHER_S, self.flush)

    def flush(self) -> None:
        """Hand what is pending to the store."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending.decided and self._submit(self._pending):
            self._pending = Work()
            self._awaited = 0

    def barrier(self, done: Callable[[], None]) -> None:
        """Call ``done`` when everything so far is on disk; never, when something fails before (``failed`` is
        called)."""
        self.flush()
        work = Work(barrier=done)
        if self._pending.decided or not self._submit(work):
            self._loop.call_later(0.01, self.barrier, done)  # the store's queue is full: it empties by itself

    def forget(self) -> list[Decided]:
        """After a failure: drop what was never handed over, and give it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dropped = self._pending.decided
        self._pending = Work()
        self._awaited = 0
        self.uncommitted -= len(dropped)
        return dropped

    def _submit(self, work: Work) -> bool:
        batch = Batch(
            records=[decided.record for decided in work.decided],
            rows=[row for decided in work.decided for row in decided.rows],
            snapshot=work.snapshot,
            set_aside=[decided.set_aside for decided in work.decided if decided.set_aside is not None],
        )
        try:
            self._store.submit(batch, lambda error: self._from_thread(work, error))
        except StoreBusy:
            self.counters["store_busy"] += 1
            if self._timer is None and work.decided:
                self._timer = self._loop.call_later(GATHER_S / 10, self.flush)
            return False
        except (StoreError, ValueError) as error:
            # The store has failed and its word on an earlier batch is under way to us; or it does not agree on the
            # order (ValueError), which only a new world can mend.
            failure = error if isinstance(error, StoreError) else StoreError("storage", str(error))
            self._in_flight.append(work)
            self._loop.call_soon(self._done, work, failure)
            return True
        self._in_flight.append(work)
        self.counters["batches"] += 1
        return True

    def _from_thread(self, work: Work, error: StoreError | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for this any more
            self._loop.call_soon_threadsafe(self._done, work, error)

    def _done(self, work: Work, error: StoreError | None) -> None:
        self._in_flight.remove(work)
        self.uncommitted -= len(work.decided)
        work.error = error
        if error is not None:
            self._failed(work)
            return
        if work.decided:
            self._committed(work.decided[-1].stamp.seq)
            for decided in work.decided:
                if decided.entry is not None:
                    decided.entry.settle()
        if work.barrier is not None:
            work.barrier()
        if self._pending.decided and self._pending.decided[-1].urgent:
            self.flush()
