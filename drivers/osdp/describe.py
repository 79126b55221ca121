"""OSDP frames as the fields that ``kangle decode osdp`` prints (reference/decode-contract.md section 6)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields, decode_stream
from drivers.osdp.frames import MARK, Frame, Grammar, Reply

COMMAND_NAMES = {
    0x60: "poll",
    0x61: "id",
    0x62: "cap",
    0x64: "lstat",
    0x65: "istat",
    0x66: "ostat",
    0x69: "led",
    0x6A: "buz",
    0x6B: "text",
    0x6D: "tdset",
    0x76: "chlng",
    0x77: "scrypt",
}
REPLY_NAMES = {0x40: "ack", 0x41: "nak", 0x50: "raw", 0x53: "keypad", 0x76: "ccrypt", 0x78: "rmac_i"}


def decode(data: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line; no secure channel is set up here."""
    return decode_stream(Grammar(), data, describe, MARK)


def describe(frame: Frame) -> Fields:
    """The fields of one frame."""
    fields: Fields = {
        "address": frame.address,
        "reply": frame.reply,
        "sequence": frame.sequence,
        "check_name": "crc16" if frame.crc else "checksum",
        "security_block": frame.block is not None,
        "security_block_type": frame.block,
        "code": frame.code,
        "code_name": (REPLY_NAMES if frame.reply else COMMAND_NAMES).get(frame.code),
        "payload_hex": frame.payload.hex(),
    }
    if frame.keys is not None:
        fields["keys"] = frame.keys
    if frame.reply and frame.code == Reply.NAK and frame.payload:
        fields["nak_reason"] = frame.payload[0]
    if frame.card is not None:
        card = msgspec.structs.asdict(frame.card)
        fields["card"] = {key: value for key, value in card.items() if value is not None}
    return fields
