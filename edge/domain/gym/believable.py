"""What a number of a device may be at all. Drivers refuse what their wire cannot mean; this is the last gate before
anything is counted, judged or written down.

A number that is not finite or outside of what people and machines do is "not said", never a limit value: a clamped
pulse would be a pulse. A user would notice a mistake as a workout of NaN kilometres, or as a gym that stands still
because one console said infinity.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import get_args, get_type_hints

import msgspec

from edge.domain.devices import Reading
from edge.domain.machine_readings import (
    BloodPressureReading,
    CountReading,
    GateReading,
    HeartRateReading,
    MachineHealthReading,
    MachineReading,
    RepReading,
    StrengthSetReading,
    WeightReading,
)
from edge.domain.number_ranges import Ranges, within

_WIDE = (0, 2**31)
_TIME = (0, 10**9)
#: (lowest, highest) believable by field; counters wide, for only their differences mean anything.
_MACHINE: Ranges = {
    **dict.fromkeys(
        ("distance_m", "stroke_count", "stride_count", "step_count", "floor_count", "elevation_gain_m", "energy_kcal"),
        _WIDE,
    ),
    "elapsed_s": _TIME,
    "remaining_s": _TIME,
    "speed_km_h": (-60, 120),
    "cadence_rpm": (0, 400),
    "stroke_rate_spm": (0, 200),
    "step_rate_spm": (0, 400),
    "power_w": (-3000, 3000),
    "heart_rate_bpm": (0, 255),
    "incline_pct": (-100, 100),
    "resistance_level": (-1000, 10_000),
}
_RANGES: Mapping[type, Ranges] = {
    MachineReading: _MACHINE,
    MachineHealthReading: {
        "usage_hours_h": (0, 1_000_000),
        "odometer_km": (0, 10_000_000),
        "motor_current_a": (0, 200),
        "motor_temperature_c": (-50, 300),
        "error_code": _WIDE,
        "service_code": _WIDE,
        "start_count": _WIDE,
    },
    HeartRateReading: {"heart_rate_bpm": (0, 255)},
    BloodPressureReading: {"systolic_mmhg": (40, 300), "diastolic_mmhg": (20, 250), "pulse_bpm": (20, 250)},
    WeightReading: {"weight_kg": (2, 400)},
    RepReading: {"peak_torque_nm": (0, 2000), "work_j": (0, 20_000)},
    StrengthSetReading: {
        "rep_count": (0, 1000),
        "peak_torque_nm": (0, 2000),
        "duration_s": (0, 86_400),
    },
    CountReading: {"use_count": _WIDE},
    GateReading: {},
}
_DELAYS = {"delay_ms": (0, 10**12), "source_wall_ns": (0, 2**62)}


def believable(body: Reading) -> Reading:
    """``body`` with every number that cannot be as None, and as the log will give it back; the very same object where
    nothing is to be changed."""
    ranges = _RANGES.get(type(body))
    if ranges is None:
        return body
    return _as_logged(within(within(body, ranges), _DELAYS))


def _as_logged(body: Reading) -> Reading:
    """A driver may say 5 where 5.0 is meant. The log gives back 5.0, and what is kept and shown of it must be the same
    then, to the bit."""
    whole = {name: float(value) for name in _floats(type(body)) if type(value := getattr(body, name)) is int}
    return msgspec.structs.replace(body, **whole) if whole else body


@cache
def _floats(kind: type) -> tuple[str, ...]:
    """The fields of ``kind`` that the log decodes as floats."""
    hints = get_type_hints(kind)
    return tuple(name for name, hint in hints.items() if hint is float or float in get_args(hint))
