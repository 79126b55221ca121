"""Modbus frames: bytes to frame and back, RTU (serial) and TCP (MBAP header). Pure; PROTOCOL.md section 2.

Frames are cut by function and length and proved by CRC, never by silence: behind a USB adapter the 3.5 characters of
silence between frames cannot be seen. The hard part is noise, in which every second byte may begin a frame. A user
would notice a mistake as a relay board that stops answering after a disturbance until somebody unplugs it.
"""

from __future__ import annotations

import struct

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import crc16_modbus
from drivers.driver import LocalProtocolError
from drivers.modbus.pdu import COIL_OFF, COIL_ON, EXCEPTION_NAMES, Function, Message, claimed_length, parse

MESSAGE_MAX = 253
RTU_MAX = MESSAGE_MAX + 3
TCP_HEADER = 7
TCP_MAX = TCP_HEADER + MESSAGE_MAX
READ_BITS_MAX = 2000
READ_WORDS_MAX = 125
_SERIAL_UNIT_MAX = 247


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. ``transaction`` is None on a serial line."""

    raw: bytes
    unit: int
    message: Message
    transaction: int | None = None


class RtuGrammar:
    """Cuts and proves serial frames of one direction: requests and answers of a function differ in length."""

    max_length = RTU_MAX

    def __init__(self, *, from_host: bool) -> None:
        self._from_host = from_host

    def seek(self, data: bytearray, at: int) -> int:
        """Every byte may be a unit id; ``claim`` tells by the function behind it."""
        return min(at, len(data))

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        if at + 1 >= len(data):
            return 0
        length = claimed_length(data[at + 1 : at + 12], from_host=self._from_host)
        return length if isinstance(length, Refusal) or not length else length + 3

    def parse(self, raw: bytes) -> Frame | Refusal:
        found, right = int.from_bytes(raw[-2:], "little"), crc16_modbus(raw[:-2])
        if found != right:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"CRC is {found:04x}, must be {right:04x}")
        message = parse(raw[1:-2], from_host=self._from_host)
        return message if isinstance(message, Refusal) else Frame(raw=raw, unit=raw[0], message=message)

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """True when unit, and for an exception its code, are such as the specification names."""
        if at + 1 >= len(data) or not 0 < data[at] <= _SERIAL_UNIT_MAX:
            return False
        code = data[at + 2] if at + 2 < len(data) else 0
        return data[at + 1] < 0x80 or code in EXCEPTION_NAMES


class TcpGrammar:
    """Cuts and proves frames behind an MBAP header: transaction, protocol 0, length, unit."""

    max_length = TCP_MAX

    def __init__(self, *, from_host: bool) -> None:
        self._from_host = from_host

    def seek(self, data: bytearray, at: int) -> int:
        return min(at, len(data))

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        head = data[at : at + 6]
        if any(head[2:4]):
            return Refusal(ErrorKind.BAD_START, f"protocol is {head[2:4].hex()}, must be 0000", weak=True)
        length = int.from_bytes(head[4:6].ljust(2, b"\0"))
        if length > MESSAGE_MAX + 1 or (len(head) == 6 and length < 2):
            return Refusal(ErrorKind.BAD_LENGTH, f"length is {length}, must be 2 to {MESSAGE_MAX + 1}", weak=True)
        return 6 + length if len(head) == 6 else 0

    def parse(self, raw: bytes) -> Frame | Refusal:
        body = raw[TCP_HEADER:]
        length = claimed_length(body, from_host=self._from_host)
        if isinstance(length, Refusal):
            return length
        if length != len(body):
            return Refusal(ErrorKind.BAD_LENGTH, f"the header gives {len(body)} bytes, the function takes {length}")
        message = parse(body, from_host=self._from_host)
        if isinstance(message, Refusal):
            return message
        return Frame(raw=raw, unit=raw[6], message=message, transaction=int.from_bytes(raw[:2]))

    def is_plausible(self, data: bytearray, at: int) -> bool:
        return at + 6 < len(data)


def encode(unit: int, message: bytes, transaction: int | None = None) -> bytes:
    """The frame of ``message`` (function code and data): serial, or behind a header when ``transaction`` is given.
    LocalProtocolError when a number is out of range."""
    if not 0 <= unit <= 0xFF or not 0 < len(message) <= MESSAGE_MAX:
        raise LocalProtocolError(f"modbus: unit {unit} with {len(message)} bytes; at most 255 and {MESSAGE_MAX}")
    body = bytes([unit]) + message
    if transaction is None:
        return body + crc16_modbus(body).to_bytes(2, "little")
    return struct.pack(">HHH", transaction & 0xFFFF, 0, len(body)) + body


def read_request(function: Function, address: int, quantity: int) -> bytes:
    """The message that asks for ``quantity`` bits (01, 02) or registers (03, 04)."""
    limit = READ_BITS_MAX if function <= Function.READ_DISCRETE_INPUTS else READ_WORDS_MAX
    _check_range(address, 0xFFFF, "address")
    if not 0 < quantity <= limit:
        raise LocalProtocolError(f"modbus: quantity {quantity} must be 1 to {limit}")
    return struct.pack(">BHH", function, address, quantity)


def write_coil_request(address: int, *, on: bool) -> bytes:
    """The message that switches one coil; FF00 and 0000 are the only values that exist."""
    _check_range(address, 0xFFFF, "address")
    return struct.pack(">BHH", Function.WRITE_SINGLE_COIL, address, COIL_ON if on else COIL_OFF)


def write_register_request(address: int, value: int) -> bytes:
    """The message that writes one holding register."""
    _check_range(address, 0xFFFF, "address")
    _check_range(value, 0xFFFF, "value")
    return struct.pack(">BHH", Function.WRITE_SINGLE_REGISTER, address, value)


def _check_range(value: int, limit: int, name: str) -> None:
    if not 0 <= value <= limit:
        raise LocalProtocolError(f"modbus: {name} {value} must be 0 to {limit}")
