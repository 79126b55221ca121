"""Modbus frames as a slave sees them (``drivers/modbus/PROTOCOL.md`` sections 2 and 3): requests in, answers out."""

from __future__ import annotations

from dataclasses import dataclass


def crc(data: bytes) -> int:
    """The Modbus CRC by its definition, bit by bit."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


@dataclass(frozen=True, slots=True)
class Request:
    """``transaction`` None on a serial line; ``pdu`` function and data."""

    unit: int
    pdu: bytes
    transaction: int | None = None


def _rtu_length(buffer: bytearray) -> int:
    """Length of the request at the buffer's head; 0 not known yet, -1 no request."""
    function = buffer[1]
    if 1 <= function <= 6:
        return 8
    if function in {0x0F, 0x10}:
        return 9 + buffer[6] if len(buffer) > 6 else 0
    return -1


def scan_rtu(buffer: bytearray) -> list[Request]:
    """Take the whole requests out of ``buffer``."""
    found: list[Request] = []
    while len(buffer) >= 2:
        size = _rtu_length(buffer)
        if size == 0 or 0 < size > len(buffer):
            return found
        frame = bytes(buffer[:size]) if size > 0 else b""
        if not frame or crc(frame[:-2]) != frame[-2] + 256 * frame[-1]:
            del buffer[0]
            continue
        del buffer[:size]
        found.append(Request(frame[0], frame[1:-2]))
    return found


def scan_tcp(buffer: bytearray) -> list[Request]:
    """Take the whole requests out of ``buffer``; a header that cannot be ends the conversation (buffer cleared)."""
    found: list[Request] = []
    while len(buffer) >= 7:
        size = 6 + 256 * buffer[4] + buffer[5]
        if buffer[2] or buffer[3] or not 8 <= size <= 260:
            buffer.clear()
            return found
        if len(buffer) < size:
            return found
        found.append(Request(buffer[6], bytes(buffer[7:size]), 256 * buffer[0] + buffer[1]))
        del buffer[:size]
    return found


def sealed(request: Request, pdu: bytes) -> bytes:
    """The answer ``pdu`` in the form in which the request came."""
    body = bytes((request.unit,)) + pdu
    if request.transaction is None:
        value = crc(body)
        return body + bytes((value & 255, value >> 8))
    header = (request.transaction, 0, len(body))
    return b"".join(bytes((each >> 8, each & 255)) for each in header) + body
