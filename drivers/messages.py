"""MQTT messages as the bytes that an MQTT link and a driver exchange: the JSON object of the decode contract.

``{"topic": str, "payload": str, "retain": bool}`` inward, plus ``binary`` (true when the payload is no UTF-8; its text
is then only a likeness) and ``expiry_s`` (what is left of the sender's MQTT 5 message expiry). Outward the same, with
``expiry_s`` to set; what a link sends is never retained. So a driver is tested and decoded without any MQTT, and a
recorded message is a line of text.

The hard part of the payloads is what JSON readers let pass: NaN, a key given twice, numbers beyond all bounds. A user
would notice as a meter that reads "0 W" or a detector whose second, contradicting word was believed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

import msgspec

from drivers.decoded import Decoded, Fields


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. ``expiry_s`` None: none given, or the broker speaks no MQTT 5. ``queued``: the broker kept it while
    nobody listened, for days maybe."""

    topic: str
    payload: str
    retain: bool
    binary: bool = False
    expiry_s: int | None = None
    queued: bool = False


class Problem(NamedTuple):
    """A refused message, by a kind of the decode contract (section 2). ``alarm``: the message says this nevertheless,
    and the service must act on it (``fire``)."""

    kind: str
    detail: str
    alarm: str = ""


class PayloadError(Exception):
    """A payload cannot be what it should be; ``problem`` says why."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(kind, detail)


_decoder = msgspec.json.Decoder(Message)
_encoder = msgspec.json.Encoder()
_read_any = msgspec.json.Decoder().decode


class _Newest:
    """The message that was written down last, with its bytes: nearly each is read by whom it was written for before the
    next is written, and then needs no reading. One pair, so that threads cannot mix two."""

    pair: tuple[bytes, Message | None] = (b"", None)


def parse_message(data: bytes) -> Message | None:
    """The message, or None when ``data`` is not such an object."""
    written, message = _Newest.pair
    if data is written:
        return message
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def encode_message(message: Message) -> bytes:
    data = _encoder.encode(message)
    _Newest.pair = (data, message)
    return data


def decode_with(line: bytes, parse: Callable[[Message], Sequence[Any]], describe: Callable[[Any], Fields]) -> Decoded:
    """One input line of ``kangle decode`` through a protocol's ``parse``, which gives frames and Problems."""
    message = parse_message(line)
    if message is None:
        detail = 'not an object {"topic": text, "payload": text, "retain": true|false}'
        return Decoded([], [{"kind": "bad_input", "detail": detail}])
    frames: list[Fields] = []
    errors: list[Fields] = []
    for item in parse(message):
        if not isinstance(item, Problem):
            frames.append(describe(item))
        elif item.alarm:
            errors.append({"kind": item.kind, "detail": item.detail, "alarm": item.alarm})
        else:
            errors.append({"kind": item.kind, "detail": item.detail})
    return Decoded(frames, errors)


# --- strict JSON -----------------------------------------------------------------------------------------------------


def json_object(message: Message) -> dict[str, Any]:
    """The payload as an object without NaN and without keys given twice. Raises ``PayloadError``."""
    if message.binary:
        raise PayloadError("bad_payload", "the payload is no UTF-8 text")
    payload = message.payload
    value = _plain_object(payload)
    return _strict_object(payload) if value is None else value


def _plain_object(payload: str) -> dict[str, Any] | None:
    """The object by the fast reader, five times faster than the strict one; None when that must judge. The fast reader
    refuses NaN, but of a key given twice it keeps the last: then the text has a colon that the object does not account
    for (without escapes each colon is one behind a key, or one within a text)."""
    if "\\" in payload:
        return None
    try:
        value = _read_any(payload)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    if type(value) is not dict:
        return None
    colons = payload.count(":")
    return value if (colons == len(value) and _is_flat(value)) or _colons(value) == colons else None


def _is_flat(value: dict[str, Any]) -> bool:
    """Nearly every object: texts and small numbers. With as many colons in the text as keys in the object, each is one
    behind a key."""
    for each in value.values():
        kind = type(each)
        if kind is int:
            if not -_PLAIN_INT < each < _PLAIN_INT:
                return False
        elif kind is list or kind is dict:
            return False
    return True


