"""Brings a kernel the ``Timer`` input that it asked for by its deadline.

The hard part is the slip: a deadline that stays in the past would turn the loop into a furnace, so a timer that moved
nothing makes the next one wait. A user would notice a mistake as a box that is hot and slow for no reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from edge.runtime.clock import Clock

#: Least wait before a timer whose deadline did not move.
SPIN_NS = 100_000_000

#: Least wait after a timer on which the kernel raised: each raise costs a new world.
RAISED_NS = 1_000_000_000

_NS_PER_S = 1_000_000_000


class KernelTimer:
    """``arm`` after each turn of the loop; ``due`` is called when the input should enter, once until ``taken``."""

    def __init__(self, clock: Clock, due: Callable[[], None]) -> None:
        self.counters = {"timers": 0, "timer_spins": 0}
        self._clock = clock
        self._due = due
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._armed_ns: int | None = None
        self._not_before_ns = 0
        self._queued = False

    def arm(self, deadline_ns: int | None) -> None:
        """Wait for ``deadline_ns`` (monotonic) and no other; None = no timer."""
        due_ns = None if deadline_ns is None or self._queued else max(deadline_ns, self._not_before_ns)
        if due_ns == self._armed_ns:
            return
        self.stop()
        self._armed_ns = due_ns
        if due_ns is not None:
            delay_s = max(due_ns - self._clock.mono_ns(), 0) / _NS_PER_S
            self._handle = self._loop.call_later(delay_s, self._fire)

    def taken(self, before_ns: int | None, after_ns: int | None) -> None:
        """The kernel has taken the timer input; its deadline was ``before_ns`` and is ``after_ns``."""
        self._queued = False
        self.counters["timers"] += 1
        now_ns = self._clock.mono_ns()
        self._not_before_ns = 0
        if after_ns is not None and after_ns <= now_ns and after_ns == before_ns:
            self.counters["timer_spins"] += 1
            self._not_before_ns = now_ns + SPIN_NS

    def raised(self) -> None:
        """The kernel raised on the timer input."""
        self._queued = False
        self._not_before_ns = self._clock.mono_ns() + RAISED_NS

    def stop(self) -> None:
        """Wait for nothing."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._armed_ns = None

    def _fire(self) -> None:
        due_ns = self._armed_ns
        self._handle = self._armed_ns = None
        if due_ns is None:
            return
        if self._clock.mono_ns() < due_ns:  # the loop counts in milliseconds and may be a little early
            self.arm(due_ns)
            return
        self._queued = True
        self._due()
