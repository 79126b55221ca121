"""MQTT messages as the bytes that an MQTT link and a driver exchange: the JSON object of the decode contract.

``{"topic": str, "payload": str, "retain": bool}`` inward, plus ``binary`` (true when the payload is no UTF-8; its text
is then only a likeness) and ``expiry_s`` (what is left of the sender's MQTT 5 message expiry). Outward the same with
``expiry_s`` to set; what we send is never retained, so ``retain`` is not looked at. So a driver is tested and decoded
without any MQTT, and a recorded message is a line of text.
"""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. ``expiry_s`` None: none given, or the broker speaks no MQTT 5."""

    topic: str
    payload: str
    retain: bool = False
    binary: bool = False
    expiry_s: int | None = None


_decoder = msgspec.json.Decoder(Message)
_encoder = msgspec.json.Encoder()


def parse_message(data: bytes) -> Message | None:
    """The message, or None when ``data`` is not such an object."""
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def encode_message(message: Message) -> bytes:
    return _encoder.encode(message)
