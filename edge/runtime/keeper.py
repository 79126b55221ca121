"""Keeps the one world of a daemon: stamps inputs, lets the kernel decide, and makes the world anew from rows.

The hard part is that a world is worth only what its rows say. After an exception in ``handle``, or a commit that
failed, the world in memory may be half changed or ahead of the disk, so it is thrown away whole, never repaired. A
user would notice a mistake as an order that the daemon remembers and the disk does not.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from edge.domain.digest import effects_digest
from edge.domain.kernel import Effects, Leave, Put, Reply, Stamp, is_urgent
from edge.log import is_told, structlog
from edge.runtime.clock import Clock
from edge.runtime.inbox import Entry, EntryKind
from edge.runtime.journal import Decided, Store
from edge.runtime.kernels import VerticalAdapter
from edge.storage.batch import LogRecord, RecordKind, SetAside, SnapshotReason, WorldSnapshot
from edge.storage.snapshots import encode_world

#: A world that takes longer to encode holds the loop up noticeably (the aim for one turn of the loop is below 5 ms).
SNAPSHOT_SLOW_S = 0.020

_log = structlog.get_logger("keeper")
_encoder = msgspec.msgpack.Encoder()


@dataclass(frozen=True, slots=True)
class Culprit:
    """An input that the kernel could not take. ``raised`` is true when ``handle`` raised on a world that a replay of
    the log arrives at; false when its rows broke a rule of the store, or its world was never committed."""

    entry: Entry
    error: str
    raised: bool


class Keeper:
    """Holds the world and the sequence number. Nothing here waits, but for reading rows when the world is made anew."""

    def __init__(self, adapter: VerticalAdapter, store: Store, clock: Clock) -> None:
        self._adapter = adapter
        self._kernel = adapter.kernel
        self._handle_leaving = getattr(adapter.kernel, "handle_leaving", None)
        self.keeps_timers = bool(getattr(adapter.kernel, "keeps_timers", False))
        self._row_types = frozenset(adapter.kernel.row_types)
        self._store = store
        self._clock = clock
        self._world: Any = None
        self._seq = 0
        #: See ``Kernel.is_safety``.
        self.is_safety: Callable[[Any], bool] = adapter.kernel.is_safety
        wrong = ("digests_failed", "deadlines_failed", "inputs_unwritable")
        self.counters = dict.fromkeys(("snapshots", "snapshot_worst_us", "snapshots_slow", *wrong), 0)

    @property
    def seq(self) -> int:
        """The last sequence number used."""
        return self._seq

    @property
    def deadline_ns(self) -> int | None:
        """When the kernel wants its timer. Asked when somebody wants to know, not after each of many inputs of a turn.
        A kernel that cannot say gets it at once: its ``handle`` meets what is wrong, and is set aside for it."""
        if self._world is None:
            return None
        try:
            return self._kernel.deadline(self._world)
        except Exception:  # noqa: BLE001 - the crash rule: whatever a kernel raises, its daemon goes on
            if not self.counters["deadlines_failed"]:
                _log.exception("the kernel cannot say when it wants its timer", kernel=self._kernel.name)
            self.counters["deadlines_failed"] += 1
            return 0

    def load(self) -> None:
        """Make the world from the committed rows."""
        begun_s = time.perf_counter()
        self._world = self._kernel.load(self._store.rows())
        self._seq = self._store.last_seq()
        _log.info("world loaded", seq=self._seq, ms=round((time.perf_counter() - begun_s) * 1000, 1))

    def encoded(self, entry: Entry) -> bytes | None:
        """The input as the log will hold it; None for one that no log can hold (an integer beyond 64 bits): it must not
        be decided, for nothing that it did could be written or replayed."""
        try:
            return _encoder.encode(entry.item)
        except (TypeError, ValueError, OverflowError):
            self.counters["inputs_unwritable"] += 1
            times = self.counters["inputs_unwritable"]
            if is_told(times):
                _log.exception("an input cannot be written down and is left out", kind=entry.kind.name, times=times)
            return None

    def handle(self, entry: Entry, leave: Leave | None = None) -> tuple[Stamp, Effects, bool]:
        """Let the kernel decide: the stamp, the effects and whether they are urgent. The input is accepted by
        ``accept``. ``leave`` takes safety commands early, where the kernel can (``LeavesEarly``). Raises whatever the
        kernel raises; the world must then be made anew."""
        stamp = self._stamp()
        if leave is None or self._handle_leaving is None:
            effects = self._kernel.handle(self._world, entry.item, stamp)
        else:
            effects = self._handle_leaving(self._world, entry.item, stamp, leave)
        urgent = False
        if effects:  # nearly every reading has none
            urgent = is_urgent(effects)
            for effect in effects:
                if isinstance(effect, Put) and type(effect.row) not in self._row_types:
                    raise TypeError(f"{type(effect.row).__name__} is not among the row types of {self._kernel.name}")
        return stamp, effects, urgent

    def accept(self, entry: Entry, data: bytes, stamp: Stamp, effects: Effects, *, urgent: bool) -> Decided:
        """The input (``data`` is what ``encoded`` made of it) has its place in the log: use up the sequence number and
        write it down with its effects."""
        self._seq = stamp.seq
        if not effects:
            return Decided(entry, stamp, LogRecord(stamp, data), (), urgent)
        record = LogRecord(stamp, data, self._digests(effects))
        return Decided(entry, stamp, record, [effect.row for effect in effects if isinstance(effect, Put)], urgent)

    def resume(self) -> tuple[Decided, Effects]:
        """After ``load``: the record and the effects with which the new world begins."""
        stamp = self._stamp()
        effects = self._kernel.resume(self._world, stamp)
        return self._begun(None, stamp, effects, RecordKind.RESUMED), effects

    def set_aside(self, culprit: Culprit) -> tuple[Decided, Effects]:
        """After ``load``, in place of ``resume``: begin without ``culprit``, which is kept for people to look at."""
        stamp = self._stamp()
        effects = self._kernel.resume(self._world, stamp)
        entry = culprit.entry
        try:
            effects = effects + self._kernel.set_aside(self._world, entry.item, stamp)
        except Exception:  # noqa: BLE001 - the contract forbids it, and a bad input never kills a daemon twice
            _log.exception("set_aside raised: the shell answers in its place", kernel=self._kernel.name)
            self.load()
            effects = self._kernel.resume(self._world, stamp)
            if entry.kind is EntryKind.COMMAND:
                effects = [*effects, Reply(entry.command_id, "internal", {})]
        kind = RecordKind.RAISED if culprit.raised else RecordKind.RESUMED
        decided = self._begun(entry, stamp, effects, kind)
        kept = SetAside(stamp, _encoder.encode(entry.item), culprit.error)
        return msgspec.structs.replace(decided, set_aside=kept), effects

    def snapshot(self, reason: SnapshotReason) -> WorldSnapshot:
        """The world as it is now, after the last accepted input."""
        begun_s = time.perf_counter()
        data = encode_world(self._world)
        took_s = time.perf_counter() - begun_s
        self.counters["snapshots"] += 1
        self.counters["snapshot_worst_us"] = max(self.counters["snapshot_worst_us"], int(took_s * 1e6))
        if took_s > SNAPSHOT_SLOW_S:
            self.counters["snapshots_slow"] += 1
            _log.warning("the world is slow to encode", ms=round(took_s * 1000, 1), bytes=len(data))
        return WorldSnapshot(self._seq, reason, data)

    def _begun(self, entry: Entry | None, stamp: Stamp, effects: Effects, kind: RecordKind) -> Decided:
        self._seq = stamp.seq
        data = _encoder.encode(entry.item) if entry is not None and kind is RecordKind.RAISED else b""
        record = LogRecord(stamp, data, self._digests(effects), kind)
        rows = [effect.row for effect in effects if isinstance(effect, Put)]
        return Decided(entry, stamp, record, rows, urgent=True)

    def _stamp(self) -> Stamp:
        clock = self._clock
        return Stamp(self._seq + 1, clock.boot_id, *clock.now())

    def _digests(self, effects: Effects) -> bytes:
        try:
            return effects_digest(effects)
        except (TypeError, ValueError, OverflowError):
            self.counters["digests_failed"] += 1
            times = self.counters["digests_failed"]
            if is_told(times):
                _log.exception("an effect cannot be encoded", remedy="report it", kernel=self._kernel.name, times=times)
            return b""


def error_text(error: BaseException) -> str:
    """An exception with its traceback, for the input that is set aside."""
    return "".join(traceback.format_exception(error))
