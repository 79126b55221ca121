"""What all drivers share whose device speaks of its own accord over a stream: boards, transmission units.

The subclass says what a frame means; here is what is the same for all: cutting, giving up a partial frame, noticing
silence, health. The hard part is silence: a TCP connection to a board that lost its power stays open for minutes, and a
user would notice as ports that look alive and are not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from drivers.buffer import Grammar, Refused, Scanner
from drivers.driver import Output
from drivers.engine import NS_PER_MS
from drivers.health_reporter import HealthReporter
from edge.domain.devices import DeviceCommand, DeviceState, Reading
from edge.domain.field_devices import PointHealth

F = TypeVar("F")


class StreamDriver(ABC, Generic[F]):
    """Implements ``drivers.driver.Driver``. ``partial_ms``: a partial frame older than this is given up. ``silent_ms``:
    without a good frame for so long the device counts as silent (fault ``silent``) until it speaks again."""

    protocol: str
    silent_hint: str
    """What to look at when the device is silent."""

    def __init__(self, grammar: Grammar[F], *, partial_ms: int, silent_ms: int) -> None:
        self.scanner = Scanner(grammar)
        self.output = Output()
        self.now_ns = 0
        self.ignored_commands = 0
        """Commands that this device cannot do, counted since creation."""
        self.silences = 0
        self.is_open = False
        self._partial_ns = partial_ms * NS_PER_MS
        self._silent_ns = silent_ms * NS_PER_MS
        self._received_ns = 0
        self._heard_ns = 0
        self._silent = False
        self._refused_at_open = (0, 0, 0)
        self._health = HealthReporter(self._counters)

    # --- Driver ---------------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> Output:
        self.now_ns = self._heard_ns = now_ns
        self.scanner.reset()
        self.is_open, self._silent = True, False
        self.silences = 0
        self._refused_at_open = (self.scanner.frames, self.scanner.refused, self.scanner.noise_bytes)
        self._change(DeviceState.CONNECTING)
        self.on_opened()
        return self._take()

    def received(self, data: bytes, now_ns: int) -> Output:
        self.now_ns = self._received_ns = now_ns
        self._deliver(self.scanner.feed(data))
        return self._take()

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        self.now_ns = now_ns
        if not self.on_command(command):
            self.ignored_commands += 1
        return self._take()

    def tick(self, now_ns: int) -> Output:
        self.now_ns = now_ns
        if self.is_open:
            if self.scanner.pending and now_ns >= self._received_ns + self._partial_ns:
                found = self.scanner.flush()
                self.scanner.reset()
                self._deliver(found)
            if not self._silent and now_ns >= self._heard_ns + self._silent_ns:
                self._silent = True
                self.silences += 1
                self._change(DeviceState.FAULT, "silent", self.silent_hint)
                self.on_silent()
            self.on_tick()
            self.output.readings += self._health.repeat(now_ns)
        return self._take()

    def closed(self, now_ns: int) -> Output:
        self.now_ns = now_ns
        self.is_open = False
        self.scanner.reset()
        self.on_closed()
        self._change(DeviceState.LOST, "link_closed")
        return self._take()

    def deadline(self) -> int | None:
        if not self.is_open:
            return None
        at = [self.next_tick(), self._health.deadline()]
        if self.scanner.pending:
            at.append(self._received_ns + self._partial_ns)
        if not self._silent:
            at.append(self._heard_ns + self._silent_ns)
        return min((each for each in at if each is not None), default=None)

    # --- for subclasses -------------------------------------------------------------------------------------------

    @abstractmethod
    def on_frame(self, frame: F) -> None:
        """A good frame."""

    @abstractmethod
    def on_command(self, command: DeviceCommand) -> bool:
        """Carry it out; False when this device cannot."""

    def on_opened(self) -> None:
        """The link is open (again)."""

    def on_closed(self) -> None:
        """The link is gone."""

    def is_sign_of_life(self, frame: F) -> bool:
        """False for what a modem says while the device behind it may be dead."""
        return True

    def on_refused(self, refused: Refused) -> None:
        """Bytes were refused."""

    def on_silent(self) -> None:
        """Nothing heard for ``silent_ms``."""

    def on_tick(self) -> None:
        """Time has passed."""

    def next_tick(self) -> int | None:
        """When ``on_tick`` is wanted, monotonic ns."""
        return None

    def say(self, reading: Reading) -> None:
        self.output.readings.append(reading)

    def alive(self, detail: str = "") -> None:
        """The link itself is heard of: point "" of the device."""
        self.say(PointHealth(point="", online=True, detail=detail))

    def write(self, frame: bytes) -> None:
        self.output.write.append(frame)

    def ready(self, problem: str = "", detail: str = "") -> None:
        """Ready, or at fault with a stable ``problem`` while it goes on working."""
        self._change(DeviceState.FAULT if problem else DeviceState.READY, problem, detail)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _deliver(self, found: list[F | Refused]) -> None:
        for item in found:
            if isinstance(item, Refused):
                self.on_refused(item)
                continue
            if self.is_sign_of_life(item):
                self._heard_ns = self.now_ns
                self._silent = False
            self.on_frame(item)

    def _counters(self) -> tuple[int, int, int, int]:
        frames, refused, noise = self._refused_at_open
        scanner = self.scanner
        return scanner.frames - frames, scanner.refused - refused, scanner.noise_bytes - noise, self.silences

    def _change(self, state: DeviceState, problem: str = "", detail: str = "") -> None:
        self.output.readings += self._health.change(state, problem, detail, self.now_ns)

    def _take(self) -> Output:
        output, self.output = self.output, Output()
        return output
