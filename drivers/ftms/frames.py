"""FTMS machine records: one notification to one record, several to a whole one. Pure; PROTOCOL.md sections 2 and 3.

The hard part is that machines break their own flags: records come cut off, too long, with a field more or less than
promised, or spread over three notifications. Whole numbers are kept, nothing is ever shifted, and what was wrong is
said. A user would notice a mistake as a bike that goes 400 km/h for one second.
"""

from __future__ import annotations

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.ftms.layout import CADENCE_BIT, LAYOUTS, Layout, Number, numbers_of

MORE_DATA = 1
LIFE_FITNESS = "life_fitness"
PARTS_MAX = 8
"""Notifications that one record may be spread over; a machine that never ends one begins anew."""
_CROSS_TRAINER = "2ace"
_BIKE = "2ad2"
_BACKWARD_BIT = 15


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record, or a part of one while ``more_data``. ``values``: number -> value, None where the machine says that it
    has none; numbers that were not in the packet are not in here. ``truncated``: the flags promised more.
    ``trailing_bytes``: surplus. ``merged``: put together from several notifications. ``backward`` only of 2ace."""

    char: str
    flags: int
    values: dict[str, float | None]
    more_data: bool
    truncated: bool = False
    trailing_bytes: int = 0
    merged: bool = False
    backward: bool | None = None


def parse(char: str, data: bytes, profile: str = "", cut_at: int = 0) -> Record | Refusal:
    """One notification of a machine characteristic (``char``: 2acd, 2ace, 2acf, 2ad0, 2ad1, 2ad2). A packet of exactly
    ``cut_at`` bytes is rather cut off than of the narrow edition."""
    layout = LAYOUTS[char]
    if len(data) < layout.flag_bytes:
        return Refusal(ErrorKind.TOO_SHORT, f"{len(data)} bytes, the flags alone have {layout.flag_bytes}")
    flags = int.from_bytes(data[: layout.flag_bytes], "little")
    body = data[layout.flag_bytes :]
    numbers = _fitting(layout, flags, len(body), cut=len(data) == cut_at)
    if profile == LIFE_FITNESS and char == _BIKE and not flags >> CADENCE_BIT & 1:
        with_cadence = tuple(numbers_of(layout, flags | 1 << CADENCE_BIT))
        if sum(number.size for number in with_cadence) == len(body):
            numbers = with_cadence
    values: dict[str, float | None] = {}
    at = 0
    for number in numbers:
        raw = body[at : at + number.size]
        if len(raw) < number.size:
            break
        values[number.name] = _value(number, raw)
        at += number.size
    truncated = len(values) < len(numbers)
    return Record(
        char=char,
        flags=flags,
        values=values,
        more_data=bool(flags & MORE_DATA),
        truncated=truncated,
        # The beginning of a number that was cut off is no surplus.
        trailing_bytes=0 if truncated else len(body) - at,
        backward=bool(flags >> _BACKWARD_BIT & 1) if char == _CROSS_TRAINER else None,
    )


def _fitting(layout: Layout, flags: int, size: int, *, cut: bool) -> tuple[Number, ...]:
    """The promised numbers, those of two editions in the width that makes the packet fit; wide ones where none does."""
    wide = tuple(numbers_of(layout, flags))
    if cut or sum(number.size for number in wide) == size:
        return wide
    narrow = tuple(number._replace(size=1) if number.narrow else number for number in wide)
    return narrow if sum(number.size for number in narrow) == size else wide


def _value(number: Number, raw: bytes) -> float | None:
    unsigned = int.from_bytes(raw, "little")
    if number.narrow is not None and len(raw) == 1:
        return number.narrow(unsigned)
    if unsigned in number.absent:
        return None
    value = int.from_bytes(raw, "little", signed=number.signed)
    return value if number.divisor == 1 else value / number.divisor


class Assembler:
    """Puts the notifications of one machine's characteristic together to whole records."""

    def __init__(self) -> None:
        self._parts: list[Record] = []

    def take(self, part: Record) -> Record:
        """``part`` itself, or the whole record when ``part`` ends one that was spread over several."""
        if part.more_data:
            self._parts = [*self._parts[1 - PARTS_MAX :], part]
            return part
        parts, self._parts = [*self._parts, part], []
        return merge(parts)

    def forget(self) -> None:
        """A part was lost: what is left of the record cannot be joined to anything."""
        self._parts = []


def merge(parts: list[Record]) -> Record:
    """The record that ``parts`` (at least one, in order) make together; flags are those of the last."""
    if len(parts) == 1:
        return parts[0]
    values: dict[str, float | None] = {}
    for each in parts:
        values |= {name: value for name, value in each.values.items() if value is not None or name not in values}
    return msgspec.structs.replace(
        parts[-1],
        values=values,
        truncated=any(each.truncated for each in parts),
        trailing_bytes=sum(each.trailing_bytes for each in parts),
        merged=True,
    )
