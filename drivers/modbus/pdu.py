"""What a Modbus message says, whatever carries it: its length by function, its content. Pure; PROTOCOL.md section 3.

The hard part is that a serial Modbus frame has neither start byte nor length field: where it ends follows from the
function code and a byte count deep inside, and differs between request and answer. A user would notice a mistake as a
contactor that is shown open because the answer of another register was read as its coil.

The numbers are those of the MODBUS Application Protocol Specification V1.1b3.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal

EXCEPTION = 0x80
COIL_ON = 0xFF00
COIL_OFF = 0x0000
WORD_ORDERS = ("abcd", "cdab", "badc", "dcba")
"""In which order the bytes of a 32-bit value, ``a`` the most significant, come over the wire."""


class Function(IntEnum):
    READ_COILS = 0x01
    READ_DISCRETE_INPUTS = 0x02
    READ_HOLDING_REGISTERS = 0x03
    READ_INPUT_REGISTERS = 0x04
    WRITE_SINGLE_COIL = 0x05
    WRITE_SINGLE_REGISTER = 0x06
    READ_EXCEPTION_STATUS = 0x07
    DIAGNOSTICS = 0x08
    GET_EVENT_COUNTER = 0x0B
    GET_EVENT_LOG = 0x0C
    WRITE_COILS = 0x0F
    WRITE_REGISTERS = 0x10
    REPORT_SERVER_ID = 0x11
    READ_FILE = 0x14
    WRITE_FILE = 0x15
    MASK_WRITE = 0x16
    READ_WRITE_REGISTERS = 0x17
    READ_FIFO = 0x18


EXCEPTION_NAMES = {
    1: "illegal_function",
    2: "illegal_data_address",
    3: "illegal_data_value",
    4: "server_device_failure",
    5: "acknowledge",
    6: "server_device_busy",
    8: "memory_parity_error",
    10: "gateway_path_unavailable",
    11: "gateway_target_failed_to_respond",
}
READ_BITS = frozenset({Function.READ_COILS, Function.READ_DISCRETE_INPUTS})
READ_WORDS = frozenset({Function.READ_HOLDING_REGISTERS, Function.READ_INPUT_REGISTERS})

_HOST_FIXED = {1: 5, 2: 5, 3: 5, 4: 5, 5: 5, 6: 5, 7: 1, 8: 5, 0x0B: 1, 0x0C: 1, 0x11: 1, 0x16: 7, 0x18: 3}
_HOST_COUNTED = {0x0F: 5, 0x10: 5, 0x14: 1, 0x15: 1, 0x17: 9}
_DEVICE_FIXED = {5: 5, 6: 5, 7: 2, 8: 5, 0x0B: 5, 0x0F: 5, 0x10: 5, 0x16: 7}
_DEVICE_COUNTED = dict.fromkeys((1, 2, 3, 4, 0x0C, 0x11, 0x14, 0x15, 0x17), 1)
"""Function -> bytes of the message, or where in it the count of the bytes that follow stands."""
_MESSAGE_MAX = 253
_READ_BYTES_MAX = 250
"""2000 bits or 125 registers."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message (function code and what follows). What its function does not carry is None. ``bits`` of an answer are
    padded to whole bytes. ``coil`` is the address of function 05."""

    function: int
    data: bytes
    exception_code: int | None = None
    start_address: int | None = None
    quantity: int | None = None
    registers: tuple[int, ...] | None = None
    bits: tuple[bool, ...] | None = None
    coil: int | None = None
    coil_on: bool | None = None


def claimed_length(head: bytes | bytearray, *, from_host: bool) -> int | Refusal:
    """Bytes of the message that begins with ``head``; 0 while the byte that tells has not come."""
    function = head[0]
    fixed, counted = (_HOST_FIXED, _HOST_COUNTED) if from_host else (_DEVICE_FIXED, _DEVICE_COUNTED)
    if function in fixed:
        return fixed[function]
    if function in counted:
        at = counted[function]
        if len(head) <= at:
            return 0
        limit = _READ_BYTES_MAX if function <= Function.READ_INPUT_REGISTERS else _MESSAGE_MAX - at - 1
        if head[at] > limit:
            return Refusal(ErrorKind.BAD_LENGTH, f"byte count is {head[at]}, at most {limit}", weak=True)
        return at + 1 + head[at]
    if function == Function.READ_FIFO:  # only its answer gets here; its count has two bytes
        return _fifo_length(head)
    if not from_host and function > EXCEPTION:
        return 2
    return Refusal(ErrorKind.NOISE, f"function {function:02x} is not one whose length is known")


def _fifo_length(head: bytes | bytearray) -> int | Refusal:
    if len(head) < 3:
        return 0
    count = int.from_bytes(head[1:3])
    if count > _MESSAGE_MAX - 3:
        return Refusal(ErrorKind.BAD_LENGTH, f"byte count is {count}, at most {_MESSAGE_MAX - 3}", weak=True)
    return 3 + count


def parse(raw: bytes, *, from_host: bool) -> Message | Refusal:
    """The message in ``raw``, which is as long as it claims; a Refusal when its content contradicts itself."""
    function, data = raw[0], raw[1:]
    if function & EXCEPTION:
        return Message(function=function & ~EXCEPTION, data=data, exception_code=data[0])
    if function in READ_BITS | READ_WORDS:
        return _parse_read(function, data, from_host=from_host)
    match function:
        case Function.WRITE_SINGLE_COIL:
            address, value = struct.unpack(">HH", data)
            if value not in {COIL_ON, COIL_OFF}:
                return Refusal(ErrorKind.BAD_VALUE, f"coil value is {value:04x}, only ff00 and 0000 are allowed")
            return Message(function=function, data=data, coil=address, coil_on=value == COIL_ON)
        case Function.WRITE_SINGLE_REGISTER:
            address, value = struct.unpack(">HH", data)
            return Message(function=function, data=data, start_address=address, registers=(value,))
        case Function.WRITE_COILS | Function.WRITE_REGISTERS:
            return _parse_write(function, data, from_host=from_host)
        case Function.READ_WRITE_REGISTERS:
            return _parse_read_write(data, from_host=from_host)
        case Function.READ_FIFO if not from_host:
            return _parse_fifo(data)
    return Message(function=function, data=data)


def _parse_read(function: int, data: bytes, *, from_host: bool) -> Message | Refusal:
    if from_host:
        address, quantity = struct.unpack(">HH", data)
        return Message(function=function, data=data, start_address=address, quantity=quantity)
    payload = data[1:]
    if not payload:
        return Refusal(ErrorKind.BAD_COUNT, "an answer without values")
    if function in READ_BITS:
        return Message(function=function, data=data, bits=_bits(payload))
    return _with_registers(function, data, payload)


def _parse_write(function: int, data: bytes, *, from_host: bool) -> Message | Refusal:
    address, quantity = struct.unpack(">HH", data[:4])
    if not from_host:
        return Message(function=function, data=data, start_address=address, quantity=quantity)
    payload = data[5:]
    needed = (quantity + 7) // 8 if function == Function.WRITE_COILS else 2 * quantity
    if len(payload) != needed or not payload:
        return Refusal(ErrorKind.BAD_COUNT, f"quantity {quantity} needs {needed} bytes, byte count is {len(payload)}")
    message = Message(function=function, data=data, start_address=address, quantity=quantity)
    if function == Function.WRITE_COILS:
        return msgspec.structs.replace(message, bits=_bits(payload)[:quantity])
    return msgspec.structs.replace(message, registers=_words(payload))


def _parse_read_write(data: bytes, *, from_host: bool) -> Message | Refusal:
    if not from_host:
        return _with_registers(Function.READ_WRITE_REGISTERS, data, data[1:])
    address, quantity, _, written = struct.unpack(">HHHH", data[:8])
    payload = data[9:]
    if len(payload) != 2 * written or not payload:
        return Refusal(ErrorKind.BAD_COUNT, f"quantity {written} needs {2 * written} bytes, {len(payload)} came")
    return Message(
        function=Function.READ_WRITE_REGISTERS,
        data=data,
        start_address=address,
        quantity=quantity,
        registers=_words(payload),
    )


def _parse_fifo(data: bytes) -> Message | Refusal:
    payload = data[4:]
    if len(data) < 4 or int.from_bytes(data[2:4]) * 2 != len(payload):
        return Refusal(ErrorKind.BAD_COUNT, f"the count of the queue does not fit its {len(payload)} bytes")
    return Message(function=Function.READ_FIFO, data=data, registers=_words(payload))


def _with_registers(function: int, data: bytes, payload: bytes) -> Message | Refusal:
    if not payload or len(payload) % 2:
        return Refusal(ErrorKind.BAD_COUNT, f"byte count {len(payload)} is not that of whole registers")
    return Message(function=function, data=data, registers=_words(payload))


def _words(payload: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(payload) // 2}H", payload)


def _bits(payload: bytes) -> tuple[bool, ...]:
    """Lowest bit first."""
    return tuple(bool(byte >> bit & 1) for byte in payload for bit in range(8))


def in_order(words: tuple[int, ...], order: str) -> bytes:
    """The four bytes of a 32-bit value in two registers, most significant first. ``order``: one of WORD_ORDERS."""
    wire = struct.pack(">2H", *words)
    return bytes(wire[order.index(letter)] for letter in "abcd")
