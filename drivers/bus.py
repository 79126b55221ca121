"""The master of a line that many stations share: one question at a time, cuts first. See ``drivers.busqueue`` for the
order; here is how it is carried out.

A subclass says what is asked and what an answer means. The hard part is a cut that comes while a poll is under way: it
leaves after that poll's answer or time-out, never on top of it, since two frames at once on a half-duplex line destroy
each other. A user would notice a mistake as a charger that is cut seconds late, or never.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from drivers.busqueue import BusQueue, Cut, Item, Station, StrayWatch
from drivers.driver import Output
from drivers.engine import NS_PER_MS, Ask, Engine, Script, Silence, Sleep, earlier
from drivers.health_reporter import HealthReporter
from drivers.wallclock import WallClock
from edge.domain.devices import DeviceCommand, DeviceIdentity, DeviceState, Reading
from edge.domain.field_devices import Operate, OutputReading, PointHealth, Poll, SetClock

F = TypeVar("F")
STRAYS = (
    "answers come that nobody asked for: two masters, two stations with one address, or one slower than its time-out"
)


class BusDriver(ABC, Generic[F]):
    """Implements ``drivers.driver.Driver``. ``line_hint``: what to look at when nobody answers."""

    protocol: str
    line_hint: str

    def __init__(self, items: list[Item], stations: list[Station], *, dead_poll_ms: int) -> None:
        self.queue = BusQueue(items, {station.name: station for station in stations}, dead_poll_ms * NS_PER_MS)
        self.clock = WallClock()
        self.ignored_commands = 0
        """Commands that no point of this line can do, counted since creation."""
        self.expired = 0
        self._engine = self._new_engine()
        self._at_open = (0, 0, 0, 0)
        self._health = HealthReporter(self._counters)
        self._stray_watch = StrayWatch()
        self._open = False
        self._introduced = False
        self._may_recall = False

    # --- Driver -------------------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> Output:
        self._open, self._introduced, self._may_recall = True, False, False
        self._at_open = self._sums()
        self._stray_watch.begin(now_ns, self.strays())
        self.queue.begin(now_ns)
        self._engine.now_ns = now_ns
        self._change(DeviceState.CONNECTING)
        self._engine.start(self._script(), now_ns)
        return self._take()

    def received(self, data: bytes, now_ns: int) -> Output:
        self._engine.received(data, now_ns)
        return self._take()

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        self._engine.now_ns = now_ns
        match command:
            case Operate() if self._can_operate(command.point):
                self._add_operate(command, now_ns)
            case Poll(point=point):
                self.queue.hurry(point, proof_only=False)
            case SetClock(wall_ns=wall_ns):
                self.clock.set(wall_ns, now_ns)
            case _:
                self.ignored_commands += 1
        if self._open:
            self._engine.wake(now_ns)
            if self._may_recall and self.queue.next_cut() is not None:
                self._engine.recall(now_ns)
        return self._take()

    def tick(self, now_ns: int) -> Output:
        self._engine.tick(now_ns)
        if self._open:
            self._engine.output.readings += self._health.repeat(now_ns)
        return self._take()

    def closed(self, now_ns: int) -> Output:
        self._open = False
        self._engine.now_ns = now_ns
        self._engine.stop()
        self._change(DeviceState.LOST, "link_closed")
        return self._take()

    def deadline(self) -> int | None:
        return earlier(self._engine.deadline(), self._health.deadline()) if self._open else None

    # --- for subclasses -----------------------------------------------------------------------------------------------

    @abstractmethod
    def _new_engine(self) -> Engine[F]: ...

    @abstractmethod
    def _can_operate(self, point: str) -> bool: ...

    @abstractmethod
    def _station_of(self, point: str) -> str: ...

    @abstractmethod
    def _operate_ask(self, command: Operate, attempt: int) -> Ask | str:
        """The question that carries out ``command`` (``attempt`` counts from 0), or why it cannot be put."""

    @abstractmethod
    def _outcome(self, answer: F) -> tuple[bool, str]:
        """Whether the answer accepts what was asked, and the reason when not."""

    def _before_on(self, command: Operate) -> Script[str]:
        """What must be told before switching on (a dead-man's time); gives the reason when it failed."""
        yield from ()
        return ""

    def strays(self) -> int:
        """Good answers that nobody had asked for, counted since creation."""
        return self._engine.strays

    def say(self, reading: Reading) -> None:
        self._engine.output.readings.append(reading)

    @property
    def now_ns(self) -> int:
        return self._engine.now_ns

    # --- the script ---------------------------------------------------------------------------------------------------

    def _script(self) -> Script[None]:
        while True:
            cut, item = self._next()
            if cut is not None:
                yield from self._cut(cut)
            elif item is not None:
                yield from self._read(item)
            elif self.queue.switch_ons:
                yield from self._switch_on(self.queue.switch_ons.pop(next(iter(self.queue.switch_ons))))
            else:
                yield Sleep(self.queue.next_due_ns())

    def _next(self) -> tuple[Cut | None, Item | None]:
        """The next cut or read. Repeated cuts take turns with reads: neither may starve the other, and a station that
        does not answer its cut delays the others by no more than one time-out."""
        queue = self.queue
        fresh = queue.next_cut()
        if fresh is not None:
            return fresh, None
        repeat, item = queue.next_repeat(), queue.next_read(self.now_ns)
        if repeat is not None and item is not None:
            queue.reads_turn = not queue.reads_turn
            return (None, item) if queue.reads_turn else (repeat, None)
        return repeat, item

    def _cut(self, cut: Cut) -> Script[None]:
        command = cut.command
        ask = self._operate_ask(command, cut.attempts)
        cut.attempts += 1
        cut.left -= 1
        cut.tried_ns = self.now_ns
        if self._too_late(command):
            cut.pending = False
            return
        if isinstance(ask, str):
            cut.pending = False
            self._answer(command, accepted=False, detail=ask)
            return
        answer: F | Silence = yield ask._replace(good_until_ns=command.expires_mono_ns)
        if answer is Silence.RECALLED:
            self.expired += 1
            cut.pending = False
            return
        if isinstance(answer, Silence):
            # A command that came meanwhile has given the cut new attempts.
            cut.pending = cut.left > 0
            self.queue.reads_turn = False
            return
        accepted, detail = self._outcome(answer)
        cut.accepted = accepted
        cut.pending = not accepted and cut.left > 0
        self._reached(self._station_of(command.point))
        self._answer(command, accepted=accepted, detail=detail)
        self.queue.hurry(command.point, proof_only=True)

    def _switch_on(self, command: Operate) -> Script[None]:
        """At most once, and never late: a charger that comes on unasked is worse than one that stays off."""
        if self._too_late(command):
            self._answer(command, accepted=False, detail="expired")
            return
        detail = yield from self._before_on(command)
        if self.queue.is_cutting(command.point):
            detail = "a cut came"
        ask = detail or self._operate_ask(command, 0)
        if isinstance(ask, str):
            self._answer(command, accepted=False, detail=ask)
            return
        self._may_recall = True
        answer: F | Silence = yield ask._replace(good_until_ns=command.expires_mono_ns)
        self._may_recall = False
        if answer is Silence.RECALLED:
            if self.queue.is_cutting(command.point) or self._too_late(command):
                self._answer(command, accepted=False, detail="a cut came, or it expired")
            else:
                self.queue.switch_ons.setdefault(command.point, command)
            return
        if not self.queue.is_cutting(command.point):
            self.queue.cuts.pop(command.point, None)
        if not isinstance(answer, Silence):
            accepted, detail = self._outcome(answer)
            self._reached(self._station_of(command.point))
            self._answer(command, accepted=accepted, detail=detail)
        self.queue.hurry(command.point, proof_only=True)

    def _read(self, item: Item) -> Script[None]:
        self._may_recall = True
        answer: Any = yield item.ask()
        self._may_recall = False
        if answer is Silence.RECALLED:
            return
        if isinstance(answer, Silence):
            if self.queue.missed(item.station, self.now_ns):
                station = self.queue.stations[item.station]
                for point in station.points:
                    self.say(PointHealth(point=point, online=False, detail=answer.value))
            self._judge_line(answer)
            return
        came = self.queue.answered(item, self.now_ns)
        self._introduce(item.station, came=came)
        item.told(answer)
        self._judge_line(None)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _add_operate(self, command: Operate, now_ns: int) -> None:
        if not self._open:
            return
        if not command.on:
            self.queue.add_cut(command, now_ns)
        elif self.queue.is_cutting(command.point):
            self._answer(command, accepted=False, detail="a cut is on its way")
        else:
            self.queue.switch_ons[command.point] = command

    def _too_late(self, command: Operate) -> bool:
        late = 0 < command.expires_mono_ns < self.now_ns or (command.on and not command.expires_mono_ns)
        self.expired += late
        return late

    def _answer(self, command: Operate, *, accepted: bool, detail: str) -> None:
        """What the station said. Never ``on``: accepted is not opened."""
        reading = OutputReading(point=command.point, command_id=command.command_id, accepted=accepted, detail=detail)
        self.say(reading)

    def _reached(self, station: str) -> None:
        self._introduce(station, came=self.queue.heard(station, self.now_ns))

    def _introduce(self, name: str, *, came: bool) -> None:
        if not self._introduced:
            self._introduced = True
            count = len(self.queue.stations)
            self.say(DeviceIdentity(protocol=self.protocol, model=f"bus of {count}", firmware=""))
        if came:
            for point in self.queue.stations[name].points:
                self.say(PointHealth(point=point, online=True))

    def _judge_line(self, silence: Silence | None) -> None:
        """The health of the line as a whole: single stations are told as points."""
        if self._stray_watch.is_bad(self.now_ns, self.strays()):
            self._change(DeviceState.FAULT, "stray_answers", STRAYS)
        elif silence is None:
            self._change(DeviceState.READY)
        elif all(station.online is False for station in self.queue.stations.values()):
            problem = "unreadable" if silence is Silence.DAMAGED else "no_answer"
            self._change(DeviceState.FAULT, problem, self.line_hint)

    def _sums(self) -> tuple[int, int, int, int]:
        scanner = self._engine.scanner
        return scanner.frames, scanner.refused, scanner.noise_bytes, self._engine.timeouts

    def _counters(self) -> tuple[int, int, int, int]:
        frames, refused, noise, timeouts = self._sums()
        before = self._at_open
        return frames - before[0], refused - before[1], noise - before[2], timeouts - before[3]

    def _change(self, state: DeviceState, problem: str = "", detail: str = "") -> None:
        self._engine.output.readings += self._health.change(state, problem, detail, self._engine.now_ns)

    def _take(self) -> Output:
        output, self._engine.output = self._engine.output, Output()
        return output
