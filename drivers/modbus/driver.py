"""Driver of a Modbus line, RTU or TCP: relay boards, contactors with auxiliary contacts, switches, gauges, meters.

See PROTOCOL.md section 4. The hard part is a relay's word: a coil that reads back "off" says what the board wants, the
auxiliary contact says what the contactor did, and only current proves it. A user would notice a mistake as a welded
contactor that is shown open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from drivers.buffer import Scanner
from drivers.bus import BusDriver
from drivers.busqueue import Item, Station
from drivers.driver import Output
from drivers.engine import NS_PER_MS, Ask, Engine, Script, Silence
from drivers.modbus.echo import Echo, EchoFilter
from drivers.modbus.frames import (
    Frame,
    RtuGrammar,
    TcpGrammar,
    encode,
    read_request,
    write_coil_request,
    write_register_request,
)
from drivers.modbus.gym import RepTracker
from drivers.modbus.mapping import CONTACT, OUTPUT, SIGNALS, Entry, Table, read_map
from drivers.modbus.pdu import EXCEPTION_NAMES, Message
from drivers.modbus.values import Block, blocks_of, fits, readings_of, strength_of
from drivers.options import OptionReader, OptionValue
from edge.domain.devices import Reading
from edge.domain.field_devices import (
    Operate,
    OutputReading,
    PointHealth,
    Quality,
    SignalKind,
    SignalReading,
)

TELL_AGAIN_NS = 2_000 * NS_PER_MS
"""An unchanged state is told again after so long: the kernel lives on news, not on silence."""
WELDED_NS = 1_000 * NS_PER_MS
"""An auxiliary contact that is still made so long after an accepted OFF is a welded contactor."""
_BITS_PER_BYTE = 11
_HOLD_MAX = 0xFFFF


class ModbusDriver(BusDriver[Frame]):
    """Options as PROTOCOL.md section 6 lists them; LocalProtocolError names a wrong one."""

    protocol = "modbus"
    line_hint = "no unit answers: check the wires A and B, baud rate, parity and unit ids (TCP: address and port)"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        self._tcp = reader.choice("framing", "rtu", ("rtu", "tcp")) == "tcp"
        baud = reader.integer("baud", 9_600, 300, 1_000_000)
        poll_ms = reader.integer("poll_ms", 500, 20, 3_600_000)
        self._timeout_ms = reader.integer("timeout_ms", 300, 10, 10_000)
        dead_poll_ms = reader.integer("dead_poll_s", 10, 1, 3_600) * 1000
        self._gap_ns = reader.integer("gap_ms", 0 if self._tcp else 5, 0, 500) * NS_PER_MS
        self._quiet_ns = reader.integer("quiet_ms", 50, 5, 1_000) * NS_PER_MS
        echo = reader.choice("echo", "auto", ("auto", "on", "off"))
        self.entries = read_map(reader, poll_ms)
        reader.finish()
        fixed = {"auto": Echo.UNKNOWN, "on": Echo.PRESENT, "off": Echo.ABSENT}[echo]
        self.echo = EchoFilter(Echo.ABSENT if self._tcp else fixed)
        self._byte_ns = 0 if self._tcp else _BITS_PER_BYTE * 1_000_000_000 // baud
        self._outputs = {entry.point: entry for entry in self.entries if entry.role == OUTPUT}
        self._commanded: dict[str, tuple[bool, int]] = {}
        self._told_states: dict[tuple[str, str], tuple[Reading, int]] = {}
        self._trackers: dict[str, RepTracker] = {}
        self._transaction = 0
        self._received_ns = 0
        items = [self._item(block) for block in blocks_of(self._read_entries())]
        units = sorted({entry.unit for entry in self.entries})
        stations = [Station(str(unit), self._points_of(unit)) for unit in units]
        super().__init__(items, stations, dead_poll_ms=dead_poll_ms)

    def _read_entries(self) -> list[Entry]:
        """An output's own coil is read back only where no auxiliary contact tells better."""
        with_contact = {entry.point for entry in self.entries if entry.role == CONTACT}
        return [entry for entry in self.entries if entry.role != OUTPUT or entry.point not in with_contact]

    def _points_of(self, unit: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(entry.point for entry in self.entries if entry.unit == unit))

    def _new_engine(self) -> Engine[Frame]:
        grammar = TcpGrammar(from_host=False) if self._tcp else RtuGrammar(from_host=False)
        return Engine(Scanner[Frame](grammar), self._gap_ns, self._quiet_ns, patient=True)

    # --- echo ---------------------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> Output:
        self.echo.forget()
        self._commanded.clear()
        self._told_states.clear()
        self._trackers.clear()
        return super().opened(now_ns)

    def received(self, data: bytes, now_ns: int) -> Output:
        self._received_ns = now_ns
        return super().received(self.echo.heard(data), now_ns)

    def tick(self, now_ns: int) -> Output:
        if self.echo.holds and now_ns >= self._received_ns + self._quiet_ns:
            self._engine.received(self.echo.release(), now_ns)
        return super().tick(now_ns)

    def deadline(self) -> int | None:
        at = super().deadline()
        if at is None or not self.echo.holds:
            return at
        return min(at, self._received_ns + self._quiet_ns)

    def _take(self) -> Output:
        output = super()._take()
        for frame in output.write:
            self.echo.sent(frame, telling=frame[1] in {1, 2, 3, 4} and not self._tcp)
        return output

    # --- reading ------------------------------------------------------------------------------------------------------

    def _item(self, block: Block) -> Item:
        proof = any(entry.role not in SIGNALS for entry in block.entries)
        return Item(
            station=str(block.unit),
            points=block.points,
            period_ns=block.every_ms * NS_PER_MS,
            ask=partial(self._read_ask, block),
            told=partial(self._told, block),
            proof=proof,
        )

    def _read_ask(self, block: Block) -> Ask:
        request = read_request(block.function, block.address, block.quantity)
        answer_bytes = 5 + 2 * block.quantity

        def matches(message: Message) -> bool:
            return message.function == block.function and (message.exception_code is not None or fits(block, message))

        return self._ask(block.unit, request, answer_bytes, matches)

    def _ask(self, unit: int, request: bytes, answer_bytes: int, matches: Callable[[Message], bool]) -> Ask:
        transaction = None
        if self._tcp:
            self._transaction = transaction = (self._transaction + 1) & 0xFFFF
        frame = encode(unit, request, transaction)
        timeout_ns = self._timeout_ms * NS_PER_MS + (2 * len(frame) + answer_bytes) * self._byte_ns

        def is_answer(got: Frame) -> bool:
            return got.unit == unit and got.transaction == transaction and matches(got.message)

        return Ask(frame, timeout_ns, is_answer)

    def _told(self, block: Block, frame: Frame) -> None:
        if frame.message.exception_code is not None:
            self._tell_exception(block, frame.message.exception_code)
            return
        for reading in readings_of(block, frame.message):
            self._tell(self._judged(reading))
        for point, picture in strength_of(block, frame.message).items():
            for reading in self._trackers.setdefault(point, RepTracker(point)).take(picture):
                self.say(reading)

    def _tell(self, reading: Reading) -> None:
        """Measurements always, two-state readings when they change and again after a while."""
        if isinstance(reading, OutputReading | SignalReading):
            key = (reading.point, reading.kind if isinstance(reading, SignalReading) else OUTPUT)
            last, told_ns = self._told_states.get(key, (None, 0))
            proving = self.queue.is_proving(reading.point, self.now_ns)
            if reading == last and self.now_ns - told_ns < TELL_AGAIN_NS and not proving:
                return
            self._told_states[key] = (reading, self.now_ns)
        self.say(reading)

    def _judged(self, reading: Reading) -> Reading:
        """A contact that stays made after an accepted OFF: the contactor is welded, and the cut begins anew."""
        if not isinstance(reading, OutputReading) or not reading.on:
            return reading
        wanted, since_ns = self._commanded.get(reading.point, (True, 0))
        if wanted or self.now_ns - since_ns < WELDED_NS:
            return reading
        self.queue.still_flowing(reading.point)
        return OutputReading(point=reading.point, on=True, fault="welded", detail="still made after an accepted OFF")

    def _tell_exception(self, block: Block, code: int) -> None:
        detail = f"{block.table} {block.address}: {EXCEPTION_NAMES.get(code, f'exception {code}')}"
        for entry in block.entries:
            if entry.role in SIGNALS:
                kind = SignalKind(entry.role)
                fault = SignalReading(point=entry.point, kind=kind, active=None, quality=Quality.FAULT, detail=detail)
                self._tell(fault)
            elif self._told_states.get((entry.point, entry.role), (None, 0))[0] is None:
                health = PointHealth(point=entry.point, online=True, detail=detail)
                self._told_states[entry.point, entry.role] = (health, self.now_ns)
                self.say(health)

    # --- switching ----------------------------------------------------------------------------------------------------

    def _can_operate(self, point: str) -> bool:
        return point in self._outputs

    def _station_of(self, point: str) -> str:
        return str(self._outputs[point].unit)

    def _operate_ask(self, command: Operate, attempt: int) -> Ask | str:
        entry = self._outputs[command.point]
        on = command.on != entry.invert
        if entry.table is Table.COIL:
            return self._write_ask(entry.unit, write_coil_request(entry.address, on=on))
        return self._write_ask(entry.unit, write_register_request(entry.address, entry.on if on else entry.off))

    def _write_ask(self, unit: int, request: bytes) -> Ask:
        def matches(message: Message) -> bool:
            if message.function != request[0]:
                return False
            if message.exception_code is not None:
                return True
            return message.data == request[1:] and not self.echo.takes_answer()

        return self._ask(unit, request, len(request) + 3, matches)

    def _before_on(self, command: Operate) -> Script[str]:
        """Write the dead-man's time first, where the board has a register for it."""
        entry = self._outputs[command.point]
        if entry.hold is None or not command.hold_s:
            return ""
        address, unit_ms = entry.hold
        ticks = min(_HOLD_MAX, max(1, command.hold_s * 1000 // unit_ms))
        answer: Frame | Silence = yield self._write_ask(entry.unit, write_register_request(address, ticks))
        if isinstance(answer, Silence):
            return "no answer to the hold time"
        return self._outcome(answer)[1]

    def _outcome(self, answer: Frame) -> tuple[bool, str]:
        code = answer.message.exception_code
        return (True, "") if code is None else (False, EXCEPTION_NAMES.get(code, f"exception_{code}"))

    def _answer(self, command: Operate, *, accepted: bool, detail: str) -> None:
        if accepted:
            self._commanded[command.point] = (command.on, self.now_ns)
        super()._answer(command, accepted=accepted, detail=detail)
