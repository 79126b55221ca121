"""GB/T 26875.3 frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md section 2.

The hard part is that the start and end bytes occur inside payloads, so frames are cut by their length alone. A user
would notice a mistake here as a fire message that is torn in two.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal, Refused
from drivers.checksum import sum8
from drivers.driver import LocalProtocolError
from drivers.gb26875.objects import (
    Application,
    InfoObject,
    Opaque,
    alarm_of,
    read_application,
    read_time,
    write_time,
)

START = b"\x40\x40"
END = b"\x23\x23"
APP_MAX_LENGTH = 1024
_LENGTH_AT, _COMMAND_AT, _APP_AT = 24, 26, 27
_OVERHEAD = 30
_USER_COMMANDS = 128
_ADDRESS_LIMIT = 1 << 48


class Command(IntEnum):
    CONTROL = 1
    SEND_DATA = 2
    ACK = 3
    REQUEST = 4
    REPLY = 5
    NACK = 6


class AppType(IntEnum):
    """The types that we send or ask for."""

    SYSTEM_STATE = 1
    COMPONENT_STATE = 2
    UNIT_STATE = 21
    UNIT_VERSION = 25
    UNIT_CLOCK = 28
    READ_SYSTEM_STATE = 61
    READ_COMPONENT_STATE = 62
    READ_UNIT_STATE = 81
    READ_UNIT_VERSION = 85
    READ_UNIT_CLOCK = 88
    INITIALISE_UNIT = 89
    SET_UNIT_CLOCK = 90
    GUARD_CHECK = 91


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer repeats. ``time`` is the raw six bytes of the sender's clock."""

    serial: int
    version_major: int
    version_user: int
    time: bytes
    source: int
    destination: int


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. ``sent_time`` is China time."""

    raw: bytes
    header: Header
    sent_time: datetime
    command: int
    length: int
    app_type: int | None
    object_count: int | None
    objects: tuple[InfoObject, ...]


def command_name(command: int) -> str | None:
    if command >= _USER_COMMANDS:
        return "user"
    if command > Command.NACK:
        return "reserved"
    return Command(command).name.lower() if command else None


def expected_reply(command: int) -> str | None:
    """What the receiver answers; None: nothing."""
    match command:
        case Command.CONTROL | Command.SEND_DATA:
            return "ack"
        case Command.REQUEST:
            return "reply"
        case Command.ACK | Command.NACK | Command.REPLY:
            return None
        case _:
            return "nack" if command < _USER_COMMANDS else None


class Grammar:
    """Cuts and proves frames; both directions are alike."""

    max_length = _OVERHEAD + APP_MAX_LENGTH

    def seek(self, data: bytearray, at: int) -> int:
        found = data.find(START, at)
        if found >= 0:
            return found
        return len(data) - 1 if at < len(data) and data[-1] == START[0] else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        field = data[at + _LENGTH_AT : at + _LENGTH_AT + 2]
        if len(field) < 2:
            return 0
        length = int.from_bytes(field, "little")
        if length > APP_MAX_LENGTH:
            return Refusal(ErrorKind.BAD_LENGTH, f"the application length is {length}, at most {APP_MAX_LENGTH}")
        return _OVERHEAD + length

    def parse(self, raw: bytes) -> Frame | Refusal:
        if raw[-2:] != END:
            return Refusal(ErrorKind.BAD_TERMINATOR, f"the frame ends with {raw[-2:].hex()}, must be {END.hex()}")
        found, right = raw[-3], sum8(raw[2:-3])
        if found != right:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"the sum is {found:02x}, must be {right:02x}")
        header, command = read_header(raw), raw[_COMMAND_AT]
        sent_time = read_time(header.time)
        application = _application(command, raw[_APP_AT:-3])
        if isinstance(application, Refusal):
            return application
        if sent_time is None:
            objects = application.objects
            detail = f"the time tag {header.time.hex()} is impossible"
            return Refusal(ErrorKind.BAD_TIME, detail, salvaged=objects, alarm=alarm_of(objects))
        return Frame(
            raw=raw,
            header=header,
            sent_time=sent_time,
            command=command,
            length=len(raw) - _OVERHEAD,
            app_type=application.app_type,
            object_count=application.object_count,
            objects=application.objects,
        )

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """Two start bytes are rare enough in noise."""
        return data[at : at + 2] == START


def _application(command: int, app: bytes) -> Application | Refusal:
    """User commands may hold what they like; all others hold typed objects."""
    application = read_application(app)
    if command >= _USER_COMMANDS and isinstance(application, Refusal) and not application.alarm:
        return Application(app[0], app[1] if len(app) > 1 else None, (Opaque(data_hex=app[2:].hex()),))
    return application


def read_header(raw: bytes) -> Header:
    """The header of a frame or of a refused candidate of that length."""
    return Header(
        serial=int.from_bytes(raw[2:4], "little"),
        version_major=raw[4],
        version_user=raw[5],
        time=raw[6:12],
        source=int.from_bytes(raw[12:18], "little"),
        destination=int.from_bytes(raw[18:24], "little"),
    )


def encode(header: Header, command: int, app: bytes = b"") -> bytes:
    """The frame's bytes. LocalProtocolError when a number has no room."""
    numbers_fit = 0 <= header.serial <= 0xFFFF and all(
        0 <= address < _ADDRESS_LIMIT for address in (header.source, header.destination)
    )
    if not numbers_fit or len(app) > APP_MAX_LENGTH:
        message = f"gb26875: no room for {header} with {len(app)} application bytes"
        raise LocalProtocolError(message)
    body = (
        header.serial.to_bytes(2, "little")
        + bytes((header.version_major, header.version_user))
        + header.time
        + header.source.to_bytes(6, "little")
        + header.destination.to_bytes(6, "little")
        + len(app).to_bytes(2, "little")
        + bytes((command,))
        + app
    )
    return START + body + bytes((sum8(body),)) + END


