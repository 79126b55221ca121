"""The layouts of the six machine records: which flag bit announces which numbers. Pure data; PROTOCOL.md section 2.

The hard part is that the text has two editions and machines of both are in use: treadmill pace and resistance have one
byte in one and two in the other, and only the length of the packet tells. A user would notice a mistake as a heart rate
that is the low byte of the energy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple


class Number(NamedTuple):
    """A number of a record: ``size`` bytes little-endian; value = raw / ``divisor``. ``absent`` are raw values (as
    unsigned) that mean "not there". ``narrow``: one byte in the other edition, read by this function."""

    name: str
    size: int
    signed: bool = False
    divisor: int = 1
    absent: tuple[int, ...] = ()
    narrow: Callable[[int], float | None] | None = None


class Layout(NamedTuple):
    """A characteristic: bytes of its flags, and for each flag bit its numbers in order. Bit 0 is inverted."""

    flag_bytes: int
    groups: tuple[tuple[int, tuple[Number, ...]], ...]


def _pace(raw: int) -> float | None:
    """Tenths of km/min as seconds for 500 m; standing still has none."""
    return 300 / raw if raw else None


_GONE = (0x7FFF,)
_LIFT = (0x7FFF, 0xFFFF)
_SPEED = (Number("speed_km_h", 2, divisor=100),)
_AVERAGE_SPEED = (Number("average_speed_km_h", 2, divisor=100),)
_DISTANCE = (Number("distance_m", 3),)
_SLOPE = (
    Number("incline_pct", 2, signed=True, divisor=10, absent=_GONE),
    Number("ramp_angle_deg", 2, signed=True, divisor=10, absent=_GONE),
)
_ENERGY = (
    Number("energy_kcal", 2, absent=(0xFFFF,)),
    Number("energy_per_hour_kcal", 2, absent=(0xFFFF,)),
    Number("energy_per_minute_kcal", 1, absent=(0xFF,)),
)
_HEART_RATE = (Number("heart_rate_bpm", 1, absent=(0,)),)
_MET = (Number("met", 1, divisor=10),)
_ELAPSED = (Number("elapsed_s", 2),)
_REMAINING = (Number("remaining_s", 2),)
_POWER = (Number("power_w", 2, signed=True),)
_AVERAGE_POWER = (Number("average_power_w", 2, signed=True),)
_RESISTANCE = (Number("resistance_level_raw", 2, signed=True, narrow=int),)
_STEP_RATE = (Number("step_rate_spm", 2),)
_AVERAGE_STEP_RATE = (Number("average_step_rate_spm", 2),)
_FLOORS = Number("floor_count", 2)
_GAIN = (Number("elevation_gain_m", 2, absent=_LIFT),)


def _climb(divisor: int) -> tuple[Number, ...]:
    return (
        Number("elevation_gain_m", 2, divisor=divisor, absent=_LIFT),
        Number("elevation_loss_m", 2, divisor=divisor, absent=_LIFT),
    )


def _numbered(*groups: tuple[Number, ...]) -> tuple[tuple[int, tuple[Number, ...]], ...]:
    return tuple(enumerate(groups))


STEP_COUNT_BIT = 13
CADENCE_BIT = 2

LAYOUTS = {
    "2acd": Layout(
        2,
        (
            *_numbered(
                _SPEED,
                _AVERAGE_SPEED,
                _DISTANCE,
                _SLOPE,
                _climb(10),
                (Number("pace_s_per_500m", 2, narrow=_pace),),
                (Number("average_pace_s_per_500m", 2, narrow=_pace),),
                _ENERGY,
                _HEART_RATE,
                _MET,
                _ELAPSED,
                _REMAINING,
                (
                    Number("belt_force_n", 2, signed=True, absent=_GONE),
                    Number("power_w", 2, signed=True, absent=_GONE),
                ),
            ),
            (STEP_COUNT_BIT, (Number("step_count", 3),)),
        ),
    ),
    "2ace": Layout(
        3,
        _numbered(
            _SPEED,
            _AVERAGE_SPEED,
            _DISTANCE,
            _STEP_RATE + _AVERAGE_STEP_RATE,
            (Number("stride_count", 2, divisor=10),),
            _climb(1),
            _SLOPE,
            _RESISTANCE,
            _POWER,
            _AVERAGE_POWER,
            _ENERGY,
            _HEART_RATE,
            _MET,
            _ELAPSED,
            _REMAINING,
        ),
    ),
    "2acf": Layout(
        2,
        _numbered(
            (_FLOORS, Number("step_count", 2)),
            _STEP_RATE,
            _AVERAGE_STEP_RATE,
            _GAIN,
            _ENERGY,
            _HEART_RATE,
            _MET,
            _ELAPSED,
            _REMAINING,
        ),
    ),
    "2ad0": Layout(
        2,
        _numbered(
            (_FLOORS,),
            _STEP_RATE,
            _AVERAGE_STEP_RATE,
            _GAIN,
            (Number("stride_count", 2),),
            _ENERGY,
            _HEART_RATE,
            _MET,
            _ELAPSED,
            _REMAINING,
        ),
    ),
    "2ad1": Layout(
        2,
        _numbered(
            (Number("stroke_rate_spm", 1, divisor=2), Number("stroke_count", 2)),
            (Number("average_stroke_rate_spm", 1, divisor=2),),
            _DISTANCE,
            (Number("pace_s_per_500m", 2),),
            (Number("average_pace_s_per_500m", 2),),
            _POWER,
            _AVERAGE_POWER,
            _RESISTANCE,
            _ENERGY,
            _HEART_RATE,
            _MET,
            _ELAPSED,
            _REMAINING,
        ),
    ),
    "2ad2": Layout(
        2,
        _numbered(
            _SPEED,
            _AVERAGE_SPEED,
            (Number("cadence_rpm", 2, divisor=2),),
            (Number("average_cadence_rpm", 2, divisor=2),),
            _DISTANCE,
            _RESISTANCE,
            _POWER,
            _AVERAGE_POWER,
            _ENERGY,
            _HEART_RATE,
            _MET,
            _ELAPSED,
            _REMAINING,
        ),
    ),
}


def numbers_of(layout: Layout, flags: int) -> Iterator[Number]:
    """The numbers that ``flags`` promise, in order of the wire."""
    for bit, numbers in layout.groups:
        if bool(flags >> bit & 1) != (bit == 0):
            yield from numbers
