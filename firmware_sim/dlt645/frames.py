"""DL/T 645-2007 frames as a meter sees them: requests in, answers out (``drivers/dlt645/PROTOCOL.md`` section 2)."""

from __future__ import annotations

from dataclasses import dataclass

START, END, PREAMBLE = 0x68, 0x16, 0xFE
LONGEST_DATA = 200


@dataclass(frozen=True, slots=True)
class Request:
    """``address`` as on the wire, low byte first; ``data`` without the offset 33."""

    address: bytes
    control: int
    data: bytes


def scan(buffer: bytearray) -> list[Request]:
    """Take the whole requests out of ``buffer``; what may become one stays."""
    found: list[Request] = []
    while True:
        start = buffer.find(START)
        if start < 0:
            buffer.clear()
            return found
        del buffer[:start]
        if len(buffer) < 10:
            return found
        size = 12 + buffer[9]
        if buffer[7] != START or buffer[9] > LONGEST_DATA:
            del buffer[0]
            continue
        if len(buffer) < size:
            return found
        frame = bytes(buffer[:size])
        if frame[-1] != END or frame[-2] != sum(frame[:-2]) % 256:
            del buffer[0]
            continue
        del buffer[:size]
        found.append(Request(frame[1:7], frame[8], bytes((byte - 0x33) % 256 for byte in frame[10:-2])))


def sealed(address: bytes, control: int, data: bytes = b"", preamble: int = 2) -> bytes:
    """A frame around ``data``, behind ``preamble`` times FE."""
    shifted = bytes((byte + 0x33) % 256 for byte in data)
    body = bytes((START,)) + address + bytes((START, control, len(data))) + shifted
    return bytes((PREAMBLE,)) * preamble + body + bytes((sum(body) % 256, END))


def matches(asked: bytes, own: bytes) -> bool:
    """Whether a meter of address ``own`` is meant: AA stands for any byte."""
    return all(want in {0xAA, got} for want, got in zip(asked, own, strict=True))


def digits(number: int, size: int) -> bytes:
    """Packed decimal, low byte first."""
    return bytes(int(f"{number // 100**at % 100}", 16) for at in range(size))


def number(raw: bytes) -> int:
    """The number of packed decimal digits, low byte first; ValueError when one is none."""
    return int("".join(f"{byte:02x}" for byte in reversed(raw)))
