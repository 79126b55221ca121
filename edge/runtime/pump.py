"""One device: its link, its driver, and the patience to open the link again and again.

The hard part is that a device fails in ways that look alike: unplugged, hung, babbling, or healthy and quiet. The
link says when it is gone; a device that is asked and tells nothing sensible for ``silence_s`` is treated as hung, and
its link is opened anew. Each opening has its own ``epoch``, so that nobody mistakes a reading from before a re-plug
for one after it. No pump ever waits for another. A user would notice a mistake as a lane that shows "reader offline"
until somebody restarts the box.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from drivers.driver import Driver, Output
from drivers.links.link import Link, LinkError, Opener
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState, Reading
from edge.log import is_told, structlog
from edge.runtime.clock import Clock
from edge.runtime.pump_counters import PumpCounters
from edge.runtime.settling import Settled, after, all_of

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 3.0

#: A link that lasted this long was a good one: the next loss begins with the shortest wait again.
GOOD_AFTER_NS = 5_000_000_000

SILENCE_S = 10.0

#: For links that watch over themselves (MQTT's keep-alive): one silent device of many is none of the link's business.
SILENCE_NEVER_S = 1e9

#: Least time between two ticks of a driver: a deadline that stays in the past must not eat the processor.
TICK_MIN_S = 0.0005

NS_PER_S = 1_000_000_000

_log = structlog.get_logger("pump")


class Post(Protocol):
    """Hands a reading to the daemon, which calls ``settled`` when it is on disk; false asks the pump to stop reading
    its link until ``resume``."""

    def __call__(self, reading: DeviceReading, settled: Settled | None = None, /) -> bool: ...


@dataclass(eq=False, slots=True)
class _Life:
    """One opening of the link."""

    gone: asyncio.Future[str]
    link: Link | None = None
    opened_ns: int = 0
    heard_ns: int = 0
    asked_ns: int = 0
    early: list[tuple[bytes, Settled | None]] = field(default_factory=list)


class Pump:
    """Drives one device until cancelled. ``send`` carries the kernel's commands; all else happens by itself."""

    def __init__(
        self,
        device: str,
        opener: Opener,
        driver: Driver,
        post: Post,
        *,
        clock: Clock,
        rng: random.Random,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.device = device
        self.epoch = 0
        self.counters = PumpCounters()
        self._opener = opener
        self._driver = driver
        self._post = post
        self._clock = clock
        self._rng = rng
        self._silence_ns = int(silence_s * NS_PER_S)
        self._life: _Life | None = None
        self._paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._told = ""
        self._short_lives = 0

    # --- the daemon's calls -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open, serve, re-open, until cancelled."""
        backoff_s = BACKOFF_FIRST_S
        try:
            while True:
                if await self._live():
                    backoff_s = BACKOFF_FIRST_S
                await asyncio.sleep(backoff_s * self._rng.uniform(0.75, 1.25))
                backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
        finally:
            self._opener.close()

    def send(self, command: Any) -> None:
        """Carry out a command of the kernel. While the link is down it is dropped and counted: the kernel hears of the
        loss and of the return, and decides anew."""
        if self._life is None or self._life.link is None:
            self.counters.commands_dropped += 1
            return
        self._call(self._life, self._driver.command, command)

    def resume(self) -> None:
        """The daemon has room again: read on."""
        if self._paused:
            self._paused = False
            if self._life is not None:
                self._life.heard_ns = self._clock.mono_ns()
            if self._life is not None and self._life.link is not None:
                self._life.link.resume_reading()

    @property
    def is_open(self) -> bool:
        return self._life is not None and self._life.link is not None

    # --- one life of the link -----------------------------------------------------------------------------------------

    async def _live(self) -> bool:
        """Open the link and stay until it is lost. True when it was a good one."""
        life = _Life(asyncio.get_running_loop().create_future())
        try:
            life.link = await self._opener.open(_Handler(self, life))
        except LinkError as error:
            self.counters.open_failed += 1
            self._tell_closed("cannot_open", str(error))
            return False
        self._life = life
        try:
            self._opened(life)
            reason = await life.gone
        finally:
            self._closed(life)
        self.counters.lost += 1
        lasted_ns = self._clock.mono_ns() - life.opened_ns
        self._short_lives = 0 if lasted_ns >= GOOD_AFTER_NS else self._short_lives + 1
        if is_told(self._short_lives):
            lasted_s = round(lasted_ns / NS_PER_S, 1)
            _log.warning("link lost", device=self.device, reason=reason, epoch=self.epoch, lasted_s=lasted_s)
        return self._short_lives == 0

    def _opened(self, life: _Life) -> None:
        self.epoch += 1
        self.counters.opened += 1
        self._told = ""
        life.opened_ns = life.heard_ns = self._clock.mono_ns()
        if is_told(self._short_lives + 1):  # a gateway that opens and hangs up at once would fill the log
            _log.info("link open", device=self.device, epoch=self.epoch)
        if self._paused and life.link is not None:
            life.link.pause_reading()
        self._call(life, self._driver.opened)
        for data, settled in life.early:
            self.received(life, data, settled)

    def _closed(self, life: _Life) -> None:
        self._disarm()
        link, life.link, self._life = life.link, None, None
        if link is not None:
            link.close()
        try:
            readings = self._driver.closed(self._clock.mono_ns()).readings
        except Exception:  # noqa: BLE001 - a driver's bug must not end its pump
            self.counters.driver_errors += 1
            _log.exception("the driver failed", device=self.device)
            readings = [DeviceHealth(state=DeviceState.LOST, problem="link_closed")]
        for reading in readings:
            self._hand_over(reading)

    def received(self, life: _Life, data: bytes, settled: Settled | None = None) -> None:
        """Bytes came (called by the link's handler)."""
        if life is not self._life:
            life.early.append((data, settled))
            return
        self.counters.bytes_in += len(data)
        self._call(life, self._driver.received, data, settled=settled)

    def _call(self, life: _Life, act: Callable[..., Output], *what: Any, settled: Settled | None = None) -> None:
        """Let the driver act (on ``what``, now), then do what it wants. ``settled`` is called when all that came of it
        is on disk, or when nothing came of it (also of a message that the driver fails on: sent again, it would fail
        again)."""
        now_ns = self._clock.mono_ns()
        try:
            output = act(*what, now_ns)
        except Exception:  # noqa: BLE001 - a driver's bug costs its own device a re-opening and nobody else anything
            self.counters.driver_errors += 1
            _log.exception("the driver failed", device=self.device)
            self._hand_over(DeviceHealth(state=DeviceState.FAULT, problem="driver_error"))
            if settled is not None:
                settled()
            self._end(life, "the driver failed")
            return
        if output.write:
            self._write(life, output.write)
            life.asked_ns = now_ns
        if output.acknowledge:
            settled = after(lambda: self._write(life, output.acknowledge), settled)
        each = None if settled is None else all_of(len(output.readings), settled)
        for reading in output.readings:
            if not isinstance(reading, DeviceHealth) or reading.state is DeviceState.READY:
                life.heard_ns = now_ns
            self._hand_over(reading, each)
        self._arm(life, now_ns)

    def _write(self, life: _Life, frames: list[bytes]) -> None:
        for data in frames:
            if life.link is not None:
                self.counters.bytes_out += len(data)
                life.link.write(data)

    def _hand_over(self, reading: Reading, settled: Settled | None = None) -> None:
        told = DeviceReading(self.device, self.epoch, reading)
        room = self._post(told) if settled is None else self._post(told, settled)
        if not room and not self._paused:
            self._paused = True
            self.counters.paused += 1
            if self._life is not None and self._life.link is not None:
                self._life.link.pause_reading()

    def _tell_closed(self, problem: str, detail: str) -> None:
        """Report a link that cannot be opened, once per cause and not per attempt."""
        if detail != self._told:
            self._told = detail
            _log.warning("link cannot be opened", device=self.device, reason=detail)
            self._hand_over(DeviceHealth(state=DeviceState.LOST, problem=problem, detail=detail))

    # --- time ---------------------------------------------------------------------------------------------------------

    def _arm(self, life: _Life, now_ns: int) -> None:
        """A timer that comes early only looks again, so it is moved when it must come earlier, not at each message."""
        if life.gone.done():
            self._disarm()
            return
        due_ns = life.heard_ns + self._silence_ns
        deadline_ns = self._driver.deadline()
        if deadline_ns is not None and deadline_ns < due_ns:
            due_ns = deadline_ns
        if self._timer is not None and self._timer_ns <= due_ns:
            return
        self._disarm()
        delay_s = max((due_ns - now_ns) / NS_PER_S, TICK_MIN_S)
        self._timer_ns = due_ns
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._due, life)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, life: _Life) -> None:
        self._timer = None
        now_ns = self._clock.mono_ns()
        if now_ns - life.heard_ns >= self._silence_ns and not self._paused:
            if life.asked_ns > life.heard_ns:
                self.counters.silences += 1
                silence_s = self._silence_ns // NS_PER_S
                self._end(life, f"asked, but nothing sensible heard for {silence_s} s")
                return
            life.heard_ns = now_ns
        deadline_ns = self._driver.deadline()
        if deadline_ns is not None and now_ns >= deadline_ns:
            self._call(life, self._driver.tick)
        else:
            self._arm(life, now_ns)

    def _end(self, life: _Life, reason: str) -> None:
        if not life.gone.done():
            life.gone.set_result(reason)


class _Handler:
    """What the link calls."""

    def __init__(self, pump: Pump, life: _Life) -> None:
        self._pump = pump
        self._life = life

    def data_received(self, data: bytes) -> None:
        self._pump.received(self._life, data)

    def message_received(self, data: bytes, settled: Settled) -> None:
        self._pump.received(self._life, data, settled)

    def link_lost(self, reason: str) -> None:
        life = self._life
        life.link = None
        if not life.gone.done():
            life.gone.set_result(reason)
