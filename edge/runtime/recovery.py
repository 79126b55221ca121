"""The one way out of every failure: throw the world away, make it anew from what is on disk, and go on.

The hard part is what must not be lost or repeated on the way. An input that raised is recorded, answered by the
kernel's ``set_aside`` and never decided again, also when its sender repeats it within a minute. When a commit fails,
everything in flight fails with it: promises are dropped, askers are told "storage", and only what nobody will send
again (safety inputs, configuration, day) is decided once more. Until the disk is back, smoke is decided on the old
world, for acting late is worse than acting twice. A user would notice a mistake as a daemon that dies again and again
of one reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from edge.log import structlog
from edge.runtime.clock import Clock
from edge.runtime.executor import Executor
from edge.runtime.inbox import SAFETY_MAX, Entry, EntryKind, Inbox
from edge.runtime.journal import Decided, Journal, Store, Work
from edge.runtime.keeper import Culprit, Keeper, error_text
from edge.runtime.quarantine import Quarantine
from edge.storage.batch import RecordKind
from edge.storage.errors import StoreError

#: How long a raising input may wait for the disk before the process gives up (its supervisor starts it anew).
DRAIN_TIMEOUT_S = 10.0

#: After a failed commit the store is tried again with growing waits. Each try that fails begins a new world, in which
#: the proof of a cut begins anew: outlet, contactor and feed must come to their turn in between (3 s each).
RETRY_FIRST_S = 0.02
RETRY_MAX_S = 8.0

#: Inputs that may wait to be set aside while the store is away; more are only counted and logged.
CULPRITS_MAX = 64

#: Orders inputs that came while the store was away behind all that had a sequence number.
_AFTER_ALL = 1 << 62

_log = structlog.get_logger("recovery")


class State(Enum):
    """RUNNING; DRAINING: an input raised and the disk is catching up; FAILED: a commit failed and the store is being
    opened anew; STOPPED: the daemon cannot go on (``Recovery.fatal`` says why)."""

    RUNNING = "running"
    DRAINING = "draining"
    FAILED = "failed"
    STOPPED = "stopped"


class Replies(Protocol):
    def reply(self, command_id: str, code: str, body: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What the daemon is made of, as recovery needs it."""

    keeper: Keeper
    store: Store
    inbox: Inbox
    executor: Executor
    replies: Replies
    clock: Clock


