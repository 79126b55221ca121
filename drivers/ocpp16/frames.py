"""OCPP 1.6J messages: text to message and back. Pure; the wire is described in PROTOCOL.md section 2.

The hard part is to be strict and yet to miss no fault: chargers send error codes that no schema knows, together with
the word Faulted. Such a message is refused and its fault is told all the same. A user would notice a mistake as a
charger with a red lamp that the page shows as free.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from drivers.messages import Problem
from drivers.ocpp16.schemas import first_violation

MESSAGE_ID_MAX = 36
DEPTH_MAX = 32
"""Levels of lists and objects in a message; the deepest schema has eight."""
ERROR_CODES = frozenset(
    {
        "NotImplemented",
        "NotSupported",
        "InternalError",
        "ProtocolError",
        "SecurityError",
        "FormationViolation",
        "FormatViolation",
        "PropertyConstraintViolation",
        "OccurenceConstraintViolation",
        "OccurrenceConstraintViolation",
        "TypeConstraintViolation",
        "GenericError",
        "MessageTypeNotSupported",
        "RpcFrameworkError",
    }
)
"""Those of OCPP-J 1.6 in both spellings in use, and two of 2.0.1 that libraries send for 1.6 as well."""
_FAULTED = re.compile(r'"status"\s*:\s*"\s*Faulted\s*"', re.IGNORECASE)


class Call(msgspec.Struct, frozen=True):
    message_id: str
    action: str
    payload: dict[str, Any]


class CallResult(msgspec.Struct, frozen=True):
    """``action`` is that of the call it answers, "" when not known."""

    message_id: str
    payload: dict[str, Any]
    action: str = ""


class CallError(msgspec.Struct, frozen=True):
    message_id: str
    error_code: str
    description: str
    details: dict[str, Any]


Message = Call | CallResult | CallError


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A refused message: why, and what of it could be read leniently (``message`` None: not even that)."""

    problem: Problem
    message: Message | None = None


def parse(raw: bytes, result_of: str = "") -> Message | Refusal:
    """The message in ``raw``. A result is checked against the answer of ``result_of``, if that is given."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return _refused("bad_message", f"no UTF-8: {error.reason} at byte {error.start}")
    twice: list[str] = []
    try:
        value = _load(text, twice)
    except (ValueError, RecursionError) as error:
        return _refused("bad_message", f"no JSON: {error}"[:200] if text.strip() else "empty", text)
    if _is_deep(value):
        return _refused("bad_payload", f"nested over {DEPTH_MAX} deep", text)
    message = _cut(value, text, result_of)
    if isinstance(message, Refusal) or not twice:
        return message
    return _refused("bad_message", f"the key {twice[0]!r:.60} is given twice", text, message)


def read_leniently(value: list[Any]) -> Message | None:
    """What a list that breaks rules can still be taken for: a call with some payload, or nothing."""
    if len(value) >= 4 and value[0] == 2 and isinstance(value[2], str) and isinstance(value[3], dict):
        return Call(str(value[1])[:MESSAGE_ID_MAX], value[2], value[3])
    return None


def encode(message: Message) -> bytes:
    """One line of JSON without line feed."""
    value: list[Any]
    match message:
        case Call():
            value = [2, message.message_id, message.action, message.payload]
        case CallResult():
            value = [3, message.message_id, message.payload]
        case CallError():
            value = [4, message.message_id, message.error_code, message.description, message.details]
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


def _load(text: str, twice: list[str]) -> Any:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(items)
        if len(fields) != len(items):
            twice.append(next(key for at, (key, _) in enumerate(items) if key in dict(items[:at])))
        return fields

    return json.loads(text, object_pairs_hook=pairs, parse_constant=_refuse_constant, parse_float=_finite)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is beyond all numbers")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX):
        inner = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [each for group in inner for each in group]
        if not level:
            return False
    return True


def _cut(value: Any, text: str, result_of: str) -> Message | Refusal:
    if not isinstance(value, list) or not value:
        return _refused("bad_message", "not a list with a message type", text)
    lengths = {2: (4, 4), 3: (3, 3), 4: (4, 5)}
    kind = value[0]
    if isinstance(kind, bool) or not isinstance(kind, int) or kind not in lengths:
        return _refused("bad_message", f"message type {kind!r:.40} is not 2, 3 or 4", text)
    low, high = lengths[kind]
    if not low <= len(value) <= high:
        return _refused("bad_message", f"message type {kind} has {high} parts, not {len(value)}", text)
    if not isinstance(value[1], str):
        return _refused("bad_value", "the message id is no text", text, read_leniently(value))
    if len(value[1]) > MESSAGE_ID_MAX:
        detail = f"the message id has over {MESSAGE_ID_MAX} characters"
        return _refused("bad_value", detail, text, read_leniently(value))
    match kind:
        case 2:
            return _call(value, text)
        case 3:
            return _result(value, text, result_of)
        case _:
            return _error(value, text)


def _call(value: list[Any], text: str) -> Message | Refusal:
    _, message_id, action, payload = value
    if not isinstance(action, str):
        return _refused("bad_value", "the action is no text", text)
    if not isinstance(payload, dict):
        return _refused("bad_payload", "the payload is no object", text)
    call = Call(message_id, action, payload)
    problem = first_violation(action, payload, result=False)
    return call if problem is None else _refused(problem.kind, problem.detail, text, call)


def _result(value: list[Any], text: str, result_of: str) -> Message | Refusal:
    _, message_id, payload = value
    if not isinstance(payload, dict):
        return _refused("bad_payload", "the payload is no object", text)
    result = CallResult(message_id, payload, result_of)
    problem = first_violation(result_of, payload, result=True) if result_of else None
    return result if problem is None else _refused(problem.kind, problem.detail, text, result)


def _error(value: list[Any], text: str) -> Message | Refusal:
    _, message_id, code, description, *rest = value
    details = rest[0] if rest else {}
    if not isinstance(code, str) or not isinstance(description, str):
        return _refused("bad_value", "the error code or its description is no text", text)
    error = CallError(message_id, code, description, details if isinstance(details, dict) else {})
    if code not in ERROR_CODES:
        return _refused("bad_value", f"the error code {code!r:.60} is unknown", text, error)
    if not isinstance(details, dict):
        return _refused("bad_value", "the error details are no object", text, error)
    return error


def _refused(kind: str, detail: str, text: str = "", message: Message | None = None) -> Refusal:
    """Refuse, and say so when the text reports a fault all the same."""
    alarm = "fault" if "StatusNotification" in text and _FAULTED.search(text) else ""
    return Refusal(problem=Problem(kind, detail, alarm), message=message)
