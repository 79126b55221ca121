"""Driver of a FEIG OBID reader in host mode: handshake, statistical and residual passes. See PROTOCOL.md section 7.

The hard part is what a pass may claim: chips that were told once stay quiet until an RF reset, so a pass without the
reset is no independent trial, and an answer that was lost on the wire has silenced chips that nobody heard of. A user
would notice a mistake as a plate that is missing from the bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from drivers.buffer import ErrorKind, Scanner
from drivers.engine import NS_PER_MS, Ask, Engine, Script, Silence
from drivers.feig.frames import (
    ANY_ADDRESS,
    COMPLETE,
    STATUS_NAMES,
    Command,
    Frame,
    Grammar,
    IsoCommand,
    Mode,
    Status,
    encode,
)
from drivers.options import OptionReader, OptionValue
from drivers.passes import NO_STATUS, PassLog
from drivers.reader import PlateReader, Trouble
from edge.domain.devices import DeviceIdentity

MORE_MAX = 64
"""Continuations of one inventory; 64 standard frames hold over 1,500 chips, more than any field."""
_DEVICE_ID_MODE = b"\x80"
_ORDINARY = COMPLETE | {Status.RF_COMMUNICATION_ERROR, Status.DATA_BUFFER_OVERFLOW, Status.MORE_DATA}
"""Statuses of a healthy reader, be the pass complete or not."""
_REMEDIES = {
    Status.COMMAND_NOT_AVAILABLE: (
        "scan_mode_on",
        "the reader is in scan mode and refuses inventories: set ISO host mode in its configuration and restart it",
    ),
    Status.RF_WARNING: ("rf_warning", "the reader warns of its field: check antenna, cable and metal near the antenna"),
}
_FOREIGN = (
    "foreign_transponder",
    (
        "a chip of another kind (a bank or door card?) is in the field and hides the rest: take it off the tray, or "
        "switch all kinds but ISO15693 off in the reader's configuration"
    ),
)


class _Kind(Enum):
    """NOT_DONE: the RF reset failed, so no inventory was made."""

    STATISTICAL = "statistical"
    RESIDUAL = "residual"
    NOT_DONE = "not_done"


class FeigDriver(PlateReader[Frame]):
    """Options as PROTOCOL.md section 8 lists them; LocalProtocolError names a wrong one."""

    protocol = "feig"
    line_hint = "factory setting 38400 8E1, even parity"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        self._address = reader.integer("address", ANY_ADDRESS, 0, 255)
        self._ont = reader.flag("ont", default=True)
        self._advanced = reader.choice("format", "standard", ("standard", "advanced")) == "advanced"
        idle_poll_ms = reader.integer("idle_poll_ms", 40, 5, 5000)
        self._gap_ns = reader.integer("gap_ms", 5, 5, 100) * NS_PER_MS
        self._quiet_ns = reader.integer("quiet_ms", 40, 12, 500) * NS_PER_MS
        self._reply_timeout_ns = reader.integer("reply_timeout_ms", 300, 20, 10_000) * NS_PER_MS
        self._inventory_timeout_ns = reader.integer("inventory_timeout_ms", 700, 50, 10_000) * NS_PER_MS
        reader.finish()
        self._must_reset = True
        super().__init__(idle_poll_ms)

    def _new_engine(self) -> Engine[Frame]:
        return Engine(Scanner(Grammar(from_host=False)), self._gap_ns, self._quiet_ns)

    def _handshake(self) -> Script[DeviceIdentity]:
        self._must_reset = True
        yield from self._step("baud rate detection (52)", Command.BAUD_RATE_DETECTION, b"\0")
        version = yield from self._step("software version (65)", Command.SOFTWARE_VERSION)
        yield from self._step("reader info (66)", Command.READER_INFO, b"\0")
        device_id = yield from self._insist("device id (66 80)", self._ask(Command.READER_INFO, _DEVICE_ID_MODE))
        yield from self._step("RF on/off (6A)", Command.RF_ON_OFF, bytes([self._field_wanted]))
        major, minor, development, _, sw_type = version.data[:5].ljust(5, b"\0")
        return DeviceIdentity(
            protocol=self.protocol,
            model=f"OBID SW-TYPE {sw_type:02x}",
            firmware=f"{major:02d}.{minor:02d}.{development:02d}",
            serial=device_id.data[:4].hex() if device_id.status == Status.OK and len(device_id.data) >= 4 else None,
        )

    def _step(self, name: str, command: Command, data: bytes = b"") -> Script[Frame]:
        """A handshake step that the reader must answer with status ok."""
        answer = yield from self._insist(name, self._ask(command, data))
        if answer.status != Status.OK:
            raise Trouble(*_fault_of(answer.status, name))
        return answer

    def _statistical_pass(self) -> Script[bool]:
        log, refused = self._begin_pass()
        # With ONT = 0 the reader resets the field itself; after a bad end the reset also flushes a late answer.
        if self._ont or self._must_reset:
            reset: Frame | Silence = yield self._ask(Command.RF_RESET)
            if isinstance(reset, Silence) or reset.status != Status.OK:
                return (yield from self._end_pass(log, reset, refused, kind=_Kind.NOT_DONE))
        last = yield from self._inventory(log)
        return (yield from self._end_pass(log, last, refused, kind=_Kind.STATISTICAL))

    def _residual_pass(self) -> Script[bool]:
        log, refused = self._begin_pass()
        last = yield from self._inventory(log)
        return (yield from self._end_pass(log, last, refused, kind=_Kind.RESIDUAL))

    def _residual_refusal(self) -> str:
        if self._ont:
            return ""
        return "with ONT = 0 every inventory wakes all chips: set ONT = 1 in the reader's anticollision configuration"

    def _residual_possible(self) -> bool:
        return not self._must_reset

    def _switch_field(self, *, on: bool) -> Script[None]:
        self._must_reset = True
        yield self._ask(Command.RF_ON_OFF, bytes([on]))

    def _inventory(self, log: PassLog) -> Script[Frame | Silence]:
        """Ask for all chips, fetching the rest while the reader says that there is more. Gives the last answer."""
        mode, asked = Mode.NEW, 0
        while True:
            data = bytes([IsoCommand.INVENTORY, mode])
            answer: Frame | Silence = yield self._ask(Command.ISO_HOST, data, self._inventory_timeout_ns)
            if isinstance(answer, Silence):
                return answer
            log.frame(answer.raw)
            for item in answer.sets or ():
                log.seen(item.uid)
            if answer.status != Status.MORE_DATA or asked == MORE_MAX:
                return answer
            mode, asked = Mode.MORE, asked + 1

    def _begin_pass(self) -> tuple[PassLog, int]:
        self._engine.refusals.clear()
        return PassLog(self._engine.now_ns), self._engine.scanner.refused

    def _end_pass(self, log: PassLog, last: Frame | Silence, refused: int, kind: _Kind) -> Script[bool]:
        """Report the pass and what it says of the reader's health. False when the reader was silent.

        A refused frame spoils the pass. Mere noise does not: a proven answer tells all chips by count, so noise beside
        it can hide none.
        """
        if isinstance(last, Silence):
            log.end(NO_STATUS, last.value, complete=False)
            self._must_reset = True
        else:
            status = last.status if last.status is not None else NO_STATUS
            all_told = status == Status.NO_TRANSPONDER or (status == Status.OK and last.sets is not None)
            complete = kind is not _Kind.NOT_DONE and all_told and self._engine.scanner.refused == refused
            log.end(status, STATUS_NAMES.get(status, f"unknown_{status:02x}"), complete=complete)
            # What the reader has counted as told but could not send is silent until the next reset.
            self._must_reset = status == Status.MORE_DATA or kind is _Kind.NOT_DONE
        residual, independent = kind is _Kind.RESIDUAL, kind is _Kind.STATISTICAL
        self._report(log.close(self._engine.now_ns, residual=residual, independent=independent))
        if any(refusal.kind is ErrorKind.BAD_VALUE for refusal in self._engine.refusals):
            yield from self._pass_fault(*_FOREIGN)
        elif isinstance(last, Silence):
            if last is Silence.DAMAGED:
                self._count_damage()
        elif last.status in _ORDINARY:
            self._fine()
        else:
            yield from self._pass_fault(*_fault_of(last.status, "inventory"))
        return last is not Silence.TIMED_OUT

    def _ask(self, command: Command, data: bytes = b"", timeout_ns: int | None = None) -> Ask:
        def matches(frame: Frame) -> bool:
            return frame.command == command and self._address in {ANY_ADDRESS, frame.address}

        request = encode(command, data, address=self._address, advanced=self._advanced)
        return Ask(request, self._reply_timeout_ns if timeout_ns is None else timeout_ns, matches)


def _fault_of(status: int | None, step: str) -> tuple[str, str]:
    """Problem code and remedy of a status that is not ok. The byte is always told."""
    assert status is not None
    if status in _REMEDIES:
        return _REMEDIES[Status(status)]
    if status in STATUS_NAMES:
        return "reader_status", f"the reader answers {step} with status {status:02x} ({STATUS_NAMES[status]})"
    return "unknown_status", f"the reader answers {step} with status {status:02x}, which no manual of ours lists"
