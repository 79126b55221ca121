"""What simulated devices on a shared serial line have in common: wire time, order of events, an echo, a power switch.

The hard part is what two devices do to each other: two that answer at once destroy both answers, and an adapter that
hears itself gives the host its own request before the answer. A user would notice as a master that works with one
meter on the table and not with twenty in a garage.

In simulated time, like ``firmware_sim.reader``; ``firmware_sim.ptyport`` puts it on a pseudo-terminal.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Sequence

from firmware_sim.line import NAMED_FAULTS, Heard, Line, LineFaults, LineSettings

#: Requests that wait while the line is busy; more is a host that does not wait for answers.
MAX_REQUESTS = 256


class LineDevice:
    """A line with whatever hangs on it. A subclass implements ``on_bytes`` and calls ``answer`` and ``at``."""

    def __init__(self, line: LineSettings, seed: int) -> None:
        self.line = Line(line, random.Random(f"line {seed}"))
        self.random = random.Random(f"devices {seed}")
        self.echo = False
        self.wrong_parity = False
        self.collisions = 0
        self._requests: deque[Heard] = deque()
        self._events: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()
        self._awake_ns = 0
        self._powered = True

    # --- the family's side

    def on_bytes(self, heard: Heard) -> None:
        """Bytes of the host have crossed the wire."""
        raise NotImplementedError

    def forget(self) -> None:
        """Power was lost: forget partial frames."""

    def answer(self, frames: Sequence[bytes], earliest_ns: int) -> int:
        """Send an answer; several at once collide: the line is low where any of them pulls it low. Returns when its
        last byte has left."""
        frame = frames[0]
        if len(frames) > 1:
            self.collisions += 1
            size = max(map(len, frames))
            padded = [each.ljust(size, b"\xff") for each in frames]
            frame = bytes(_all_and(column) for column in zip(*padded, strict=True))
        if self.wrong_parity:
            frame = bytes((byte << 1 & 0xFF) | (byte >> 7) for byte in frame)
        return self.line.send(frame, earliest_ns)

    def at(self, due_ns: int, act: Callable[[int], None]) -> None:
        """Do ``act`` at ``due_ns``."""
        heapq.heappush(self._events, (due_ns, next(self._order), act))

    # --- the caller's side

    def begin(self, now_ns: int) -> None:
        """Its time begins at ``now_ns`` and not at 0: what it does by itself is due from now, nothing is made up for.
        (On a machine that has run for weeks, a board would log in a hundred thousand times first.)"""
        self._events = [(max(due_ns, now_ns), order, act) for due_ns, order, act in self._events]
        heapq.heapify(self._events)

    def receive(self, data: bytes, now_ns: int) -> None:
        self._advance(now_ns)
        heard = self.line.hear(data, now_ns)
        if heard is None:
            return
        if self.echo:
            self.line.send(heard.data, heard.start_ns)
        if len(self._requests) >= MAX_REQUESTS:
            self._requests.popleft()
        self._requests.append(heard)

    def deadline(self) -> int | None:
        due = [self.line.deadline()]
        if self._requests:
            due.append(self._requests[0].end_ns)
        if self._events:
            due.append(self._events[0][0])
        return min((each for each in due if each is not None), default=None)

    def take(self, now_ns: int) -> bytes:
        self._advance(now_ns)
        return self.line.take(now_ns)

    def is_awake(self, now_ns: int) -> bool:
        """Whether it listens: it has power, and has booted."""
        return self._powered and now_ns >= self._awake_ns

    def baud(self) -> int:
        return self.line.settings.baud

    def set_faults(self, faults: LineFaults | str, now_ns: int) -> None:
        self._advance(now_ns)
        self.line.set_faults(NAMED_FAULTS[faults] if isinstance(faults, str) else faults, now_ns)

    def restart(self, now_ns: int, boot_ns: int = 0) -> None:
        self._advance(now_ns)
        self.line.cut()
        self._requests.clear()
        self._awake_ns = now_ns + boot_ns
        self.forget()

    def unplugged(self, now_ns: int) -> None:
        self.restart(now_ns)
        self._powered = False

    def plugged(self, now_ns: int, boot_ns: int = 0) -> None:
        self._powered = True
        self.restart(now_ns, boot_ns)

    def _advance(self, now_ns: int) -> None:
        while True:
            request_ns = self._requests[0].end_ns if self._requests else None
            event_ns = self._events[0][0] if self._events else None
            if request_ns is not None and request_ns <= now_ns and (event_ns is None or request_ns <= event_ns):
                heard = self._requests.popleft()
                if heard.start_ns >= self._awake_ns and self._powered:
                    self.on_bytes(heard)
            elif event_ns is not None and event_ns <= now_ns:
                due_ns, _, act = heapq.heappop(self._events)
                act(due_ns)
            else:
                return


def _all_and(column: tuple[int, ...]) -> int:
    value = 0xFF
    for byte in column:
        value &= byte
    return value