def _colons(value: dict[str, Any]) -> int:
    """Of an object's text; -1 or less where that cannot be said without effort (lists, numbers beyond all floats)."""
    count = len(value)
    for key, each in value.items():
        kind = type(each)
        if kind is str:
            count += each.count(":")
        elif kind is dict:
            count += _colons(each)
        elif kind is int:
            if not -_PLAIN_INT < each < _PLAIN_INT:
                return _UNKNOWN
        elif kind is list:
            return _UNKNOWN
        if ":" in key:
            count += key.count(":")
    return count


#: Both readers agree on integers below; whoever sends more is read by the strict one.
_PLAIN_INT = 1 << 53
#: Makes every sum of counts negative.
_UNKNOWN = -(1 << 40)


def _strict_object(payload: str) -> dict[str, Any]:
    try:
        value = _strict.decode(payload)
    except PayloadError:
        raise
    except (ValueError, RecursionError) as error:
        raise PayloadError("bad_payload", f"no JSON: {error}" if payload else "empty") from None
    if not isinstance(value, dict):
        raise PayloadError("bad_payload", f"JSON, but no object: {type(value).__name__}")
    return value


def outermost(text: str) -> str | None:
    """What stands directly within the outermost braces of ``text`` (texts kept, inner objects left out), or None when
    the braces do not close: for a message that is refused and may still say something that must be acted upon."""
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        return None
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for letter in text[begin : end + 1]:
        if quoted:
            quoted = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            quoted = True
        elif letter in "{}":
            depth += 1 if letter == "{" else -1
            if depth < 0:
                return None
            if depth == 0:
                kept.append(",")
            continue
        if depth == 1:
            kept.append(letter)
    return "".join(kept) if depth == 0 and not quoted else None


def boolean(fields: dict[str, Any], key: str) -> bool | None:
    """True or false as sent; None when absent or null. Raises ``PayloadError`` for all else."""
    value = fields.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise PayloadError("bad_value", f"{key} is {_short(value)}, not true or false")


_INT64 = (-(1 << 63), (1 << 63) - 1)


def number(fields: dict[str, Any], key: str, *, texts: bool = False) -> int | float | None:
    """A finite number as sent; None when absent or null. ``texts``: numbers sent as text are taken. Raises
    ``PayloadError``."""
    value = fields.get(key)
    return None if value is None else as_number(value, key, texts=texts)


def as_number(value: object, key: str, *, texts: bool = False) -> int | float:
    """``value`` as a finite number; an integer beyond 64 bits, which no log can hold, as the nearest float. Raises
    ``PayloadError`` naming ``key``."""
    if (type(value) is float or type(value) is int) and -_PLAIN_INT < value < _PLAIN_INT:  # nearly all that comes
        return value
    given = value
    if texts and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            value = None
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value if isinstance(value, float) or _INT64[0] <= value <= _INT64[1] else float(value)
    except OverflowError:  # an integer beyond every float
        pass
    raise PayloadError("bad_value", f"{key} is {_short(given)}, not a number")


def limited(fields: dict[str, Any], key: str, low: float, high: float) -> int | float | None:
    """A number from ``low`` to ``high``; None when absent or null. Raises ``PayloadError``."""
    value = number(fields, key)
    if value is not None and not low <= value <= high:
        raise PayloadError("bad_value", f"{key} is {_short(value)}, must be {low:g} to {high:g}")
    return value


def text(fields: dict[str, Any], key: str) -> str | None:
    """A text as sent, None when it is none."""
    value = fields.get(key)
    return value if isinstance(value, str) else None


def inner(fields: dict[str, Any], key: str) -> dict[str, Any]:
    """An object within; empty when absent or null. Raises ``PayloadError`` for all else."""
    value = fields.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise PayloadError("bad_value", f"{key} is {_short(value)}, not an object")
    return value


def check_meter(power_w: float | None, voltage_v: float | None, current_a: float | None) -> None:
    """Refuse readings that contradict each other (decode contract, shelly): a current without a voltage, or more power
    than voltage and current can make. Raises ``PayloadError``."""
    if voltage_v is None or current_a is None:
        return
    if voltage_v == 0 and current_a > 0.05:
        raise PayloadError("meter_fault", f"{current_a} A at 0 V")
    if power_w is not None and power_w > 1.2 * voltage_v * current_a + 5:
        raise PayloadError("meter_fault", f"{power_w} W at {voltage_v} V and {current_a} A")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise PayloadError("bad_payload", "a key is given twice")
    return fields


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise PayloadError("bad_value", f"{text:.40} is beyond all numbers")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError("bad_value", f"{name} is not a number")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:37] + "..."


_strict = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
