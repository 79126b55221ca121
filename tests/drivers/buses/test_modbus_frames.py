"""Modbus frames against the decode contract, and against pymodbus as an independent witness (decision 0005)."""

import math
import random
import struct

import pytest
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, bit_message, register_message

from drivers.buffer import Refused, Scanner
from drivers.driver import LocalProtocolError
from drivers.modbus.describe import decode
from drivers.modbus.frames import (
    RtuGrammar,
    TcpGrammar,
    encode,
    read_request,
    write_coil_request,
    write_register_request,
)
from drivers.modbus.pdu import Function


def told(data, side="device", order="", framing="rtu"):
    return decode(data, {"from": side, "float-order": order, "framing": framing})


def one(data, side="device", order="", framing="rtu"):
    decoded = told(data, side, order, framing)
    assert len(decoded.frames) == 1, decoded
    return decoded.frames[0]


def kinds(data, side="device"):
    decoded = told(data, side)
    assert decoded.frames == []
    return [error["kind"] for error in decoded.errors]


@pytest.mark.parametrize(
    ("side", "pdu", "fields"),
    [
        ("host", "01000a000d", {"function": 1, "start_address": 10, "quantity": 13}),
        (
            "device",
            "0102cd01",
            {"function": 1, "coils": [True, False, True, True, False, False, True, True, True] + [False] * 7},
        ),
        ("device", "040400010002", {"function": 4, "registers": [1, 2]}),
        ("host", "0500acff00", {"function": 5, "coil_address": 172, "coil_on": True}),
        ("device", "0500ac0000", {"function": 5, "coil_address": 172, "coil_on": False}),
        ("host", "0600010003", {"function": 6, "start_address": 1, "registers": [3]}),
        ("host", "100001000204000a0102", {"function": 16, "start_address": 1, "quantity": 2, "registers": [10, 258]}),
        ("device", "1000010002", {"function": 16, "start_address": 1, "quantity": 2}),
        ("host", "0f0013000a02cd01", {"function": 15, "start_address": 19, "quantity": 10}),
        ("device", "8302", {"function": 3, "exception_code": 2, "exception_name": "illegal_data_address"}),
        ("device", "850b", {"function": 5, "exception_code": 11}),
        (
            "host",
            "170003000600 0e0003 06 00ff00ff00ff".replace(" ", ""),
            {"function": 23, "quantity": 6, "registers": [255] * 3},
        ),
        ("device", "1702 00fe".replace(" ", ""), {"function": 23, "registers": [254]}),
        ("device", "0755", {"function": 7}),
        ("host", "11", {"function": 17}),
        ("device", "16000400f20025", {"function": 22}),
        ("device", "1800060002 01b81284".replace(" ", ""), {"function": 24, "registers": [440, 4740]}),
    ],
)
def test_content(book, side, pdu, fields):
    frame = one(book.modbus_frame(17, bytes.fromhex(pdu)), side)
    assert {key: frame.get(key) for key in fields} == fields
    assert frame["unit_id"] == 17


@pytest.mark.parametrize(
    ("side", "pdu", "kind"),
    [
        ("device", "0303000102", "bad_count"),
        ("device", "0300", "bad_count"),
        ("device", "0100", "bad_count"),
        ("host", "1000010003040001 0002".replace(" ", ""), "bad_count"),
        ("host", "0f0013000a01cd", "bad_count"),
        ("host", "0f0013000000", "bad_count"),
        ("host", "0500acff01", "bad_value"),
        ("device", "0500ac0001", "bad_value"),
        ("device", "1800060003 01b81284".replace(" ", ""), "bad_count"),
    ],
)
def test_good_crc_and_impossible_content(book, side, pdu, kind):
    assert kinds(book.modbus_frame(1, bytes.fromhex(pdu)), side) == [kind]


def test_a_byte_count_over_the_limit_is_not_waited_for():
    decoded = told(bytes([1, 3, 251, 0, 0]))
    assert decoded.errors[0]["kind"] == "bad_length"


@pytest.mark.parametrize(
    ("order", "wire"), [("abcd", "41200000"), ("cdab", "00004120"), ("badc", "20410000"), ("dcba", "00002041")]
)
def test_word_orders(book, order, wire):
    assert one(book.modbus_frame(1, bytes.fromhex("0304" + wire)), order=order)["floats"] == [10.0]


def test_floats_that_are_none(book):
    data = bytes.fromhex("030a") + struct.pack(">ff", math.nan, math.inf) + b"\x12\x34"
    frame = one(book.modbus_frame(1, data), order="abcd")
    assert frame["floats"] == [None, None]
    assert "floats" not in one(book.modbus_frame(1, data))


def test_frames_follow_each_other_without_silence(book):
    rng = random.Random(5)
    pdus = [bytes([3, 2 * n]) + rng.randbytes(2 * n) for n in (1, 7, 125)] + [b"\x83\x02", b"\x05\0\1\xff\0"]
    stream = b"".join(book.modbus_frame(9, pdu) for pdu in pdus)
    decoded = told(stream)
    assert [frame["data_hex"] for frame in decoded.frames] == [pdu[1:].hex() for pdu in pdus]
    assert (decoded.errors, decoded.pending_bytes) == ([], 0)


# --- pymodbus as a witness -----------------------------------------------------------------------------------------


