"""What the site files of garage and gym have in common: places behind devices, numbers with ranges, whom to tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edge.domain.alarm_book import Step
from edge.domain.alarm_states import Priority
from edge.domain.notices import Channel
from edge.domain.places import Place
from edge.domain.words import Text
from edge.site_report import did_you_mean, one_of
from edge.site_table import Table

#: What a device calls a point behind it: a Zigbee name, a meter's address, a topic level, "system:address:zone:place".
POINT = re.compile(r"[^\s#+][^#+]{0,95}")
POINT_FORM = Text("设备内的点名，不含 # 和 +", "the point's name behind the device, without # and +")

#: (lowest, highest, unit).
Range = tuple[int, int, str]


def whole(table: Table, key: str, low: int, high: int, default: int) -> int:
    """A whole number in a range; the default also where the file has a mistake (which is told)."""
    value = table.integer(key, low, high, default)
    return default if value is None else value


def numbers(table: Table, kind: type[Any], ranges: Mapping[str, Range], *, finish: bool = False) -> dict[str, int]:
    """The numbers that the file gives, each within its range; the struct's own defaults stand for the rest."""
    defaults = _defaults(kind)
    found = {}
    for name, (low, high, unit) in ranges.items():
        if table.has(name):
            found[name] = table.integer(name, low, high, defaults[name], unit) or 0
    if finish:
        table.finish()
    return found


#: Field -> default of each struct that was asked for. Asking msgspec evaluates every annotation anew, and a site asks
#: for each of its zones, outlets and machines.
_known: dict[type[Any], Mapping[str, Any]] = {}


def _defaults(kind: type[Any]) -> Mapping[str, Any]:
    if kind not in _known:
        _known[kind] = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return _known[kind]


def read_place(entry: Table, devices: Sequence[str]) -> Place:
    """``device`` and ``point`` of a table."""
    device = entry.ident("device")
    if device and device not in devices:
        hint = did_you_mean(device, devices)
        entry.mistake("unknown_id", "device", device, one_of(devices), hint)
    return Place(device, entry.string("point", POINT, POINT_FORM))


def place_at(entry: Table, key: str, devices: Sequence[str]) -> Place | None:
    """A place that is a table of its own, ``key = { device = "...", point = "..." }``; None when it is not there."""
    if not entry.has(key):
        return None
    table = entry.table(key, required=True)
    place = read_place(table, devices)
    table.finish()
    return place


#: Channels that a site may name: both prove that somebody received the notice.
_CHANNELS = {"webhook": ("http://", "https://"), "mqtt": ("mqtt://", "mqtts://"), "page": ()}
#: The channel "page" names nobody: whichever panel has the alarm on its screen first is the proof.
ANY_PANEL = "any panel"


def read_escalation(table: Table) -> tuple[Step, ...]:
    """``[[escalation]]`` of a vertical: whom to tell of alarms of a priority, at once or when nobody acknowledged."""
    steps = []
    for entry in table.tables("escalation"):
        priority, channel = entry.choice("priority", Priority), entry.word("channel", _CHANNELS)
        target = ANY_PANEL if channel == "page" else entry.string("target")
        after_s = whole(entry, "after_s", 0, 86_400, 0)
        entry.finish()
        if channel and channel != "page" and target and not target.startswith(_CHANNELS[channel]):
            entry.mistake("bad_format", "target", target, one_of(_CHANNELS[channel]))
        elif priority is not None and channel and target:
            steps.append(Step(priority=priority, channel=Channel(channel), target=target, after_s=after_s))
    return tuple(steps)
