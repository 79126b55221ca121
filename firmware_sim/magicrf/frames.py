"""MagicRF frames as the module sees them: ``BB TYPE CMD PLhi PLlo PARAM.. SUM 7E``; the R200 document has ``AA .. DD``.

SUM is the low byte of the plain sum of TYPE .. last PARAM. A tag notice carries the tag's own Gen2 CRC over PC and EPC.
"""

from __future__ import annotations

from dataclasses import dataclass

COMMAND, RESPONSE, NOTICE = 0x00, 0x01, 0x02
#: TYPE, CMD, PL, SUM and both ends.
OVERHEAD = 7
#: The longest command is a write of 32 words; a longer claim is noise.
MAX_PARAMETER = 256


@dataclass(frozen=True, slots=True)
class Framing:
    head: int = 0xBB
    tail: int = 0x7E


FRAMINGS = {"bb7e": Framing(), "aadd": Framing(0xAA, 0xDD)}


@dataclass(frozen=True, slots=True)
class Request:
    command: int
    parameter: bytes


def encode(frame_type: int, command: int, parameter: bytes = b"", framing: Framing = FRAMINGS["bb7e"]) -> bytes:
    body = bytes((frame_type, command)) + len(parameter).to_bytes(2, "big") + parameter
    return bytes((framing.head,)) + body + bytes((sum(body) & 0xFF, framing.tail))


def cut_requests(buffer: bytearray, framing: Framing) -> list[Request]:
    """Take all whole commands off the front of ``buffer``; bytes that cannot begin one are dropped."""
    requests: list[Request] = []
    while True:
        start = buffer.find(framing.head)
        if start < 0:
            buffer.clear()
            return requests
        del buffer[:start]
        if len(buffer) < 5:
            return requests
        length = OVERHEAD + int.from_bytes(buffer[3:5], "big")
        if buffer[1] != COMMAND or length > OVERHEAD + MAX_PARAMETER:
            del buffer[0]
            continue
        if len(buffer) < length:
            return requests
        if sum(buffer[1 : length - 2]) & 0xFF != buffer[length - 2] or buffer[length - 1] != framing.tail:
            del buffer[0]
            continue
        requests.append(Request(buffer[2], bytes(buffer[5 : length - 2])))
        del buffer[:length]


def _table() -> tuple[int, ...]:
    entries = []
    for value in range(256):
        crc = value << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
        entries.append(crc)
    return tuple(entries)


_CRC_TABLE = _table()


def gen2_crc(data: bytes) -> int:
    """CRC of the Gen2 air interface: 0x1021, start FFFF, complemented; 0xD64E for b"123456789"."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc << 8 & 0xFFFF) ^ _CRC_TABLE[crc >> 8 ^ byte]
    return crc ^ 0xFFFF


def pc_word(epc: bytes) -> int:
    """Protocol control word of a chip with this EPC: its length in words, and the user-memory bit."""
    return len(epc) // 2 << 11 | 0x0400


def tag_notice(epc: bytes, rssi_dbm: int, framing: Framing = FRAMINGS["bb7e"]) -> bytes:
    told = pc_word(epc).to_bytes(2, "big") + epc
    parameter = bytes((rssi_dbm & 0xFF,)) + told + gen2_crc(told).to_bytes(2, "big")
    return encode(NOTICE, 0x22, parameter, framing)
