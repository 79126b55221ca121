"""GB/T 26875.3 frames as the fields that ``kangle decode gb26875`` prints (reference/decode-contract.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields, decode_stream
from drivers.gb26875.frames import Frame, Grammar, command_name, expected_reply


def decode(data: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line."""
    return decode_stream(Grammar(), data, describe)


def describe(frame: Frame) -> Fields:
    """The fields of one frame."""
    header = frame.header
    return {
        "serial": header.serial,
        "version_major": header.version_major,
        "version_user": header.version_user,
        "sent_time": frame.sent_time.isoformat(),
        "source_address": header.source,
        "destination_address": header.destination,
        "length": frame.length,
        "command": frame.command,
        "command_name": command_name(frame.command),
        "expected_reply": expected_reply(frame.command),
        "app_type": frame.app_type,
        "object_count": frame.object_count,
        "objects": msgspec.to_builtins(frame.objects),
    }
