"""A blood pressure cuff and a scale. Written from ``drivers/health/PROTOCOL.md``.

The hard part is their clock, which nobody sets, and their memory: they send their last record again whenever somebody
connects. A user would notice a too kind model as one measurement that counts twice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from firmware_sim.peripheral import Value

NAN = 0x07FF


def sfloat(value: float | None, digits: int = 0) -> bytes:
    """``value`` with so many decimal digits; None is NaN."""
    if value is None:
        return NAN.to_bytes(2, "little")
    mantissa = round(value * math.pow(10, digits))
    if not -2045 <= mantissa <= 2045:
        raise ValueError(f"{value} does not fit 12 bits with {digits} digits")
    return ((-digits & 0x0F) << 12 | mantissa & 0x0FFF).to_bytes(2, "little")


@dataclass(slots=True)
class Cuff:
    """``measure`` puts a record into its memory; it goes out at the next notification and again after ``reconnect``.
    ``clock``: year, month, day, hour, minute, second as the device believes; a year of 0 is unknown."""

    kpa: bool = False
    clock: tuple[int, int, int, int, int, int] = (2019, 1, 1, 0, 0, 0)
    every_s: float = 1.0
    dead: bool = False
    _last: bytes = b""
    _pending: list[bytes] = field(default_factory=list)

    def measure(
        self, systolic: float | None, diastolic: float | None, pulse: float | None, *, status: int = 0, user: int = 0xFF
    ) -> None:
        digits = 1 if self.kpa else 0
        mean = None if systolic is None or diastolic is None else (systolic + 2 * diastolic) / 3
        pressures = sfloat(systolic, digits) + sfloat(diastolic, digits) + sfloat(mean, digits)
        body = pressures + _moment(self.clock) + sfloat(pulse) + bytes((user,)) + status.to_bytes(2, "little")
        self._last = bytes((0x1E | self.kpa,)) + body
        self._pending.append(self._last)

    def reconnect(self) -> None:
        if self._last:
            self._pending.append(self._last)

    def values(self, now_ns: int) -> list[Value]:
        pending, self._pending = self._pending, []
        return [Value("2a35", each) for each in pending]

    def written(self, char: str, data: bytes, now_ns: int) -> list[Value]:
        return []


@dataclass(slots=True)
class Scale:
    """``weigh`` sends a record; None: the measurement failed."""

    imperial: bool = False
    height_m: float = 1.62
    every_s: float = 1.0
    dead: bool = False
    _pending: list[bytes] = field(default_factory=list)

    def weigh(self, kilograms: float | None, *, user: int = 0xFF) -> None:
        per_kg = 100 / 0.45359237 if self.imperial else 200.0
        raw = 0xFFFF if kilograms is None else round(kilograms * per_kg)
        height = round(self.height_m / 0.0254 * 10) if self.imperial else round(self.height_m * 1000)
        bmi = 0 if kilograms is None else round(kilograms / self.height_m**2 * 10)
        tail = bytes((user,)) + bmi.to_bytes(2, "little") + height.to_bytes(2, "little")
        self._pending.append(bytes((0x0C | self.imperial,)) + raw.to_bytes(2, "little") + tail)

    def values(self, now_ns: int) -> list[Value]:
        pending, self._pending = self._pending, []
        return [Value("2a9d", each) for each in pending]

    def written(self, char: str, data: bytes, now_ns: int) -> list[Value]:
        return []


def _moment(clock: tuple[int, int, int, int, int, int]) -> bytes:
    return clock[0].to_bytes(2, "little") + bytes(clock[1:])
