"""CSAFE frames as the fields that ``kangle decode csafe`` prints (reference/decode-contract.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.csafe.frames import Frame, Grammar, Item
from drivers.csafe.values import COMMAND_NAMES, PREVIOUS_NAMES, STATE_NAMES, values_of
from drivers.decoded import Decoded, Fields, decode_stream


def decode(data: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line; ``options["from"]`` is ``host`` or ``device``."""
    return decode_stream(Grammar(from_host=options["from"] == "host"), data, describe)


def describe(frame: Frame) -> Fields:
    fields: Fields = {
        "extended": frame.destination is not None,
        "destination": frame.destination,
        "source": frame.source,
        "content_hex": frame.content.hex(),
    }
    if frame.status is not None:
        fields["status"] = frame.status
        fields["frame_toggle"] = frame.status >> 7
        fields["previous_frame_name"] = PREVIOUS_NAMES[frame.status >> 4 & 0x03]
        fields["state_name"] = STATE_NAMES.get(frame.status & 0x0F)
    fields["items"] = [_item(item, is_answer=frame.status is not None) for item in frame.items]
    return fields


def _item(item: Item, *, is_answer: bool) -> Fields:
    if item.items is not None:
        # Inside a wrapper ids are the maker's own: the public names and layouts do not hold there.
        inner = [{"command": each.command, "data_hex": _hex(each.data)} for each in item.items]
        return {"command": item.command, "command_name": None, "items": inner}
    fields: Fields = {
        "command": item.command,
        "command_name": COMMAND_NAMES.get(item.command),
        "data_hex": _hex(item.data),
    }
    if is_answer and item.data is not None:
        fields |= values_of(item.command, item.data)
    return fields


def _hex(data: bytes | None) -> str | None:
    return None if data is None else data.hex()
