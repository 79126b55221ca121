"""A FEIG OBID reader: what it makes of the host's bytes, and what it answers when.

The hard parts are its silences. It hears a frame only after 5 ms of quiet line (PSST) and drops one whose bytes come
more than 12 ms apart; it never answers a frame with a bad CRC; and with ONT = 1 a chip that was told once is quiet
until it leaves the field or an RF reset (69) comes, so that a second inventory of the same tray is empty. A user
would notice a wrong model of this as a driver that works on the bench and hangs, or counts re-reads as evidence, on a
real reader.

Sources: ``drivers/feig/PROTOCOL.md``, the RFID reference (section 2), the manual of the ID ISC.MR/PR/PRH101 (15 ms RF
reset, RF reset by the reader itself at ONT = 0, layouts of 65 and 66). Unverified there and chosen here: 6E answers
two flag bytes for modes 0 and 1; PRESC asks only chips told before; NTFC repeats the pass until a chip comes or its
time is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_sim.air15693 import STAY_QUIET_NS, AirSettings, walk_tree
from firmware_sim.chips import Answer, Field, Placed
from firmware_sim.feig import frames
from firmware_sim.feig.status import Command, Iso, Status
from firmware_sim.feig.transponder import UID_BYTES, ChipCommands
from firmware_sim.line import Heard, LineSettings
from firmware_sim.reader import REBOOT_NS, Actions, ReaderBase

PSST_NS = 5_000_000
CHARACTER_GAP_NS = 12_000_000
RF_RESET_NS = 15_000_000
#: From the last byte of a request to the first of a short answer (our assumption; manuals give no number).
TURNAROUND_NS = 500_000
NOTIFY_UNIT_NS = 100_000_000
#: Rest between the passes of an inventory with notification.
NOTIFY_PAUSE_NS = 5_000_000

TR_TYPE_ISO15693 = 0x03
DSFID = 0x00
SET_BYTES = 10
MORE, NTFC, PRESC = 0x80, 0x40, 0x20


@dataclass(frozen=True, slots=True)
class FeigSettings:
    """A reader as it was commissioned. ``only_new`` is the option ONT (factory: on). ``tx_buffer``: longest answer in
    bytes, more chips are told by MORE (status 94). ``max_sets``: chips the reader can keep; more give status 93.
    ``scan_mode``: somebody left it on, B0 is refused with 82."""

    address: int = 0
    only_new: bool = True
    tx_buffer: int = 255
    max_sets: int = 64
    scan_mode: bool = False
    device_id: int = 0x12345678
    firmware: tuple[int, int, int] = (1, 2, 0)
    hw_type: int = 0x00
    sw_type: int = 0x21
    air: AirSettings = field(default_factory=AirSettings)

    @property
    def sets_per_answer(self) -> int:
        """DATA-SETS counts in one byte; an advanced frame has 9 bytes around the sets."""
        return max(1, min(255, (self.tx_buffer - 9) // SET_BYTES))


@dataclass(slots=True)
class _Notify:
    request: frames.Request
    until_ns: int


@dataclass(slots=True)
class FeigCounters:
    requests: int = 0
    bad_frames: int = 0
    gap_violations: int = 0
    passes: int = 0
    hidden_by_capture: int = 0


class FeigReader(ReaderBase):
    """``field``: the antenna it drives. Factory line 38400 8E1. In simulated time; see ``firmware_sim``."""

    def __init__(
        self,
        antenna: Field,
        *,
        seed: int = 0,
        line: LineSettings | None = None,
        settings: FeigSettings | None = None,
    ) -> None:
        actions = Actions(self._on_bytes, self._on_work, self._forget)
        super().__init__(antenna, line or LineSettings(38_400, "E"), seed, actions)
        self.settings = settings or FeigSettings()
        self.counters = FeigCounters()
        self._forget()

    def _forget(self) -> None:
        self._buffer = bytearray()
        self._last_heard_ns = -1_000_000_000
        self._deaf_until_gap = False
        self._rf_on = True
        self._outputs: dict[int, int] = {}
        self._chips = ChipCommands()
        self._told: set[int] = set()
        self._rest: list[Placed] = []
        self._rest_end = Status.OK
        self._notify: _Notify | None = None

    # --- frames in

    def _on_bytes(self, heard: Heard) -> None:
        gap_ns = heard.start_ns - max(self._last_heard_ns, self.line.sent_end_ns)
        self._last_heard_ns = heard.end_ns
        if self._buffer and gap_ns > CHARACTER_GAP_NS:
            self._buffer.clear()
            self.counters.bad_frames += 1
        if gap_ns >= PSST_NS:
            self._deaf_until_gap = False
        elif not self._buffer and not self._deaf_until_gap:
            self.counters.gap_violations += 1
            self._deaf_until_gap = True
        if self._deaf_until_gap or self._work_ns is not None:
            return
        self._buffer += heard.data
        length = frames.claimed_length(self._buffer)
        if length is None or 0 < len(self._buffer) < length:
            return
        frame = bytes(self._buffer)
        self._buffer.clear()
        request = frames.parse_request(frame) if length == len(frame) else None
        if request is None:
            self.counters.bad_frames += 1
            self._deaf_until_gap = True
        elif request.address in {self.settings.address, 255}:
            self.counters.requests += 1
            self._on_request(request, heard.end_ns)

    def _on_request(self, request: frames.Request, now_ns: int) -> None:
        match request.command:
            case Command.ISO15693:
                self._iso(request, now_ns)
            case Command.RF_RESET if not request.data:
                self._field_lost()
                self._reply(request, now_ns + RF_RESET_NS, Status.OK)
            case Command.CPU_RESET if not request.data:
                end_ns = self._reply(request, now_ns, Status.OK)
                self._restart(end_ns, REBOOT_NS)
            case _:
                status, data = self._control(request)
                self._reply(request, now_ns, status, data)

    def _reply(self, request: frames.Request, now_ns: int, status: int, data: bytes = b"") -> int:
        frame = frames.encode_reply(self.settings.address, request.command, status, data, advanced=request.advanced)
        return self.line.send(frame, now_ns + TURNAROUND_NS)

    # --- control commands

    def _control(self, request: frames.Request) -> tuple[int, bytes]:
        data = request.data
        match request.command, len(data):
            case (Command.BAUD_DETECTION, 1):
                return Status.OK, b""
            case (Command.SOFTWARE_VERSION, 0):
                return Status.OK, self._version()
            case (Command.READER_INFO, 1):
                return self._info(data[0])
            case (Command.RF_ON_OFF, 1):
                if data[0] > 1:
                    return Status.RANGE_ERROR, b""
                if not data[0]:
                    self._field_lost()
                self._rf_on = bool(data[0])
                return Status.OK, b""
            case (Command.DIAGNOSTIC, 1):
                return (Status.OK, bytes((int(self._rf_on), 0))) if data[0] <= 1 else (Status.RANGE_ERROR, b"")
            case (Command.SET_OUTPUT, _):
                return self._set_outputs(data)
            case (command, _) if command in set(Command):
                return Status.LENGTH_ERROR, b""
        return Status.UNKNOWN_COMMAND, b""

    def _version(self) -> bytes:
        """SW-REV 2, D-REV, HW-TYPE, SW-TYPE, TR-TYPE 2 (bit 3: ISO15693)."""
        return bytes((*self.settings.firmware, self.settings.hw_type, self.settings.sw_type, 0x00, 0x08))

    def _info(self, mode: int) -> tuple[int, bytes]:
        if mode == 0x00:
            buffers = (255).to_bytes(2, "big") + self.settings.tx_buffer.to_bytes(2, "big")
            return Status.OK, self._version() + buffers
        if mode == 0x80:
            return Status.OK, self.settings.device_id.to_bytes(4, "big") + bytes(12)
        return Status.RANGE_ERROR, b""

    def _set_outputs(self, data: bytes) -> tuple[int, bytes]:
        """MODE 01, OUT-N, then n times OUT-NR, OUT-S, OUT-TIME 2 (layout of the UHF module MU02)."""
        if len(data) < 2 or len(data) != 2 + 4 * data[1]:
            return Status.LENGTH_ERROR, b""
        for position in range(2, len(data), 4):
            self._outputs[data[position]] = data[position + 1]
        return Status.OK, b""

    # --- chips

    def _field_lost(self) -> None:
        self.field.power_lost()
        self._told.clear()
        self._rest = []
        self._chips.selected_stay = None

    def _iso(self, request: frames.Request, now_ns: int) -> None:
        if self.settings.scan_mode:
            self._reply(request, now_ns, Status.COMMAND_NOT_AVAILABLE)
        elif not request.data:
            self._reply(request, now_ns, Status.LENGTH_ERROR)
        elif request.data[0] == Iso.INVENTORY:
            self._inventory(request, now_ns)
        else:
            answers = self.field.pass_answers() if self._rf_on else []
            reply = self._chips.run(request.data, answers)
            self._reply(request, now_ns + reply.air_ns, reply.status, reply.data)

    def _inventory(self, request: frames.Request, now_ns: int) -> None:
        mode = request.data[1] if len(request.data) > 1 else 0
        if len(request.data) != (3 if mode & NTFC else 2):
            self._reply(request, now_ns, Status.LENGTH_ERROR)
        elif mode & MORE:
            self._tell(request, now_ns)
        else:
            notify_ns = request.data[2] * NOTIFY_UNIT_NS if mode & NTFC else 0
            self._notify = _Notify(request, now_ns + notify_ns)
            self._pass(self._notify, now_ns)

    def _on_work(self, now_ns: int) -> None:
        if self._notify is not None:
            self._pass(self._notify, now_ns)

    def _pass(self, notify: _Notify, now_ns: int) -> None:
        """One pass over the field; with notification, another one later when it found nothing."""
        start_ns = now_ns
        if not self.settings.only_new:
            self._field_lost()
            now_ns += RF_RESET_NS
        found, end, air_ns = self._find(presence=bool(notify.request.data[1] & PRESC))
        now_ns += air_ns
        if not found and end is Status.OK and now_ns < notify.until_ns:
            self._work_ns = max(now_ns + NOTIFY_PAUSE_NS, start_ns + 1)
            return
        self._notify = None
        self._rest, self._rest_end = found, end
        self._tell(notify.request, now_ns)

    def _find(self, *, presence: bool) -> tuple[list[Placed], Status, int]:
        """Chips to tell, the status that ends the telling, and the time on the air."""
        if not self._rf_on:
            return [], Status.OK, 0
        self.counters.passes += 1
        answers = self.field.pass_answers()
        if presence:
            known = [answer.placed for answer in answers if answer.placed.stay in self._told]
            return known, Status.OK, STAY_QUIET_NS * max(1, len(self._told))
        awake: list[Answer] = [answer for answer in answers if not answer.placed.quiet]
        tree = walk_tree(awake, self.settings.air, self._random)
        self.counters.hidden_by_capture += tree.hidden
        found = tree.found
        end = Status.OK if tree.finished else Status.RF_COMMUNICATION_ERROR
        if len(found) > self.settings.max_sets:
            del found[self.settings.max_sets :]
            end = Status.DATA_BUFFER_OVERFLOW
        for placed in found:
            placed.quiet = True
            self._told.add(placed.stay)
        quiet_ns = len(found) * STAY_QUIET_NS if self.settings.air.stay_quiet else 0
        return found, end, tree.air_ns + quiet_ns

    def _tell(self, request: frames.Request, now_ns: int) -> None:
        """The next chips of the last pass; 94 while more wait, else the status with which the pass ended."""
        told, self._rest = self._rest[: self.settings.sets_per_answer], self._rest[self.settings.sets_per_answer :]
        end = Status.MORE_DATA if self._rest else self._rest_end
        if end is Status.OK and not told:
            self._reply(request, now_ns, Status.NO_TRANSPONDER)
            return
        sets = b"".join(
            bytes((TR_TYPE_ISO15693, DSFID)) + placed.chip.number.to_bytes(UID_BYTES, "big") for placed in told
        )
        self._reply(request, now_ns, end, bytes((len(told),)) + sets)
        if not self._rest:
            self._rest_end = Status.OK
