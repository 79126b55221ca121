"""From records of cuffs and scales to readings, in mmHg and kg whatever the device's unit.

The hard part is a device that repeats its last record whenever somebody connects: same bytes, so it is told once. A
user would notice a mistake as a second measurement that nobody took.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.buffer import Refusal
from drivers.health.frames import BloodPressure, Weight, parse_blood_pressure, parse_weight
from drivers.rawvalue import RawValue
from edge.domain.devices import Reading
from edge.domain.machine_readings import BloodPressureReading, WeightReading


class RecordSession:
    """Records of one characteristic. A record with a time stamp that comes again is a repetition; without one it is a
    new measurement, equal by chance."""

    def __init__(self, char: str) -> None:
        self._parse: Callable[[bytes], BloodPressure | Weight | Refusal] = (
            parse_blood_pressure if char == "2a35" else parse_weight
        )
        self._told = b""

    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal:
        record = self._parse(value.data)
        if isinstance(record, Refusal):
            return record
        if record.moment is not None and record.raw == self._told:
            return []
        self._told = record.raw
        return [_pressure(record, value) if isinstance(record, BloodPressure) else _weight(record, value)]


def _pressure(record: BloodPressure, value: RawValue) -> BloodPressureReading:
    return BloodPressureReading(
        systolic_mmhg=record.mmhg(record.systolic),
        diastolic_mmhg=record.mmhg(record.diastolic),
        mean_arterial_mmhg=record.mmhg(record.mean_arterial),
        pulse_bpm=record.pulse_bpm,
        user_id=record.user_id,
        body_movement=record.flag(0),
        cuff_loose=record.flag(1),
        irregular_pulse=record.flag(2),
        improper_position=record.flag(5),
        plausible=bool(record.plausible),
        device_time=_time(record),
        **{**value.marks, "raw_hex": record.raw.hex()},
    )


def _weight(record: Weight, value: RawValue) -> WeightReading:
    return WeightReading(
        weight_kg=record.weight_kg,
        bmi=record.bmi,
        height_m=record.height_m,
        user_id=record.user_id,
        device_time=_time(record),
        **{**value.marks, "raw_hex": record.raw.hex()},
    )


def _time(record: BloodPressure | Weight) -> str:
    return (record.moment.iso if record.moment is not None else None) or ""


def sessions() -> dict[str, Callable[[str], Any]]:
    """Channel -> maker of its session."""
    return {"2a35": lambda _point: RecordSession("2a35"), "2a9d": lambda _point: RecordSession("2a9d")}
