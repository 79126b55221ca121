"""OCPP messages as the fields that ``kangle decode ocpp16`` prints (reference/decode-contract.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields
from drivers.ocpp16.frames import Call, CallError, CallResult, Message, Refusal, parse
from drivers.ocpp16.meter import measured


def decode(line: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one message; ``options["result-of"]`` is the action that a result answers, or ""."""
    message = parse(line, options["result-of"])
    if not isinstance(message, Refusal):
        return Decoded([describe(message)], [])
    problem = message.problem
    error: Fields = {"kind": problem.kind, "detail": problem.detail}
    if problem.alarm:
        error["alarm"] = problem.alarm
    return Decoded([], [error])


def describe(message: Message) -> Fields:
    """The fields of one message."""
    fields: Fields
    match message:
        case Call():
            fields = {"message_type": 2, "message_type_name": "call", "message_id": message.message_id}
            fields["action"] = message.action
            _payload(fields, message.payload)
            if message.action == "MeterValues":
                fields |= msgspec.structs.asdict(measured(message.payload.get("meterValue")))
            if message.action == "StatusNotification" and fields["status"] == "Faulted":
                fields["alarm_state_name"] = "fault"
        case CallResult():
            fields = {"message_type": 3, "message_type_name": "call_result", "message_id": message.message_id}
            if message.action:
                fields["action"] = message.action
            _payload(fields, message.payload)
            if fields["status"] is not None:
                fields["accepted"] = fields["status"] == "Accepted"
        case CallError():
            fields = {
                "message_type": 4,
                "message_type_name": "call_error",
                "message_id": message.message_id,
                "error_code": message.error_code,
                "error_description": message.description,
                "payload": message.details,
            }
    return fields


def _payload(fields: Fields, payload: dict[str, object]) -> None:
    fields["payload"] = payload
    for name, key in (
        ("connector_id", "connectorId"),
        ("transaction_id", "transactionId"),
        ("status", "status"),
        ("error_code", "errorCode"),
    ):
        fields[name] = payload.get(key)
