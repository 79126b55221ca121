"""What all drivers of MQTT devices share: one link stands for many devices behind a broker.

The subclass says what a message means; here is what is the same for all: counting what is refused, dropping commands
that came too late, health of the whole. The hard part is what a broker adds: nobody answers for a device, so the link
is "ready" when its own kind of messages comes, and each point's presence is a reading of its own. A user would notice
a mistake as a green link in front of forty dead sensors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

from drivers.driver import Output
from drivers.engine import NS_PER_MS
from drivers.health_reporter import HealthReporter
from drivers.messages import Message, encode_message, parse_message
from edge.domain.devices import DeviceCommand, DeviceState, Reading
from edge.domain.field_devices import Operate, Poll

#: Without any message of the protocol for so long after the opening, the link is at fault until one comes.
QUIET_NS = 10_000 * NS_PER_MS

_READY, _CONNECTING = DeviceState.READY, DeviceState.CONNECTING

#: Points remembered at a time; what comes beyond is still read, but forgotten at once.
POINTS_MAX = 4096

#: A command without an expiry of its own is worth nothing to a device that was away for longer.
EXPIRY_S = 5


class TopicsDriver(ABC):
    """Implements ``drivers.driver.Driver`` and ``TopicDriver``."""

    protocol: str
    topics: tuple[str, ...]
    quiet_hint: str
    """What to look at when nothing comes."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.frames = 0
        self.refused = 0
        self.ignored_commands = 0
        """Commands that this driver cannot carry out, or that came too late, counted since creation."""
        self._output = Output()
        self._is_open = False
        self._opened_ns = 0
        self._health = HealthReporter(lambda: (self.frames, self.refused, 0, 0))

    # --- Driver -------------------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> Output:
        self.now_ns = self._opened_ns = now_ns
        self._is_open = True
        self.frames = self.refused = 0
        self.health(DeviceState.CONNECTING)
        self.on_opened()
        return self._take()

    def received(self, data: bytes, now_ns: int) -> Output:
        self.now_ns = now_ns
        message = parse_message(data)
        if message is None:
            self.refused += 1
        else:
            self.on_message(message)
        return self._take()

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        self.now_ns = now_ns
        done = False
        match command:
            case Operate(on=True, expires_mono_ns=by_ns) if 0 < by_ns <= now_ns:
                pass
            case Operate(point=point) if _can_be_topic(point):
                done = self.on_operate(command)
            case Poll(point=point) if not point or _can_be_topic(point):
                done = self.on_poll(point)
            case _:
                pass
        self.ignored_commands += not done
        return self._take()

    def tick(self, now_ns: int) -> Output:
        self.now_ns = now_ns
        if self._is_open:
            if self._health.state is DeviceState.CONNECTING and now_ns >= self._opened_ns + QUIET_NS:
                self.on_quiet()
            self._output.readings += self._health.repeat(now_ns)
        return self._take()

    def closed(self, now_ns: int) -> Output:
        self.now_ns = now_ns
        self._is_open = False
        self.health(DeviceState.LOST, "link_closed")
        return self._take()

    def deadline(self) -> int | None:
        if not self._is_open:
            return None
        if self._health.state is _CONNECTING:
            return self._opened_ns + QUIET_NS
        return self._health.deadline()

    # --- for subclasses -----------------------------------------------------------------------------------------------

    @abstractmethod
    def on_message(self, message: Message) -> None:
        """A message came: ``say`` what it means, count it in ``heard`` or ``refused``."""

    @abstractmethod
    def on_operate(self, command: Operate) -> bool:
        """Carry it out; False when it cannot be."""

    @abstractmethod
    def on_poll(self, point: str) -> bool:
        """Ask the point, or all of them for ""."""

    def on_opened(self) -> None:  # noqa: B027 - most have nothing to do
        """The link is open (again)."""

    def on_quiet(self) -> None:
        """Nothing came for ``QUIET_NS`` after the opening."""
        self.health(DeviceState.FAULT, "no_answer", self.quiet_hint)

    def say(self, reading: Reading) -> None:
        self._output.readings.append(reading)

    def publish(self, topic: str, payload: str, expiry_s: int = EXPIRY_S) -> None:
        message = Message(topic=topic, payload=payload, retain=False, expiry_s=expiry_s)
        self._output.write.append(encode_message(message))

    def heard(self) -> None:
        """A good message of this protocol: whoever was connecting or quiet is ready."""
        self.frames += 1
        state = self._health.state
        if state is _READY:  # at nearly each message
            return
        if state is _CONNECTING or (state is DeviceState.FAULT and self._health.problem == "no_answer"):
            self.health(DeviceState.READY)

    def health(self, state: DeviceState, problem: str = "", detail: str = "") -> None:
        self._output.readings += self._health.change(state, problem, detail, self.now_ns)

    def expiry_s(self, command: Operate) -> int:
        """Whole seconds that a command may wait at the broker (MQTT 5 knows no shorter time)."""
        if not command.expires_mono_ns:
            return EXPIRY_S
        return max(1, -(-(command.expires_mono_ns - self.now_ns) // 1_000_000_000))

    def _take(self) -> Output:
        output, self._output = self._output, Output()
        return output


@lru_cache(POINTS_MAX)
def _can_be_topic(point: str) -> bool:
    """Whether ``point`` may stand in the topic of a publication (MQTT-3.3.2-2)."""
    return bool(point) and not {"+", "#", "\0"} & set(point) and len(point.encode("utf-8", "replace")) <= 60_000
