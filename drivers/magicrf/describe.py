"""MagicRF frames as the fields that ``kangle decode magicrf`` prints (reference/decode-contract.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.decoded import Decoded, Fields, decode_stream
from drivers.magicrf.frames import (
    GEN2_ERROR_NAMES,
    GEN2_OPERATION_NAMES,
    Command,
    Frame,
    FrameType,
    Framing,
    Grammar,
    error_name,
)

_COMMAND_NAMES = {command.value: command.name.lower() for command in Command}
_POLL_MARK = 0x22


def decode(data: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line; ``options["framing"]`` is ``bb7e`` or ``aadd``."""
    return decode_stream(Grammar(Framing[options["framing"].upper()]), data, describe)


def describe(frame: Frame) -> Fields:
    """The fields of one frame."""
    fields: Fields = {
        "type_name": frame.type.name.lower(),
        "command": frame.command,
        "command_name": _COMMAND_NAMES.get(frame.command),
        "parameter_length": len(frame.parameter),
        "parameter_hex": frame.parameter.hex(),
    }
    if frame.error_code is not None:
        fields["error_code"] = frame.error_code
        fields["error_name"] = error_name(frame.error_code)
        if frame.error_code >> 4 in GEN2_OPERATION_NAMES:
            fields["gen2_error_name"] = GEN2_ERROR_NAMES.get(frame.error_code & 0x0F)
    if frame.tag is not None:
        fields["pc"] = frame.tag.pc
        fields["epc"] = frame.tag.epc
        if frame.type is FrameType.NOTICE:
            fields["rssi_dbm"] = frame.tag.rssi_dbm
            fields["tag_crc"] = frame.tag.crc
        else:
            fields["data_hex"] = frame.tag.data
    fields.update(_numbers(frame))
    return fields


def _numbers(frame: Frame) -> Fields:
    """Parameters that are one number."""
    number = int.from_bytes(frame.parameter[-2:])
    match frame.type, frame.command:
        case (FrameType.COMMAND, Command.SET_TX_POWER) | (FrameType.RESPONSE, Command.GET_TX_POWER):
            return {"power_dbm": number / 100}
        case FrameType.COMMAND, Command.SET_BAUD:
            return {"baud_rate": number * 100}
        case FrameType.COMMAND, Command.MULTI_POLL if frame.parameter[0] == _POLL_MARK:
            return {"poll_count": number}
        case _:
            return {}
