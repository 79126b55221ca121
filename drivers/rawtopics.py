"""Drivers of wireless devices behind a raw gateway (``drivers.rawvalue``): what all such protocols share.

Dropping what the broker or the gateway repeats, lateness, who is heard of, and stopping a machine. The hard part is a
gateway that was cut off: it sends what it had kept, minutes late and beside what is new. A user would notice a mistake
as a distance that goes back and forth.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Protocol

from drivers.buffer import Refusal
from drivers.driver import Output
from drivers.engine import NS_PER_MS
from drivers.messages import Message, Problem
from drivers.options import OptionReader
from drivers.presence import PresenceDriver
from drivers.rawvalue import RAW, RawValue, parse_raw
from drivers.repeats import Lately
from drivers.topics import POINTS_MAX
from drivers.wallclock import WallClock
from edge.domain.devices import DeviceCommand, Reading
from edge.domain.field_devices import Operate, PointHealth, SetClock
from edge.domain.machine_readings import StopMachine, StopOutcome

WRITE = "write"
_SEEN_MAX = 32
"""Messages of a point that are remembered to know a repetition."""


class Session(Protocol):
    """What reads one channel of one point."""

    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal: ...


class Stopper(Protocol):
    """Carries out a StopMachine at one machine: writes, waits for answers, gives up."""

    deadline_ns: int

    def begin(self, now_ns: int) -> tuple[str, bytes]:
        """Channel and bytes of the first write."""
        ...

    def heard(self, value: RawValue, now_ns: int) -> tuple[str, bytes] | StopOutcome | None:
        """The next write, the outcome, or nothing if ``value`` is no answer."""
        ...

    def given_up(self) -> StopOutcome: ...


Sessions = Mapping[str, Callable[[str], Session]]
"""Channel -> maker of a session for a point."""
Stoppers = Callable[[StopMachine, int], Stopper]


class _Point:
    """What is known of a point since the link is open: who reads its channels, and when it was last heard."""

    __slots__ = ("heard_ns", "online", "prefix", "sessions")

    def __init__(self) -> None:
        self.prefix = ""
        self.heard_ns = 0
        self.online = False
        self.sessions: dict[str, Session] = {}


class RawDriver(PresenceDriver):
    """Base of the drivers whose devices speak through a raw gateway. A subclass gives ``sessions`` and may give
    ``stoppers``. ``duplicates`` and ``foreign`` (channels that nobody reads) are counted since creation."""

    quiet_hint = "no raw value comes; is the gateway connected to the broker, and is the site's name right?"

    def __init__(self, reader: OptionReader, sessions: Sessions, stoppers: Stoppers | None = None) -> None:
        super().__init__()
        site = reader.topic("site", "", empty=True)
        self._silent_ns = reader.integer("silent_s", 30, 1, 86_400) * 1000 * NS_PER_MS
        self._allow_stop = reader.flag("allow_stop", default=False)
        self._keep_raw = reader.flag("keep_raw", default=False)
        self._sessions = sessions
        self._stoppers = stoppers
        self.topics: tuple[str, ...] = (f"{site or '+'}/+/+/{RAW}", self.presence_topic(site))
        self.duplicates = 0
        self.foreign = 0
        self.clock = WallClock()
        self._points: OrderedDict[str, _Point] = OrderedDict()
        self._seen: Lately[tuple[int, str, bytes]] = Lately(_SEEN_MAX)
        self._stopping: dict[str, Stopper] = {}

    # --- in -----------------------------------------------------------------------------------------------------------

    def on_opened(self) -> None:
        super().on_opened()
        self._points.clear()
        self._stopping.clear()

    def on_presence(self, point: str, *, online: bool) -> None:
        known = self._points.get(point)
        if known is not None:
            known.online = False  # told already; its next word, or its silence, is told anew

    def on_message(self, message: Message) -> None:
        if self.took_status(message):
            return
        value = parse_raw(message, self.delay_ms)
        if isinstance(value, Problem):
            self.refused += 1
            return
        point = self._point(value.point)
        point.prefix = value.prefix
        if self._is_repeated(value):
            self.duplicates += 1
            return
        self._stop_heard(value)
        if self._keep_raw:
            value = value._replace(raw_hex=value.data.hex())
        session = self._session(point, value)
        if session is None:
            self.foreign += 1
            return
        told = session.take(value, self.now_ns)
        if isinstance(told, Refusal):
            self.refused += 1
            return
        self.heard()
        if not value.retained:
            self._alive(value.point, point)
        for reading in told:
            self.say(reading)

    def delay_ms(self, wall_ns: int) -> int | None:
        """How long ago ``wall_ns`` was by the clock that we were told; None without one, never below 0."""
        now_wall_ns = self.clock.wall_ns(self.now_ns)
        return None if now_wall_ns is None else max(0, (now_wall_ns - wall_ns) // NS_PER_MS)

    def _point(self, name: str) -> _Point:
        point = self._points.get(name)
        if point is None:
            point = self._points[name] = _Point()
            if len(self._points) > POINTS_MAX:
                self._points.popitem(last=False)
        return point

    def _alive(self, name: str, point: _Point) -> None:
        point.heard_ns = self.now_ns
        self._points.move_to_end(name)
        if not point.online:
            point.online = True
            self.say(PointHealth(point=name, online=True))

    def _is_repeated(self, value: RawValue) -> bool:
        """A message that came before: the same count and the same bytes. A gateway that began to count anew repeats
        counts, not both."""
        if value.source_seq is None:
            return False
        key = (value.source_seq, value.channel, value.data)
        seen = self._seen.of(value.point)
        if key in seen:
            return True
        seen.append(key)
        return False

    def _session(self, point: _Point, value: RawValue) -> Session | None:
        session = point.sessions.get(value.channel)
        if session is None and (make := self._sessions.get(value.channel)) is not None:
            session = point.sessions[value.channel] = make(value.point)
        return session

    # --- time ---------------------------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> Output:
        self.now_ns = now_ns
        for name, point in self._points.items():
            if point.heard_ns + self._silent_ns > now_ns:
                break
            if point.online:
                point.online = False
                if not self.is_present(name):
                    self.say(PointHealth(point=name, online=False, detail="silent"))
        for name, stopper in list(self._stopping.items()):
            if now_ns >= stopper.deadline_ns:
                del self._stopping[name]
                self.say(stopper.given_up())
        return super().tick(now_ns)

    def deadline(self) -> int | None:
        at = super().deadline()
        if at is None:
            return None
        online = next((point for point in self._points.values() if point.online), None)
        if online is not None:
            at = min(at, online.heard_ns + self._silent_ns)
        return min([at, *(stopper.deadline_ns for stopper in self._stopping.values())])

    # --- out ----------------------------------------------------------------------------------------------------------

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        self.now_ns = now_ns
        match command:
            case StopMachine():
                self._stop(command)
                return self._take()
            case SetClock(wall_ns=wall_ns):
                self.clock.set(wall_ns, now_ns)
                return self._take()
            case _:
                return super().command(command, now_ns)

    def on_operate(self, command: Operate) -> bool:
        return False

    def on_poll(self, point: str) -> bool:
        return False

    def _stop(self, command: StopMachine) -> None:
        point = self._points.get(command.point)
        detail = ""
        if not self._allow_stop:
            detail = "not_allowed"
        elif self._stoppers is None or point is None:
            detail = "not_supported"
        elif 0 < command.expires_mono_ns <= self.now_ns:
            detail = "expired"
        if detail or self._stoppers is None or point is None:
            self.ignored_commands += 1
            outcome = StopOutcome(point=command.point, command_id=command.command_id, accepted=False, detail=detail)
            self.say(outcome)
            return
        stopper = self._stoppers(command, self.now_ns)
        self._stopping[command.point] = stopper
        self._write(point, *stopper.begin(self.now_ns))

    def _stop_heard(self, value: RawValue) -> None:
        stopper = self._stopping.get(value.point)
        if stopper is None or value.retained:
            return
        told = stopper.heard(value, self.now_ns)
        if isinstance(told, StopOutcome):
            del self._stopping[value.point]
            self.say(told)
        elif told is not None:
            self._write(self._points[value.point], *told)

    def _write(self, point: _Point, channel: str, data: bytes) -> None:
        payload = f'{{"transport": "ble", "char": "{channel}", "hex": "{data.hex()}"}}'
        self.publish(f"{point.prefix}/{WRITE}", payload, expiry_s=1)
