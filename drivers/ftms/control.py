"""FTMS control point, machine status, training status and ranges: short messages that are whole or refused.

The hard part is that the control point moves a person: what is read here as "success" lets a caller believe that a
treadmill has been stopped. So every message has exactly the bytes of its code. A user would notice a mistake as a stop
button that only looks pressed. PROTOCOL.md section 4.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import msgspec

from drivers.buffer import ErrorKind, Refusal


class Op(IntEnum):
    REQUEST_CONTROL = 0x00
    RESET = 0x01
    SET_TARGET_SPEED = 0x02
    SET_TARGET_INCLINE = 0x03
    SET_TARGET_RESISTANCE = 0x04
    SET_TARGET_POWER = 0x05
    SET_TARGET_HEART_RATE = 0x06
    START_OR_RESUME = 0x07
    STOP_OR_PAUSE = 0x08
    SET_SIMULATION = 0x11
    SET_WHEEL_CIRCUMFERENCE = 0x12
    SPIN_DOWN = 0x13
    RESPONSE = 0x80


class Event(IntEnum):
    RESET = 0x01
    STOPPED_OR_PAUSED_BY_USER = 0x02
    STOPPED_BY_SAFETY_KEY = 0x03
    STARTED_OR_RESUMED_BY_USER = 0x04
    TARGET_SPEED_CHANGED = 0x05
    TARGET_INCLINE_CHANGED = 0x06
    TARGET_RESISTANCE_CHANGED = 0x07
    TARGET_POWER_CHANGED = 0x08
    TARGET_HEART_RATE_CHANGED = 0x09
    SIMULATION_CHANGED = 0x12
    WHEEL_CIRCUMFERENCE_CHANGED = 0x13
    CONTROL_PERMISSION_LOST = 0xFF


SUCCESS = 1
RESULT_NAMES = {
    1: "success",
    2: "opcode_not_supported",
    3: "invalid_parameter",
    4: "operation_failed",
    5: "control_not_permitted",
}
STOP, PAUSE = 1, 2
_PARAM_NAMES = {STOP: "stop", PAUSE: "pause"}
_SPIN_DOWN_RESPONSE = 7
_MS_TO_KM_H = 3.6


class _Part(NamedTuple):
    name: str
    size: int
    signed: bool = False
    divisor: int = 1


_SPEED = (_Part("target_speed_km_h", 2, divisor=100),)
_INCLINE = (_Part("target_incline_pct", 2, signed=True, divisor=10),)
_RESISTANCE = (_Part("target_resistance_level", 2, signed=True, divisor=10),)
_RESISTANCE_NARROW = (_Part("target_resistance_level", 1, divisor=10),)
_POWER = (_Part("target_power_w", 2, signed=True),)
_HEART_RATE = (_Part("target_heart_rate_bpm", 1),)
_PARAM = (_Part("param", 1),)
_SIMULATION = (
    _Part("wind_speed_km_h", 2, signed=True, divisor=1000),
    _Part("grade_pct", 2, signed=True, divisor=100),
    _Part("crr", 1, divisor=10_000),
    _Part("wind_resistance_kg_m", 1, divisor=100),
)
_CIRCUMFERENCE = (_Part("circumference_mm", 2, divisor=10),)
_NONE: tuple[_Part, ...] = ()

#: Code -> its forms of parameters, each whole.
_COMMANDS: dict[int, tuple[tuple[_Part, ...], ...]] = {
    Op.REQUEST_CONTROL: (_NONE,),
    Op.RESET: (_NONE,),
    Op.SET_TARGET_SPEED: (_SPEED,),
    Op.SET_TARGET_INCLINE: (_INCLINE,),
    Op.SET_TARGET_RESISTANCE: (_RESISTANCE, _RESISTANCE_NARROW),
    Op.SET_TARGET_POWER: (_POWER,),
    Op.SET_TARGET_HEART_RATE: (_HEART_RATE,),
    Op.START_OR_RESUME: (_NONE,),
    Op.STOP_OR_PAUSE: (_PARAM,),
    Op.SET_SIMULATION: (_SIMULATION,),
    Op.SET_WHEEL_CIRCUMFERENCE: (_CIRCUMFERENCE,),
}
_EVENTS: dict[int, tuple[tuple[_Part, ...], ...]] = {
    Event.RESET: (_NONE,),
    Event.STOPPED_OR_PAUSED_BY_USER: (_PARAM,),
    Event.STOPPED_BY_SAFETY_KEY: (_NONE,),
    Event.STARTED_OR_RESUMED_BY_USER: (_NONE,),
    Event.TARGET_SPEED_CHANGED: (_SPEED,),
    Event.TARGET_INCLINE_CHANGED: (_INCLINE,),
    Event.TARGET_RESISTANCE_CHANGED: (_RESISTANCE, _RESISTANCE_NARROW),
    Event.TARGET_POWER_CHANGED: (_POWER,),
    Event.TARGET_HEART_RATE_CHANGED: (_HEART_RATE,),
    Event.SIMULATION_CHANGED: (_SIMULATION,),
    Event.WHEEL_CIRCUMFERENCE_CHANGED: (_CIRCUMFERENCE,),
    Event.CONTROL_PERMISSION_LOST: (_NONE,),
}
#: Characteristic -> quantity, bytes of each number, signed minimum and maximum, divisor.
_RANGES = {
    "2ad4": ("speed_km_h", 2, False, 100),
    "2ad5": ("incline_pct", 2, True, 10),
    "2ad6": ("level", 2, True, 10),
    "2ad7": ("heart_rate_bpm", 1, False, 1),
    "2ad8": ("power_w", 2, True, 1),
}

Values = dict[str, float | str | None]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A control command, machine event or answer: ``code`` and its parameters. Of codes that are not in the tables
    the parameters are in ``rest``."""

    code: int
    values: Values
    rest: bytes = b""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's answer to the command ``response_to``."""

    response_to: int
    result: int
    rest: bytes = b""


