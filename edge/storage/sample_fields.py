"""Which fields of which readings become samples: one generic rule and a short table of what it cannot know.

Every number of a reading becomes a series with the unit that its name ends in; every truth value and every word of an
enumeration becomes a step series. The hard part is what must *not* be kept: names of cards, keys that somebody typed,
command ids and free text are no measurements, and some of them are secrets. So plain text is sampled only where the
table names it. A user would notice a mistake as a curve that is missing for a device that plainly talks, or as a PIN
in a history file.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from edge.domain import devices, field_devices
from edge.storage.sample_model import SeriesKind

#: Name suffix -> unit as people write it. Longer suffixes are tried first.
UNITS = {
    "w": "W",
    "kw": "kW",
    "a": "A",
    "ma": "mA",
    "v": "V",
    "mv": "mV",
    "wh": "Wh",
    "mwh": "mWh",
    "kwh": "kWh",
    "va": "VA",
    "var": "var",
    "c": "°C",
    "kpa": "kPa",
    "pa": "Pa",
    "ms": "ms",
    "us": "µs",
    "s": "s",
    "min": "min",
    "h": "h",
    "dbm": "dBm",
    "pct": "%",
    "percent": "%",
    "hz": "Hz",
    "rpm": "/min",
    "bpm": "/min",
    "spm": "/min",
    "per_min": "/min",
    "m": "m",
    "mm": "mm",
    "cm": "cm",
    "km": "km",
    "kg": "kg",
    "g": "g",
    "n": "N",
    "nm": "N·m",
    "j": "J",
    "kj": "kJ",
    "kcal": "kcal",
    "kmh": "km/h",
    "km_h": "km/h",
    "mps": "m/s",
    "m_s": "m/s",
    "mm_s": "mm/s",
    "m_s2": "m/s²",
    "mg": "mg",
    "deg": "°",
    "fen": "fen",
    "bytes": "B",
    "lux": "lx",
    "ppm": "ppm",
    "l": "L",
    "l_min": "L/min",
    "deg_s": "°/s",
    "ohm": "Ω",
    "mmhg": "mmHg",
    "s_per_500m": "s/500 m",
}
#: Fields of any reading that describe the message or where it comes from, not the thing measured.
NOT_MEASURED = frozenset({"point", "quality", "retained", "source_wall_ns", "delay_ms", "bits", "command_id", "epoch"})
_NOT_MEASURED_ENDS = ("_ns", "_id", "_seq")
#: Plain text that is a word of a small stable set.
WORDS: dict[type[msgspec.Struct], frozenset[str]] = {
    devices.DeviceHealth: frozenset({"problem"}),
    devices.PlatePass: frozenset({"status_name"}),
    field_devices.OutputReading: frozenset({"fault"}),
    field_devices.SessionReading: frozenset({"phase", "end_reason"}),
}
#: Numbers that are codes of the wire; the word beside them is sampled instead.
CODES: dict[type[msgspec.Struct], frozenset[str]] = {devices.PlatePass: frozenset({"status"})}
#: Readings, by tag, that hold no measurement at all: who a device is, who stood there, what was typed, what a notice
#: came to.
NOT_SAMPLED = frozenset({"device_identity", "machine_info", "card", "keypad", "notify_result", "panel_reset"})
#: Readings of a person's body, by tag: they belong to that person's record, never to a history that staff browse.
PERSONAL = frozenset({"heart_rate", "blood_pressure", "weight"})
#: The same in readings that are not personal as a whole: what a machine's hand grips feel (decision 0009).
PERSONAL_FIELDS = frozenset({"heart_rate_bpm", "target_heart_rate_bpm"})


class Field(NamedTuple):
    """One series that a reading type feeds. ``take`` gives a value, or None when the reading does not say; ``word``
    makes the word of a state from it (unused for numbers)."""

    quantity: str
    unit: str
    kind: SeriesKind
    take: Callable[[Any], Any]
    word: Callable[[Any], str] = str


class Plan(NamedTuple):
    """How a reading type becomes samples. ``by_kind``: the quantity of the first field is the word in ``kind`` (a
    signal's); the flags say which of the common fields the type has."""

    fields: tuple[Field, ...]
    by_kind: bool
    has_point: bool
    has_quality: bool
    has_retained: bool
    has_source: bool
    has_delay: bool


def unit_of(quantity: str) -> str:
    """The unit that a name ends in, "" for a pure number: ``power_w`` -> "W"."""
    parts = quantity.split("_")
    for length in (3, 2, 1):
        if len(parts) > length and (unit := UNITS.get("_".join(parts[-length:]))) is not None:
            return unit
    return ""


def reading_types() -> tuple[type[msgspec.Struct], ...]:
    """Every type that a device may say, also those that a later vertical adds to the union."""
    return tuple(typing.get_args(devices.Reading))


def is_left_out(kind: type[msgspec.Struct]) -> bool:
    """True for a reading that is named as not sampled."""
    return kind.__struct_config__.tag in NOT_SAMPLED | PERSONAL


@cache
def plan_of(kind: type[msgspec.Struct]) -> Plan:
    """The plan of a reading type; without fields for those that are left out."""
    names = kind.__struct_fields__
    fields = () if is_left_out(kind) else tuple(_fields(kind))
    return Plan(
        fields=fields,
        by_kind=kind is field_devices.SignalReading,
        has_point="point" in names,
        has_quality="quality" in names,
        has_retained="retained" in names,
        has_source="source_wall_ns" in names,
        has_delay="delay_ms" in names,
    )


def _fields(kind: type[msgspec.Struct]) -> Sequence[Field]:
    if kind is field_devices.SignalReading:
        return _signal_fields()
    found = [*_own_fields(kind)]
    if kind is devices.PlatePass:
        found += _plate_fields()
    return found


def _own_fields(kind: type[msgspec.Struct]) -> Sequence[Field]:
    found = []
    hints = typing.get_type_hints(kind)
    for name in kind.__struct_fields__:
        if name in NOT_MEASURED | PERSONAL_FIELDS | CODES.get(kind, frozenset()) or name.endswith(_NOT_MEASURED_ENDS):
            continue
        shape = _shape(hints[name], is_word=name in WORDS.get(kind, ()))
        if shape is not None:
            made, word = shape
            unit = unit_of(name) if made is SeriesKind.NUMBER else ""
            found.append(Field(name, unit, made, attrgetter(name), word))
    return found


def _shape(hint: Any, *, is_word: bool) -> tuple[SeriesKind, Callable[[Any], str]] | None:
    """How a value of this type is sampled; None for what is no measurement (text, bytes, lists, structs)."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        return _shape(parts[0], is_word=is_word) if len(parts) == 1 else None
    if not isinstance(hint, type):
        return None
    if hint is bool:
        return SeriesKind.STATE, truth
    if issubclass(hint, Enum):
        return SeriesKind.STATE, word_of
    if hint in (int, float):
        return SeriesKind.NUMBER, str
    return (SeriesKind.STATE, str) if hint is str and is_word else None


def truth(value: object) -> str:
    """A truth value as the word of a step series."""
    return "true" if value else "false"


def word_of(value: Enum) -> str:
    """A member of an enumeration as the word of a step series."""
    return str(value.value)


def _signal_fields() -> Sequence[Field]:
    """A signal is named by its kind: quantity ``smoke`` of a point, not ``active`` of something."""
    active = Field("", "", SeriesKind.STATE, attrgetter("active"), truth)
    return (active, Field("battery_low", "", SeriesKind.STATE, attrgetter("battery_low"), truth))


def _plate_fields() -> Sequence[Field]:
    """What a pass of a plate reader tells in numbers; its chips' ids are no measurement."""
    return (
        Field("tags", "", SeriesKind.NUMBER, lambda reading: len(reading.tags)),
        Field("weakest_dbm", "dBm", SeriesKind.NUMBER, _weakest_dbm),
        Field("pass_ms", "ms", SeriesKind.NUMBER, _pass_ms),
    )


def _weakest_dbm(reading: devices.PlatePass) -> int | None:
    return min((tag.rssi_dbm for tag in reading.tags if tag.rssi_dbm is not None), default=None)


def _pass_ms(reading: devices.PlatePass) -> float:
    return round((reading.ended_ns - reading.started_ns) / 1e6, 3)
