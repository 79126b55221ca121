"""The information objects of a GB/T 26875.3 application unit, and what they report. PROTOCOL.md section 3.

The hard part is fire in a message that is otherwise wrong: a count that does not fit, a clock that was never set. The
message is refused, yet what it reports must be acted on, so objects are read even then. A user would notice a mistake
as a fire that the panel shows and the garage does not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.wallclock import CHINA

FIRE, FAULT, SHIELDED, STARTED, FEEDBACK, RESET = 1 << 1, 1 << 2, 1 << 3, 1 << 5, 1 << 6, 1 << 13
MANUAL_ALARM = 1 << 2  # of an operation record: somebody has pressed the alarm
_FIVE = ("fire", "fault", "shielded", "supervisory", "started", "feedback", "delay")
_SYSTEM_BITS = (*_FIVE, "mains_fault", "backup_fault", "bus_fault", "manual_mode", "config_changed", "reset")
_COMPONENT_BITS = (*_FIVE, "power_fault")
_UNIT_BITS = ("fire", "fault", "mains_fault", "backup_fault", "centre_link_fault", "detection_line_fault")
SYSTEM_TYPE_NAMES = {
    1: "fire_alarm",
    10: "linkage",
    11: "hydrant",
    12: "sprinkler",
    13: "gas_suppression",
    18: "smoke_control",
    19: "fire_door",
}
_ANALOG = {
    1: (1, "count"),
    2: (100, "m"),
    3: (10, "degC"),
    4: (10, "MPa"),
    5: (10, "kPa"),
    6: (10, "%LEL"),
    7: (1, "s"),
    8: (10, "V"),
    9: (10, "A"),
    10: (10, "L/s"),
}
"""Analog type -> (steps per unit, unit)."""


class SystemState(msgspec.Struct, frozen=True, kw_only=True):
    """Type 1. In all objects ``time`` is China time, None when the tag is impossible."""

    system_type: int
    system_type_name: str | None
    system_address: int
    status: int
    status_names: tuple[str, ...]
    time: datetime | None


class ComponentState(msgspec.Struct, frozen=True, kw_only=True):
    """Type 2."""

    system_type: int
    system_type_name: str | None
    system_address: int
    component_type: int
    component_address_hex: str
    zone: int
    position: int
    status: int
    status_names: tuple[str, ...]
    description: str
    time: datetime | None


class AnalogValue(msgspec.Struct, frozen=True, kw_only=True):
    """Type 3. ``value`` and ``unit`` are None for an unknown analog type."""

    system_type: int
    system_address: int
    component_type: int
    zone: int
    position: int
    analog_type: int
    raw_value: int
    value: float | None
    unit: str | None
    time: datetime | None


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Type 4."""

    system_type: int
    system_address: int
    operation: int
    operator: int
    time: datetime | None


class UnitState(msgspec.Struct, frozen=True, kw_only=True):
    """Type 21: the transmission unit itself."""

    status: int
    status_names: tuple[str, ...]
    time: datetime | None


class UnitOperation(msgspec.Struct, frozen=True, kw_only=True):
    """Type 24."""

    operation: int
    operator: int
    time: datetime | None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """Type 25."""

    software_version: str


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """Types 28 and 90."""

    time: datetime | None


class Opaque(msgspec.Struct, frozen=True, kw_only=True):
    """All object bytes of a type that is not read."""

    data_hex: str


InfoObject = (
    SystemState | ComponentState | AnalogValue | Operation | UnitState | UnitOperation | Version | Clock | Opaque
)
STATES = (SystemState, ComponentState, UnitState)
OPERATIONS = (Operation, UnitOperation)


class Application(NamedTuple):
    """An application unit; type and count are None when it is empty (heartbeat, ack)."""

    app_type: int | None = None
    object_count: int | None = None
    objects: tuple[InfoObject, ...] = ()


def read_time(raw: bytes) -> datetime | None:
    """Second, minute, hour, day, month, year - 2000, plain binary, China time; None when there is no such moment."""
    second, minute, hour, day, month, year = raw
    if year > 99:
        return None
    try:
        return datetime(2000 + year, month, day, hour, minute, second, tzinfo=CHINA)
    except ValueError:
        return None


def write_time(moment: datetime) -> bytes:
    return bytes((moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.year - 2000))


def _names(status: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """Bit 0 (normal or test) is left out on purpose: real fires come with it clear."""
    return tuple(name for bit, name in enumerate(names, 1) if status >> bit & 1)


def _u16(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 2], "little")


