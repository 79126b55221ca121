"""Checksums of the device protocols, at C speed.

The hard part is which CRC-16 is meant: the same polynomial 1021 gives different results by bit order, start and final
xor. A user would notice a wrong one as a reader that is heard and never understood. The check values below are the
results for the nine ASCII bytes ``123456789`` (reference/rfid-protocols.md section 1.1).

The standard library has one table-driven CRC-16 in C, ``binascii.crc_hqx``: polynomial 1021, not reflected, any start.
A reflected CRC is the same calculation on bit-mirrored bytes with the result mirrored, so both CRCs here run on it.
"""

from __future__ import annotations

from binascii import crc_hqx

_MIRRORED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_START = 0xFFFF


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


def sum8(data: bytes) -> int:
    """Low byte of the plain sum of the bytes (MagicRF). Check value DD."""
    return sum(data) & 0xFF
