"""Cuff and scale records as the fields that ``kangle decode health`` prints (decode contract, section 6)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.buffer import Refusal
from drivers.decoded import Decoded, Fields
from drivers.health.frames import (
    PULSE_RANGE_NAMES,
    BloodPressure,
    Moment,
    Weight,
    parse_blood_pressure,
    parse_weight,
)
from drivers.packets import decode_packets


def decode(line: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line: records of ``options["char"]``."""
    parse = parse_blood_pressure if options["char"] == "2a35" else parse_weight

    def take(packet: bytes) -> Fields | Refusal:
        record = parse(packet)
        return record if isinstance(record, Refusal) else describe(record)

    return decode_packets(line, take)


def describe(record: BloodPressure | Weight) -> Fields:
    told = _blood_pressure(record) if isinstance(record, BloodPressure) else _weight(record)
    return {**told, "user_id": record.user_id, **_moment(record.moment), "trailing_bytes": record.trailing_bytes}


def _blood_pressure(record: BloodPressure) -> Fields:
    unit = "kpa" if record.kpa else "mmhg"
    return {
        "unit_name": unit,
        f"systolic_{unit}": record.systolic,
        f"diastolic_{unit}": record.diastolic,
        f"mean_arterial_{unit}": record.mean_arterial,
        "pulse_bpm": record.pulse_bpm,
        "body_movement": record.flag(0),
        "cuff_loose": record.flag(1),
        "irregular_pulse": record.flag(2),
        "pulse_range_name": None if record.status is None else PULSE_RANGE_NAMES[record.status >> 3 & 0x03],
        "improper_position": record.flag(5),
        "plausible": record.plausible,
    }


def _weight(record: Weight) -> Fields:
    unit = "lb" if record.imperial else "kg"
    return {f"weight_{unit}": record.weight, "bmi": record.bmi, "height_m": record.height_m}


def _moment(moment: Moment | None) -> Fields:
    if moment is None:
        return {"time_parts": None, "time": None}
    return {"time_parts": msgspec.structs.asdict(moment), "time": moment.iso}
