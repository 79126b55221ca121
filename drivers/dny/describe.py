"""DNY frames as the fields that ``kangle decode dny`` prints (reference/decode-contract.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping

import drivers.buffer
from drivers.decoded import Decoded, Fields, decode_stream
from drivers.dny.frames import Command, Frame, Grammar, Link

_NAMES = {command.value: command.name.lower() for command in Command}


def decode(data: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line."""
    grammar: drivers.buffer.Grammar[Frame] = Grammar()
    return decode_stream(grammar, data, describe)


def describe(frame: Frame) -> Fields:
    """The fields of one frame."""
    if isinstance(frame, Link):
        return {"kind": "link"}
    return {
        "kind": "message",
        "device_id": frame.device_id,
        "message_id": frame.message_id,
        "command": frame.command,
        "command_name": _NAMES.get(frame.command),
        "data_hex": frame.data.hex(),
        "voltage_v": frame.voltage_v,
    }
