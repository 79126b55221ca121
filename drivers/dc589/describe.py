"""DC589 frames as the fields that ``kangle decode dc589`` prints (reference/decode-contract.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import msgspec

from drivers.dc589.codes import BoardStatus, EndReason, FaultCode, PortState, StopResult
from drivers.dc589.contents import ChargeEnd, CommandResult, Fault, Heartbeat
from drivers.dc589.frames import Command, Frame, Grammar
from drivers.decoded import Decoded, Fields, decode_stream


def decode(data: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line."""
    return decode_stream(Grammar(), data, describe)


def describe(frame: Frame) -> Fields:
    """The fields of one frame."""
    content = frame.content
    fields: Fields = {
        "command": frame.command,
        "command_name": _name(Command, frame.command),
        "session": frame.session.hex(),
        "data_hex": frame.data.hex(),
        **(msgspec.to_builtins(content) if content is not None else {}),
    }
    match content:
        case Heartbeat():
            fields["has_ports"] = content.ports is not None
            fields["complete"] = content.complete
            if content.port_states is not None:
                fields["board_status_name"] = _name(BoardStatus, content.board_status)
                fields["port_state_names"] = [_name(PortState, state) for state in content.port_states]
        case CommandResult() if frame.command == Command.STOP_REPLY:
            fields["result_name"] = _name(StopResult, content.result)
            fields["stopped"] = content.result == StopResult.STOPPED
        case ChargeEnd():
            fields["reason_name"] = _name(EndReason, content.reason)
        case Fault():
            fields["fault_name"] = _name(FaultCode, content.fault)
        case _:
            pass
    return fields


def _name(codes: type[IntEnum], code: int | None) -> str | None:
    return next((each.name.lower() for each in codes if each == code), None)
