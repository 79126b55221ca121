"""A55A frames as the fields that ``kangle decode pressure_a55a`` prints (reference/decode-contract.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from drivers.decoded import Decoded, Fields, decode_stream
from drivers.pressure_a55a.frames import Frame, Grammar

HIGH_BIT = 1
KPA_PER_MPA = 1000


def decode(data: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line; there are no options."""
    return decode_stream(Grammar(), data, describe)


def alarm_names(alarm: int) -> list[str]:
    """Names of the bits set; only bit 1 has a documented meaning."""
    return ["high" if bit == HIGH_BIT else f"bit_{bit}" for bit in range(8) if alarm >> bit & 1]


def describe(frame: Frame) -> Fields:
    """The fields of one frame."""
    return {
        "device_id": frame.device_id,
        "battery_pct": frame.battery_pct,
        "rssi_dbm": frame.rssi_dbm,
        "interval_s": frame.interval_s,
        "record_count": len(frame.records_kpa),
        "alarm_names": alarm_names(frame.alarm),
        "low_limit_mpa": frame.low_limit_kpa / KPA_PER_MPA,
        "high_limit_mpa": frame.high_limit_kpa / KPA_PER_MPA,
        "pressure_mpa": frame.pressure_kpa / KPA_PER_MPA,
        "time": datetime.fromtimestamp(frame.unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "records_mpa": [record / KPA_PER_MPA for record in frame.records_kpa],
    }
