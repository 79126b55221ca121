"""What the data of a CSAFE answer mean: numbers with the unit that the machine names beside them.

The hard part is never to assume a unit or a byte order: a speed of 38 is rounds a minute on one machine and km/h on
another, and some makers send the odometer the other way round. A user would notice a mistake as a cross trainer that
has gone 12 million kilometres. Units as in PROTOCOL.md section 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

GET_ID = 0x92
GET_UTILIZATION = 0x99
GET_TIME_WORKED = 0xA0

COMMAND_NAMES = {
    0x80: "get_status",
    0x91: "get_version",
    0x92: "get_id",
    0x93: "get_units",
    0x94: "get_serial",
    0x98: "get_list",
    0x99: "get_utilization",
    0x9A: "get_motor_current",
    0x9B: "get_odometer",
    0x9C: "get_error_code",
    0x9D: "get_service_code",
    0xA0: "get_time_worked",
    0xA1: "get_horizontal",
    0xA2: "get_vertical",
    0xA3: "get_calories",
    0xA4: "get_program",
    0xA5: "get_speed",
    0xA7: "get_cadence",
    0xA8: "get_grade",
    0xAB: "get_user_info",
    0xB0: "get_hr_current",
    0xB2: "get_hr_zone",
    0xB3: "get_mets",
    0xB4: "get_power",
    0xB5: "get_hr_avg",
    0xB6: "get_hr_max",
}
PREVIOUS_NAMES = ("ok", "reject", "bad", "not_ready")
STATE_NAMES = {
    0: "error",
    1: "ready",
    2: "idle",
    3: "have_id",
    5: "in_use",
    6: "paused",
    7: "finished",
    8: "manual",
    9: "offline",
}

_MILE_M = 1609.344
METRES = {
    1: _MILE_M,
    2: _MILE_M / 10,
    3: _MILE_M / 100,
    4: _MILE_M / 1000,
    5: 0.3048,
    10: 3.048,
    33: 1000.0,
    34: 100.0,
    35: 10.0,
    36: 1.0,
    37: 0.1,
    38: 0.01,
}
KM_H = {16: _MILE_M / 1000, 17: _MILE_M / 10_000, 18: _MILE_M / 100_000, 48: 1.0, 49: 0.1, 50: 0.01, 51: 0.06}
KILOGRAMS = {7: 0.45359237, 8: 0.045359237, 39: 1.0, 40: 0.1}
AMPERES = {97: 1.0, 98: 0.001}
PERCENT = {74: 1.0, 75: 0.01, 76: 0.1}
WATTS = {88: 1.0}
RPM = {82: 1.0}
STEP_RATE = {81: 1.0, 83: 1.0}
STROKE_RATE = {84: 1.0}

ODOMETER_MAX_KM = 1_000_000.0
"""No machine has gone so far: 100,000 h at 10 km/h."""

Values = dict[str, Any]


def is_time(data: bytes | None) -> bool:
    """False for hours, minutes and seconds that no clock shows."""
    return data is None or len(data) < 3 or (data[1] < 60 and data[2] < 60)


def values_of(command: int, data: bytes) -> Values:
    """The decoded keys of an answer, named as in the decode contract; what is too short for its layout says nothing,
    surplus bytes are left alone."""
    read = _READERS.get(command)
    return read(data) if read is not None else {}


def scaled(value: int, unit: int | None, table: dict[int, float]) -> float | None:
    """``value`` in the table's unit; None when the unit is not one of it. Divided where that is exact."""
    factor = table.get(unit) if unit is not None else None
    if factor is None:
        return None
    divisor = round(1 / factor)
    return value / divisor if factor < 1 and abs(divisor * factor - 1) < 1e-12 else value * factor


def _number(size: int, name: str, *, zero: bool = True) -> Callable[[bytes], Values]:
    """A little-endian number of ``size`` bytes; 0 means "none" unless ``zero``."""

    def read(data: bytes) -> Values:
        if len(data) < size:
            return {}
        value = int.from_bytes(data[:size], "little")
        return {name: value if value or zero else None}

    return read


