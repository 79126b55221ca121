"""FTMS values as the fields that ``kangle decode ftms`` prints (reference/decode-contract.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.buffer import Refusal
from drivers.decoded import Decoded, Fields
from drivers.ftms import control
from drivers.ftms.control import Event, Message, Op, Range, Response, TrainingStatus
from drivers.ftms.frames import Assembler, Record, parse
from drivers.ftms.layout import LAYOUTS
from drivers.packets import decode_packets

_NAMED_OPS = frozenset(Op) - {Op.SPIN_DOWN, Op.RESPONSE}


def decode(line: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line: the packets of one session."""
    char, profile, from_host = options["char"], options["profile"], options["from"] == "host"
    assembler = Assembler()

    def take(packet: bytes) -> Fields | Refusal:
        if char not in LAYOUTS:
            told = _short(char, packet, from_host=from_host)
            return told if isinstance(told, Refusal) else describe(told, event=char == "2ada")
        record = parse(char, packet, profile)
        if isinstance(record, Refusal):
            assembler.forget()
            return record
        return describe(assembler.take(record))

    return decode_packets(line, take)


def _short(char: str, packet: bytes, *, from_host: bool) -> Message | Response | TrainingStatus | Range | Refusal:
    if char == "2ad9":
        return control.parse_command(packet) if from_host else control.parse_response(packet)
    if char == "2ada":
        return control.parse_event(packet)
    return control.parse_training_status(packet) if char == "2ad3" else control.parse_range(char, packet)


def describe(told: Record | Message | Response | TrainingStatus | Range, *, event: bool = False) -> Fields:
    match told:
        case Record():
            return _record(told)
        case Message():
            return _message(told, event=event)
        case Response():
            fields: Fields = {"opcode": Op.RESPONSE.value, "response_to": told.response_to, "result": told.result}
            return {**fields, "result_name": control.RESULT_NAMES.get(told.result), "parameter_hex": told.rest.hex()}
        case TrainingStatus():
            return {"training_status": told.status, "training_status_text": told.text}
        case Range():
            return dict(told.values)


def _record(record: Record) -> Fields:
    fields: Fields = {"flags": record.flags, "more_data": record.more_data, **record.values}
    if record.backward is not None:
        fields["direction_name"] = "backward" if record.backward else "forward"
    fields["truncated"] = record.truncated
    fields["trailing_bytes"] = record.trailing_bytes
    fields["merged"] = record.merged
    return fields


def _message(message: Message, *, event: bool) -> Fields:
    if event:
        names = {each.value: each.name.lower() for each in Event}
        fields: Fields = {"event": message.code, "event_name": names.get(message.code)}
    else:
        names = {each.value: each.name.lower() for each in _NAMED_OPS}
        fields = {"opcode": message.code, "opcode_name": names.get(message.code)}
    fields |= message.values
    if message.rest:
        fields["parameter_hex"] = message.rest.hex()
    return fields
