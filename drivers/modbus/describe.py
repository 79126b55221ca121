"""Modbus frames as the fields that ``kangle decode modbus`` prints (reference/decode-contract.md section 5)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping

from drivers.decoded import Decoded, Fields, decode_stream
from drivers.modbus.frames import Frame, RtuGrammar, TcpGrammar
from drivers.modbus.pdu import EXCEPTION_NAMES, in_order


def decode(data: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line. ``from`` host or device; ``framing`` rtu or tcp; ``float-order`` one of WORD_ORDERS, or
    empty: no floats."""
    from_host = options["from"] == "host"
    grammar = RtuGrammar(from_host=from_host) if options["framing"] == "rtu" else TcpGrammar(from_host=from_host)
    return decode_stream(grammar, data, lambda frame: describe(frame, options["float-order"]))


def describe(frame: Frame, float_order: str = "") -> Fields:
    """The fields of one frame. ``coils`` of an answer are padded to whole bytes, as on the wire."""
    message = frame.message
    fields: Fields = {"unit_id": frame.unit, "function": message.function, "data_hex": message.data.hex()}
    if frame.transaction is not None:
        fields["transaction_id"] = frame.transaction
    if message.exception_code is not None:
        fields["exception_code"] = message.exception_code
        fields["exception_name"] = EXCEPTION_NAMES.get(message.exception_code)
    for name, value in (
        ("start_address", message.start_address),
        ("quantity", message.quantity),
        ("coil_address", message.coil),
        ("coil_on", message.coil_on),
    ):
        if value is not None:
            fields[name] = value
    if message.bits is not None:
        fields["coils"] = list(message.bits)
    if message.registers is not None:
        fields["registers"] = list(message.registers)
        if float_order:
            fields["floats"] = floats(message.registers, float_order)
    return fields


def floats(registers: tuple[int, ...], order: str) -> list[float | None]:
    """Each pair of registers as a 32-bit float; None where it is no finite number. A last odd register has no partner
    and is left out."""
    found: list[float | None] = []
    for at in range(0, len(registers) - 1, 2):
        (value,) = struct.unpack(">f", in_order(registers[at : at + 2], order))
        found.append(value if math.isfinite(value) else None)
    return found
