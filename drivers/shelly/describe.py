"""Shelly messages as the fields that ``kangle decode shelly`` prints (decode contract, section 5)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields
from drivers.messages import decode_with
from drivers.shelly.frames import Command, Frame, Online, Reply, Switch, parse


def decode(line: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line: a message as a JSON object."""
    return decode_with(line, parse, describe)


def describe(frame: Frame) -> Fields:
    match frame:
        case Switch(fault_names=faults):
            fields: Fields = msgspec.structs.asdict(frame)
            names = None if faults is None else list(faults)
            return {**fields, "fault_names": names, "alarm_state_name": frame.alarm_state}
        case Online(device=device, online=online, retained=retained):
            return {"kind": "online", "device": device, "online": online, "retained": retained}
        case Command():
            return {
                "kind": "command",
                "device": frame.device,
                "command_name": "on" if frame.on else "off",
                "request_id": frame.request_id,
                "switch_id": frame.switch_id,
                "toggle_after_s": frame.toggle_after_s,
                "retained": frame.retained,
            }
        case Reply():
            return {
                "kind": "reply",
                "device": frame.device,
                "sender": frame.sender,
                "request_id": frame.request_id,
                "success": frame.success,
                "was_on": frame.was_on,
                "error_code": frame.error_code,
                "error_text": frame.error_text,
            }