class Recovery:
    """``raised`` and ``failed`` begin a recovery; ``running_again`` is called when it is over, ``on_disk`` after each
    commit."""

    def __init__(self, parts: Parts, running_again: Callable[[], None], on_disk: Callable[[], None]) -> None:
        self.state = State.RUNNING
        self.fatal: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.quarantine = Quarantine(parts.clock)
        self.counters = {"commits_failed": 0, "rebuilds": 0, "answered_storage": 0, "readings_lost": 0,
                         "meanwhile_failed": 0}  # fmt: skip
        self._parts = parts
        self._running_again = running_again
        self._on_disk = on_disk
        self._journal = Journal(parts.store, self._committed, self.failed)
        self._culprits: list[Culprit] = []
        self._again: list[tuple[int, Entry]] = []
        self._retry_s = RETRY_FIRST_S
        self._task: asyncio.Task[None] | None = None
        self._drain_timer: asyncio.TimerHandle | None = None

    @property
    def journal(self) -> Journal:
        return self._journal

    def refuses(self, entry: Entry) -> bool:
        """True for an input that raised a moment ago; a command is answered at once."""
        if not self.quarantine.holds(entry):
            return False
        self.leave_out(entry, "the same input failed a moment ago")
        return True

    def leave_out(self, entry: Entry, remedy: str) -> None:
        """Never decide ``entry``; its sender need not keep it, and whoever asked is told."""
        entry.settle()
        if entry.kind is EntryKind.COMMAND:
            self._parts.replies.reply(entry.command_id, "internal", {"remedy": remedy})

    def stop(self) -> None:
        """End what is under way."""
        self.state = State.STOPPED
        if self._task is not None:
            self._task.cancel()
        if self._drain_timer is not None:
            self._drain_timer.cancel()

    # --- the kernel raised --------------------------------------------------------------------------------------------

    def raised(self, entry: Entry, error: Exception) -> None:
        """``handle`` raised: wait until all before it is on disk, then make the world anew without it."""
        self._accuse(Culprit(entry, error_text(error), raised=True))
        self._drain()

    def _drain(self) -> None:
        self.state = State.DRAINING
        self._drain_timer = asyncio.get_running_loop().call_later(DRAIN_TIMEOUT_S, self._drained_too_late)
        self._journal.barrier(self._drained)

    def _drained(self) -> None:
        if self.state is State.DRAINING:
            self._rebuild()

    def _drained_too_late(self) -> None:
        self._die(f"the disk did not catch up within {DRAIN_TIMEOUT_S:g} s after an input raised")

    def _accuse(self, culprit: Culprit) -> None:
        entry = culprit.entry
        if len(self._culprits) < CULPRITS_MAX:
            self._culprits.append(culprit)
        else:
            entry.settle()  # logged below; sent again it would only raise again
        self.quarantine.add(entry, is_safety=self._parts.keeper.is_safety(entry.item))
        _log.error("input set aside", kind=entry.kind.value, command_id=entry.command_id, error=culprit.error)

    # --- a commit failed ----------------------------------------------------------------------------------------------

    def failed(self, work: Work) -> None:
        """The store did not write ``work``; everything after it fails too."""
        if self.state is not State.STOPPED and self.state is not State.FAILED:
            self._begin_failure(work)
        culprit = work.culprit
        # Which of several inputs broke a rule is not known: what may be lost is not tried again, or it fails for ever.
        once_only = culprit is None and work.error is not None and work.error.code == "row"
        for decided in work.decided:
            if decided is culprit and decided.entry is not None and decided.set_aside is None:
                self._accuse(Culprit(decided.entry, str(work.error), raised=False))
            else:
                self._refuse(decided, once_only=once_only)
        if culprit is not None and (culprit.entry is None or culprit.set_aside is not None):
            self._die(f"the rows of a fresh world break a rule of the store: {work.error}")

    def _begin_failure(self, work: Work) -> None:
        self.state = State.FAILED
        self.counters["commits_failed"] += 1
        if self._drain_timer is not None:
            self._drain_timer.cancel()
        _log.error("a commit failed: the world is made anew from the disk", error=str(work.error))
        self._parts.executor.drop()
        # It raised on a world that the disk will never hold, so a replay of the disk cannot be asked to raise again.
        self._culprits = [dataclasses.replace(culprit, raised=False) for culprit in self._culprits]
        for decided in self._journal.forget():
            self._refuse(decided)
        for entry in self._parts.inbox.take_commands():
            self.counters["answered_storage"] += 1
            self._parts.replies.reply(entry.command_id, "storage", {})
        self._task = asyncio.create_task(self._reopen(), name="reopen store")

    def _refuse(self, decided: Decided, *, once_only: bool = False) -> None:
        entry, kept = decided.entry, decided.set_aside
        if entry is None:
            return
        if kept is not None:
            self._culprits.append(Culprit(entry, kept.error, raised=decided.record.kind is RecordKind.RAISED))
            return
        # A sender that waits for its acknowledgement will not send it again while the link is up.
        awaited = entry.settled is not None and not once_only
        if awaited or entry.kind is EntryKind.SHELL or self._parts.keeper.is_safety(entry.item):
            self._keep_for_later(decided.stamp.seq, entry)
        elif entry.kind is EntryKind.COMMAND:
            self.counters["answered_storage"] += 1
            self._parts.replies.reply(entry.command_id, "storage", {})
        elif entry.kind is EntryKind.READING:
            self.counters["readings_lost"] += 1
            entry.settle()

    def _keep_for_later(self, seq: int, entry: Entry) -> None:
        if len(self._again) < SAFETY_MAX:
            self._again.append((seq, entry))
        else:
            self._parts.inbox.counters["safety_dropped"] += 1

    def decide_meanwhile(self, entry: Entry) -> None:
        """A safety input while there is no sound world: act on the old one now, decide again on the new one later.
        The old one may be half changed, but safety effects only ever move toward safe, and nothing else leaves."""
        try:
            _stamp, effects, _urgent = self._parts.keeper.handle(entry)
        except Exception as error:  # noqa: BLE001 - the crash rule, as far as it goes without a disk
            self._accuse(Culprit(entry, error_text(error), raised=False))
        else:
            self._keep_for_later(_AFTER_ALL, entry)
            self._parts.executor.run_safety(effects)

    def look_meanwhile(self, entry: Entry) -> None:
        """A timer, or a reading that waits for the new world: what the old one makes of it may be the cut again, its
        proof, or the next layer. Without it a cut that fails would stand unanswered for as long as the disk is away."""
        try:
            _stamp, effects, _urgent = self._parts.keeper.handle(entry)
        except Exception:  # noqa: BLE001 - the old world may be half changed; the new one will take what waits
            self.counters["meanwhile_failed"] += 1
        else:
            self._parts.executor.run_safety(effects)

    async def _reopen(self) -> None:
        """Wait until the store takes batches again and has said what became of each old one."""
        while True:
            await asyncio.sleep(self._retry_s)
            self._retry_s = min(self._retry_s * 2, RETRY_MAX_S)
            with contextlib.suppress(StoreError):
                await asyncio.to_thread(self._parts.store.reset)
                break
        while not self._journal.idle:  # noqa: ASYNC110 - their callbacks are queued in this loop already
            await asyncio.sleep(0)
        if self.state is State.FAILED:
            self._rebuild()

    def _committed(self, seq: int) -> None:
        self._retry_s = RETRY_FIRST_S
        self._parts.executor.committed(seq)
        self._on_disk()

    # --- the new world ------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """At start: make the world from rows and let it say where it stands."""
        self._parts.keeper.load()
        self._go_on(*self._parts.keeper.resume(), reason="start")

    def _rebuild(self) -> None:
        self.counters["rebuilds"] += 1
        if self._drain_timer is not None:
            self._drain_timer.cancel()
        keeper = self._parts.keeper
        try:
            keeper.load()
            if self._culprits:
                self._go_on(*keeper.set_aside(self._culprits.pop(0)), reason="rebuild")
            else:
                self._go_on(*keeper.resume(), reason="rebuild")
        except Exception as error:  # noqa: BLE001 - rows that cannot be read, a kernel that cannot begin: start anew
            _log.exception("the world cannot be made anew")
            self._die(f"the world cannot be made anew from the disk: {error!r}")
            return
        if self._culprits:  # each gets a world of its own, begun from what is on disk then
            self._drain()
            return
        self.state = State.RUNNING
        self._enter_again()
        self._running_again()

    def _enter_again(self) -> None:
        """What nobody will send again goes first (safety) or last (configuration and day), in its old order."""
        again, self._again = sorted(self._again, key=lambda pair: pair[0]), []
        self._parts.inbox.put_first([entry for _seq, entry in again if entry.kind is not EntryKind.SHELL])
        for _seq, entry in again:
            if entry.kind is EntryKind.SHELL:
                self._parts.inbox.put(entry)

    def _go_on(self, decided: Decided, effects: Any, *, reason: Any) -> None:
        self._parts.executor.run(decided.stamp.seq, effects, urgent=True)
        self._journal.add(decided, snapshot=self._parts.keeper.snapshot(reason))

    def _die(self, reason: str) -> None:
        self.state = State.STOPPED
        _log.critical("the daemon cannot go on", reason=reason)
        if not self.fatal.done():
            self.fatal.set_result(reason)
