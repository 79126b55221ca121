"""ANT+ FE-C data pages: eight bytes to what they say. Pure; PROTOCOL.md section 3.

The hard part is that counters are one byte wide and roll over every 64 seconds or 256 metres, and that a quantity
counts only where the machine's capability bit says so. A user would notice a mistake as a workout that is always
shorter than 256 metres, or as a rower with a distance that nobody measured.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import msgspec

from drivers.buffer import ErrorKind, Refusal

PAGE_BYTES = 8
GENERAL = 16
EQUIPMENT_NAMES = {
    16: "general",
    19: "treadmill",
    20: "elliptical",
    22: "rower",
    23: "climber",
    24: "nordic_skier",
    25: "trainer",
}
HEART_RATE_SOURCES = ("none", "ant", "em_5khz", "hand_contact")
COMMAND_STATUS_NAMES = {0: "pass", 1: "fail", 2: "not_supported", 3: "rejected", 4: "pending", 255: "uninitialised"}
_DISTANCE_BIT, _VIRTUAL_BIT = 0x04, 0x08
_COUNTER_BIT, _CLIMB_BIT = 0x01, 0x02


class State(IntEnum):
    RESERVED = 0
    OFF = 1
    READY = 2
    IN_USE = 3
    FINISHED_OR_PAUSED = 4


_STATE_NAMES = {each.value: each.name.lower() for each in State}
Values = dict[str, Any]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A data page. ``values`` are named as in the decode contract, None where all bits are one. ``state`` None: the
    page has none, or it is a value that is not defined."""

    number: int
    values: Values
    data: bytes

    @property
    def state(self) -> State | None:
        told = self.values.get("state")
        return State(told) if told in _STATE_NAMES else None


def parse(data: bytes) -> Page | Refusal:
    """A page of exactly eight bytes."""
    if len(data) != PAGE_BYTES:
        return Refusal(ErrorKind.BAD_LENGTH, f"a page has {PAGE_BYTES} bytes, not {len(data)}")
    number = data[0]
    read = _READERS.get(number)
    values = read(data) if read is not None else {"data_hex": data[1:].hex()}
    if GENERAL <= number <= 25:
        state = data[7] >> 4 & 0x07
        values |= {"state": state, "state_name": _STATE_NAMES.get(state), "lap_toggle": data[7] >> 7}
    return Page(number=number, values=values, data=data)


def _u(data: bytes, at: int, size: int = 1) -> int | None:
    """An unsigned number, None where all bits are one."""
    raw = data[at : at + size]
    return None if raw == b"\xff" * size else int.from_bytes(raw, "little")


def _scaled(raw: int | None, divisor: int) -> float | None:
    return None if raw is None else raw / divisor


def _km_h(raw: int | None) -> float | None:
    """From mm/s."""
    return None if raw is None else raw * 3.6 / 1000


def _general(data: bytes) -> Values:
    capabilities = data[7]
    return {
        "equipment": data[1] & 0x1F,
        "equipment_name": EQUIPMENT_NAMES.get(data[1] & 0x1F),
        "elapsed_s": _scaled(_u(data, 2), 4),
        "distance_m": _u(data, 3) if capabilities & _DISTANCE_BIT else None,
        "speed_km_h": _km_h(_u(data, 4, 2)),
        "heart_rate_bpm": _u(data, 6),
        "heart_rate_source_name": HEART_RATE_SOURCES[capabilities & 0x03],
        "virtual_speed": bool(capabilities & _VIRTUAL_BIT),
    }


def _settings(data: bytes) -> Values:
    incline = int.from_bytes(data[4:6], "little", signed=True)
    return {
        "cycle_length_m": _scaled(_u(data, 3), 100),
        "incline_pct": None if incline == 0x7FFF else incline / 100,
        "resistance_pct": _scaled(_u(data, 6), 2),
    }


def _metabolic(data: bytes) -> Values:
    return {
        "met": _scaled(_u(data, 2, 2), 100),
        "energy_per_hour_kcal": _scaled(_u(data, 4, 2), 10),
        "energy_kcal": _u(data, 6) if data[7] & _COUNTER_BIT else None,
    }


def _treadmill(data: bytes) -> Values:
    return {
        "stride_rate_spm": _u(data, 4),
        "elevation_loss_m": _scaled(_u(data, 5), 10),
        "elevation_gain_m": _scaled(_u(data, 6), 10),
    }


