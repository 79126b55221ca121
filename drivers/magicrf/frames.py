"""MagicRF frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md, sections 2 to 6.

The hard part is that the frame's own check is an 8-bit sum, which two compensating errors pass: a tag notice is
believed only if the tag's Gen2 CRC over PC + EPC is right too. A user would notice a mistake here as a plate with
another plate's price.
"""

from __future__ import annotations

from enum import Enum, IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import crc16_gen2, sum8
from drivers.driver import LocalProtocolError

PARAMETER_MAX_LENGTH = 512
"""Longest parameter believed, in bytes; the longest known replies (memory reads) stay below half of it."""
_HEADER_LENGTH = 5
_OVERHEAD = 7
_NOTICE_OVERHEAD = 5


class Framing(Enum):
    """Start and end byte; the R200 V2.3.3 document prints the same frames between AA and DD."""

    BB7E = (0xBB, 0x7E)
    AADD = (0xAA, 0xDD)


class FrameType(IntEnum):
    COMMAND = 0x00
    RESPONSE = 0x01
    NOTICE = 0x02


class Command(IntEnum):
    GET_MODULE_INFO = 0x03
    IDLE_MODE = 0x04
    SET_REGION = 0x07
    GET_REGION = 0x08
    GET_SELECT = 0x0B
    SET_SELECT = 0x0C
    GET_QUERY = 0x0D
    SET_QUERY = 0x0E
    SET_BAUD = 0x11
    SET_SELECT_MODE = 0x12
    SLEEP = 0x17
    GPIO = 0x1A
    IDLE_TIME = 0x1D
    SINGLE_POLL = 0x22
    MULTI_POLL = 0x27
    STOP_MULTI_POLL = 0x28
    READ = 0x39
    WRITE = 0x49
    KILL = 0x65
    LOCK = 0x82
    INSERT_CHANNEL = 0xA9
    GET_CHANNEL = 0xAA
    SET_CHANNEL = 0xAB
    FHSS = 0xAD
    CONTINUOUS_WAVE = 0xB0
    SET_TX_POWER = 0xB6
    GET_TX_POWER = 0xB7
    BLOCK_PERMALOCK = 0xD3
    NXP_CHANGE_CONFIG = 0xE0
    NXP_READPROTECT = 0xE1
    NXP_RESET_READPROTECT = 0xE2
    NXP_CHANGE_EAS = 0xE3
    NXP_EAS_ALARM = 0xE4
    MONZA_QT_READ = 0xE5
    MONZA_QT_WRITE = 0xE6
    SET_DEMOD = 0xF0
    GET_DEMOD = 0xF1
    SCAN_JAMMER = 0xF2
    SCAN_RSSI = 0xF3
    ERROR = 0xFF


class ErrorCode(IntEnum):
    READ_FAIL = 0x09
    WRITE_FAIL = 0x10
    KILL_FAIL = 0x12
    LOCK_FAIL = 0x13
    PERMALOCK_FAIL = 0x14
    INVENTORY_FAIL_NO_TAG_OR_CRC = 0x15
    ACCESS_FAIL_PASSWORD = 0x16
    BAD_COMMAND = 0x17
    NXP_CHANGE_CONFIG_FAIL = 0x1A
    NXP_CHANGE_EAS_FAIL = 0x1B
    NXP_EAS_ALARM_FAIL = 0x1D
    FHSS_FAIL = 0x20
    NXP_READPROTECT_FAIL = 0x2A
    NXP_RESET_READPROTECT_FAIL = 0x2B
    MONZA_QT_FAIL = 0x2E


ERROR_NAMES = {code.value: code.name.lower() for code in ErrorCode}
GEN2_OPERATION_NAMES = {
    0xA: "read_error",
    0xB: "write_error",
    0xC: "lock_error",
    0xD: "kill_error",
    0xE: "special_error",
}
"""High nibble of an error code that carries a Gen2 error in its low nibble."""
GEN2_ERROR_NAMES = {
    0x0: "other",
    0x3: "memory_overrun",
    0x4: "memory_locked",
    0xB: "insufficient_power",
    0xF: "non_specific",
}
TAG_ACCESS = frozenset(
    {
        Command.READ,
        Command.WRITE,
        Command.LOCK,
        Command.KILL,
        Command.BLOCK_PERMALOCK,
        Command.NXP_CHANGE_CONFIG,
        Command.NXP_READPROTECT,
        Command.NXP_RESET_READPROTECT,
        Command.NXP_CHANGE_EAS,
        Command.MONZA_QT_READ,
        Command.MONZA_QT_WRITE,
    }
)
"""Commands whose replies begin with UL, PC, EPC."""
_PARAMETER_LENGTHS: dict[tuple[int, int], int] = {
    (FrameType.COMMAND, Command.SET_TX_POWER): 2,
    (FrameType.RESPONSE, Command.GET_TX_POWER): 2,
    (FrameType.COMMAND, Command.SET_BAUD): 2,
    (FrameType.COMMAND, Command.MULTI_POLL): 3,
}
"""Parameters that are read as numbers, with the one length that they can have, in bytes."""


