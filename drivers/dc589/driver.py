"""Driver of a DC589 charging board that dials us: login, heartbeats, start, stop, faults. See PROTOCOL.md section 5.

The hard part is what "off" means: a stop is answered with 10h, and zero says that there is no such port; a port is
proven off only when the board both said so and no longer lists it as charging. A user would notice a mistake as a
charger that burns on behind a tile that says "stopped".
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.buffer import Refused
from drivers.dc589.codes import BoardStatus, FaultCode, PortState, StopResult
from drivers.dc589.contents import (
    Card,
    ChargeEnd,
    CommandResult,
    Fault,
    Heartbeat,
    Login,
    Parameters,
    PortRecord,
    PowerChange,
)
from drivers.dc589.frames import Command, Frame, Grammar, encode
from drivers.dc589.ports import Ports
from drivers.dc589.sessions import SCANNED, end_reason, order_of
from drivers.ends import Ends
from drivers.options import OptionReader, OptionValue
from drivers.stream import StreamDriver
from drivers.wallclock import WallClock
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
    SignalKind,
    SignalReading,
)

BOARD_POINT = "board"
_PLATFORM_BILLING = 4
_PORT_MAX = 255
_PORT_FAULTS: dict[int, str] = {PortState.OUTPUT_FAULT: "output_fault", PortState.WELDED_RELAY: "welded"}
_ON: dict[int, bool] = {PortState.IDLE: False, PortState.CHARGING: True, PortState.OUTPUT_FAULT: False}
"""What a port's state says of its output; a welded relay and unknown states say nothing that may be believed."""
_SHORT_HEARTBEATS_MAX = 5


