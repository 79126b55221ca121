"""Meters of the 1997 edition: told apart, read where they can be, and never relied on for a cut.

They keep silent to questions of the 2007 edition, like a dead meter, and know no remote trip. The hard part is to
notice: a meter that has gone silent is asked in the old way too. A user would notice a mistake as a charger that is
believed to be cut by a meter that cannot cut anything.

Function codes 01 and 81, identifiers of two bytes. General knowledge: the standard's text was not available.
"""

from __future__ import annotations

from typing import NamedTuple

from drivers.dlt645.data import BadBcdError, bcd
from drivers.dlt645.frames import Frame
from edge.domain.field_devices import MeterReading

READ = 0x01
WHAT = "edition_1997: a meter of the 1997 edition; it has no remote trip, use the zone's contactor"


class _Quantity(NamedTuple):
    identifier: str
    size: int
    divisor: float
    field: str


_ENERGY = _Quantity("9010", 4, 0.1, "energy_wh")
_BY_NAME = {
    "power": _Quantity("b630", 3, 10, "power_w"),
    "current": _Quantity("b621", 2, 100, "current_a"),
    "voltage": _Quantity("b611", 2, 1, "voltage_v"),
    "energy": _ENERGY,
}
"""xx.xxxx kW, xx.xx A, xxx V, xxxxxx.xx kWh, packed decimal, low byte first."""


def question_of(name: str) -> bytes:
    """The data field that asks a 1997 meter for the quantity; for what it does not know, its energy."""
    return bytes.fromhex(_BY_NAME.get(name, _ENERGY).identifier)[::-1]


def is_answer(frame: Frame, question: bytes, *, known: bool) -> bool:
    """Whether ``frame`` answers ``question``. Only a ``known`` 1997 meter may refuse: one of the 2007 edition refuses
    what it does not understand, too."""
    if frame.error_reply:
        return known
    return frame.data[:2] == question


def to_reading(point: str, name: str, frame: Frame) -> MeterReading | None:
    """The value of the answer, or None when it holds none."""
    quantity = _BY_NAME.get(name, _ENERGY)
    raw = frame.data[2:]
    if frame.error_reply or len(raw) != quantity.size or raw.count(0xFF) == len(raw):
        return None
    try:
        value = round(bcd(raw) / quantity.divisor, 4)
    except BadBcdError:
        return None
    match quantity.field:
        case "power_w":
            return MeterReading(point=point, power_w=value)
        case "current_a":
            return MeterReading(point=point, current_a=value)
        case "voltage_v":
            return MeterReading(point=point, voltage_v=value)
        case _:
            return MeterReading(point=point, energy_wh=value)
