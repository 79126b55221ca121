"""FEIG OBID frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md, sections 2 to 5.

The hard part is that a frame has no start byte: almost any noise byte claims to be a length, and only the CRC tells. A
user would notice a mistake here as a chip that nobody put down, or as a plate whose chip is never read.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import crc16_8408
from drivers.driver import LocalProtocolError

ADVANCED_START = 0x02
STANDARD_MAX_LENGTH = 255
ADVANCED_MAX_LENGTH = 4096
"""Longest advanced frame believed, in bytes: 255 data sets of 10 bytes need 2559; the field would allow 65535."""

ANY_ADDRESS = 255
ISO15693_SET_LENGTH = 10


class Command(IntEnum):
    BAUD_RATE_DETECTION = 0x52
    CPU_RESET = 0x63
    SOFTWARE_VERSION = 0x65
    READER_INFO = 0x66
    RF_RESET = 0x69
    RF_ON_OFF = 0x6A
    DIAGNOSTIC = 0x6E
    SET_OUTPUT = 0x72
    ISO_HOST = 0xB0


class IsoCommand(IntEnum):
    """First data byte of a B0 request."""

    INVENTORY = 0x01
    READ_BLOCKS = 0x23
    SELECT = 0x25
    RESET_TO_READY = 0x26
    SYSTEM_INFORMATION = 0x2B


class Mode(IntEnum):
    """Bits of the inventory's MODE byte."""

    NEW = 0x00
    PRESENCE_CHECK = 0x20
    NOTIFY = 0x40
    MORE = 0x80


class Status(IntEnum):
    OK = 0x00
    NO_TRANSPONDER = 0x01
    DATA_FALSE = 0x02
    WRITE_ERROR = 0x03
    ADDRESS_ERROR = 0x04
    WRONG_TYPE = 0x05
    GENERAL_ERROR = 0x0E
    EEPROM_FAILURE = 0x10
    RANGE_ERROR = 0x11
    UNKNOWN_COMMAND = 0x80
    LENGTH_ERROR = 0x81
    COMMAND_NOT_AVAILABLE = 0x82
    RF_COMMUNICATION_ERROR = 0x83
    RF_WARNING = 0x84
    DATA_BUFFER_OVERFLOW = 0x93
    MORE_DATA = 0x94
    ISO15693_ERROR = 0x95


class IsoError(IntEnum):
    """The code behind status 95."""

    UNSUPPORTED_COMMAND = 0x01
    FORMAT = 0x02
    OPTION = 0x03
    UNKNOWN = 0x0F
    NO_SUCH_BLOCK = 0x10
    ALREADY_LOCKED = 0x11
    LOCKED = 0x12
    WRITE_FAILED = 0x13
    LOCK_FAILED = 0x14


class TrType(IntEnum):
    ISO15693 = 0x03
    ISO14443_A = 0x04
    ISO14443_B = 0x05


STATUS_NAMES = {status.value: status.name.lower() for status in Status}
ISO_ERROR_NAMES = {code.value: code.name.lower() for code in IsoError}
COMPLETE = frozenset({Status.OK, Status.NO_TRANSPONDER})
"""The only statuses after which an inventory has told all chips."""
_SET_BEARING = frozenset(
    {Status.OK, Status.RF_COMMUNICATION_ERROR, Status.RF_WARNING, Status.DATA_BUFFER_OVERFLOW, Status.MORE_DATA}
)
_DATA_BEARING = _SET_BEARING | {Status.ISO15693_ERROR}
_COMMANDS = frozenset(Command)