def _system_state(raw: bytes) -> InfoObject:
    status = _u16(raw, 2)
    return SystemState(
        system_type=raw[0],
        system_type_name=SYSTEM_TYPE_NAMES.get(raw[0]),
        system_address=raw[1],
        status=status,
        status_names=_names(status, _SYSTEM_BITS),
        time=read_time(raw[4:10]),
    )


def _component_state(raw: bytes) -> InfoObject:
    status = _u16(raw, 7)
    return ComponentState(
        system_type=raw[0],
        system_type_name=SYSTEM_TYPE_NAMES.get(raw[0]),
        system_address=raw[1],
        component_type=raw[2],
        component_address_hex=raw[3:7].hex(),
        zone=_u16(raw, 3),
        position=_u16(raw, 5),
        status=status,
        status_names=_names(status, _COMPONENT_BITS),
        description=raw[9:40].rstrip(b"\0 ").decode("gb18030", "replace"),
        time=read_time(raw[40:46]),
    )


def _analog_value(raw: bytes) -> InfoObject:
    value = int.from_bytes(raw[8:10], "little", signed=True)
    steps, unit = _ANALOG.get(raw[7], (0, None))
    return AnalogValue(
        system_type=raw[0],
        system_address=raw[1],
        component_type=raw[2],
        zone=_u16(raw, 3),
        position=_u16(raw, 5),
        analog_type=raw[7],
        raw_value=value,
        value=value / steps if steps else None,
        unit=unit,
        time=read_time(raw[10:16]),
    )


def _operation(raw: bytes) -> InfoObject:
    return Operation(
        system_type=raw[0], system_address=raw[1], operation=raw[2], operator=raw[3], time=read_time(raw[4:10])
    )


def _unit_state(raw: bytes) -> InfoObject:
    return UnitState(status=raw[0], status_names=_names(raw[0], _UNIT_BITS), time=read_time(raw[1:7]))


def _unit_operation(raw: bytes) -> InfoObject:
    return UnitOperation(operation=raw[0], operator=raw[1], time=read_time(raw[2:8]))


def _version(raw: bytes) -> InfoObject:
    return Version(software_version=f"{raw[0]}.{raw[1]}")


def _clock(raw: bytes) -> InfoObject:
    return Clock(time=read_time(raw))


class _Layout(NamedTuple):
    """``length`` bytes an object; ``status`` is where its state bits are (start, end), if it has any."""

    length: int
    read: Callable[[bytes], InfoObject]
    status: tuple[int, int] | None = None


_LAYOUTS = {
    1: _Layout(10, _system_state, (2, 4)),
    2: _Layout(46, _component_state, (7, 9)),
    3: _Layout(16, _analog_value),
    4: _Layout(10, _operation),
    21: _Layout(7, _unit_state, (0, 1)),
    24: _Layout(8, _unit_operation),
    25: _Layout(2, _version),
    28: _Layout(6, _clock),
    90: _Layout(6, _clock),
}


def read_application(app: bytes) -> Application | Refusal:
    """The objects of an application unit. A refusal carries the whole objects and the alarm that they report."""
    if not app:
        return Application()
    if len(app) == 1:
        return Refusal(ErrorKind.BAD_COUNT, "the application unit ends before its object count")
    app_type, count, body = app[0], app[1], app[2:]
    layout = _LAYOUTS.get(app_type)
    if layout is None:
        objects: tuple[InfoObject, ...] = (Opaque(data_hex=body.hex()),) if body or count else ()
        return Application(app_type, count, objects)
    size = layout.length
    objects = tuple(layout.read(body[at : at + size]) for at in range(0, len(body) - size + 1, size))
    if len(body) != count * size:
        alarm = _torn_alarm(layout, body) or alarm_of(objects)
        detail = f"{count} objects of type {app_type} need {count * size} bytes, {len(body)} came"
        return Refusal(ErrorKind.BAD_COUNT, detail, salvaged=objects, alarm=alarm)
    if any(getattr(each, "time", True) is None for each in objects):
        detail = f"an object of type {app_type} has an impossible time tag"
        return Refusal(ErrorKind.BAD_TIME, detail, salvaged=objects, alarm=alarm_of(objects))
    return Application(app_type, count, objects)


def _torn_alarm(layout: _Layout, body: bytes) -> str:
    """What an object reports that is cut off behind its state bits."""
    rest = body[len(body) // layout.length * layout.length :]
    if layout.status is None or len(rest) < layout.status[1]:
        return ""
    return "fire" if rest[layout.status[0]] & FIRE else ""


def alarm_of(objects: tuple[Any, ...]) -> str:
    """``fire`` when any state says fire, else ``fault`` when any says fault, else ""."""
    bits = 0
    for each in objects:
        if isinstance(each, STATES):
            bits |= each.status
    return "fire" if bits & FIRE else "fault" if bits & FAULT else ""
