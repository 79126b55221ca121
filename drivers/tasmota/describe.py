"""Tasmota messages as the fields that ``kangle decode tasmota`` prints (decode contract, section 5)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields
from drivers.messages import decode_with
from drivers.tasmota.frames import Command, Energy, Event, Frame, Online, State, parse


def decode(line: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line: a message as a JSON object."""
    return decode_with(line, parse, describe)


def describe(frame: Frame) -> Fields:
    fields: Fields = msgspec.structs.asdict(frame)
    match frame:
        case Energy():
            return {"kind": "energy", **fields}
        case State():
            return {"kind": "state", **fields}
        case Event(event_name=name):
            danger = "danger" if name == "reclose_pending" else None
            return {"kind": "event", **fields, "alarm_state_name": danger}
        case Online():
            return {"kind": "online", **fields}
        case Command(state_query=query):
            del fields["state_query"]
            danger = "danger" if frame.retained else None
            return {"kind": "state_query" if query else "command", **fields, "alarm_state_name": danger}
