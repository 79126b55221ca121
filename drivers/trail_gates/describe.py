"""Messages of gates and counters as the fields that ``kangle decode trail_gates`` prints."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields
from drivers.messages import decode_with
from drivers.trail_gates.frames import Sighting, UseCount, parse


def decode(line: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line: a message as a JSON object."""
    return decode_with(line, lambda message: [parse(message)], describe)


def describe(told: Sighting | UseCount) -> Fields:
    fields = msgspec.structs.asdict(told)
    return {"kind": "passage" if isinstance(told, Sighting) else "count", "device": fields.pop("point"), **fields}