class DataSet(msgspec.Struct, frozen=True, gc=False):
    """One chip of an inventory answer; ``uid`` is 16 hex digits, most significant byte first (``e0..``)."""

    tr_type: int
    dsfid: int
    uid: str


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. ``status`` is None in requests; ``sets`` is None where the frame tells no data sets."""

    raw: bytes
    advanced: bool
    address: int
    command: int
    status: int | None
    data: bytes
    sets: tuple[DataSet, ...] | None = None

    @property
    def iso_command(self) -> int | None:
        """The sub-command of a B0 request."""
        return self.data[0] if self.status is None and self.command == Command.ISO_HOST and self.data else None


class Grammar:
    """Cuts and proves frames of one direction: only those of the reader (``from_host`` false) carry STATUS."""

    max_length = ADVANCED_MAX_LENGTH

    def __init__(self, *, from_host: bool) -> None:
        self._from_host = from_host
        self._standard_min = 5 if from_host else 6
        self._advanced_min = self._standard_min + 2

    def seek(self, data: bytearray, at: int) -> int:
        """Every byte may be a LEN; ``claim`` tells those that cannot."""
        return min(at, len(data))

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        length = data[at]
        if length >= self._standard_min:
            return length
        if length != ADVANCED_START:
            kind = ErrorKind.BAD_LENGTH if length else ErrorKind.NOISE
            return Refusal(kind, f"LEN is {length}, must be at least {self._standard_min}", weak=True)
        header = data[at + 1 : at + 3]
        if not header:
            return 0
        limits = f"must be {self._advanced_min} to {ADVANCED_MAX_LENGTH}"
        if header[0] > ADVANCED_MAX_LENGTH >> 8:
            return Refusal(ErrorKind.BAD_LENGTH, f"advanced LEN begins with {header[0]:02x}, {limits}")
        if len(header) == 1:
            return 0
        length = int.from_bytes(header)
        if not self._advanced_min <= length <= ADVANCED_MAX_LENGTH:
            return Refusal(ErrorKind.BAD_LENGTH, f"advanced LEN is {length}, {limits}")
        return length

    def parse(self, raw: bytes) -> Frame | Refusal:
        found, right = int.from_bytes(raw[-2:], "little"), crc16_8408(raw[:-2])
        if found != right:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"CRC is {found:04x}, must be {right:04x}")
        advanced = raw[0] == ADVANCED_START
        at = 3 if advanced else 1
        address, command = raw[at], raw[at + 1]
        if self._from_host:
            data = raw[at + 2 : -2]
            return Frame(raw=raw, advanced=advanced, address=address, command=command, status=None, data=data)
        status, data = raw[at + 2], raw[at + 3 : -2]
        sets: tuple[DataSet, ...] | None = None
        if data:
            if status not in _DATA_BEARING:
                return Refusal(ErrorKind.BAD_LENGTH, f"{len(data)} data bytes, status {status:02x} has none")
            if command == Command.ISO_HOST and status in _SET_BEARING:
                parsed = parse_sets(data)
                if isinstance(parsed, Refusal):
                    return parsed
                sets = parsed
        return Frame(raw=raw, advanced=advanced, address=address, command=command, status=status, data=data, sets=sets)

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """True when the command byte is a known one: one noise byte in about thirty looks so too."""
        command_at = at + (4 if data[at] == ADVANCED_START else 2)
        return command_at < len(data) and data[command_at] in _COMMANDS


def parse_sets(data: bytes) -> tuple[DataSet, ...] | Refusal:
    """The data sets of an inventory answer: DATA-SETS, then that many sets which must fill ``data`` exactly."""
    count, body = data[0], data[1:]
    sets: list[DataSet] = []
    for at in range(0, len(body), ISO15693_SET_LENGTH):
        if body[at] != TrType.ISO15693:
            return _foreign_set(body[at], sets, count)
        if at + ISO15693_SET_LENGTH > len(body):
            break
        sets.append(DataSet(body[at], body[at + 1], body[at + 2 : at + ISO15693_SET_LENGTH].hex()))
    if count * ISO15693_SET_LENGTH != len(body):
        detail = f"DATA-SETS is {count}, needs {count * ISO15693_SET_LENGTH} bytes, {len(body)} came"
        return Refusal(ErrorKind.BAD_COUNT, detail)
    return tuple(sets)


def _foreign_set(tr_type: int, before: list[DataSet], count: int) -> Refusal:
    """The length of another chip family's set is not ours to guess, so the parse ends here. If all announced sets were
    read already, the byte is a surplus one and no set at all."""
    if len(before) >= count:
        return Refusal(ErrorKind.BAD_COUNT, f"DATA-SETS is {count}, more bytes came")
    detail = f"set {len(before) + 1} of {count} has TR-TYPE {tr_type:02x}, only 03 (ISO15693) can be read"
    return Refusal(ErrorKind.BAD_VALUE, detail, salvaged=tuple(before))


def encode(
    command: int, data: bytes = b"", *, address: int = ANY_ADDRESS, status: int | None = None, advanced: bool = False
) -> bytes:
    """The frame's bytes. ``status`` None makes a request. A standard frame that would pass 255 bytes becomes advanced,
    as the reader's do; LocalProtocolError when even that form has no room or a byte is out of range."""
    fields = [address, command] if status is None else [address, command, status]
    if not all(0 <= value <= 0xFF for value in fields):
        message = f"feig: address, command and status must be 0 to 255, not {fields}"
        raise LocalProtocolError(message)
    body = bytes(fields) + data
    length = len(body) + 3
    if advanced or length > STANDARD_MAX_LENGTH:
        length += 2
        if length > ADVANCED_MAX_LENGTH:
            message = f"feig: a frame of {length} bytes is over the limit of {ADVANCED_MAX_LENGTH}"
            raise LocalProtocolError(message)
        body = bytes([ADVANCED_START]) + length.to_bytes(2) + body
    else:
        body = bytes([length]) + body
    return body + crc16_8408(body).to_bytes(2, "little")
