"""FEIG frames as the fields that ``kangle decode feig`` prints (reference/decode-contract.md section 4)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivers.decoded import Decoded, Fields, decode_stream
from drivers.feig.frames import (
    COMPLETE,
    ISO_ERROR_NAMES,
    STATUS_NAMES,
    Command,
    Frame,
    Grammar,
    IsoCommand,
    Mode,
    Status,
)

_INVENTORY_DATA_MIN = 2


def decode(data: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line; ``options["from"]`` is ``host`` or ``device``."""
    return decode_stream(Grammar(from_host=options["from"] == "host"), data, describe)


def describe(frame: Frame) -> Fields:
    """The fields of one frame. ``data_hex`` of an answer is what follows STATUS."""
    fields: Fields = {
        "format_name": "advanced" if frame.advanced else "standard",
        "length": len(frame.raw),
        "address": frame.address,
        "command": frame.command,
        "data_hex": frame.data.hex(),
    }
    if frame.status is None:
        if frame.iso_command == IsoCommand.INVENTORY and len(frame.data) >= _INVENTORY_DATA_MIN:
            mode = frame.data[1]
            fields["command_name"] = "inventory"
            fields["more"] = bool(mode & Mode.MORE)
            fields["notify"] = bool(mode & Mode.NOTIFY)
            fields["presence_check"] = bool(mode & Mode.PRESENCE_CHECK)
        return fields
    fields["status"] = frame.status
    fields["status_name"] = STATUS_NAMES.get(frame.status)
    if frame.command == Command.ISO_HOST:
        fields["complete"] = frame.status in COMPLETE
    if frame.sets is not None:
        fields["tag_count"] = len(frame.sets)
        fields["tags"] = [msgspec.structs.asdict(item) for item in frame.sets]
    if frame.status == Status.ISO15693_ERROR and frame.data:
        fields["iso15693_error"] = frame.data[0]
        fields["iso15693_error_name"] = ISO_ERROR_NAMES.get(frame.data[0])
    return fields
