"""The options of a DL/T 645 bus, read and checked (PROTOCOL.md section 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from drivers.dlt645.frames import WILDCARD
from drivers.dlt645.readings import QUANTITIES
from drivers.options import OptionReader, OptionValue

METERS_MAX = 64
_METER = re.compile(r"([A-Za-z0-9_.-]{1,48})=((?:\d\d|aa|AA){6})")
_METERS_FORM = "POINT=ADDRESS, separated by commas; addresses of 12 digits, aa where any byte will do"


class Settings(NamedTuple):
    """``meters`` point -> address. ``authority`` are the 8 bytes before the action: level, password, operator."""

    meters: dict[str, str]
    fast: tuple[str, ...]
    slow: tuple[str, ...]
    baud: int
    poll_ms: int
    slow_ms: int
    dead_poll_ms: int
    turn_round_ms: int
    gap_ms: int
    quiet_ms: int
    preamble: int
    authority: bytes
    valid_ms: int
    short_control: bool
    permit_close: bool


def read_settings(options: Mapping[str, OptionValue]) -> Settings:
    """LocalProtocolError names an option that is wrong, and what is allowed."""
    reader = OptionReader("dlt645", options)
    password = reader.text("password", "000000", r"\d{6}", "6 digits")
    level = reader.integer("password_level", 2, 0, 99)
    operator = reader.text("operator", "00000000", r"[0-9A-Fa-f]{8}", "8 hex digits")
    # The password goes over the wire low byte first, the operator's code too.
    authority = bytes.fromhex(f"{level:02d}") + bytes.fromhex(password)[::-1] + bytes.fromhex(operator)[::-1]
    settings = Settings(
        meters=_read_meters(reader),
        fast=_read_names(reader, "fast", "power,current"),
        slow=_read_names(reader, "slow", "voltage,energy"),
        baud=reader.integer("baud", 2_400, 300, 115_200),
        poll_ms=reader.integer("poll_ms", 1_000, 50, 600_000),
        slow_ms=reader.integer("slow_ms", 60_000, 50, 86_400_000),
        dead_poll_ms=reader.integer("dead_poll_s", 60, 1, 3_600) * 1000,
        turn_round_ms=reader.integer("turn_round_ms", 500, 20, 5_000),
        gap_ms=reader.integer("gap_ms", 20, 1, 500),
        quiet_ms=reader.integer("quiet_ms", 150, 10, 1_000),
        preamble=reader.integer("preamble", 4, 0, 8),
        authority=authority,
        valid_ms=reader.integer("valid_s", 300, 10, 86_400) * 1000,
        short_control=reader.flag("short_control", default=False),
        permit_close=reader.flag("permit_close", default=False),
    )
    reader.finish()
    return settings


def _read_meters(reader: OptionReader) -> dict[str, str]:
    text = reader.text("meters", f"meter={WILDCARD}", r"(?s).*", _METERS_FORM)
    meters: dict[str, str] = {}
    for word in re.split(r"[,\s]+", text.strip(", \n\t")):
        match = _METER.fullmatch(word)
        if match is None:
            reader.refuse("meters", word, _METERS_FORM)
        point, address = match[1], match[2].lower()
        if point in meters or address in meters.values():
            reader.refuse("meters", word, "each point and each address once")
        meters[point] = address
    if len(meters) > METERS_MAX:
        reader.refuse("meters", f"{len(meters)} meters", f"at most {METERS_MAX} on one bus")
    if len(meters) > 1 and any("a" in address for address in meters.values()):
        reader.refuse("meters", text, "a wildcard only where one meter is alone on the bus: two would answer at once")
    return meters


def _read_names(reader: OptionReader, name: str, default: str) -> tuple[str, ...]:
    form = f"words of {', '.join(QUANTITIES)}, separated by commas; or empty"
    words = tuple(filter(None, reader.text(name, default, r"[a-z, ]*", form).replace(" ", "").split(",")))
    if not set(words) <= QUANTITIES.keys() or len(set(words)) != len(words):
        reader.refuse(name, ",".join(words), form)
    return words
