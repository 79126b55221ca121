"""How late the event loop runs, and how long the garbage collector holds it up.

The hard part is that a stall cannot report itself. A heartbeat that should come every ``BEAT_S`` measures how late it
is: work that holds the loop for longer than ``STALL_S`` is counted when a beat falls into it, and work that the
daemon does itself is measured in full (``spent``). A user would notice a stall as a price that hesitates.
"""

from __future__ import annotations

import asyncio
import gc
import time

BEAT_S = 0.05
STALL_S = 0.005

#: Objects made between young collections. The default of 700 runs the collector hundreds of times a second under load;
#: what lives on after start is frozen, so that a full collection stays below a millisecond (``latency.md`` 7).
GC_THRESHOLDS = (10_000, 20, 50)


class LagMeter:
    """``counters`` are since start; ``take_worst_ms`` since the last call."""

    def __init__(self) -> None:
        self.counters = {"loop_stalls": 0, "gc_pauses": 0, "gc_worst_us": 0}
        self._worst_s = 0.0
        self._counted = False
        self._due_s = 0.0
        self._gc_began_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to measure."""
        self._loop = asyncio.get_running_loop()
        gc.callbacks.append(self._on_gc)
        self._arm()

    def stop(self) -> None:
        """Stop measuring; idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._on_gc in gc.callbacks:
            gc.callbacks.remove(self._on_gc)

    def spent(self, seconds: float) -> None:
        """The caller held the loop for so long."""
        self._worst_s = max(self._worst_s, seconds)
        if seconds > STALL_S and not self._counted:
            self.counters["loop_stalls"] += 1
            self._counted = True

    def take_worst_ms(self) -> float:
        """The worst lateness since the last call."""
        worst_s, self._worst_s = self._worst_s, 0.0
        return round(worst_s * 1000, 3)

    def _arm(self) -> None:
        self._due_s = time.monotonic() + BEAT_S
        self._timer = self._loop.call_later(BEAT_S, self._beat)

    def _beat(self) -> None:
        # A timer may rightly come up to a millisecond late: epoll counts in milliseconds.
        self.spent(max(0.0, time.monotonic() - self._due_s - 0.001))
        self._counted = False
        self._arm()

    def _on_gc(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._gc_began_s = time.perf_counter()
        elif info["generation"] == 2:
            self.counters["gc_pauses"] += 1
            pause_us = int((time.perf_counter() - self._gc_began_s) * 1e6)
            self.counters["gc_worst_us"] = max(self.counters["gc_worst_us"], pause_us)


def settle_memory() -> None:
    """After start (in which ``kangle run`` collects nothing): collect once, then take all that lives out of the
    collector's sight."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
