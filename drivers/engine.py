"""Runs a driver's script against a half-duplex line: ask, wait, give up, go on. Pure: time comes in as numbers.

A script is a generator that yields what it waits for and is sent what came, so that a handshake or an inventory reads
from top to bottom. The hard part is time: silence before a request, answers that break off, answers that come after
their time-out. A user would notice a mistake as a reader that is polled too slowly, or never again after a disturbance.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum
from typing import Any, Generic, NamedTuple, TypeVar

from drivers.buffer import Refused, Scanner
from drivers.driver import Output

NS_PER_MS = 1_000_000
_EVENTS_PER_TICK_MAX = 64
"""A script that asks for more at one instant would spin; the rest is done at the next tick."""

F = TypeVar("F")


def earlier(one_ns: int | None, other_ns: int | None) -> int | None:
    """The earlier of two deadlines, of which each may be wanted never (None)."""
    if one_ns is None or other_ns is None:
        return other_ns if one_ns is None else one_ns
    return min(one_ns, other_ns)


class Silence(Enum):
    """Sent to the script instead of a frame. DAMAGED: bytes came and were refused, then the line fell silent.
    RECALLED: the request was taken back, or too old, before it was written (``Engine.recall``)."""

    TIMED_OUT = "timed_out"
    DAMAGED = "damaged"
    RECALLED = "recalled"


class Ask(NamedTuple):
    """Send ``frame`` once the line has been silent long enough; wait for a frame that ``matches``. After
    ``good_until_ns`` (0: for ever) it is not sent any more and counts as recalled."""

    frame: bytes
    timeout_ns: int
    matches: Callable[[Any], bool]
    good_until_ns: int = 0


class Listen(NamedTuple):
    """Wait for a further frame that ``matches`` until the line has been silent for ``quiet_ns``."""

    quiet_ns: int
    matches: Callable[[Any], bool]


class Sleep(NamedTuple):
    """Do nothing until the time comes (None: for ever) or ``Engine.wake`` is called."""

    until_ns: int | None


Wait = Ask | Listen | Sleep
T = TypeVar("T")
Script = Generator[Wait, Any, T]
"""Yields a Wait; is sent a frame or a Silence, and after a Sleep None."""


class Engine(Generic[F]):
    """One line, one script. ``gap_ns`` is the silence before a request, ``quiet_ns`` the one after which a partial
    frame is given up. ``now_ns`` is the time of the event that the script is being told of; ``output`` collects what to
    write. ``refusals`` are those since the script last cleared the list, at most 32 (older ones are dropped, all are
    counted). ``strays`` are good frames that nobody waited for. A ``patient`` engine does not take noise for the
    answer: only a refused frame ends the wait before its time-out, since a slow station may still speak."""

    def __init__(self, scanner: Scanner[F], gap_ns: int, quiet_ns: int, *, patient: bool = False) -> None:
        self.scanner = scanner
        self.output = Output()
        self.now_ns = 0
        self.timeouts = 0
        self.strays = 0
        self.refusals: list[Refused] = []
        self._gap_ns = gap_ns
        self._quiet_ns = quiet_ns
        self._patient = patient
        self._script: Script[None] | None = None
        self._wait: Wait | None = None
        self._since_ns = 0  # when the request was written or the listening began
        self._sent = False
        self._delivering = False
        self._damage_before = 0
        self._refused_before = 0
        self._received_ns: int | None = None

    @property
    def damage(self) -> int:
        """Grows whenever bytes are refused."""
        return self.scanner.refused + self.scanner.noise_bytes

    def start(self, script: Script[None], now_ns: int) -> None:
        """Forget everything and run ``script`` to its first wait."""
        self.stop()
        self.now_ns = now_ns
        self._received_ns = None
        self._script = script
        self._begin(next(script))

    def stop(self) -> None:
        """Drop the script and all partial bytes."""
        self.scanner.reset()
        self.refusals.clear()
        if self._script is not None:
            self._script.close()
        self._script = self._wait = None

    def received(self, data: bytes, now_ns: int) -> None:
        self.now_ns = now_ns
        if self._script is None:
            return
        self._received_ns = now_ns
        self._deliver(self.scanner.feed(data))

    def wake(self, now_ns: int) -> None:
        """End a Sleep early."""
        self.now_ns = now_ns
        if isinstance(self._wait, Sleep):
            self._resume(None)

    def recall(self, now_ns: int) -> None:
        """Take back a request that still waits for the line to fall silent: something more urgent has come."""
        self.now_ns = now_ns
        if isinstance(self._wait, Ask) and not self._sent:
            self._resume(Silence.RECALLED)

    def tick(self, now_ns: int) -> None:
        self.now_ns = now_ns
        for _ in range(_EVENTS_PER_TICK_MAX):
            deadline = self.deadline()
            if deadline is None or deadline > now_ns:
                return
            self._expire()

    def deadline(self) -> int | None:
        """When ``tick`` is wanted next, monotonic ns. Asked after every event, so it builds nothing."""
        wait, pending = self._wait, self.scanner.pending
        if isinstance(wait, Ask):
            due_ns = self._answer_by(wait) if self._sent else self._send_at(wait)
            if pending or (self._sent and self._is_spoilt()):
                return min(due_ns, self._quiet_at())
            return due_ns
        if isinstance(wait, Listen):
            return self._quiet_at()
        until_ns = None if wait is None else wait.until_ns
        if not pending:
            return until_ns
        quiet_ns = self._quiet_at()
        return quiet_ns if until_ns is None else min(quiet_ns, until_ns)

    def _is_spoilt(self) -> bool:
        """The answer, or what may have been it, was refused."""
        if self._patient:
            return self.scanner.refused != self._refused_before
        return self.damage != self._damage_before

    def _send_at(self, ask: Ask) -> int:
        """When the line has been silent long enough; on a line that never falls silent, one time-out later at most."""
        since_ns, received_ns = self._since_ns, self._received_ns
        if received_ns is None or received_ns + self._gap_ns <= since_ns:
            return since_ns
        return min(received_ns + self._gap_ns, since_ns + ask.timeout_ns)

    def _quiet_at(self) -> int:
        received = self._received_ns or 0
        if isinstance(self._wait, Listen):
            return max(self._since_ns, received) + self._wait.quiet_ns
        return received + self._quiet_ns

    def _answer_by(self, ask: Ask) -> int:
        """An answer that is coming in at its time-out may come to its end, but not for ever on a noisy line."""
        by = self._since_ns + ask.timeout_ns
        if self.scanner.pending:
            by = max(by, min(self._quiet_at(), by + ask.timeout_ns))
        return by

    def _expire(self) -> None:
        """The earliest deadline has come."""
        now, wait = self.now_ns, self._wait
        overdue = isinstance(wait, Ask) and self._sent and now >= self._answer_by(wait)
        if self.scanner.pending and (overdue or now >= self._quiet_at()):
            found = self.scanner.flush()
            self.scanner.reset()
            self._deliver(found)
            return
        match wait:
            case Ask() as ask if not self._sent:
                self._send_if_silent(ask)
            case Ask():
                damaged = self.damage != self._damage_before
                if not damaged:
                    self.timeouts += 1
                self._resume(Silence.DAMAGED if damaged else Silence.TIMED_OUT)
            case Listen():
                self._resume(Silence.TIMED_OUT)
            case _:
                self._resume(None)

    def _deliver(self, found: list[F | Refused]) -> None:
        """All of ``found`` came before anything that is written now, so requests wait until it is handed out: else a
        frame would be taken for the answer to a question that had not been asked yet."""
        self._delivering = True
        for item in found:
            if isinstance(item, Refused):
                self.refusals.append(item)
                del self.refusals[:-32]
            elif isinstance(self._wait, Listen) or (isinstance(self._wait, Ask) and self._sent):
                if self._wait.matches(item):
                    self._resume(item)
                else:
                    self.strays += 1
            else:
                self.strays += 1
        self._delivering = False
        if isinstance(self._wait, Ask):
            self._send_if_silent(self._wait)

    def _resume(self, value: F | Silence | None) -> None:
        assert self._script is not None
        self._begin(self._script.send(value))

    def _begin(self, wait: Wait) -> None:
        self._wait = wait
        self._since_ns = self.now_ns
        if isinstance(wait, Ask):
            self._sent = False
            if not self._delivering:
                self._send_if_silent(wait)

    def _send_if_silent(self, ask: Ask) -> None:
        if self._sent or self._send_at(ask) > self.now_ns:
            return
        if 0 < ask.good_until_ns < self.now_ns:
            self._resume(Silence.RECALLED)
            return
        self._sent = True
        self._since_ns = self.now_ns
        self._damage_before = self.damage
        self._refused_before = self.scanner.refused
        self.output.write.append(ask.frame)