def _elliptical(data: bytes) -> Values:
    gain = _scaled(_u(data, 2), 10) if data[7] & _CLIMB_BIT else None
    return {"elevation_gain_m": gain, **_strides(data)}


def _strides(data: bytes) -> Values:
    return {
        "stride_count": _u(data, 3) if data[7] & _COUNTER_BIT else None,
        "stride_rate_spm": _u(data, 4),
        "power_w": _u(data, 5, 2),
    }


def _rower(data: bytes) -> Values:
    return {
        "stroke_count": _u(data, 3) if data[7] & _COUNTER_BIT else None,
        "stroke_rate_spm": _u(data, 4),
        "power_w": _u(data, 5, 2),
    }


def _bike(data: bytes) -> Values:
    return {"cadence_rpm": _u(data, 4), "power_w": _u(data, 5, 2)}


def _trainer(data: bytes) -> Values:
    power = data[5] | (data[6] & 0x0F) << 8
    known = power != 0xFFF
    return {
        "event_count": _u(data, 1),
        "cadence_rpm": _u(data, 2),
        # An unknown momentary power means that the sum is not kept either.
        "accumulated_power_w": _u(data, 3, 2) if known else None,
        "power_w": power if known else None,
        "trainer_status": data[6] >> 4,
        "target_limits": data[7] & 0x03,
    }


def _wind(data: bytes) -> Values:
    speed = _u(data, 6)
    return {
        "wind_resistance_kg_m": _scaled(_u(data, 5), 100),
        "wind_speed_km_h": None if speed is None else speed - 127,
        "drafting_factor": _scaled(_u(data, 7), 100),
    }


def _track(data: bytes) -> Values:
    grade = _u(data, 5, 2)
    return {
        "grade_pct": None if grade is None else (grade - 20_000) / 100,
        "crr": _scaled(_u(data, 7), 20_000),
    }


def _user(data: bytes) -> Values:
    bike = data[4] >> 4 | data[5] << 4
    offset = data[4] & 0x0F
    return {
        "user_weight_kg": _scaled(_u(data, 1, 2), 100),
        "bike_weight_kg": None if bike == 0xFFF else bike / 20,
        "wheel_diameter_m": _scaled(_u(data, 6), 100),
        "wheel_diameter_offset_mm": None if offset == 0x0F else offset,
        "gear_ratio_raw": _u(data, 7),
    }


def _command_status(data: bytes) -> Values:
    return {
        "last_command": _u(data, 1),
        "sequence": _u(data, 2),
        "status": data[3],
        "status_name": COMMAND_STATUS_NAMES.get(data[3]),
        "data_hex": data[4:].hex(),
    }


def _maker(data: bytes) -> Values:
    return {"hardware_revision": _u(data, 3), "manufacturer_id": _u(data, 4, 2), "model_number": _u(data, 6, 2)}


def _product(data: bytes) -> Values:
    return {
        "supplemental_revision": _u(data, 2),
        "software_revision": _u(data, 3),
        "serial_number": _u(data, 4, 4),
    }


_READERS: dict[int, Callable[[bytes], Values]] = {
    16: _general,
    17: _settings,
    18: _metabolic,
    19: _treadmill,
    20: _elliptical,
    21: _bike,
    22: _rower,
    23: _strides,
    24: _strides,
    25: _trainer,
    48: lambda data: {"target_resistance_pct": _scaled(_u(data, 7), 2)},
    49: lambda data: {"target_power_w": _scaled(_u(data, 6, 2), 4)},
    50: _wind,
    51: _track,
    54: lambda data: {"maximum_resistance_n": _u(data, 5, 2), "mode_mask": _u(data, 7)},
    55: _user,
    71: _command_status,
    80: _maker,
    81: _product,
}


def steps_between(before: bytes, after: bytes, at: int) -> int:
    """How far the one-byte counter at ``at`` has gone on from one page to the next, modulo 256. It reads the bytes
    themselves: 255 is a place of a counter, not a missing one."""
    return (after[at] - before[at]) & 0xFF


def has_distance(data: bytes) -> bool:
    """Whether a page 16 carries a distance."""
    return bool(data[7] & _DISTANCE_BIT)
