"""What the data field of a DL/T 645-2007 frame means: identifiers, BCD numbers, clocks, trip and close.

The hard part is that a meter says "not there" with FF in every byte, which looks like a huge number: a single-phase
meter asked for three phases answers so. A user would notice a mistake as a current of 999 A on a phase that is not
wired, or as 0 V (dead, so safe to touch) on one that nobody measured.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import NamedTuple

from drivers.buffer import ErrorKind, Refusal
from drivers.wallclock import CHINA

IDENTIFIER_BYTES = 4
DATE = "04000101"
TIME = "04000102"
BLOCK = 0xFF
"""In the third byte of an identifier (the second on the wire): all tariffs or all phases at once."""

_FIRST_CENTURY = 2000
_SCALED = {
    (0x00, 0x00): ("energy_wh", 4, 10, 1),
    (0x00, 0x01): ("energy_wh", 4, 10, 1),
    (0x00, 0x02): ("energy_wh", 4, 10, 1),
    (0x00, 0x03): ("reactive_energy_varh", 4, 10, 1),
    (0x00, 0x04): ("reactive_energy_varh", 4, 10, 1),
    (0x02, 0x01): ("voltage_v", 2, 1, 10),
    (0x02, 0x02): ("current_a", 3, 1, 1000),
    (0x02, 0x03): ("power_w", 3, 1, 10),
}
"""(first, second byte of the identifier): field, bytes a value, and the fraction that makes base units of the BCD
number: 0.01 kWh = 10 Wh, 0.1 V, 0.001 A, 0.0001 kW = 0.1 W."""
_COUNTS = {"1d000001": "trip_count", "03300d00": "cover_open_count"}
_EDITION_1997 = range(0x90, 0xFF)
"""Second byte on the wire. In the 1997 edition it is the class of the identifier (90 energy, B6 voltage ..); in that of
2007 the tariff or phase, which is small or FF."""


class BadBcdError(ValueError):
    """A nibble is no decimal digit."""


class Layout(NamedTuple):
    """How the values of an identifier are laid out. ``size`` 0: one number of any length."""

    field: str
    size: int
    numerator: int = 1
    denominator: int = 1
    signed: bool = False
    block: bool = False


Value = float | int | str | list[float | int | None] | None


class Content(NamedTuple):
    """The named values of a data field: numbers, texts, lists of numbers, None where the meter says "not there"."""

    values: dict[str, Value]
    bad_bcd: bool = False


def identifier_of(data: bytes) -> str | None:
    """The identifier at the beginning of ``data``, most significant byte first, or None when it is too short or of the
    1997 edition."""
    if len(data) < IDENTIFIER_BYTES or is_edition_1997(data):
        return None
    return data[IDENTIFIER_BYTES - 1 :: -1].hex()


def is_edition_1997(data: bytes) -> bool:
    """True when ``data`` begins with a 2-byte identifier of the 1997 edition."""
    return len(data) == 2 or (len(data) > 2 and data[1] in _EDITION_1997)


def layout_of(identifier: str) -> Layout | None:
    """The layout of the numbers behind ``identifier``, or None where we know none."""
    first, second, third, fourth = bytes.fromhex(identifier)
    if fourth == 0 and (first, second) in _SCALED:
        field, size, numerator, denominator = _SCALED[first, second]
        return Layout(field, size, numerator, denominator, signed=field == "power_w", block=third == BLOCK)
    if identifier == "02800007":
        return Layout("temperature_c", 2, 1, 10)
    if identifier in _COUNTS:
        return Layout(_COUNTS[identifier], 0)
    return None


def read_content(identifier: str, payload: bytes, *, more_follows: bool = False) -> Content | Refusal:
    """The values in ``payload`` (what follows the identifier in an answer)."""
    if identifier == TIME:
        return _read_clock(payload, 3)
    if identifier == DATE:
        return _read_clock(payload, 4)
    layout = layout_of(identifier)
    if layout is None:
        return Content({})
    size = layout.size or max(1, len(payload))
    fits = bool(payload) and len(payload) % size == 0 and (layout.block or len(payload) == size)
    if not fits and not (more_follows and layout.block):
        return Refusal(ErrorKind.BAD_LENGTH, f"{len(payload)} bytes behind identifier {identifier}, items have {size}")
    numbers: list[float | int | None] = []
    bad = False
    for at in range(0, len(payload) - size + 1, size):
        try:
            numbers.append(_number(payload[at : at + size], layout))
        except BadBcdError:
            numbers.append(None)
            bad = True
    return Content({layout.field: numbers if layout.block else numbers[0]}, bad)


def _number(raw: bytes, layout: Layout) -> float | int | None:
    if raw.count(0xFF) == len(raw):
        return None
    negative = layout.signed and raw[-1] & 0x80
    number = bcd(raw[:-1] + bytes([raw[-1] & 0x7F]) if negative else raw) * layout.numerator
    scaled = number / layout.denominator if layout.denominator > 1 else number
    return -scaled if negative and number else scaled


def bcd(raw: bytes) -> int:
    """The number in packed decimal digits, low byte first. Raises BadBcdError."""
    digits = raw[::-1].hex()
    if not digits.isdecimal():
        raise BadBcdError(digits)
    return int(digits)


def to_bcd(number: int, size: int) -> bytes:
    """``number`` as ``size`` bytes of packed decimal digits, low byte first."""
    return bytes.fromhex(f"{number:0{2 * size}d}")[::-1]


def _read_clock(payload: bytes, size: int) -> Content | Refusal:
    """Time (second, minute, hour) or date (weekday, day, month, year)."""
    names = ("time",) if size == 3 else ("date", "weekday")
    if len(payload) != size:
        return Refusal(ErrorKind.BAD_LENGTH, f"{len(payload)} bytes of {names[0]}, must be {size}")
    if payload.count(0xFF) == size:
        return Content(dict.fromkeys(names))
    try:
        parts = [bcd(payload[at : at + 1]) for at in range(size)]
    except BadBcdError:
        return Content(dict.fromkeys(names), bad_bcd=True)
    try:
        if size == 3:
            return Content({"time": time(parts[2], parts[1], parts[0]).isoformat()})
        day = date(_FIRST_CENTURY + parts[3], parts[2], parts[1])
    except ValueError as error:
        return Refusal(ErrorKind.BAD_TIME, f"{payload[::-1].hex()} is no {names[0]}: {error}")
    return Content({"date": day.isoformat(), "weekday": parts[0]})


def read_valid_until(raw: bytes) -> str | Refusal | None:
    """ISO time of the six bytes ss mm hh DD MM YY, China time. Raises BadBcdError; all FF: not given."""
    if raw.count(0xFF) == len(raw):
        return None
    second, minute, hour, day, month, year = (bcd(raw[at : at + 1]) for at in range(6))
    try:
        return datetime(_FIRST_CENTURY + year, month, day, hour, minute, second, tzinfo=CHINA).isoformat()
    except ValueError as error:
        return Refusal(ErrorKind.BAD_TIME, f"valid-until {raw[::-1].hex()} is no time: {error}")


def write_valid_until(moment: datetime) -> bytes:
    """The six bytes of ``moment``, which is China local time."""
    parts = (moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.year % 100)
    return b"".join(to_bcd(part, 1) for part in parts)
