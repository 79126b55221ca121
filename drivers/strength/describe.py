"""Messages of the strength profile as the fields that ``kangle decode strength`` prints."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields
from drivers.messages import decode_with
from drivers.strength.frames import StrengthMessage, parse


def decode(line: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line: a message as a JSON object."""
    return decode_with(line, lambda message: [parse(message)], describe)


def describe(told: StrengthMessage) -> Fields:
    fields = msgspec.structs.asdict(told)
    return {"kind": "set" if told.rep is None else "rep", "device": fields.pop("point"), **fields}