def answer(header: Header, command: int, app: bytes = b"") -> bytes:
    """An ack, nack or reply: the sender's serial and time, addresses exchanged."""
    back = msgspec.structs.replace(header, source=header.destination, destination=header.source)
    return encode(back, command, app)


_NACKABLE = frozenset(
    {
        ErrorKind.BAD_CHECKSUM,
        ErrorKind.BAD_TERMINATOR,
        ErrorKind.BAD_COUNT,
        ErrorKind.BAD_TIME,
        ErrorKind.BAD_VALUE,
    }
)


def nack_of(refused: Refused) -> bytes | None:
    """The nack to a refused candidate, with the serial that it seems to have; None when it is too short to tell."""
    raw = refused.raw
    if refused.kind not in _NACKABLE or len(raw) < _OVERHEAD or not raw.startswith(START):
        return None
    return answer(read_header(raw), Command.NACK)


def system_state(system_type: int, system_address: int, status: int, at: datetime) -> bytes:
    """An application unit with one system state."""
    body = bytes((system_type, system_address)) + status.to_bytes(2, "little") + write_time(at)
    return bytes((AppType.SYSTEM_STATE, 1)) + body


def unit_state(status: int, at: datetime) -> bytes:
    return bytes((AppType.UNIT_STATE, 1, status)) + write_time(at)


DESCRIPTION_LENGTH = 31


def component_state(where: tuple[int, int, int, int, int], status: int, text: str, at: datetime) -> bytes:
    """An application unit with one component state; ``where`` is system type, system address, component type, zone,
    position. ``text`` is cut at whole characters to 31 bytes of GB 18030."""
    system_type, system_address, component_type, zone, position = where
    body = (
        bytes((system_type, system_address, component_type))
        + zone.to_bytes(2, "little")
        + position.to_bytes(2, "little")
        + status.to_bytes(2, "little")
        + write_description(text)
        + write_time(at)
    )
    return bytes((AppType.COMPONENT_STATE, 1)) + body


def write_description(text: str) -> bytes:
    raw = text.encode("gb18030", "replace")
    while len(raw) > DESCRIPTION_LENGTH:
        text = text[:-1]
        raw = text.encode("gb18030", "replace")
    return raw.ljust(DESCRIPTION_LENGTH, b"\0")