class Tag(msgspec.Struct, frozen=True, gc=False):
    """Who answered: ``pc`` and ``epc`` in hex. In a notice also signal strength and the tag's own (proven) CRC in hex;
    in an access reply the bytes behind the EPC, in hex."""

    pc: str
    epc: str
    rssi_dbm: int | None = None
    crc: str | None = None
    data: str | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. ``tag`` is set in tag notices, tag access replies and errors that carry a tag; ``error_code``
    in errors."""

    raw: bytes
    type: FrameType
    command: int
    parameter: bytes
    tag: Tag | None = None
    error_code: int | None = None


class Grammar:
    """Cuts and proves frames of both directions; TYPE tells which."""

    max_length = PARAMETER_MAX_LENGTH + _OVERHEAD

    def __init__(self, framing: Framing = Framing.BB7E) -> None:
        self._start, self._end = framing.value

    def seek(self, data: bytearray, at: int) -> int:
        found = data.find(self._start, at)
        return found if found >= 0 else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        header = data[at : at + _HEADER_LENGTH]
        if len(header) > 1 and header[1] > FrameType.NOTICE:
            return Refusal(ErrorKind.BAD_VALUE, f"TYPE is {header[1]:02x}, must be 00, 01 or 02", weak=True)
        limit = f"at most {PARAMETER_MAX_LENGTH}"
        if len(header) > 3 and header[3] > PARAMETER_MAX_LENGTH >> 8:
            return Refusal(ErrorKind.BAD_LENGTH, f"PL begins with {header[3]:02x}, {limit}")
        if len(header) < _HEADER_LENGTH:
            return 0
        length = int.from_bytes(header[3:])
        if length > PARAMETER_MAX_LENGTH:
            return Refusal(ErrorKind.BAD_LENGTH, f"PL is {length}, {limit}")
        return length + _OVERHEAD

    def parse(self, raw: bytes) -> Frame | Refusal:
        if raw[-1] != self._end:
            return Refusal(ErrorKind.BAD_TERMINATOR, f"the end byte is {raw[-1]:02x}, must be {self._end:02x}")
        if raw[-2] != sum8(raw[1:-2]):
            return Refusal(ErrorKind.BAD_CHECKSUM, f"SUM is {raw[-2]:02x}, must be {sum8(raw[1:-2]):02x}")
        kind, command, parameter = FrameType(raw[1]), raw[2], raw[5:-2]
        wanted = _PARAMETER_LENGTHS.get((kind, command), len(parameter))
        if len(parameter) != wanted:
            return Refusal(
                ErrorKind.BAD_LENGTH, f"command {command:02x} has {len(parameter)} parameter bytes, not {wanted}"
            )
        tag: Tag | Refusal | None = None
        error_code: int | None = None
        if kind is FrameType.NOTICE and command == Command.SINGLE_POLL:
            tag = _notice_tag(parameter)
        elif kind is FrameType.RESPONSE and command in TAG_ACCESS:
            tag = _access_tag(parameter)
        elif kind is FrameType.RESPONSE and command == Command.ERROR:
            if not parameter:
                return Refusal(ErrorKind.BAD_LENGTH, "an error without a code")
            error_code = parameter[0]
            tag = _access_tag(parameter[1:]) if len(parameter) > 1 else None
        if isinstance(tag, Refusal):
            return tag
        return Frame(raw=raw, type=kind, command=command, parameter=parameter, tag=tag, error_code=error_code)

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """A start byte with a TYPE behind it has been seen, else ``claim`` had refused it."""
        return len(data) > at + 1


def _epc_length(pc: bytes) -> int:
    """EPC bytes by the protocol control word: its top five bits count 16-bit words."""
    return (pc[0] >> 3) * 2


def _notice_tag(parameter: bytes) -> Tag | Refusal:
    """RSSI 1, PC 2, EPC, CRC 2."""
    length = len(parameter) - _NOTICE_OVERHEAD
    if length < 0:
        return Refusal(ErrorKind.BAD_LENGTH, f"a tag notice of {len(parameter)} bytes, at least {_NOTICE_OVERHEAD}")
    pc, epc, crc = parameter[1:3], parameter[3:-2], parameter[-2:]
    if length != _epc_length(pc):
        return Refusal(ErrorKind.BAD_LENGTH, f"PC {pc.hex()} tells an EPC of {_epc_length(pc)} bytes, {length} came")
    right = crc16_gen2(parameter[1:-2]).to_bytes(2)
    if crc != right:
        return Refusal(ErrorKind.BAD_CHECKSUM, f"the tag's Gen2 CRC is {crc.hex()}, must be {right.hex()}")
    return Tag(pc.hex(), epc.hex(), rssi_dbm=int.from_bytes(parameter[:1], signed=True), crc=crc.hex())


def _access_tag(parameter: bytes) -> Tag | Refusal:
    """UL 1 (length of PC + EPC), PC 2, EPC, data."""
    length = parameter[0] if parameter else 0
    pc, epc, data = parameter[1:3], parameter[3 : 1 + length], parameter[1 + length :]
    if length < 2 or 1 + length > len(parameter) or len(epc) != _epc_length(pc):
        return Refusal(ErrorKind.BAD_LENGTH, f"UL {length} does not fit PC {pc.hex()} and {len(parameter)} bytes")
    return Tag(pc.hex(), epc.hex(), data=data.hex())


def error_name(code: int) -> str | None:
    """The name of an error code, None if it is not in the table."""
    return ERROR_NAMES.get(code) or GEN2_OPERATION_NAMES.get(code >> 4)


def encode(
    command: int, parameter: bytes = b"", *, framing: Framing = Framing.BB7E, kind: FrameType = FrameType.COMMAND
) -> bytes:
    """The frame's bytes; LocalProtocolError when the parameter is too long or the command no byte."""
    if not 0 <= command <= 0xFF or len(parameter) > PARAMETER_MAX_LENGTH:
        raise LocalProtocolError(
            f"magicrf: command {command} must be 0 to 255, its parameter at most {PARAMETER_MAX_LENGTH} bytes"
        )
    start, end = framing.value
    body = bytes([kind, command]) + len(parameter).to_bytes(2) + parameter
    return bytes([start]) + body + bytes([sum8(body), end])