class TrainingStatus(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    text: str | None


class Range(msgspec.Struct, frozen=True, kw_only=True):
    values: Values


def parse_command(data: bytes) -> Message | Refusal:
    """A write to 2ad9."""
    return _message(data, _COMMANDS)


def parse_event(data: bytes) -> Message | Refusal:
    """A notification of 2ada."""
    return _message(data, _EVENTS)


def parse_response(data: bytes) -> Response | Refusal:
    """An indication of 2ad9."""
    if len(data) < 3:
        return Refusal(ErrorKind.TOO_SHORT, f"{len(data)} bytes, an answer has 3")
    if data[0] != Op.RESPONSE:
        return Refusal(ErrorKind.BAD_VALUE, f"begins with {data[0]:02x}, an answer with 80")
    if len(data) > 3 and (data[1] != Op.SPIN_DOWN or len(data) != _SPIN_DOWN_RESPONSE):
        return Refusal(ErrorKind.TRAILING_BYTES, f"{len(data)} bytes, an answer has 3")
    return Response(response_to=data[1], result=data[2], rest=data[3:])


def parse_training_status(data: bytes) -> TrainingStatus | Refusal:
    """A value of 2ad3: flags, status, and a text where flag bit 0 says so."""
    if len(data) < 2:
        return Refusal(ErrorKind.TOO_SHORT, f"{len(data)} bytes, at least 2 are needed")
    text = data[2:].decode("utf-8", "replace").rstrip("\0") if data[0] & 1 else None
    return TrainingStatus(status=data[1], text=text)


def parse_range(char: str, data: bytes) -> Range | Refusal:
    """A value of 2ad4 to 2ad8: minimum, maximum, smallest step."""
    name, size, signed, divisor = _RANGES[char]
    parts = (
        _Part(f"minimum_{name}", size, signed, divisor),
        _Part(f"maximum_{name}", size, signed, divisor),
        _Part(f"step_{name}", size, divisor=divisor),
    )
    wrong = _wrong_length(len(data), 3 * size)
    return wrong or Range(values=_values(parts, data))


def _message(data: bytes, codes: dict[int, tuple[tuple[_Part, ...], ...]]) -> Message | Refusal:
    if not data:
        return Refusal(ErrorKind.TOO_SHORT, "no code")
    code, body = data[0], data[1:]
    forms = codes.get(code)
    if forms is None:
        return Message(code=code, values={}, rest=body)
    for parts in forms:
        if sum(part.size for part in parts) == len(body):
            return Message(code=code, values=_values(parts, body))
    wrong = _wrong_length(len(body), sum(part.size for part in forms[0]))
    assert wrong is not None
    return wrong


def _wrong_length(found: int, needed: int) -> Refusal | None:
    if found == needed:
        return None
    kind = ErrorKind.TOO_SHORT if found < needed else ErrorKind.TRAILING_BYTES
    return Refusal(kind, f"{found} bytes, {needed} are needed")


def _values(parts: tuple[_Part, ...], body: bytes) -> Values:
    values: Values = {}
    at = 0
    for part in parts:
        raw = int.from_bytes(body[at : at + part.size], "little", signed=part.signed)
        at += part.size
        if part.name == "param":
            values["param"] = raw
            values["param_name"] = _PARAM_NAMES.get(raw)
        elif part.name == "wind_speed_km_h":
            values[part.name] = raw * _MS_TO_KM_H / part.divisor
        else:
            values[part.name] = raw if part.divisor == 1 else raw / part.divisor
    return values
