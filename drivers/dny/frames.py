"""DNY frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md section 2.

The hard part is what stands between the frames: the radio module sends ``link`` and its card number outside the
framing, at any time. A user would notice a mistake here as a board that drops out whenever its module says hello.
"""

from __future__ import annotations

import re
from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import sum16
from drivers.driver import LocalProtocolError

START = b"DNY"
LINK = b"link"
_STARTS = re.compile(rb"DNY|link|DN?\Z|l(?:in?)?\Z")
LENGTH_MIN = 9
LENGTH_MAX = 1024
"""Longest length believed: the longest known messages are firmware blocks of some 200 bytes."""
_HEADER_LENGTH = 5
_VOLTAGE_AT = {0x01: 2, 0x21: 0}


class Command(IntEnum):
    HEARTBEAT_OLD = 0x01
    CARD = 0x02
    SETTLEMENT = 0x03
    ORDER_CONFIRM = 0x04
    PORT_POWER = 0x06
    HOST_HEARTBEAT = 0x11
    HOST_TIME = 0x12
    REGISTER = 0x20
    HEARTBEAT = 0x21
    TIME = 0x22
    PORT_POWER_LONG = 0x26
    ALARM = 0x42
    QUERY = 0x81
    CHARGE = 0x82


class Link(msgspec.Struct, frozen=True):
    """The module's keep-alive."""

    raw: bytes


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A proven message. ``device_id`` is 8 hex digits, most significant first."""

    raw: bytes
    device_id: str
    message_id: int
    command: int
    data: bytes

    @property
    def voltage_v(self) -> float | None:
        """The mains voltage of a heartbeat."""
        at = _VOLTAGE_AT.get(self.command)
        if at is None or len(self.data) < at + 2:
            return None
        return int.from_bytes(self.data[at : at + 2], "little") / 10


Frame = Link | Message


class Grammar:
    """Cuts and proves frames; both directions are alike."""

    max_length = _HEADER_LENGTH + LENGTH_MAX

    def seek(self, data: bytearray, at: int) -> int:
        found = _STARTS.search(data, at)
        return found.start() if found else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        if data[at] == LINK[0]:
            return len(LINK)
        field = data[at + 3 : at + _HEADER_LENGTH]
        if len(field) < 2:
            return 0
        length = int.from_bytes(field, "little")
        if not LENGTH_MIN <= length <= LENGTH_MAX:
            return Refusal(ErrorKind.BAD_LENGTH, f"the length is {length}, must be {LENGTH_MIN} to {LENGTH_MAX}")
        return _HEADER_LENGTH + length

    def parse(self, raw: bytes) -> Frame | Refusal:
        if raw == LINK:
            return Link(raw)
        found, right = int.from_bytes(raw[-2:], "little"), sum16(raw[:-2])
        if found != right:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"the sum is {found:04x}, must be {right:04x}")
        return Message(
            raw=raw,
            device_id=raw[8:4:-1].hex(),
            message_id=int.from_bytes(raw[9:11], "little"),
            command=raw[11],
            data=raw[12:-2],
        )

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """Three letters are rare enough in noise; a torn ``link`` is not worth a word."""
        return data[at : at + 3] == START


def encode(device_id: str, message_id: int, command: int, data: bytes = b"") -> bytes:
    """The message's bytes. LocalProtocolError when they do not fit."""
    if re.fullmatch("[0-9a-f]{8}", device_id) is None or len(data) > LENGTH_MAX - LENGTH_MIN:
        message = f"dny: no room for {len(data)} bytes, or {device_id!r} is not 8 hex digits"
        raise LocalProtocolError(message)
    body = bytes.fromhex(device_id)[::-1] + message_id.to_bytes(2, "little") + bytes((command,)) + data
    frame = START + (len(body) + 2).to_bytes(2, "little") + body
    return frame + sum16(frame).to_bytes(2, "little")
