"""Messages of trail gates and usage counters. Pure; PROTOCOL.md section 1.

The hard part is that only a token may come over this wire: what looks like a name or a telephone number is refused, not
stored. A user would notice a mistake as her name on a broker in a lamp post.
"""

from __future__ import annotations

import re

import msgspec

from drivers.messages import Message, PayloadError, Problem, json_object, limited, text
from drivers.rawvalue import SEQ_MAX, seq_of, wall_ns_of

PASSAGE, COUNT = "passage", "count"
_TAG = re.compile(r"[0-9a-f]{4,64}")


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A gate saw a tag. ``point`` is ``<zone>/<gate>``."""

    point: str
    tag: str
    rssi_dbm: int | None
    retained: bool
    source_wall_ns: int | None
    source_seq: int | None


class UseCount(msgspec.Struct, frozen=True, kw_only=True):
    """An outdoor point tells how often it was used."""

    point: str
    use_count: int
    battery_pct: float | None
    retained: bool
    source_wall_ns: int | None
    source_seq: int | None


def parse(message: Message) -> Sighting | UseCount | Problem:
    levels = message.topic.split("/")
    if len(levels) != 4 or levels[3] not in {PASSAGE, COUNT} or not all(levels):
        return Problem("bad_message", f"not <site>/<zone>/<point>/{PASSAGE} or {COUNT}")
    point = f"{levels[1]}/{levels[2]}"
    try:
        return _sighting(message, point) if levels[3] == PASSAGE else _use_count(message, point)
    except PayloadError as error:
        return error.problem


def _sighting(message: Message, point: str) -> Sighting:
    fields = json_object(message)
    tag = (text(fields, "tag") or "").lower()
    if _TAG.fullmatch(tag) is None:
        raise PayloadError("bad_value", "tag is no token of 4 to 64 hex digits")
    rssi = limited(fields, "rssi", -200, 100)
    return Sighting(
        point=point,
        tag=tag,
        rssi_dbm=None if rssi is None else round(rssi),
        retained=message.retain,
        source_wall_ns=wall_ns_of(fields),
        source_seq=seq_of(fields),
    )


def _use_count(message: Message, point: str) -> UseCount:
    fields = json_object(message)
    count = fields.get("count")
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count < SEQ_MAX:
        raise PayloadError("bad_value", f"count is {str(count)[:40]!r}, not a whole number")
    return UseCount(
        point=point,
        use_count=count,
        battery_pct=limited(fields, "battery", 0, 100),
        retained=message.retain,
        source_wall_ns=wall_ns_of(fields),
        source_seq=seq_of(fields),
    )
