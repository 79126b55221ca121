"""The register map of a Modbus line: one text option that says what each coil and register is (PROTOCOL.md section 5).

The hard part is that a map is typed by a person from a vendor's PDF, and most mistakes in it would still work, wrongly:
so every entry is checked as a whole, and what does not fit is refused with the entry and what is allowed. A user would
notice a mistake as a pressure that is ten times too high, or as a contactor that answers to another one's name.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from drivers.modbus.gym import REP_NUMBER, SET_NUMBER, STRENGTH, WEAR
from drivers.modbus.pdu import WORD_ORDERS, Function
from drivers.options import OptionReader
from edge.domain.field_devices import SignalKind

ENTRIES_MAX = 512
DEFAULT = "output output coil:0"
_FORM = (
    "entries POINT ROLE TABLE:ADDRESS[.BIT] [unit=1..247] [type=u16|s16|u32|s32|f32] [order=abcd|cdab|badc|dcba] "
    "[scale=N] [offset=N] [invert] [every=MS] [on=N off=N] [hold=ADDRESS/MS], one a line or separated by ;"
)
_PLACE = re.compile(r"(coil|discrete|holding|input):(\d{1,5})(?:\.(\d{1,2}))?")
_HOLD = re.compile(r"(\d{1,5})/(\d{1,6})")
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?")
_POINT = re.compile(r"[A-Za-z0-9_.-]{1,48}")
_TYPES = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "f32": 2}


class Table(StrEnum):
    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"


READ_BY = {
    Table.COIL: Function.READ_COILS,
    Table.DISCRETE: Function.READ_DISCRETE_INPUTS,
    Table.HOLDING: Function.READ_HOLDING_REGISTERS,
    Table.INPUT: Function.READ_INPUT_REGISTERS,
}
BIT_TABLES = frozenset({Table.COIL, Table.DISCRETE})
OUTPUT, CONTACT = "output", "contact"
SIGNALS = frozenset(kind.value for kind in SignalKind)
METERED = frozenset({"power_w", "current_a", "voltage_v", "energy_wh", "power_factor", "temperature_c", "residual_ma"})
PRESSURE_KPA = "pressure_kpa"
ROLES = (OUTPUT, CONTACT, PRESSURE_KPA, *sorted(SIGNALS), *sorted(METERED), *sorted(STRENGTH), *sorted(WEAR))


class Entry(NamedTuple):
    """One line of the map. ``words`` registers (or 1 bit) from ``address``; value = raw x scale + offset. ``hold``:
    holding register of the output's dead-man time, and its unit in ms."""

    point: str
    role: str
    table: Table
    address: int
    bit: int | None
    unit: int
    kind: str
    order: str
    scale: float
    offset: float
    invert: bool
    every_ms: int
    on: int
    off: int
    hold: tuple[int, int] | None

    @property
    def words(self) -> int:
        return 1 if self.table in BIT_TABLES else _TYPES[self.kind]

    @property
    def is_bit(self) -> bool:
        return self.table in BIT_TABLES or self.bit is not None


class _WrongError(Exception):
    """What is wrong with an entry."""


def read_map(reader: OptionReader, default_every_ms: int) -> list[Entry]:
    """The option ``map``. LocalProtocolError names the entry and what is allowed."""
    text = reader.text("map", DEFAULT, r"(?s).*", _FORM)
    lines = [line.strip() for line in re.split(r"[;\n]", text) if line.strip() and not line.strip().startswith("#")]
    entries: list[Entry] = []
    for line in lines:
        try:
            entries.append(_entry(line.split(), default_every_ms))
        except _WrongError as error:
            reader.refuse("map", line, f"{error}; {_FORM}")
    outputs = [entry.point for entry in entries if entry.role == OUTPUT]
    if not 0 < len(entries) <= ENTRIES_MAX or len(set(outputs)) != len(outputs):
        reader.refuse("map", text, f"1 to {ENTRIES_MAX} entries, each point at most one output")
    for point in sorted({entry.point for entry in entries if entry.role in STRENGTH}):
        if not {SET_NUMBER, REP_NUMBER} <= {entry.role for entry in entries if entry.point == point}:
            reader.refuse("map", point, f"a strength machine has both {SET_NUMBER} and {REP_NUMBER}")
    return entries


def _entry(words: list[str], default_every_ms: int) -> Entry:
    if len(words) < 3:
        raise _WrongError("point, role and place are needed")
    point, role, place = words[:3]
    match = _PLACE.fullmatch(place)
    if _POINT.fullmatch(point) is None or role not in ROLES or match is None:
        raise _WrongError(f"roles are {', '.join(ROLES)}")
    settings = _settings(words[3:])
    hold = settings.get("hold")
    held = _HOLD.fullmatch(hold) if hold is not None else None
    if hold is not None and (held is None or int(held[1]) > 0xFFFF or int(held[2]) == 0):
        raise _WrongError("hold is REGISTER/MS, such as 100/100 for tenths of a second in register 100")
    entry = Entry(
        point=point,
        role=role,
        table=Table(match[1]),
        address=_whole(match[2], 0, 0xFFFF),
        bit=None if match[3] is None else _whole(match[3], 0, 15),
        unit=_whole(settings.get("unit", "1"), 1, 247),
        kind=settings.get("type", "u16"),
        order=settings.get("order", "abcd"),
        scale=_decimal(settings.get("scale", "1")),
        offset=_decimal(settings.get("offset", "0")),
        invert="invert" in settings,
        every_ms=_whole(settings.get("every", str(default_every_ms)), 20, 3_600_000),
        on=_whole(settings.get("on", "1"), 0, 0xFFFF),
        off=_whole(settings.get("off", "0"), 0, 0xFFFF),
        hold=None if held is None else (int(held[1]), int(held[2])),
    )
    _check_sense(entry)
    return entry


def _settings(words: list[str]) -> dict[str, str]:
    known = ("unit", "type", "order", "scale", "offset", "every", "on", "off", "hold")
    settings: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name in settings or not ((name in known and value) or (name == "invert" and not equals)):
            raise _WrongError(f"{word!r} is not known, has no value, or comes twice")
        settings[name] = value
    return settings


def _check_sense(entry: Entry) -> None:
    """What each word allows alone but not together."""
    if entry.kind not in _TYPES or entry.order not in WORD_ORDERS:
        raise _WrongError(f"types are {', '.join(_TYPES)}, orders {', '.join(WORD_ORDERS)}")
    two_state = entry.role in {CONTACT, *SIGNALS}
    if two_state != entry.is_bit and entry.role != OUTPUT:
        raise _WrongError("contacts and signals are bits (coil:, discrete:, or a register's .BIT), quantities are not")
    if entry.role == OUTPUT and (entry.table not in {Table.COIL, Table.HOLDING} or entry.bit is not None):
        raise _WrongError("an output is a coil or a whole holding register")
    if entry.role == OUTPUT and entry.on == entry.off:
        raise _WrongError("on and off must differ")
    if entry.bit is not None and (entry.table in BIT_TABLES or entry.words != 1):
        raise _WrongError(".BIT is for one 16-bit register")
    if (entry.hold is not None and entry.role != OUTPUT) or entry.address + entry.words > 0x10000:
        raise _WrongError("hold is for outputs; addresses end at 65535")


def _whole(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and low <= int(text) <= high):
        raise _WrongError(f"{text!r} must be {low} to {high}")
    return int(text)


def _decimal(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise _WrongError(f"{text!r} is no decimal number")
    return float(text)