def host_messages(rng):
    address, count = rng.randrange(60_000), rng.randint(1, 100)
    words = [rng.randrange(65_536) for _ in range(rng.randint(1, 100))]
    bits = [rng.random() < 0.5 for _ in range(rng.randint(1, 100))]
    yield bit_message.ReadCoilsRequest(dev_id=7, transaction_id=9, address=address, count=count)
    yield bit_message.ReadDiscreteInputsRequest(dev_id=7, transaction_id=9, address=address, count=count)
    yield register_message.ReadHoldingRegistersRequest(dev_id=7, transaction_id=9, address=address, count=count)
    yield register_message.ReadInputRegistersRequest(dev_id=7, transaction_id=9, address=address, count=count)
    yield bit_message.WriteSingleCoilRequest(dev_id=7, transaction_id=9, address=address, bits=bits[:1])
    yield register_message.WriteSingleRegisterRequest(dev_id=7, transaction_id=9, address=address, registers=words[:1])
    yield bit_message.WriteMultipleCoilsRequest(dev_id=7, transaction_id=9, address=address, bits=bits)
    yield register_message.WriteMultipleRegistersRequest(dev_id=7, transaction_id=9, address=address, registers=words)


def device_messages(rng):
    words = [rng.randrange(65_536) for _ in range(rng.randint(1, 100))]
    bits = [rng.random() < 0.5 for _ in range(8 * rng.randint(1, 12))]
    yield bit_message.ReadCoilsResponse(dev_id=7, transaction_id=9, bits=bits)
    yield bit_message.ReadDiscreteInputsResponse(dev_id=7, transaction_id=9, bits=bits)
    yield register_message.ReadHoldingRegistersResponse(dev_id=7, transaction_id=9, registers=words)
    yield register_message.ReadInputRegistersResponse(dev_id=7, transaction_id=9, registers=words)
    yield bit_message.WriteSingleCoilResponse(dev_id=7, transaction_id=9, address=3, bits=bits[:1])
    yield register_message.WriteSingleRegisterResponse(dev_id=7, transaction_id=9, address=3, registers=words[:1])
    yield bit_message.WriteMultipleCoilsResponse(dev_id=7, transaction_id=9, address=3, count=5)
    yield ExceptionResponse(3, 2, device_id=7, transaction=9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("side", ["host", "device"])
def test_what_pymodbus_writes_is_read_the_same(seed, side):
    messages = host_messages if side == "host" else device_messages
    for message in messages(random.Random(seed)):
        for framer, grammar in ((FramerRTU, RtuGrammar), (FramerSocket, TcpGrammar)):
            data = framer(DecodePDU(side == "host")).buildFrame(message)
            (frame,) = Scanner(grammar(from_host=side == "host")).feed(data)
            got = frame.message
            assert not isinstance(frame, Refused)
            assert frame.unit == 7
            if message.isError():
                assert (got.function, got.exception_code) == (3, 2)
                continue
            assert got.function == message.function_code
            if got.registers is not None:
                assert list(got.registers) == list(message.registers)
            if got.bits is not None:
                assert list(got.bits)[: len(message.bits)] == list(message.bits)
            if got.coil_on is not None:
                assert (got.coil, got.coil_on) == (message.address, message.bits[0])
            if got.quantity is not None:
                assert (got.start_address, got.quantity) == (message.address, message.count)


def test_what_we_write_pymodbus_reads_the_same():
    decoder = DecodePDU(is_server=True)
    for transaction, framer in ((None, FramerRTU), (77, FramerSocket)):
        for message, check in (
            (read_request(Function.READ_INPUT_REGISTERS, 300, 20), lambda pdu: (pdu.address, pdu.count) == (300, 20)),
            (read_request(Function.READ_COILS, 0, 2000), lambda pdu: (pdu.address, pdu.count) == (0, 2000)),
            (write_coil_request(5, on=True), lambda pdu: (pdu.address, list(pdu.bits)) == (5, [True])),
            (write_coil_request(5, on=False), lambda pdu: (pdu.address, list(pdu.bits)) == (5, [False])),
            (write_register_request(9, 65_535), lambda pdu: list(pdu.registers) == [65_535]),
        ):
            _, pdu = framer(decoder).handleFrame(encode(3, message, transaction), 0, 0)
            assert pdu.dev_id == 3
            assert check(pdu)


def test_what_cannot_be_sent_is_refused():
    for wrong in (
        lambda: read_request(Function.READ_COILS, 0, 2001),
        lambda: read_request(Function.READ_HOLDING_REGISTERS, 65_536, 1),
        lambda: write_register_request(0, -1),
        lambda: encode(256, b"\x03"),
    ):
        with pytest.raises(LocalProtocolError, match="modbus:"):
            wrong()


def test_tcp_frames_are_cut_by_their_header_and_checked_by_their_function():
    good = encode(1, b"\x03\x02\x00\x07", 5)
    assert one(good, framing="tcp")["transaction_id"] == 5
    assert [f["registers"] for f in told(b"\x99" + good + good, framing="tcp").frames] == [[7], [7]]
    assert told(good[:5] + b"\x06" + good[6:] + b"\0", framing="tcp").frames == []
    assert told(good[:2] + b"\0\1" + good[4:], framing="tcp").frames == []
