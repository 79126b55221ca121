"""One box (of a garage, unless a subclass says otherwise) in simulated time: production drivers, keeper, kernel,
executor and store; only the event loop is ours.

The hard part is dying: ``kill`` forgets everything that is not on disk at exactly the point that a test names, and
the broker (``Bus``) keeps what was not acknowledged, as Mosquitto does for a persistent session.
"""

from __future__ import annotations

import functools
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drivers.driver import Driver
from drivers.messages import Message, encode_message, parse_message
from drivers.registry import make_driver
from edge.domain.devices import DeviceReading
from edge.domain.kernel import Effects
from edge.runtime.clock import ManualClock
from edge.runtime.executor import Executor
from edge.runtime.inbox import Entry, EntryKind
from edge.runtime.journal import Decided
from edge.runtime.keeper import Culprit, Keeper
from edge.runtime.kernels import KERNELS
from edge.storage.batch import Batch, WorldSnapshot
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore

GATHER_NS = 1_000_000_000
UNACKNOWLEDGED_MAX = 100_000

#: Where a box may die while it works on an input.
POINTS = ("before_decision", "after_safety", "after_commit")


class DiedError(Exception):
    """The box was killed at the point that a test asked for."""


class Box:
    """``sent(topic, payload)`` takes what it publishes. ``die_at``: the next input that passes this point kills it."""

    vertical = "garage"

    def __init__(
        self, folder: Path, config: Any, devices: Any, clock: ManualClock, sent: Callable[[str, str], None]
    ) -> None:
        self.folder = folder
        self.clock = clock
        self.alive = False
        self.die_at = ""
        self.disk = "good"
        self.views: dict[str, Any] = {}
        self.replies: list[tuple[str, str, Any]] = []
        self.notices: list[Any] = []
        self.raised: list[str] = []
        self.boots = 0
        self.inbox: deque[tuple[str, str, bool]] = deque()
        self._config = config
        self._devices = devices
        self._sent = sent
        self._adapter = KERNELS[self.vertical]()

    # --- life ---------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.boots += 1
        self.clock.boot_id = f"boot-{self.boots}"
        self.store = FactsStore.open(
            self.folder, self._adapter.kernel.row_types, vertical=self.vertical, ballast_bytes=1 << 16
        )
        self._keeper = Keeper(self._adapter, self.store, self.clock)
        self._executor = Executor(self)
        self._drivers: dict[str, Driver] = {
            each.device: make_driver(each.protocol, each.options) for each in self._devices
        }
        self._dues = {device: driver.deadline() for device, driver in self._drivers.items()}
        self._pending: list[Decided] = []
        self._settled = 0
        self._flush_ns: int | None = None
        self.views = {}
        self.alive = True
        self._keeper.load()
        self._begun(*self._keeper.resume(), "start")
        self.give(self._adapter.configs(self._config)[0], EntryKind.SHELL)
        self.give(self._adapter.day("2026-11-22"), EntryKind.SHELL)
        for device, driver in self._drivers.items():
            self._take(device, driver.opened(self.clock.mono_ns()))
        self._redeliver()

    def kill(self) -> None:
        """As SIGKILL or a power cut: what is not committed never was."""
        self.alive = False
        self.die_at = ""
        self._settled = 0
        self.store.close()

    def stop(self) -> None:
        """As SIGTERM: what was decided is written first."""
        self._flush()
        self.kill()

    # --- messages -----------------------------------------------------------------------------------------------------

    def deliver(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """The broker has a message for us. It is kept until what came of it is on disk."""
        if len(self.inbox) < UNACKNOWLEDGED_MAX:
            self.inbox.append((topic, payload, retain))
        if self.alive:
            self._message(topic, payload, retain=retain)

    def links(self, *, up: bool) -> None:
        """The broker is gone, or back."""
        for device, driver in self._drivers.items():
            now_ns = self.clock.mono_ns()
            if up:
                self._take(device, driver.opened(now_ns))
            else:
                closed = driver.closed(now_ns)
                self._dues[device] = driver.deadline()
                for reading in closed.readings:
                    self._read(device, reading)
        if up:
            self._redeliver()

    def _redeliver(self) -> None:
        waiting, self.inbox = list(self.inbox), deque()
        for topic, payload, retain in waiting:
            if not self.alive:
                self.inbox.append((topic, payload, retain))
                continue
            self.deliver(topic, payload, retain=retain)

    def _message(self, topic: str, payload: str, *, retain: bool) -> None:
        data = encode_message(Message(topic=topic, payload=payload, retain=retain))
        for device, driver in self._drivers.items():
            if _hears(driver, topic):
                self._take(device, driver.received(data, self.clock.mono_ns()))
                if not self.alive:
                    return
        self._settled = len(self.inbox)
        if not self._pending:
            self._acknowledge()

    def _take(self, device: str, output: Any) -> None:
        """What a driver did. Only then its deadline may be another: asked at each step, they take a fifth of a case."""
        self._dues[device] = self._drivers[device].deadline()
        for data in output.write:
            self._write(device, data)
        for reading in output.readings:
            if self.alive:
                self._read(device, reading)

    def _read(self, device: str, reading: Any) -> None:
        self.give(DeviceReading(device, self.boots, reading), EntryKind.READING)

    def _write(self, _device: str, data: bytes) -> None:
        message = parse_message(data)
        assert message is not None
        self._sent(message.topic, message.payload)

    def _acknowledge(self) -> None:
        for _ in range(min(self._settled, len(self.inbox))):
            self.inbox.popleft()
        self._settled = 0

    # --- decisions ----------------------------------------------------------------------------------------------------

    def give(self, item: Any, kind: EntryKind = EntryKind.COMMAND) -> None:
        """Decide one input; dies where ``die_at`` says."""
        if not self.alive:
            return
        entry = Entry(item, kind, getattr(item, "command_id", "") or "")
        if self._dies("before_decision"):
            return
        data = self._keeper.encoded(entry)
        if data is None:
            self.raised.append(f"{entry.item!r:.300} cannot be written down")
            return
        try:
            stamp, effects, urgent = self._keeper.handle(entry, self._executor.leave)
        except Exception as error:  # noqa: BLE001 - the crash rule of the daemon
            self._executor.gave_up()
            self.raised.append(repr(error))
            self._flush()
            self._keeper.load()
            self._begun(*self._keeper.set_aside(Culprit(entry, repr(error), raised=True)), "rebuild")
            return
        if self._keeper.counters["digests_failed"]:
            self.raised.append(f"an effect of {entry.item!r:.300} cannot be encoded")
            self._keeper.counters["digests_failed"] = 0
        if kind is EntryKind.TIMER and not effects:
            return
        self._executor.run(stamp.seq, effects, urgent=urgent)
        if self._dies("after_safety"):
            return
        self._pending.append(self._keeper.accept(entry, data, stamp, effects, urgent=urgent))
        if urgent:
            self._flush()
        elif self._flush_ns is None:
            self._flush_ns = self.clock.mono_ns() + GATHER_NS

    def _begun(self, decided: Decided, effects: Effects, reason: Any) -> None:
        self._executor.run(decided.stamp.seq, effects, urgent=True)
        self._pending.append(decided)
        self._flush(self._keeper.snapshot(reason))

    def _dies(self, point: str) -> bool:
        if self.die_at == point:
            self.kill()
        return not self.alive

    def _flush(self, snapshot: WorldSnapshot | None = None) -> None:
        pending, self._pending, self._flush_ns = self._pending, [], None
        if not pending or not self.alive:
            return
        batch = Batch(
            records=[each.record for each in pending],
            rows=[row for each in pending for row in each.rows],
            snapshot=snapshot,
            set_aside=[each.set_aside for each in pending if each.set_aside is not None],
        )
        done, failed = threading.Event(), []

        def answer(error: StoreError | None) -> None:
            failed.extend([error] if error is not None else [])
            done.set()

        self.store.submit(batch, answer)
        assert done.wait(60), "the store does not answer"
        if failed:
            raise failed[0]
        if self._dies("after_commit"):
            return
        self._acknowledge()
        self._executor.committed(pending[-1].stamp.seq)

    # --- time ---------------------------------------------------------------------------------------------------------

    def due_ns(self) -> int | None:
        """When it wants to be woken."""
        if not self.alive:
            return None
        dues = [self._keeper.deadline_ns, self._flush_ns, *self._dues.values()]
        return min((due for due in dues if due is not None), default=None)

    def wake(self) -> None:
        now_ns = self.clock.mono_ns()
        if self._flush_ns is not None and self._flush_ns <= now_ns:
            self._flush()
        for device in self._drivers:
            due_ns = self._dues[device]
            if due_ns is not None and due_ns <= now_ns and self.alive:
                self._take(device, self._drivers[device].tick(now_ns))
        if self.alive and self._keeper.deadline_ns is not None and self._keeper.deadline_ns <= now_ns:
            self.give(self._adapter.timer(), EntryKind.TIMER)

    # --- outlets ------------------------------------------------------------------------------------------------------

    def show(self, key: str, view: Any) -> None:
        self.views[key] = view

    def send(self, device: str, command: Any) -> bool:
        driver = self._drivers.get(device)
        if driver is None:
            self.notices.append(command)
            return True
        output = driver.command(command, self.clock.mono_ns())
        self._dues[device] = driver.deadline()
        for data in output.write:
            self._write(device, data)
        return True

    def reply(self, command_id: str, code: str, body: Any, *, replayed: bool = False) -> None:
        self.replies.append((command_id, code, body))


def _hears(driver: Any, topic: str) -> bool:
    """MQTT's matching of a topic against the driver's filters."""
    return any(_match(each, topic) for each in getattr(driver, "topics", ()))  # a wire has none


@functools.lru_cache(maxsize=65_536)
def _match(pattern: str, topic: str) -> bool:
    parts, levels = pattern.split("/"), topic.split("/")
    if parts[-1] == "#":
        parts, levels = parts[:-1], levels[: len(parts) - 1]
    return len(parts) == len(levels) and all(part in ("+", level) for part, level in zip(parts, levels, strict=True))
