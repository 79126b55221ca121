"""Gateway messages as the fields that ``kangle decode ble_gateway`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from drivers.ble_gateway.frames import Advert, parse
from drivers.decoded import Decoded, Fields
from drivers.messages import Message, Problem, decode_with
from drivers.rawvalue import RAW, RawValue, parse_raw


def decode(line: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line: a message as a JSON object."""

    def parse_any(message: Message) -> Sequence[Advert | RawValue | Problem]:
        if message.topic.endswith(f"/{RAW}"):
            return [parse_raw(message)]
        return [parse(message, options["base-topic"])]

    return decode_with(line, parse_any, describe)


def describe(told: Advert | RawValue) -> Fields:
    if isinstance(told, Advert):
        fields = msgspec.structs.asdict(told)
        return {"kind": "advert", "device": fields.pop("mac"), "device_type": fields.pop("kind"), **fields}
    return {
        "kind": "raw",
        "device": told.point,
        "channel": told.channel,
        "data_hex": told.data.hex(),
        "retained": told.retained,
        "source_wall_ns": told.source_wall_ns,
        "sequence": told.source_seq,
    }
