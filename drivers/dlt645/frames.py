"""DL/T 645-2007 frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md, sections 2 to 4.

``68 address 68 control length data+33 sum 16``, after any number of FE. The hard part is that the sum is only eight
bits: one damaged frame in 256 passes it, so everything else that can be wrong is refused too. A user would notice a
mistake here as a power that jumps, or as an answer of one meter that is taken for another's.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import sum8
from drivers.dlt645.data import (
    IDENTIFIER_BYTES,
    BadBcdError,
    Content,
    Value,
    identifier_of,
    is_edition_1997,
    read_content,
    read_valid_until,
)
from drivers.driver import LocalProtocolError

START = 0x68
END = 0x16
PREAMBLE = b"\xfe"
OFFSET = 0x33
HEADER_BYTES = 10
AROUND_DATA_BYTES = HEADER_BYTES + 2
DATA_MAX = 200
WRITE_MAX = 50
WILDCARD = "aaaaaaaaaaaa"
BROADCAST = "999999999999"
CONTROL_BYTES = 16
"""Data bytes of a trip or close request by the standard; one field driver sends only the first 9."""

_PLUS = bytes((value + OFFSET) & 0xFF for value in range(256))
_MINUS = bytes((value - OFFSET) & 0xFF for value in range(256))
_ACTION_AT = 8
_VALID_AT = 10


class Function(IntEnum):
    """Low five bits of the control byte."""

    SET_CLOCK = 0x08
    READ = 0x11
    READ_NEXT = 0x12
    READ_ADDRESS = 0x13
    WRITE = 0x14
    SET_ADDRESS = 0x15
    FREEZE = 0x16
    SPEED = 0x17
    PASSWORD = 0x18
    SWITCH = 0x1C


class Control(IntEnum):
    """High three bits of the control byte."""

    FROM_METER = 0x80
    ERROR = 0x40
    MORE = 0x20


class Action(IntEnum):
    """What a SWITCH request asks for."""

    TRIP = 0x1A
    CLOSE = 0x1C


ERROR_NAMES = (
    "other_error",
    "no_requested_data",
    "password_or_unauthorised",
    "baud_rate_fixed",
    "year_zones",
    "day_periods",
    "tariffs",
)
"""By bit of the error byte, the lowest first."""
_WITH_IDENTIFIER = frozenset({Function.READ, Function.READ_NEXT, Function.WRITE})
_ADDRESSED = frozenset("0123456789a")


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. ``data`` is the data field with 33h taken off; ``content`` what it says, as far as we know it."""

    raw: bytes
    address: str
    control: int
    data: bytes
    content: Content = Content({})

    @property
    def function(self) -> int:
        return self.control & 0x1F

    @property
    def from_meter(self) -> bool:
        return bool(self.control & Control.FROM_METER)

    @property
    def error_reply(self) -> bool:
        return bool(self.control & Control.ERROR)

    @property
    def more_follows(self) -> bool:
        return bool(self.control & Control.MORE)

    @property
    def identifier(self) -> str | None:
        """The data identifier, most significant byte first."""
        if self.function not in _WITH_IDENTIFIER or self.error_reply:
            return None
        return identifier_of(self.data)

    @property
    def mixed_versions(self) -> bool:
        """A 2-byte identifier of the 1997 edition under a control code of the 2007 one."""
        return self.function == Function.READ and not self.error_reply and is_edition_1997(self.data)

    @property
    def errors(self) -> list[str] | None:
        """Names of the bits set in an error answer."""
        if not (self.from_meter and self.error_reply and self.data):
            return None
        return [name for bit, name in enumerate(ERROR_NAMES) if self.data[0] >> bit & 1]


