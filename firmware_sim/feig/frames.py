"""FEIG OBID frames as the reader sees them: requests in, replies out.

Standard ``LEN ADR CMD DATA CRC16``, LEN counting every byte; advanced ``02 LENhi LENlo ADR CMD DATA CRC16``. Requests
have no status byte, replies do (manual H20800-16e, as in the RFID reference section 2.1). A standard frame cannot
have length 2, so a first byte of 02 always begins an advanced one.
"""

from __future__ import annotations

from dataclasses import dataclass

ADVANCED = 0x02
STANDARD_MIN = 5
ADVANCED_MIN = 7
STANDARD_MAX = 255


def _table() -> tuple[int, ...]:
    entries = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = (crc >> 1) ^ (0x8408 if crc & 1 else 0)
        entries.append(crc)
    return tuple(entries)


_CRC_TABLE = _table()


def crc16(data: bytes) -> int:
    """Reflected 0x1021 (0x8408), start FFFF, no final inversion; 0x6F91 for b"123456789"."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def sealed(body: bytes) -> bytes:
    """Body with its CRC appended, low byte first."""
    return body + crc16(body).to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class Request:
    address: int
    command: int
    data: bytes
    advanced: bool


def claimed_length(buffer: bytes | bytearray) -> int | None:
    """Total length that the first bytes claim; None while too few bytes are there; 0 for a length that cannot be."""
    if not buffer:
        return None
    if buffer[0] == ADVANCED:
        if len(buffer) < 3:
            return None
        length = int.from_bytes(buffer[1:3], "big")
        return length if length >= ADVANCED_MIN else 0
    return buffer[0] if buffer[0] >= STANDARD_MIN else 0


def parse_request(frame: bytes) -> Request | None:
    """A whole frame, or None when its CRC is wrong."""
    if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little"):
        return None
    head = 3 if frame[0] == ADVANCED else 1
    return Request(frame[head], frame[head + 1], frame[head + 2 : -2], advanced=head == 3)


def encode_reply(address: int, command: int, status: int, data: bytes = b"", *, advanced: bool = False) -> bytes:
    """A reply. The reader answers an advanced request advanced; a standard one too, when 255 bytes do not do."""
    body = bytes((address, command, status)) + data
    standard_length = len(body) + 3
    if not advanced and standard_length <= STANDARD_MAX:
        return sealed(bytes((standard_length,)) + body)
    return sealed(bytes((ADVANCED,)) + (len(body) + 5).to_bytes(2, "big") + body)


def encode_request(command: int, data: bytes = b"", *, address: int = 255, advanced: bool = False) -> bytes:
    """A host's request: for tests and for trying a reader by hand."""
    body = bytes((address, command)) + data
    if advanced:
        return sealed(bytes((ADVANCED,)) + (len(body) + 5).to_bytes(2, "big") + body)
    return sealed(bytes((len(body) + 3,)) + body)
