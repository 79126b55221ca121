"""From coils and registers to readings, one block of adjacent addresses at a time.

The hard part is that a register says a number and nothing about it: an answer that is not as long as the question, or a
float that is none, must become "not said" and never zero. A user would notice a mistake as 0 A of a line under load.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from drivers.modbus.gym import STRENGTH, WEAR, wear_of
from drivers.modbus.mapping import (
    BIT_TABLES,
    CONTACT,
    METERED,
    OUTPUT,
    PRESSURE_KPA,
    READ_BY,
    Entry,
    Table,
)
from drivers.modbus.pdu import Function, Message, in_order
from edge.domain.devices import Reading
from edge.domain.field_devices import MeterReading, OutputReading, PressureReading, SignalKind, SignalReading

BITS_MAX = 512
WORDS_MAX = 100
"""Longest block asked for at once: many boards answer less than the specification's 2000 and 125."""
_FORMATS = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "f32": ">f"}


class Block(NamedTuple):
    """Adjacent addresses of one unit and table that are read in one question."""

    unit: int
    table: Table
    address: int
    quantity: int
    every_ms: int
    entries: tuple[Entry, ...]

    @property
    def function(self) -> Function:
        return READ_BY[self.table]

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(entry.point for entry in self.entries))


def blocks_of(entries: Sequence[Entry]) -> list[Block]:
    """The fewest questions that read all entries. Only what touches is joined: boards refuse a block with a hole."""
    groups: dict[tuple[int, Table, int], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.unit, entry.table, entry.every_ms), []).append(entry)
    blocks: list[Block] = []
    for (unit, table, every_ms), members in sorted(groups.items()):
        limit = BITS_MAX if table in BIT_TABLES else WORDS_MAX
        run: list[Entry] = []
        end = 0
        for entry in sorted(members, key=lambda each: (each.address, each.words)):
            if run and (entry.address > end or entry.address + entry.words - run[0].address > limit):
                blocks.append(Block(unit, table, run[0].address, end - run[0].address, every_ms, tuple(run)))
                run = []
            end = max(end, entry.address + entry.words) if run else entry.address + entry.words
            run.append(entry)
        blocks.append(Block(unit, table, run[0].address, end - run[0].address, every_ms, tuple(run)))
    return blocks


def fits(block: Block, message: Message) -> bool:
    """Whether the answer is as long as the question wants it."""
    if message.bits is not None:
        return len(message.bits) == (block.quantity + 7) // 8 * 8
    return message.registers is not None and len(message.registers) == block.quantity


def readings_of(block: Block, message: Message) -> list[Reading]:
    """What a fitting answer says; quantities of one point in one ``MeterReading``."""
    found: list[Reading] = []
    metered: dict[str, dict[str, float]] = {}
    worn: dict[str, dict[str, float]] = {}
    for entry in block.entries:
        at = entry.address - block.address
        if entry.is_bit or entry.role == OUTPUT:
            found.append(_two_state(entry, _state(entry, message, at)))
            continue
        value = _number(entry, message, at)
        if value is None:
            continue
        if entry.role == PRESSURE_KPA:
            found.append(PressureReading(point=entry.point, pressure_kpa=value))
        elif entry.role in METERED:
            metered.setdefault(entry.point, {})[entry.role] = value
        elif entry.role in WEAR:
            worn.setdefault(entry.point, {})[entry.role] = value
    found += [wear_of(point, values) for point, values in worn.items()]
    found += [msgspec.structs.replace(MeterReading(point=point), **values) for point, values in metered.items()]
    return found


def strength_of(block: Block, message: Message) -> dict[str, dict[str, float]]:
    """Point -> what a fitting answer says of its strength machine: a picture for ``gym.RepTracker``."""
    pictures: dict[str, dict[str, float]] = {}
    for entry in block.entries:
        if entry.role in STRENGTH and (value := _number(entry, message, entry.address - block.address)) is not None:
            pictures.setdefault(entry.point, {})[entry.role] = value
    return pictures


def _two_state(entry: Entry, state: bool | None) -> Reading:  # noqa: FBT001 - the value itself
    if entry.role in {OUTPUT, CONTACT}:
        return OutputReading(point=entry.point, on=state)
    return SignalReading(point=entry.point, kind=SignalKind(entry.role), active=state)


def _state(entry: Entry, message: Message, at: int) -> bool | None:
    """The bit; for an output in a register, whether it holds its ``on`` or ``off`` value (None: neither)."""
    if message.bits is not None:
        return message.bits[at] != entry.invert
    assert message.registers is not None
    word = message.registers[at]
    if entry.bit is not None:
        return bool(word >> entry.bit & 1) != entry.invert
    state = {entry.on: True, entry.off: False}.get(word)
    return None if state is None else state != entry.invert


def _number(entry: Entry, message: Message, at: int) -> float | None:
    assert message.registers is not None
    words = message.registers[at : at + entry.words]
    raw = in_order(words, entry.order) if len(words) == 2 else struct.pack(">H", words[0])
    (value,) = struct.unpack(_FORMATS[entry.kind], raw)
    number = value * entry.scale + entry.offset
    return float(number) if math.isfinite(number) else None