class Grammar:
    """Cuts and proves frames of both directions. ``address`` (12 digits): answers of other meters are refused."""

    max_length = AROUND_DATA_BYTES + DATA_MAX

    def __init__(self, address: str = "") -> None:
        self._address = address

    def seek(self, data: bytearray, at: int) -> int:
        found = data.find(START, at)
        return found if found >= 0 else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        header = data[at : at + HEADER_BYTES]
        if len(header) > 7 and header[7] != START:
            return Refusal(ErrorKind.BAD_START, f"second start byte is {header[7]:02x}, must be 68")
        if len(header) < HEADER_BYTES:
            return 0
        if header[9] > DATA_MAX:
            return Refusal(ErrorKind.BAD_LENGTH, f"data length is {header[9]}, at most {DATA_MAX}")
        return AROUND_DATA_BYTES + header[9]

    def parse(self, raw: bytes) -> Frame | Refusal:
        if raw[-1] != END:
            return Refusal(ErrorKind.BAD_TERMINATOR, f"last byte is {raw[-1]:02x}, must be 16")
        right = sum8(raw[:-2])
        if raw[-2] != right:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"sum is {raw[-2]:02x}, must be {right:02x}")
        address = raw[6:0:-1].hex()
        frame = Frame(raw=raw, address=address, control=raw[8], data=raw[HEADER_BYTES:-2].translate(_MINUS))
        if self._address and frame.from_meter and address != self._address:
            return Refusal(ErrorKind.ADDRESS_MISMATCH, f"answer of meter {address}, asked was {self._address}")
        content = _content_of(frame)
        return content if isinstance(content, Refusal) else msgspec.structs.replace(frame, content=content)

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """True when both start bytes are there."""
        return at + 7 < len(data)


def _content_of(frame: Frame) -> Content | Refusal:
    if frame.error_reply:
        return Content({})
    match frame.function, frame.from_meter:
        case (Function.READ, True) if frame.identifier is not None:
            payload = frame.data[IDENTIFIER_BYTES:]
            return read_content(frame.identifier, payload, more_follows=frame.more_follows)
        case (Function.READ_ADDRESS, True):
            if len(frame.data) != 6:
                return Refusal(ErrorKind.BAD_LENGTH, f"{len(frame.data)} bytes of address, must be 6")
            return Content({"reported_address": frame.data[::-1].hex()})
        case (Function.SWITCH, False):
            return _switch_request(frame.data)
        case (Function.SWITCH, True):
            # 9C says "understood": whether the contact moved is known from power and current alone.
            return Content({"contact_state_name": "unknown"})
        case _:
            return Content({})


def _switch_request(data: bytes) -> Content | Refusal:
    names = {action.value: action.name.lower() for action in Action}
    action = names.get(data[_ACTION_AT]) if len(data) > _ACTION_AT else None
    values: dict[str, Value] = {
        "action_name": action,
        "nonstandard_length": len(data) != CONTROL_BYTES,
    }
    if len(data) < CONTROL_BYTES:
        return Content(values)
    try:
        until = read_valid_until(data[_VALID_AT:CONTROL_BYTES])
    except BadBcdError:
        return Content(values, bad_bcd=True)
    return until if isinstance(until, Refusal) else Content({**values, "valid_until": until})


def encode(address: str, control: int, data: bytes = b"", *, preamble: int = 0) -> bytes:
    """The frame's bytes behind ``preamble`` times FE. ``address``: 12 digits, most significant first, ``aa`` for any.
    LocalProtocolError when the address or the data's length cannot be sent."""
    if len(address) != 12 or not set(address) <= _ADDRESSED:
        raise LocalProtocolError(f"dlt645: address {address!r} must be 12 digits, or aa where any byte will do")
    limit = WRITE_MAX if control & 0x1F == Function.WRITE and control < Control.FROM_METER else DATA_MAX
    if len(data) > limit or not 0 <= control <= 0xFF:
        raise LocalProtocolError(f"dlt645: control {control} with {len(data)} data bytes; at most 255 and {limit}")
    body = bytes([START]) + bytes.fromhex(address)[::-1] + bytes([START, control, len(data)]) + data.translate(_PLUS)
    return PREAMBLE * preamble + body + bytes([sum8(body), END])
