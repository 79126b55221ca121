"""Blood pressure (2A35) and weight (2A9D) records. Pure; PROTOCOL.md section 2.

The hard part is a number format of its own: a signed mantissa with a signed power of ten, and values that mean "none".
A record is whole or nothing: half a blood pressure is worse than none. A user would notice a mistake as a pressure of
0.0000012, or as somebody sent home for a cuff that slipped.
"""

from __future__ import annotations

import msgspec

from drivers.buffer import ErrorKind, Refusal

MMHG_PER_KPA = 7.500617
PLAUSIBLE_MMHG = (40.0, 300.0)
_KPA, _TIME, _PULSE, _USER, _STATUS = 0x01, 0x02, 0x04, 0x08, 0x10
_IMPERIAL, _W_TIME, _W_USER, _W_BMI = 0x01, 0x02, 0x04, 0x08
_INCH_M = 0.0254
KG_PER_LB = 0.45359237
_NO_USER = 0xFF
_NO_WEIGHT = 0xFFFF
_SPECIAL = frozenset({0x07FE, 0x07FF, 0x0800, 0x0801, 0x0802})
"""Mantissas that are no numbers: +INFINITY, NaN, NRes, reserved, -INFINITY."""
PULSE_RANGE_NAMES = ("ok", "above", "below", None)


class Moment(msgspec.Struct, frozen=True):
    """A device's time; a part that it does not know is None."""

    year: int | None
    month: int | None
    day: int | None
    hour: int
    minute: int
    second: int

    @property
    def iso(self) -> str | None:
        """ISO 8601 without zone, None unless the date is complete and the time exists."""
        if self.year is None or self.month is None or self.day is None or not self._exists():
            return None
        date = f"{self.year:04d}-{self.month:02d}-{self.day:02d}"
        return f"{date}T{self.hour:02d}:{self.minute:02d}:{self.second:02d}"

    def _exists(self) -> bool:
        assert self.year is not None
        assert self.month is not None
        assert self.day is not None
        leap = self.year % 4 == 0 and (self.year % 100 != 0 or self.year % 400 == 0)
        days = {2: 29 if leap else 28, 4: 30, 6: 30, 9: 30, 11: 30}.get(self.month, 31)
        within = self.year <= 9999 and self.month <= 12 and self.day <= days
        return within and self.hour < 24 and self.minute < 60 and self.second < 60


class BloodPressure(msgspec.Struct, frozen=True, kw_only=True):
    """Pressures in the unit of the record. A flag is None when the record has no status."""

    raw: bytes
    kpa: bool
    systolic: float | None
    diastolic: float | None
    mean_arterial: float | None
    moment: Moment | None = None
    pulse_bpm: float | None = None
    user_id: int | None = None
    status: int | None = None
    trailing_bytes: int = 0

    def flag(self, bit: int) -> bool | None:
        return None if self.status is None else bool(self.status >> bit & 1)

    def mmhg(self, pressure: float | None) -> float | None:
        return pressure * MMHG_PER_KPA if pressure is not None and self.kpa else pressure

    @property
    def plausible(self) -> bool | None:
        """None when there is no systolic pressure to judge."""
        systolic = self.mmhg(self.systolic)
        return None if systolic is None else PLAUSIBLE_MMHG[0] <= systolic <= PLAUSIBLE_MMHG[1]


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """``weight`` in kg or lb as the record has it, None: the measurement failed."""

    raw: bytes
    imperial: bool
    weight: float | None
    moment: Moment | None = None
    user_id: int | None = None
    bmi: float | None = None
    height_m: float | None = None
    trailing_bytes: int = 0

    @property
    def weight_kg(self) -> float | None:
        return self.weight * KG_PER_LB if self.weight is not None and self.imperial else self.weight


class _Reader:
    """Takes numbers from the front; ``short`` once one was not there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.short = False

    def take(self, size: int) -> bytes:
        self.short = self.short or len(self._data) < size
        taken, self._data = self._data[:size], self._data[size:]
        return taken.ljust(size, b"\0")

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def sfloat(self) -> float | None:
        return sfloat(self.number(2))

    def moment(self) -> Moment:
        year = self.number(2)
        month, day, hour, minute, second = self.take(5)
        return Moment(year or None, month or None, day or None, hour, minute, second)

    @property
    def left(self) -> int:
        return len(self._data)


def sfloat(raw: int) -> float | None:
    """IEEE 11073 SFLOAT: 4 bits signed power of ten over 12 bits signed mantissa; None for what is no number."""
    mantissa = raw & 0x0FFF
    if mantissa in _SPECIAL:
        return None
    mantissa -= 0x1000 if mantissa & 0x0800 else 0
    exponent = (raw >> 12) - (0x10 if raw & 0x8000 else 0)
    return mantissa * 10.0**exponent if exponent >= 0 else mantissa / 10.0**-exponent


def parse_blood_pressure(data: bytes) -> BloodPressure | Refusal:
    reader = _Reader(data)
    flags = reader.number(1)
    systolic, diastolic, mean = reader.sfloat(), reader.sfloat(), reader.sfloat()
    moment = reader.moment() if flags & _TIME else None
    pulse = reader.sfloat() if flags & _PULSE else None
    user = reader.number(1) if flags & _USER else _NO_USER
    status = reader.number(2) if flags & _STATUS else None
    if reader.short:
        return Refusal(ErrorKind.TOO_SHORT, f"{len(data)} bytes are fewer than its flags promise")
    return BloodPressure(
        raw=data,
        kpa=bool(flags & _KPA),
        systolic=systolic,
        diastolic=diastolic,
        mean_arterial=mean,
        moment=moment,
        pulse_bpm=pulse,
        user_id=None if user == _NO_USER else user,
        status=status,
        trailing_bytes=reader.left,
    )


def parse_weight(data: bytes) -> Weight | Refusal:
    reader = _Reader(data)
    flags = reader.number(1)
    imperial = bool(flags & _IMPERIAL)
    raw = reader.number(2)
    moment = reader.moment() if flags & _W_TIME else None
    user = reader.number(1) if flags & _W_USER else _NO_USER
    bmi, height_m = None, None
    if flags & _W_BMI:
        bmi = reader.number(2) / 10
        height = reader.number(2)
        height_m = height * _INCH_M / 10 if imperial else height / 1000
    if reader.short:
        return Refusal(ErrorKind.TOO_SHORT, f"{len(data)} bytes are fewer than its flags promise")
    weight = raw / 100 if imperial else raw / 200
    return Weight(
        raw=data,
        imperial=imperial,
        weight=None if raw == _NO_WEIGHT else weight,
        moment=moment,
        user_id=None if user == _NO_USER else user,
        bmi=bmi,
        height_m=height_m,
        trailing_bytes=reader.left,
    )
