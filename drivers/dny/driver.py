"""Driver of DNY / AP3000 charging boards behind one TCP connection. See PROTOCOL.md section 4.

The hard part is the pace: a board takes one command in half a second, and a cut of all its ports must not wait behind a
start. A user would notice a mistake as a port that is stopped last because somebody else had just begun to charge.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from drivers.dny import contents
from drivers.dny.frames import Command, Frame, Grammar, Link, Message, encode
from drivers.ends import Ends
from drivers.engine import NS_PER_MS
from drivers.options import OptionReader, OptionValue
from drivers.stream import StreamDriver
from drivers.wallclock import WallClock, to_wall_ns
from edge.domain.devices import DeviceCommand, DeviceIdentity
from edge.domain.field_devices import (
    CardReading,
    MeterReading,
    Operate,
    OutputReading,
    PointHealth,
    Poll,
    SessionReading,
    SetClock,
)

WAITING_MAX = 64
"""Starts that wait for their turn; more are refused. Stops are one per port and never refused."""
ASKED_MAX = 256
BOARDS_MAX = 64
_STATES: dict[int, tuple[bool | None, str]] = {
    **dict.fromkeys((0, 2, 3), (False, "")),
    **dict.fromkeys((1, 5), (True, "")),
    **dict.fromkeys((4, 6, 7, 8, 0x0A, 0x0B, 0x0D, 0x10), (None, "output_fault")),
    **dict.fromkeys((9, 0x0E), (None, "welded")),
}
"""Port state -> (on, fault); PROTOCOL.md section 3.2."""
_PLUGGED = {0: False, 1: True, 2: True, 3: True, 5: True}
_REASONS = {1: "full", 2: "limit", 3: "overpower", 5: "unplugged", 8: "remote", 11: "hot"}
_DONE, _ALREADY = 0x00, 0x02

K = TypeVar("K")
V = TypeVar("V")


class _Job(NamedTuple):
    """A command that waits for its turn."""

    device_id: str
    port: int
    on: bool
    command_id: str
    expires_ns: int


class DnyDriver(StreamDriver[Frame]):
    """Options as PROTOCOL.md section 5 lists them."""

    protocol = "dny"
    silent_hint = "no board speaks on this connection: its ports are unknown; check power, antenna and SIM card"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        read = OptionReader("dny", options)
        silent_s = read.integer("silent_s", 200, 10, 3600)
        self._board_silent_ns = silent_s * 1000 * NS_PER_MS
        self._limit_min = read.integer("limit_min", 600, 1, 1092)
        self._gap_ns = read.integer("gap_ms", 500, 0, 5000) * NS_PER_MS
        self._cut_gap_ns = read.integer("cut_gap_ms", 50, 0, 1000) * NS_PER_MS
        read.finish()
        super().__init__(Grammar(), partial_ms=3_000, silent_ms=silent_s * 1000)
        self._clock = WallClock()
        self._message_id = 0
        self._cuts: dict[tuple[str, int], _Job] = {}
        self._starts: deque[_Job] = deque()
        self._asked: dict[int, _Job] = {}
        self._boards: dict[str, int] = {}
        """Device id -> when it was last heard; 0: told as silent."""
        self._sessions: dict[str, str] = {}
        self._ends = Ends()
        self._wrote_ns: int | None = None

    # --- stream -------------------------------------------------------------------------------------------------------

    def on_opened(self) -> None:
        self._wrote_ns = None

    def on_closed(self) -> None:
        """Starts of a lost connection are never sent later; the kernel decides anew. So for stops, which it repeats."""
        self._starts.clear()
        self._cuts.clear()
        self._asked.clear()
        for board in self._boards:
            self._boards[board] = 0
            self.say(PointHealth(point=board, online=False, detail="link_closed"))

    def is_sign_of_life(self, frame: Frame) -> bool:
        return isinstance(frame, Message)

    def on_frame(self, frame: Frame) -> None:
        if isinstance(frame, Link):
            # The radio module lives; that says nothing of the board behind it.
            self.alive("link")
            return
        self.ready()
        if frame.device_id in self._boards or len(self._boards) < BOARDS_MAX:
            self._boards[frame.device_id] = self.now_ns
        self._message(frame)
        self.say(PointHealth(point=frame.device_id, online=True, rebooted=frame.command == Command.REGISTER))

    def on_command(self, command: DeviceCommand) -> bool:
        match command:
            case Operate():
                return self._operate(command)
            case Poll(point=point):
                boards = [point.partition(":")[0]] if point else list(self._boards)
                known = [board for board in boards if board in self._boards]
                for board in known:
                    self.write(encode(board, self._next_id(), Command.QUERY))
                return bool(known)
            case SetClock(wall_ns=wall_ns):
                self._clock.set(wall_ns, self.now_ns)
                return True
            case _:
                return False

    def on_tick(self) -> None:
        self._send_due()
        for board, heard_ns in self._boards.items():
            if heard_ns and self.now_ns >= heard_ns + self._board_silent_ns:
                self._boards[board] = 0
                self.say(PointHealth(point=board, online=False, detail="silent"))

    def next_tick(self) -> int | None:
        at = [heard_ns + self._board_silent_ns for heard_ns in self._boards.values() if heard_ns]
        if self._cuts:
            at.append(self._free_at(self._cut_gap_ns))
        elif self._starts:
            at.append(self._free_at(self._gap_ns))
        return min(at, default=None)

    # --- commands -----------------------------------------------------------------------------------------------------

    def _operate(self, command: Operate) -> bool:
        device_id, _, number = command.point.partition(":")
        known = len(device_id) == 8 and all(digit in "0123456789abcdef" for digit in device_id)
        if not known or not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 255:
            return False
        job = _Job(device_id, int(number) - 1, command.on, command.command_id, command.expires_mono_ns)
        if not command.on:
            # A stop also removes a start of the same port that still waits.
            self._starts = deque(each for each in self._starts if (each.device_id, each.port) != (device_id, job.port))
            self._cuts[device_id, job.port] = job
        elif len(self._starts) >= WAITING_MAX:
            return False
        else:
            self._starts.append(job)
        self._send_due()
        return True

    def _free_at(self, gap_ns: int) -> int:
        return self.now_ns if self._wrote_ns is None else self._wrote_ns + gap_ns

    def _send_due(self) -> None:
        """Stops first, closely spaced; a start only when no stop waits."""
        while self._cuts and self.now_ns >= self._free_at(self._cut_gap_ns):
            self._put(self._cuts.pop(next(iter(self._cuts))))
        while self._starts and not self._cuts and self.now_ns >= self._free_at(self._gap_ns):
            job = self._starts.popleft()
            if job.expires_ns and self.now_ns >= job.expires_ns:
                detail = "expired before it could be sent"
                self.say(OutputReading(point=_point(job), command_id=job.command_id, accepted=False, detail=detail))
            else:
                self._put(job)

    def _put(self, job: _Job) -> None:
        order = order_of(job.command_id)
        if job.on:
            self._ends.started(_point(job))
            _remember(self._sessions, order, job.command_id)
        data = contents.write_charge(job.port, on=job.on, limit_s=self._limit_min * 60 if job.on else 0, order=order)
        message_id = self._next_id()
        _remember(self._asked, message_id, job)
        self._wrote_ns = self.now_ns
        self.write(encode(job.device_id, message_id, Command.CHARGE, data))

    def _next_id(self) -> int:
        self._message_id = self._message_id % 0xFFFF + 1
        return self._message_id

    # --- what the boards say ------------------------------------------------------------------------------------------

    def _message(self, message: Message) -> None:
        data = message.data
        match message.command:
            case Command.REGISTER:
                self._registered(message, contents.read_register(data))
            case Command.HEARTBEAT | Command.HEARTBEAT_OLD:
                self._heartbeat(message, contents.read_ports(data, old=message.command == Command.HEARTBEAT_OLD))
            case Command.PORT_POWER | Command.PORT_POWER_LONG:
                self._power(message, contents.read_port_power(data))
            case Command.SETTLEMENT:
                self._settled(message, contents.read_settlement(data))
            case Command.CARD if (card := contents.read_card(data)) is not None:
                self.say(CardReading(point=f"{message.device_id}:{card.port + 1}", card=card.card, bits=32))
            case Command.CHARGE:
                self._answered(message, contents.read_charge_reply(data))
            case Command.TIME | Command.HOST_TIME if self._clock.is_set:
                seconds = to_wall_ns(self._clock.china(self.now_ns)) // 1_000_000_000
                self._reply(message, seconds.to_bytes(4, "little"))
            case Command.ORDER_CONFIRM:
                self._reply(message, b"\x00")
            case Command.ALARM:
                self.ready("board_alarm", f"board {message.device_id} reports an alarm: {data.hex()}")
            case _:
                pass

    def _reply(self, message: Message, data: bytes) -> None:
        self.write(encode(message.device_id, message.message_id, message.command, data))

    def _registered(self, message: Message, content: contents.Register | None) -> None:
        self._reply(message, b"\x00")
        if content is not None:
            model = f"AP3000, {content.port_count} ports"
            self.say(DeviceIdentity(protocol="dny", model=model, firmware=content.firmware, serial=message.device_id))

    def _heartbeat(self, message: Message, content: contents.Ports | None) -> None:
        if content is None:
            return
        temperature_c = None if content.temperature_c is None else float(content.temperature_c)
        self.say(MeterReading(point=message.device_id, voltage_v=content.voltage_v, temperature_c=temperature_c))
        for port, state in enumerate(content.states):
            self._state(f"{message.device_id}:{port + 1}", state)

    def _state(self, point: str, state: int) -> None:
        on, fault = _STATES.get(state, (None, ""))
        plugged = _PLUGGED.get(state)
        self.say(OutputReading(point=point, on=on, fault=fault, plugged=plugged, detail=f"state {state}"))

    def _power(self, message: Message, content: contents.PortPower | None) -> None:
        if content is None:
            return
        point = f"{message.device_id}:{content.port + 1}"
        self._state(point, content.state)
        self.say(MeterReading(point=point, power_w=content.power_w, energy_wh=content.energy_wh))

    def _settled(self, message: Message, content: contents.Settlement | None) -> None:
        """Acknowledged in any case: a board repeats its settlement until it is."""
        self.output.acknowledge.append(encode(message.device_id, message.message_id, message.command, b"\x00"))
        point = "" if content is None else f"{message.device_id}:{content.port + 1}"
        if content is None or self._ends.is_old(point, content.order):
            return
        self.say(
            SessionReading(
                point=point,
                session=self._sessions.pop(content.order, content.order),
                phase="ended",
                end_reason=_REASONS.get(content.reason, "unknown"),
                energy_wh=content.energy_wh,
                duration_s=content.duration_s,
                card="" if content.card == "00000000" else content.card,
            )
        )
        self.say(OutputReading(point=point, on=False, detail=f"settlement {content.reason}"))

    def _answered(self, message: Message, content: contents.ChargeReply | None) -> None:
        job = self._asked.pop(message.message_id, None)
        if job is None or content is None or job.device_id != message.device_id:
            return
        accepted = content.code == _DONE or (content.code == _ALREADY and not job.on)
        self.say(
            OutputReading(
                point=_point(job),
                on=False if accepted and not job.on else None,
                command_id=job.command_id,
                accepted=accepted,
                detail=f"result {content.code:02x}",
            )
        )


def _remember(store: dict[K, V], key: K, value: V) -> None:
    """Keep at most ASKED_MAX; the oldest goes."""
    store[key] = value
    if len(store) > ASKED_MAX:
        del store[next(iter(store))]


def _point(job: _Job) -> str:
    return f"{job.device_id}:{job.port + 1}"


def order_of(command_id: str) -> str:
    """The 16 characters under which a board keeps a charge: always the same ones for a command."""
    return hashlib.sha256(command_id.encode()).hexdigest()[:16]
