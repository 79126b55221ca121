"""What every simulated reader has: a line, a field, power, and simulated time that only moves when told.

The hard part is order: requests, rounds on the air and frames leaving the wire all happen at their own simulated
times, and a caller may ask late. ``_advance`` therefore works off due things in the order of their times, however far
the caller jumped. A user would notice as a recorded session that cannot be replayed.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from firmware_sim.chips import Field
from firmware_sim.line import NAMED_FAULTS, Heard, Line, LineFaults, LineSettings

#: A controller reboots in about this time, silent (our assumption; readers state "some 100 ms").
REBOOT_NS = 400_000_000
#: Requests that wait while the reader works. More than a few is a host that does not wait for answers.
MAX_REQUESTS = 64


class SimReader(Protocol):
    """A reader in simulated time. ``deadline`` is when it next has bytes or work; ``take`` moves its time to
    ``now_ns``."""

    def receive(self, data: bytes, now_ns: int) -> None: ...
    def deadline(self) -> int | None: ...
    def take(self, now_ns: int) -> bytes: ...


class Actions(NamedTuple):
    """What a family adds: what it does with bytes of the host that have crossed the wire, what it does when the time
    ``_work_ns`` has come (it sets it again for more), and how it loses all volatile state."""

    on_bytes: Callable[[Heard], None]
    on_work: Callable[[int], None]
    forget: Callable[[], None]


class ReaderBase:
    """Line, boot and ordering of events, the same for all families."""

    def __init__(self, antenna: Field, line: LineSettings, seed: int, actions: Actions) -> None:
        self._actions = actions
        self.field = antenna
        self.line = Line(line, random.Random(f"line {seed}"))
        self._boot_line = line
        self._random = random.Random(f"reader {seed}")
        self._requests: deque[Heard] = deque()
        self._awake_ns = 0
        #: When the next thing that the reader does by itself is due (a round of a running poll); None = nothing.
        self._work_ns: int | None = None

    # --- the caller's side

    def receive(self, data: bytes, now_ns: int) -> None:
        """The host began to write ``data`` at ``now_ns``."""
        self._advance(now_ns)
        heard = self.line.hear(data, now_ns)
        if heard is not None:
            if len(self._requests) >= MAX_REQUESTS:
                self.line.counters.overrun_bytes += len(self._requests.popleft().data)
            self._requests.append(heard)

    def deadline(self) -> int | None:
        """Simulated ns at which ``take`` next does something, or None while the reader only waits."""
        due_ns = self.line.deadline()
        if self._requests and (due_ns is None or self._requests[0].end_ns < due_ns):
            due_ns = self._requests[0].end_ns
        if self._work_ns is not None and (due_ns is None or self._work_ns < due_ns):
            due_ns = self._work_ns
        return due_ns

    def take(self, now_ns: int) -> bytes:
        """Move on to ``now_ns`` and give the bytes whose wire time has passed."""
        self._advance(now_ns)
        return self.line.take(now_ns)

    def is_awake(self, now_ns: int) -> bool:
        """Whether it listens: it has power, and has booted."""
        return now_ns >= self._awake_ns

    def baud(self) -> int:
        """The rate that the reader talks at now."""
        return self.line.settings.baud

    # --- faults, switchable at any time

    def set_faults(self, faults: LineFaults | str, now_ns: int) -> None:
        """Switch line faults, by value or by a name of ``NAMED_FAULTS``. Leaves what is under way as it is."""
        self._advance(now_ns)
        self.line.set_faults(NAMED_FAULTS[faults] if isinstance(faults, str) else faults, now_ns)

    def restart(self, now_ns: int, boot_ns: int = REBOOT_NS) -> None:
        """The controller resets (watchdog, brown-out): all volatile state is lost, silence for ``boot_ns``."""
        self._advance(now_ns)
        self.line.cut()
        self._restart(now_ns, boot_ns)

    def unplugged(self, now_ns: int) -> None:
        """The plug was pulled; a bus-powered reader loses its power with it."""
        self.restart(now_ns, 0)
        self._awake_ns = 1 << 62

    def plugged(self, now_ns: int, boot_ns: int = REBOOT_NS) -> None:
        """Plugged in again: it boots."""
        self._restart(now_ns, boot_ns)

    # --- the family's side

    def _restart(self, now_ns: int, boot_ns: int) -> None:
        self._requests.clear()
        self._work_ns = None
        self._awake_ns = now_ns + boot_ns
        self.line.settings = self._boot_line
        self.field.power_lost()
        self._actions.forget()

    def _advance(self, now_ns: int) -> None:
        while True:
            request_ns = self._requests[0].end_ns if self._requests else None
            work_ns = self._work_ns
            if request_ns is not None and request_ns <= now_ns and (work_ns is None or request_ns <= work_ns):
                heard = self._requests.popleft()
                if heard.start_ns >= self._awake_ns:
                    self._actions.on_bytes(heard)
            elif work_ns is not None and work_ns <= now_ns:
                self._work_ns = None
                self._actions.on_work(work_ns)
            else:
                return
