"""Frames of the A55A pressure terminal: bytes to frame. Pure; the wire is described in PROTOCOL.md, sections 2 and 3.

The terminal only talks: one frame holds the pressure now, its limits and the last readings. The hard part is the length
field of three bytes, which lets noise promise 16 MB. A user would notice a mistake as a sprinkler pipe without water
that is shown as full.
"""

from __future__ import annotations

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import crc16_modbus

START = b"\xa5\x5a"
END = b"\x55\xaa"
LENGTH_END = 5
RECORDS_AT = 35
LEAST_LENGTH = RECORDS_AT + 4
"""Bytes of a frame without records: head, CRC, end."""
MAX_LENGTH = 512
"""Longest frame believed, bytes (236 records; the terminal keeps 10)."""
MEASUREMENT = 0x01
BATTERY_STEP_PCT = 25
_BATTERY_DIGITS = b"01234"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. Pressures in kPa (the wire's 0.001 MPa); ``unix_s`` as the terminal's clock says."""

    raw: bytes
    device_id: str
    battery_pct: int | None
    rssi_dbm: int
    interval_s: int
    alarm: int
    low_limit_kpa: int
    high_limit_kpa: int
    pressure_kpa: int
    unix_s: int
    records_kpa: tuple[int, ...]


class Grammar:
    """Cuts and proves frames."""

    max_length = MAX_LENGTH

    def seek(self, data: bytearray, at: int) -> int:
        found = data.find(START[0], at)
        return found if found >= 0 else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        head = data[at : at + LENGTH_END]
        if len(head) > 1 and head[1] != START[1]:
            return Refusal(ErrorKind.BAD_START, f"second byte is {head[1]:02x}, must be 5a", weak=True)
        limits = f"must be {LEAST_LENGTH} to {MAX_LENGTH}, and odd"
        # What the first bytes of the length already exclude is not waited for.
        promised = int.from_bytes(head[2:].ljust(3, b"\0"))
        if promised > MAX_LENGTH:
            return Refusal(ErrorKind.BAD_LENGTH, f"length begins with {head[2:].hex()}, {limits}")
        if len(head) < LENGTH_END:
            return 0
        if promised < LEAST_LENGTH or (promised - LEAST_LENGTH) % 2:
            return Refusal(ErrorKind.BAD_LENGTH, f"length is {promised}, {limits}")
        return promised

    def parse(self, raw: bytes) -> Frame | Refusal:
        if raw[-2:] != END:
            return Refusal(ErrorKind.BAD_TERMINATOR, f"last bytes are {raw[-2:].hex()}, must be 55aa")
        found, right = int.from_bytes(raw[-4:-2]), crc16_modbus(raw[:-4])
        if found != right:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"CRC is {found:04x}, must be {right:04x}")
        records = raw[RECORDS_AT:-4]
        count = _u16(raw, 21)
        if count * 2 != len(records):
            return Refusal(ErrorKind.BAD_COUNT, f"{count} records announced, {len(records)} bytes of them came")
        if raw[23] != MEASUREMENT:
            return Refusal(ErrorKind.BAD_VALUE, f"type is {raw[23]:02x}, only 01 is known")
        name = raw[LENGTH_END:17].rstrip(b"\0 ")
        if not name.isascii() or not name.decode("ascii").isprintable():
            return Refusal(ErrorKind.BAD_VALUE, f"device id {name.hex()} is no printable ASCII")
        return Frame(
            raw=raw,
            device_id=name.decode("ascii"),
            battery_pct=(raw[17] - _BATTERY_DIGITS[0]) * BATTERY_STEP_PCT if raw[17] in _BATTERY_DIGITS else None,
            rssi_dbm=int.from_bytes(raw[18:19], signed=True),
            interval_s=_u16(raw, 19),
            alarm=raw[24],
            low_limit_kpa=_u16(raw, 25),
            high_limit_kpa=_u16(raw, 27),
            pressure_kpa=_u16(raw, 29),
            unix_s=int.from_bytes(raw[31:35]),
            records_kpa=tuple(_u16(records, at) for at in range(0, len(records), 2)),
        )

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """True when both start bytes are there."""
        return at + 1 < len(data)


def _u16(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 2])
