"""The last ten minutes of samples of a port, packed: what a cut keeps as its evidence.

A ring of fixed records in one bytearray: 400 ports at one sample a second are 4 MB, and a cut copies at most 9.6 kB.
Record (16 bytes, little endian): u32 age in ms since the session began (wraps after 49 days), u16 power dW, u16
current mA / 10, u16 voltage dV, u16 residual current dmA, i16 temperature d°C, u16 spare. 0xFFFF (-32768) = not said.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from edge.domain.field_devices import MeterReading

_RECORD = struct.Struct("<IHHHHhH")
_AGE = struct.Struct("<I")
SIZE = _RECORD.size
SPAN_MS = 600_000
MOST = 600
_NONE = 0xFFFF


class Sample(NamedTuple):
    """One record as read back; None = the meter did not say."""

    age_ms: int
    power_w: float | None
    current_a: float | None
    voltage_v: float | None
    residual_ma: float | None
    temperature_c: float | None


def _pack(value: float | None, scale: float) -> int:
    if value is None:
        return _NONE
    number = int(value * scale + 0.5)
    return number if 0 <= number < _NONE else (0 if number < 0 else _NONE - 1)


def push(ring: bytearray, age_ms: int, reading: MeterReading) -> None:
    """Append a sample; drop those older than 10 min, and the oldest beyond 600."""
    hot = reading.temperature_c
    ring += _RECORD.pack(
        age_ms & 0xFFFFFFFF,
        _pack(reading.power_w, 10),
        _pack(reading.current_a, 100),
        _pack(reading.voltage_v, 10),
        _pack(reading.residual_ma, 10),
        -32768 if hot is None else min(32767, max(-32767, round(hot * 10))),
        0,
    )
    drop = SIZE if len(ring) > MOST * SIZE else 0
    while age_ms - _AGE.unpack_from(ring, drop)[0] > SPAN_MS:  # ends at the newest: its age is age_ms
        drop += SIZE
    if drop:
        del ring[:drop]


def unpack(blob: bytes | bytearray) -> list[Sample]:
    """The samples of a blob, oldest first. Raises ValueError on a torn blob."""
    if len(blob) % SIZE:
        raise ValueError(f"{len(blob)} bytes are no whole number of {SIZE}-byte samples")

    def real(value: int, scale: float) -> float | None:
        return None if value == _NONE else value / scale

    return [
        Sample(
            age,
            real(power, 10),
            real(current, 100),
            real(voltage, 10),
            real(residual, 10),
            None if hot == -32768 else hot / 10,
        )
        for age, power, current, voltage, residual, hot, _ in _RECORD.iter_unpack(blob)
    ]
