"""The access doors in the simulated garage's configuration: ``readers`` [{name, port, baud, key}] are lines of OSDP
readers behind a TCP port, ``doors`` [{door, zone, line, address, cards?}] the doors with a reader each. ``key`` has 32
hex digits; ``cards`` are those that people here carry ("facility:number")."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.jsonconfig import ConfigReader

KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class ReaderConfig:
    name: str
    port: int
    baud: int
    key: bytes


@dataclass(frozen=True, slots=True)
class DoorConfig:
    door: str
    zone: str
    line: str
    address: int
    cards: tuple[str, ...] = ()


def read_doors(reader: ConfigReader, top: dict[str, object]) -> tuple[tuple[ReaderConfig, ...], tuple[DoorConfig, ...]]:
    """Lines of readers and doors, each checked by itself and against the other."""
    top = {"readers": [], "doors": [], **top}
    lines = tuple(_line(reader, *row) for row in reader.rows(top, "readers", set(ReaderConfig.__slots__)))
    doors = tuple(_door(reader, *row) for row in reader.rows(top, "doors", set(DoorConfig.__slots__)))
    names = [line.name for line in lines]
    for door in doors:
        if door.line not in names:
            reader.say(door.door, f"line {door.line!r} is none of {', '.join(names)}")
        if not 0 <= door.address <= 126:
            reader.say(door.door, "address must be 0..126")
    places = [(door.line, door.address) for door in doors]
    if len(set(places)) < len(places) or len({door.door for door in doors}) < len(doors):
        reader.say("doors", "two have the same name or address")
    return lines, doors


def _line(reader: ConfigReader, place: str, row: dict[str, object]) -> ReaderConfig:
    port, key = reader.get(row, "port", place, int), reader.get(row, "key", place, str)
    if not 0 <= port <= 65_535:
        reader.say(f"{place}.port", "must be 0..65535")
    try:
        secret = bytes.fromhex(key)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        reader.say(f"{place}.key", "give 32 hex digits")
    baud = reader.get(row, "baud", place, int, 9600)
    return ReaderConfig(reader.get(row, "name", place, str), port, baud, secret)


def _door(reader: ConfigReader, place: str, row: dict[str, object]) -> DoorConfig:
    cards = row.get("cards", [])
    if not isinstance(cards, list) or not all(isinstance(card, str) for card in cards):
        reader.say(f"{place}.cards", "must be a list of texts")
        cards = []
    return DoorConfig(
        door=reader.get(row, "door", place, str),
        zone=reader.get(row, "zone", place, str),
        line=reader.get(row, "line", place, str),
        address=reader.get(row, "address", place, int),
        cards=tuple(cards),
    )