class Dc589Driver(StreamDriver[Frame]):
    """Options as PROTOCOL.md section 6 lists them."""

    protocol = "dc589"
    silent_hint = "the charging board has fallen silent: its ports are unknown; check its power, antenna and SIM card"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        read = OptionReader("dc589", options)
        self._heartbeat_s = read.integer("heartbeat_s", 3, 1, 60)
        self._limit_min = read.integer("limit_min", 600, 1, 1440)
        self._guard_c = read.integer("guard_min_c", 50, 50, 100), read.integer("guard_max_c", 80, 50, 100)
        read.finish()
        super().__init__(Grammar(), partial_ms=3_000, silent_ms=(3 * self._heartbeat_s + 1) * 1000)
        self._clock = WallClock()
        self._session = bytes(6)
        self._ports = Ports()
        self._ends = Ends()
        self._short = 0
        self._trouble = ("", "")

    # --- stream -------------------------------------------------------------------------------------------------------

    def on_opened(self) -> None:
        # Not secret and never reused within a boot: the monotonic clock tells one connection from the next.
        self._session = (self.now_ns // 1000 & 0xFFFF_FFFF_FFFF).to_bytes(6, "little")
        self._short = 0
        self._trouble = ("", "")

    def on_closed(self) -> None:
        self._ports.unknown()
        self.say(PointHealth(point=BOARD_POINT, online=False, detail="link_closed"))

    def on_silent(self) -> None:
        self._ports.unknown()
        self.say(PointHealth(point=BOARD_POINT, online=False, detail="silent"))

    def on_frame(self, frame: Frame) -> None:
        content = frame.content
        match content:
            case Login():
                self._login(content)
            case Heartbeat():
                self._heartbeat(content)
            case CommandResult():
                self._result(frame.command, content)
            case ChargeEnd():
                self._ended(content)
            case Fault():
                self._fault(content)
            case Card():
                self.say(CardReading(point=str(content.port), card=f"{content.card_number:08x}", bits=32))
            case PowerChange():
                self.say(MeterReading(point=str(content.port), power_w=content.power_w))
            case Parameters() if frame.command == Command.PARAMETERS:
                self._parameters(content)
            case _:
                self._other(frame)
        self.ready(*self._trouble)

    def on_refused(self, refused: Refused) -> None:
        """A heartbeat that is refused for its content may still say smoke or heat."""
        if refused.alarm:
            kind = SignalKind.SMOKE if refused.alarm == "fire" else SignalKind.HEAT
            self.say(SignalReading(point=BOARD_POINT, kind=kind, active=True, detail=f"refused: {refused.kind.value}"))

    def on_command(self, command: DeviceCommand) -> bool:
        match command:
            case Operate():
                return self._operate(command)
            case Poll():
                self._ask_for_ports()
                return True
            case SetClock(wall_ns=wall_ns):
                self._clock.set(wall_ns, self.now_ns)
                return True
            case _:
                return False

    # --- commands -----------------------------------------------------------------------------------------------------

    def _operate(self, command: Operate) -> bool:
        port = int(command.point) if command.point.isascii() and command.point.isdigit() else 0
        if not 0 < port <= _PORT_MAX:
            return False
        late = command.expires_mono_ns and self.now_ns >= command.expires_mono_ns
        if command.on and late:
            return False
        self._ports.asked(port, command.command_id, on=command.on)
        if not command.on:
            self.write(encode(Command.STOP, bytes((port,)), self._session))
            return True
        self._ends.started(str(port))
        order = order_of(command.command_id)
        self._ports.orders[port] = (order, command.command_id)
        data = bytes((port,)) + bytes.fromhex(order) + bytes((_PLATFORM_BILLING, SCANNED))
        data += self._limit_min.to_bytes(2, "little") + bytes(6)
        self.write(encode(Command.START, data, self._session))
        return True

    def _result(self, command: int, content: CommandResult) -> None:
        on = command == Command.START_REPLY
        command_id = self._ports.answered(content.port, on=on)
        done = content.result == StopResult.STOPPED  # 10h is "done" for both
        refused = content.result in {StopResult.NO_SUCH_PORT, StopResult.PORT_FAULT}
        if not on and done:
            self._ports.confirmed_off.add(content.port)
        self.say(
            OutputReading(
                point=str(content.port),
                on=False if done and not on else None,
                fault="output_fault" if content.result == StopResult.PORT_FAULT else "",
                command_id=command_id,
                accepted=True if done else False if refused else None,
                detail=f"result {content.result:02x}",
            )
        )
        if on and done and content.port in self._ports.orders:
            session = self._ports.orders[content.port][1]
            self.say(SessionReading(point=str(content.port), session=session, phase="started"))

    def _ask_for_ports(self) -> None:
        data = self._heartbeat_s.to_bytes(2, "little") + b"\x01"
        self.write(encode(Command.HEARTBEAT_SETTING, data, self._session))

    # --- what the board says ------------------------------------------------------------------------------------------

    def _login(self, content: Login) -> None:
        self.write(encode(Command.LOGIN_REPLY, b"\x00" + self._bcd_time(), self._session))
        # Without this the board's own default decides whether ports are told at all.
        self._ask_for_ports()
        self.write(encode(Command.READ_PARAMETERS, b"\x00", self._session))
        firmware = f"{content.software_id}:{content.software_version}"
        self.say(
            DeviceIdentity(protocol="dc589", model=content.hardware_version, firmware=firmware, serial=content.board_id)
        )
        self.say(PointHealth(point=BOARD_POINT, online=True, rebooted=True))

    def _heartbeat(self, content: Heartbeat) -> None:
        self.write(encode(Command.HEARTBEAT_REPLY, b"\x01", self._session))
        self.say(PointHealth(point=BOARD_POINT, online=True))
        if content.port_states is None or content.ports is None:
            self._short += 1
            if self._short % _SHORT_HEARTBEATS_MAX == 0:
                self._ask_for_ports()
                self._trouble = ("ports_not_told", "the board tells no ports although asked: its firmware may be old")
            return
        self._short = 0
        if self._trouble[0] == "ports_not_told":
            self._trouble = ("", "")
        self._board(content)
        records = {record.port: record for record in content.ports}
        for port, state in enumerate(content.port_states, 1):
            self._port(port, state, records.get(port), content)

    def _board(self, content: Heartbeat) -> None:
        status = content.board_status
        for kind, code in ((SignalKind.SMOKE, BoardStatus.SMOKE), (SignalKind.HEAT, BoardStatus.HIGH_TEMPERATURE)):
            # A status that is in no table says neither smoke nor its absence.
            known = status in frozenset(BoardStatus)
            active = status == code if known else None
            self.say(SignalReading(point=BOARD_POINT, kind=kind, active=active, detail=f"status {status}"))
        temperature_c = None if content.temperature_c is None else float(content.temperature_c)
        voltage_v = None if content.voltage_v is None else float(content.voltage_v)
        self.say(MeterReading(point=BOARD_POINT, voltage_v=voltage_v, temperature_c=temperature_c))

    def _port(self, port: int, state: int, record: PortRecord | None, content: Heartbeat) -> None:
        point = str(port)
        on = _ON.get(state)
        fault = _PORT_FAULTS.get(state, "")
        self.say(OutputReading(point=point, on=on, fault=fault, detail=f"state {state}"))
        if state != PortState.IDLE:
            self._ports.confirmed_off.discard(port)
        if record is not None:
            voltage_v = None if content.voltage_v is None else float(content.voltage_v)
            self.say(MeterReading(point=point, power_w=record.power_w, energy_wh=record.energy_wh, voltage_v=voltage_v))
        elif state == PortState.IDLE and content.complete and port in self._ports.confirmed_off:
            # The stop was confirmed, the port is idle, and the board lists all that draw power without it.
            self.say(MeterReading(point=point, power_w=0.0))

    def _ended(self, content: ChargeEnd) -> None:
        self.output.acknowledge.append(encode(Command.CHARGE_END_REPLY, bytes((0, content.port)), self._session))
        if self._ends.is_old(str(content.port), content.order):
            self.alive("charge end told again")
            return
        order, session = self._ports.orders.pop(content.port, (content.order, content.order))
        if order != content.order:
            session = content.order
        self.say(
            SessionReading(
                point=str(content.port),
                session=session,
                phase="ended",
                end_reason=end_reason(content),
                energy_wh=content.energy_wh,
                duration_s=content.charged_s,
            )
        )
        self.say(OutputReading(point=str(content.port), on=False, detail=f"charge end {content.reason}"))

    def _fault(self, content: Fault) -> None:
        self.output.acknowledge.append(encode(Command.FAULT_REPLY, bytes((0, content.port)), self._session))
        detail = f"port {content.port}"
        match content.fault:
            case FaultCode.SMOKE:
                self.say(SignalReading(point=BOARD_POINT, kind=SignalKind.SMOKE, active=True, detail=detail))
                fault = "smoke"
            case FaultCode.HIGH_TEMPERATURE:
                self.say(SignalReading(point=BOARD_POINT, kind=SignalKind.HEAT, active=True, detail=detail))
                fault = "overheat"
            case _:
                fault = "output_fault"
        self.say(OutputReading(point=str(content.port), fault=fault, detail=f"fault {content.fault:02x}"))

    def _parameters(self, content: Parameters) -> None:
        """The board's own guard is its dead-man: say when somebody switched it off."""
        low_c, high_c = self._guard_c
        guard_c = content.temperature_guard_c
        if guard_c is None or not low_c <= guard_c <= high_c:
            told = "off" if guard_c is None else f"{guard_c} C"
            detail = f"the board's temperature guard is {told}: set it to {low_c}-{high_c} C at the board"
            self._trouble = ("temperature_guard", detail)
        elif self._trouble[0] == "temperature_guard":
            self._trouble = ("", "")
        self.alive("parameters")

    def _other(self, frame: Frame) -> None:
        if frame.command == Command.TIME_REQUEST:
            self.write(encode(Command.TIME_REPLY, self._bcd_time(), self._session))
        elif frame.command == Command.BALANCE_QUERY and len(frame.data) >= 5:
            # Purses are not the board's business: the card is told as not known here.
            self.write(encode(Command.BALANCE_REPLY, b"\x01" + frame.data[1:5] + bytes(2), self._session))
        self.alive(f"command {frame.command:02x}")

    def _bcd_time(self) -> bytes:
        return bytes.fromhex(self._clock.china(self.now_ns).strftime("%y%m%d%H%M%S"))