def _with_unit(**tables: dict[int, float]) -> Callable[[bytes], Values]:
    """A u16 and its unit, and what that makes of it by each table that knows the unit."""

    def read(data: bytes) -> Values:
        if len(data) < 2:
            return {}
        value, unit = int.from_bytes(data[:2], "little"), data[2] if len(data) > 2 else None
        told = {name: scaled(value, unit, table) for name, table in tables.items()}
        return {"value": value, "unit": unit, **{name: each for name, each in told.items() if each is not None}}

    return read


def _grade(data: bytes) -> Values:
    if len(data) < 3:
        return {}
    value = int.from_bytes(data[:2], "little", signed=True)
    return {"value": value, "unit": data[2], "incline_pct": scaled(value, data[2], PERCENT)}


def _text(data: bytes) -> str | None:
    return data.decode("ascii") if data.isascii() else None


def _version(data: bytes) -> Values:
    if len(data) < 7:
        return {}
    return {
        "manufacturer_id": data[0],
        "class_id": data[1],
        "model_number": data[2],
        "hardware_version": int.from_bytes(data[3:5], "little"),
        "software_version": int.from_bytes(data[5:7], "little"),
    }


def _serial(data: bytes) -> Values:
    """All zero (digits or bytes) is what machines without a number send."""
    text = _text(data)
    return {"serial": (data.hex() if text is None else text) if data.strip(b"\0 0") else None}


def odometer_km(data: bytes) -> tuple[float | None, str | None]:
    """Kilometres and byte order. Little-endian unless that is more than any machine has gone and big-endian is not."""
    if len(data) < 5:
        return None, None
    little = scaled(int.from_bytes(data[:4], "little"), data[4], METRES)
    big = scaled(int.from_bytes(data[:4], "big"), data[4], METRES)
    if little is None or big is None:
        return None, None
    limit_m = ODOMETER_MAX_KM * 1000
    turned = little > limit_m >= big
    return (big if turned else little) / 1000, "big" if turned else "little"


def _odometer(data: bytes) -> Values:
    km, order = odometer_km(data)
    unit = data[4] if len(data) > 4 else None
    return {"unit": unit, "odometer_km": km, "byte_order_name": order}


def _code(name: str) -> Callable[[bytes], Values]:
    """A code of three bytes by the book; of as many as come up to four."""
    return lambda data: {name: int.from_bytes(data[:4], "little") if data else None}


def _time_worked(data: bytes) -> Values:
    return {"elapsed_s": data[0] * 3600 + data[1] * 60 + data[2]} if len(data) >= 3 else {}


def _program(data: bytes) -> Values:
    return {"program": data[0], "level": data[1]} if len(data) >= 2 else {}


def _user_info(data: bytes) -> Values:
    if len(data) < 5:
        return {}
    weight_kg = scaled(int.from_bytes(data[:2], "little"), data[2], KILOGRAMS)
    return {"unit": data[2], "weight_kg": weight_kg, "age": data[3], "gender": data[4]}


def _mets(data: bytes) -> Values:
    return {"value": int.from_bytes(data[:2], "little")} if data else {}


_heart_rate = _number(1, "heart_rate_bpm", zero=False)
_READERS: dict[int, Callable[[bytes], Values]] = {
    0x91: _version,
    0x92: lambda data: {"id": _text(data)},
    0x93: _number(1, "units"),
    0x94: _serial,
    0x99: _number(3, "usage_hours"),
    0x9A: _with_unit(current_a=AMPERES),
    0x9B: _odometer,
    0x9C: _code("error_code"),
    0x9D: _code("service_code"),
    0xA0: _time_worked,
    0xA1: _with_unit(distance_m=METRES),
    0xA2: _with_unit(elevation_gain_m=METRES),
    0xA3: _number(2, "energy_kcal"),
    0xA4: _program,
    0xA5: _with_unit(speed_km_h=KM_H, cadence_rpm=RPM, step_rate_spm=STEP_RATE, stroke_rate_spm=STROKE_RATE),
    0xA7: _with_unit(cadence_rpm=RPM, step_rate_spm=STEP_RATE, stroke_rate_spm=STROKE_RATE),
    0xA8: _grade,
    0xAB: _user_info,
    0xB0: _heart_rate,
    0xB3: _mets,
    0xB4: _with_unit(power_w=WATTS),
    0xB5: _heart_rate,
    0xB6: _heart_rate,
}
