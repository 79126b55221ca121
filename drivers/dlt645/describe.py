"""DL/T 645-2007 frames as the fields that ``kangle decode dlt645`` prints (reference/decode-contract.md section 5)."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.decoded import Decoded, Fields, decode_stream
from drivers.dlt645.frames import BROADCAST, PREAMBLE, Frame, Grammar


def decode(data: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line; ``options["address"]`` are 12 digits or empty (any meter)."""
    return decode_stream(Grammar(options["address"]), data, describe, PREAMBLE)


def describe(frame: Frame) -> Fields:
    """The fields of one frame. ``data_hex`` is the whole data field in wire order, 33h taken off."""
    fields: Fields = {
        "address": frame.address,
        "broadcast": frame.address == BROADCAST,
        "control": frame.control,
        "function": frame.function,
        "from_meter": frame.from_meter,
        "error_reply": frame.error_reply,
        "more_follows": frame.more_follows,
        "length": len(frame.data),
        "data_hex": frame.data.hex(),
        "data_identifier": frame.identifier,
        **frame.content.values,
    }
    if frame.mixed_versions:
        fields["mixed_versions"] = True
    if frame.content.bad_bcd:
        fields["value_error"] = "bad_bcd"
    if frame.errors is not None:
        fields["error_names"] = frame.errors
    return fields
