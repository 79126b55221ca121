"""ANT serial messages: bytes to message and back. Pure; PROTOCOL.md section 2.

The hard part is a one-byte check over short messages on a line that may be noisy: one in 256 accidents passes, so what
is inside must have exactly the length of its kind. A user would notice a mistake as a machine that appears for one
second and is nowhere to be found.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import xor8
from drivers.driver import LocalProtocolError

SYNC = 0xA4
DATA_MAX = 41
"""Longest data of a message (the serial protocol's own limit, reached by advanced bursts only)."""
_OVERHEAD = 4
_PAGE_AT, _PAGE_BYTES = 1, 8


class MessageId(IntEnum):
    CHANNEL_RESPONSE = 0x40
    UNASSIGN_CHANNEL = 0x41
    ASSIGN_CHANNEL = 0x42
    SET_PERIOD = 0x43
    SET_FREQUENCY = 0x45
    SET_NETWORK_KEY = 0x46
    RESET = 0x4A
    OPEN_CHANNEL = 0x4B
    CLOSE_CHANNEL = 0x4C
    BROADCAST_DATA = 0x4E
    ACKNOWLEDGED_DATA = 0x4F
    SET_CHANNEL_ID = 0x51
    STARTUP = 0x6F


#: Kind -> allowed lengths of its data. Data messages may carry the sender's id behind the page.
_LENGTHS: dict[int, range] = {
    MessageId.CHANNEL_RESPONSE: range(3, 4),
    MessageId.UNASSIGN_CHANNEL: range(1, 2),
    MessageId.ASSIGN_CHANNEL: range(3, 5),
    MessageId.SET_PERIOD: range(3, 4),
    MessageId.BROADCAST_DATA: range(9, DATA_MAX + 1),
    MessageId.ACKNOWLEDGED_DATA: range(9, DATA_MAX + 1),
    MessageId.SET_CHANNEL_ID: range(5, 6),
}
_EXTENDED_ID = 0x80


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A proven message; ``page`` of data messages, ``sender`` (device number, type, transmission type) where the stick
    adds it."""

    raw: bytes
    message_id: int
    data: bytes

    @property
    def page(self) -> bytes | None:
        if self.message_id not in {MessageId.BROADCAST_DATA, MessageId.ACKNOWLEDGED_DATA}:
            return None
        return self.data[_PAGE_AT : _PAGE_AT + _PAGE_BYTES]

    @property
    def sender(self) -> tuple[int, int, int] | None:
        tail = self.data[_PAGE_AT + _PAGE_BYTES :]
        if self.page is None or len(tail) < 5 or not tail[0] & _EXTENDED_ID:
            return None
        return int.from_bytes(tail[1:3], "little"), tail[3], tail[4]


class Grammar:
    """Cuts and proves messages of both directions."""

    max_length = DATA_MAX + _OVERHEAD

    def seek(self, data: bytearray, at: int) -> int:
        found = data.find(SYNC, at)
        return found if found >= 0 else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        if at + 1 >= len(data):
            return 0
        length = data[at + 1]
        if not 1 <= length <= DATA_MAX:
            return Refusal(ErrorKind.BAD_LENGTH, f"the length is {length}, must be 1 to {DATA_MAX}", weak=True)
        return length + _OVERHEAD

    def parse(self, raw: bytes) -> Message | Refusal:
        if xor8(raw[:-1]) != raw[-1]:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"the check is {raw[-1]:02x}, must be {xor8(raw[:-1]):02x}")
        lengths = _LENGTHS.get(raw[2])
        if lengths is not None and raw[1] not in lengths:
            return Refusal(ErrorKind.BAD_LENGTH, f"message {raw[2]:02x} with {raw[1]} bytes of data")
        return Message(raw=raw, message_id=raw[2], data=raw[3:-1])

    def is_plausible(self, data: bytearray, at: int) -> bool:
        return at + 2 < len(data) and data[at + 2] in _LENGTHS


def encode(message_id: int, data: bytes) -> bytes:
    if not 1 <= len(data) <= DATA_MAX:
        raise LocalProtocolError(f"ant_fec: a message of {len(data)} data bytes; allowed are 1 to {DATA_MAX}")
    body = bytes((SYNC, len(data), message_id)) + data
    return body + bytes((xor8(body),))
