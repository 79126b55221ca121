"""The one-writer loop: inputs in, stamped, decided by the kernel, effects out in their order.

The hard part is that every failure has one way out, and it is the same: throw the world away and make it anew from
what is on disk. If ``handle`` raises, the input is set aside and never tried again; if a commit fails, everything in
flight fails with it, its askers are told "storage", its promises are never made, and safety inputs are decided again.
Meanwhile smoke is still acted upon. A user would notice a mistake as a daemon that dies twice of the same reading, or
as a paid tray that nobody paid for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from edge.domain.devices import DeviceHealth, DeviceIdentity, DeviceReading
from edge.runtime.clock import Clock
from edge.runtime.device_hub import Devices
from edge.runtime.executor import Executor, Outlets
from edge.runtime.inbox import Entry, EntryKind, Inbox
from edge.runtime.journal import Journal, Store
from edge.runtime.keeper import Keeper
from edge.runtime.kernel_timer import KernelTimer
from edge.runtime.kernels import VerticalAdapter
from edge.runtime.lag import LagMeter
from edge.runtime.local_day import LocalDay
from edge.runtime.recovery import Parts, Recovery, State

#: A turn of the loop handles at most so many inputs, or so much time, before links and sockets get their turn.
TURN_INPUTS = 64
TURN_S = 0.002

#: Decided inputs that may wait for the disk; beyond it only safety inputs and timers are, beyond the second bound none.
UNCOMMITTED_MAX = 2048
UNCOMMITTED_SAFETY_MAX = 32_768

SNAPSHOT_EVERY_NS = 3_600_000_000_000

_OF_ITSELF = (DeviceHealth, DeviceIdentity)


class Daemon:
    """One vertical's loop. Everything runs in the event loop; nothing here waits."""

    def __init__(
        self,
        adapter: VerticalAdapter,
        store: Store,
        clock: Clock,
        outlets: Outlets,
        devices: Devices,
        *,
        utc_offset_min: int = 480,
        lag: LagMeter | None = None,
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self._adapter = adapter
        self._clock = clock
        self._devices = devices
        self._lag = lag or LagMeter()
        self._loop = asyncio.get_running_loop()
        self._inbox = Inbox()
        self._keeper = Keeper(adapter, store, clock)
        self._executor = Executor(outlets, give_way)
        self._is_safety = self._keeper.is_safety
        parts = Parts(self._keeper, store, self._inbox, self._executor, outlets, clock)
        self._recovery = Recovery(parts, self._running_again, self._on_disk)
        self._journal: Journal = self._recovery.journal
        self._store = store
        self._turn: asyncio.Handle | None = None
        self._deciding, self._at_once_s = False, 0.0
        self._timer = KernelTimer(clock, self._timer_due)
        self._pumps_wait = self._closing = False
        self._snapshot_due_ns = clock.mono_ns() + SNAPSHOT_EVERY_NS
        self._local_day = LocalDay(clock, utc_offset_min)
        self.counters = {"inputs": 0}

    @property
    def fatal(self) -> asyncio.Future[str]:
        """Done, with the reason, when the daemon cannot go on and its process must be started anew."""
        return self._recovery.fatal

    @property
    def state(self) -> State:
        return self._recovery.state

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self, inputs: Iterable[Any] = ()) -> None:
        """Load the world, show where it stands, take in the configuration ``inputs`` and the day."""
        self._recovery.begin()
        for item in inputs:
            self._enter(Entry(item, EntryKind.SHELL))
        self.check_day()
        self._wake()

    async def stop(self, timeout_s: float = 5.0) -> bool:
        """Decide what waits, and wait until it is on disk. False when that was not reached in time."""
        self._closing = True
        on_disk = asyncio.Event()
        try:
            async with asyncio.timeout(timeout_s):
                while len(self._inbox) and self.state is not State.STOPPED:  # noqa: ASYNC110 - at most once per life
                    await asyncio.sleep(0.001)
                if self.state is State.RUNNING:
                    self._journal.barrier(on_disk.set)
                    await on_disk.wait()
        except TimeoutError:
            pass
        self._recovery.stop()
        self._timer.stop()
        return on_disk.is_set()

    # --- in -----------------------------------------------------------------------------------------------------------

    def post_reading(self, reading: DeviceReading, settled: Callable[[], None] | None = None) -> bool:
        """Take a reading. False asks the pump to stop reading until ``Devices.resume``. ``settled`` is called when the
        reading is on disk (or was given up on purpose and counted): only then may its message be acknowledged."""
        if isinstance(reading.body, _OF_ITSELF):
            self._devices.passing(reading)
        self._enter(Entry(reading, EntryKind.READING, "", settled))
        if self._inbox.full:
            self._pumps_wait = True
            return False
        return True

    def post_command(self, command: Any) -> str | None:
        """Take a command, or give the code with which it is refused at once ("busy", "storage")."""
        if self._closing or self.state is State.STOPPED:
            return "busy"
        self._devices.hand_in()
        entry = Entry(command, EntryKind.COMMAND, command.command_id)
        if self._keeper.is_safety(command):
            self._inbox.put_safety(entry)
        elif self.state is State.FAILED:
            return "storage"
        elif not self._inbox.put_command(entry):
            return "busy"
        self._wake()
        return None

    def check_day(self) -> None:
        """Tell the kernel of the local day, when there is something to tell."""
        day = self._local_day.news()
        if day is not None:
            self._enter(Entry(self._adapter.day(day), EntryKind.SHELL))

    @property
    def day(self) -> str:
        """See ``LocalDay``."""
        return self._local_day.day

    def post_config(self, item: Any) -> None:
        """Take in a configuration that was read anew."""
        self._enter(Entry(item, EntryKind.SHELL))

    def tick(self) -> None:
        """Once a second: the day, and a look at what no event would wake."""
        if not self._closing:
            self.check_day()
        self._wake()

    def _enter(self, entry: Entry) -> None:
        """Queue an input. What came before one that is no reading enters before it."""
        if entry.kind is not EntryKind.READING:
            self._devices.hand_in()
        if self._is_safety(entry.item):
            self._inbox.put_safety(entry)
            self._decide_at_once()
        else:
            if self.state is State.FAILED and entry.kind is EntryKind.READING:
                self._recovery.look_meanwhile(entry)
            self._inbox.put(entry)
        self._wake()

    def _decide_at_once(self) -> None:
        """A safety input is decided where it comes in: at the end of the loop's round it would stand behind whatever
        the other links have to say. Those of a crowd, and those that come while another is decided, take turns."""
        now_s = time.perf_counter()
        if self._deciding or now_s < self._at_once_s:
            return
        self._at_once_s, self._deciding = now_s + TURN_S, True
        try:
            self._decide_next()
        finally:
            self._deciding = False
        self._lag.spent(time.perf_counter() - now_s)

    # --- the loop -----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        self._turn = None
        begun_s = time.perf_counter()
        self._deciding = True
        try:
            self._decide_some(begun_s + TURN_S)
        finally:
            self._deciding = False
        self._timer.arm(self._keeper.deadline_ns)
        if self._pumps_wait and self._inbox.calm:
            self._pumps_wait = False
            self._devices.resume()
        self._lag.spent(time.perf_counter() - begun_s)

    def _decide_some(self, until_s: float) -> None:
        for _ in range(TURN_INPUTS):
            if not self._decide_next():
                return
            if time.perf_counter() > until_s:
                break
        self._wake()

    def _decide_next(self) -> bool:
        """Decide one input; false when none may be decided now."""
        entry = None
        state = self._recovery.state
        if state is State.RUNNING:
            uncommitted = self._journal.uncommitted
            if uncommitted >= UNCOMMITTED_SAFETY_MAX:
                return False
            quarantine = self._recovery.quarantine
            full = uncommitted >= UNCOMMITTED_MAX
            safety_only = full or (quarantine.in_use and quarantine.pausing)
            entry = self._inbox.take(safety_only=safety_only, or_timer=full)
            if entry is not None and not (quarantine.in_use and self._recovery.refuses(entry)):
                self._decide(entry)
        elif state is not State.STOPPED:
            entry = self._inbox.take(safety_only=True, or_timer=state is State.FAILED)
            if entry is not None and entry.kind is EntryKind.TIMER:
                before_ns = self._keeper.deadline_ns
                self._recovery.look_meanwhile(entry)
                self._timer.taken(before_ns, self._keeper.deadline_ns)
            elif entry is not None:
                self._recovery.decide_meanwhile(entry)
        return entry is not None

    def _decide(self, entry: Entry) -> None:
        is_timer = entry.kind is EntryKind.TIMER
        before_ns = self._keeper.deadline_ns if is_timer else None
        self.counters["inputs"] += 1
        data = self._keeper.encoded(entry)
        if data is None:
            self._recovery.leave_out(entry, "no log can hold it: send smaller numbers")
            return
        try:
            stamp, effects, urgent = self._keeper.handle(entry, self._executor.leave)
        except Exception as error:  # noqa: BLE001 - the crash rule: whatever a kernel raises, the input is set aside
            self._executor.gave_up()
            if is_timer:
                self._timer.raised()
            self._recovery.raised(entry, error)
            return
        if is_timer:
            self._timer.taken(before_ns, self._keeper.deadline_ns)
            if not effects and not self._keeper.keeps_timers:
                return
        if effects:  # nearly every reading has none
            self._executor.run(stamp.seq, effects, urgent=urgent)
        decided = self._keeper.accept(entry, data, stamp, effects, urgent=urgent)
        snapshot = None
        if stamp.mono_ns >= self._snapshot_due_ns:
            self._snapshot_due_ns = stamp.mono_ns + SNAPSHOT_EVERY_NS
            snapshot = self._keeper.snapshot("hourly")
        self._journal.add(decided, snapshot)

    def _running_again(self) -> None:
        """The world is new: it has forgotten what devices said of themselves, and pumps will not repeat it."""
        for reading in self._devices.last_health():
            self._enter(Entry(reading, EntryKind.READING))
        self._wake()

    def _on_disk(self) -> None:
        """There may be room again for what waits."""
        if len(self._inbox):
            self._wake()

    def _timer_due(self) -> None:
        self._enter(Entry(self._adapter.timer(), EntryKind.TIMER))

    # --- health -------------------------------------------------------------------------------------------------------

    def health(self) -> dict[str, int]:
        """All counters of the loop, for the pulse."""
        parts = (self, self._timer, self._inbox, self._executor, self._journal, self._keeper, self._recovery)
        return {
            **{name: count for part in parts for name, count in part.counters.items()},
            **self._recovery.quarantine.counters,
            **self._lag.counters,
            "waiting": len(self._inbox),
            "held": self._executor.held,
            "uncommitted": self._journal.uncommitted,
            "seq": self._keeper.seq,
            "storage_degraded": int(bool(self._store.degraded)),
            "running": int(self.state is State.RUNNING),
        }
