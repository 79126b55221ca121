"""DC589 frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md section 2.

The hard part is a check of only eight bits behind a start of one byte: the content has to be checked as well. A user
would notice a mistake here as a port that stops for no reason.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import xor8
from drivers.dc589 import contents
from drivers.dc589.codes import BoardStatus
from drivers.driver import LocalProtocolError

START = 0xEE
SESSION_LENGTH = 6
_HEADER_LENGTH = 8
DATA_MAX_LENGTH = 255 - _HEADER_LENGTH


class Command(IntEnum):
    LOGIN = 0xA0
    LOGIN_REPLY = 0xA1
    HEARTBEAT = 0xA4
    HEARTBEAT_REPLY = 0xA5
    HEARTBEAT_SETTING = 0xA6
    HEARTBEAT_SETTING_REPLY = 0xA7
    TIME_REQUEST = 0xA8
    TIME_REPLY = 0xA9
    CARD = 0xB6
    START = 0xB7
    START_REPLY = 0xB8
    STOP = 0xB9
    STOP_REPLY = 0xBA
    CHARGE_END = 0xBB
    CHARGE_END_REPLY = 0xBC
    FAULT = 0xC0
    FAULT_REPLY = 0xC1
    POWER_CHANGE = 0xC2
    SET_PARAMETERS = 0xC3
    SET_PARAMETERS_REPLY = 0xC4
    READ_PARAMETERS = 0xC5
    PARAMETERS = 0xC6
    BALANCE_QUERY = 0xD0
    BALANCE_REPLY = 0xD1


_READERS: dict[int, Callable[[bytes], contents.Content | Refusal]] = {
    Command.LOGIN: contents.read_login,
    Command.HEARTBEAT: contents.read_heartbeat,
    Command.CARD: contents.read_card,
    Command.STOP: contents.read_port,
    Command.START_REPLY: contents.read_result,
    Command.STOP_REPLY: contents.read_result,
    Command.CHARGE_END: contents.read_charge_end,
    Command.FAULT: contents.read_fault,
    Command.POWER_CHANGE: contents.read_power_change,
    Command.SET_PARAMETERS: contents.read_parameters,
    Command.PARAMETERS: contents.read_parameters,
    Command.BALANCE_REPLY: contents.read_balance,
}


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame; ``content`` is None where the command's data is not read."""

    raw: bytes
    command: int
    session: bytes
    data: bytes
    content: contents.Content


class Grammar:
    """Cuts and proves frames; the command tells the direction."""

    max_length = 257

    def seek(self, data: bytearray, at: int) -> int:
        found = data.find(START, at)
        return found if found >= 0 else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        if at + 1 >= len(data):
            return 0
        length = data[at + 1]
        if length < _HEADER_LENGTH:
            return Refusal(ErrorKind.BAD_LENGTH, f"the length is {length}, must be at least {_HEADER_LENGTH}")
        return length + 2

    def parse(self, raw: bytes) -> Frame | Refusal:
        found, right = raw[-1], xor8(raw[1:-1])
        if found != right:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"the XOR is {found:02x}, must be {right:02x}")
        command, data = raw[2], raw[9:-1]
        reader = _READERS.get(command)
        content = reader(data) if reader is not None else None
        if isinstance(content, Refusal):
            return content._replace(alarm=_alarm(command, data))
        return Frame(raw=raw, command=command, session=raw[3:9], data=data, content=content)

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """True when the command byte is a known one."""
        return at + 2 < len(data) and data[at + 2] in _COMMANDS


_COMMANDS = frozenset(Command)
_ALARMS: dict[int, str] = {BoardStatus.SMOKE: "fire", BoardStatus.HIGH_TEMPERATURE: "fault"}


def _alarm(command: int, data: bytes) -> str:
    """What a heartbeat that is refused for its content reports of the board all the same."""
    if command != Command.HEARTBEAT or len(data) <= contents.SHORT_HEARTBEAT_LENGTH:
        return ""
    return _ALARMS.get(data[contents.SHORT_HEARTBEAT_LENGTH], "")


def encode(command: int, data: bytes = b"", session: bytes = bytes(SESSION_LENGTH)) -> bytes:
    """The frame's bytes. LocalProtocolError when they do not fit."""
    if len(session) != SESSION_LENGTH or len(data) > DATA_MAX_LENGTH:
        message = f"dc589: no room for {len(data)} data bytes and a session of {len(session)}"
        raise LocalProtocolError(message)
    body = bytes((_HEADER_LENGTH + len(data), command)) + session + data
    return bytes((START,)) + body + bytes((xor8(body),))
