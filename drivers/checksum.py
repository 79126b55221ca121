"""Checksums of the device protocols, at C speed.

The hard part is which CRC-16 is meant: the same polynomial 1021 gives different results by bit order, start and final
xor. A user would notice a wrong one as a reader that is heard and never understood. The check values below are the
results for the nine ASCII bytes ``123456789`` (reference/rfid-protocols.md section 1.1).

The standard library has one table-driven CRC-16 in C, ``binascii.crc_hqx``: polynomial 1021, not reflected, any start.
A reflected CRC is the same calculation on bit-mirrored bytes with the result mirrored, so both CRCs here run on it.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import reduce
from operator import xor

_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_START = 0xFFFF
_OSDP_START = 0x1D0F


def crc16_8408(data: bytes) -> int:
    """CRC-16 with the reflected polynomial 8408, start FFFF, no final xor (FEIG, Chafon, RR3036). Check value 6F91.

    It is sent low byte first; over a frame that includes its own good CRC the result is 0.
    """
    crc = crc_hqx(data.translate(_MIRRORED), _START)
    return _MIRRORED[crc & 0xFF] << 8 | _MIRRORED[crc >> 8]


def crc16_gen2(data: bytes) -> int:
    """CRC-16 of an EPC Gen2 tag over PC + EPC: polynomial 1021, start FFFF, complemented. Check value D64E.

    It is sent high byte first.
    """
    return crc_hqx(data, _START) ^ 0xFFFF


def crc16_osdp(data: bytes) -> int:
    """CRC-16 of OSDP v2: polynomial 1021, start 1D0F, no final xor (CRC-16/AUG-CCITT). Check value E5CC.

    It is sent low byte first.
    """
    return crc_hqx(data, _OSDP_START)


def _table_a001() -> tuple[int, ...]:
    crcs = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        crcs.append(crc)
    return tuple(crcs)


_A001 = _table_a001()


def crc16_modbus(data: bytes) -> int:
    """CRC-16 with the reflected polynomial A001 (8005), start FFFF, no final xor (Modbus RTU, A55A terminal). Check
    value 4B37.

    Modbus sends it low byte first, the A55A terminal high byte first. The library's C routine has another polynomial,
    so this one goes byte by byte; frames are at most some hundred bytes.
    """
    crc = _START
    for byte in data:
        crc = crc >> 8 ^ _A001[(crc ^ byte) & 0xFF]
    return crc


def sum8(data: bytes) -> int:
    """Low byte of the plain sum of the bytes (MagicRF, DL/T 645, GB/T 26875.3). Check value DD."""
    return sum(data) & 0xFF


def sum16(data: bytes) -> int:
    """Low 16 bits of the plain sum of the bytes (DNY). Check value 01DD; sent low byte first."""
    return sum(data) & 0xFFFF


def xor8(data: bytes) -> int:
    """Exclusive or of the bytes (DC589). Check value 31."""
    return reduce(xor, data, 0)
