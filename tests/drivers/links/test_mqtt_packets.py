"""MQTT packets by the letter of the standards, in any split, and what is refused."""

from __future__ import annotations

import contextlib
import random

import pytest

from drivers.links import mqtt_packets as packets
from drivers.links.mqtt_packets import ConnAck, Packet, PacketError, Publish, Reader

#: PUBLISH of "a/b", QoS 1, number 10, MQTT 5 with an expiry of 30 s and a user property; payload "ON".
PROPERTIES = bytes.fromhex("0c 02 0000001e 26 0001 6b 0001 76".replace(" ", ""))
PUBLISH_5 = b"\x32" + bytes([2 + 3 + 2 + len(PROPERTIES) + 2]) + b"\x00\x03a/b\x00\x0a" + PROPERTIES + b"ON"
PUBLISH_4 = b"\x31\x07\x00\x03a/bON"


def read_all(data: bytes, sizes: random.Random | None = None) -> list[Packet]:
    reader, found, at = Reader(), [], 0
    while at < len(data):
        step = sizes.randrange(1, 40) if sizes else len(data)
        reader.feed(data[at : at + step])
        at += step
        while (packet := reader.take()) is not None:
            found.append(packet)
    return found


def test_a_message_of_mqtt_5_with_its_expiry():
    [packet] = read_all(PUBLISH_5)
    told = packets.read_publish(packet, v5=True)
    assert told == Publish(b"a/b", b"ON", 10, retain=False, expiry_s=30)


def test_a_retained_message_of_mqtt_3():
    [packet] = read_all(PUBLISH_4)
    assert packets.read_publish(packet, v5=False) == Publish(b"a/b", b"ON", 0, retain=True, expiry_s=None)


@pytest.mark.parametrize("seed", range(20))
def test_any_split_gives_the_same_packets(seed):
    long = packets.publish("t/" + "x" * 200, b"y" * 20_000, 7, 5, v5=True)
    data = (PUBLISH_5 + PUBLISH_4 + b"\xd0\x00" + long) * 3
    assert read_all(data, random.Random(seed)) == read_all(data)
    assert len(read_all(data)) == 12


def test_what_we_send_is_read_back():
    for size in (0, 1, 100, 127, 128, 16_383, 16_384, 70_000):
        sent = packets.publish("cmnd/plug/POWER", b"z" * size, 65_535, 5, v5=True)
        [packet] = read_all(sent)
        told = packets.read_publish(packet, v5=True)
        assert told == Publish(b"cmnd/plug/POWER", b"z" * size, 65_535, retain=False, expiry_s=5)
    [packet] = read_all(packets.publish("a", b"", 1, None, v5=False))
    assert packets.read_publish(packet, v5=False) == Publish(b"a", b"", 1, retain=False, expiry_s=None)


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_of_a_packet_that_is_too_long_only_the_head_is_kept_and_the_next_is_found(seed):
    huge = packets.publish("a/b", b"q" * 700_000, 9, None, v5=True)
    first, second = read_all(huge + PUBLISH_4, None if seed is None else random.Random(seed))
    told = packets.read_publish(first, v5=True)
    assert first.cut
    assert (told.topic, told.mid) == (b"a/b", 9)
    assert len(told.payload) > 64 * 1024, "longer than any driver takes: it is dropped, and acknowledged"
    assert second.body == b"\x00\x03a/bON"


def test_the_connection_of_both_versions():
    hello = packets.connect(
        "box", v5=True, keepalive_s=5, user="u", password="p", session_expiry_s=60, receive_max=10
    )  # by hand from 3.1
    assert hello == bytes.fromhex("10 1e 0004 4d515454 05 c0 0005 08 11 0000003c 21 000a 0003 626f78 0001 75 0001 70")
    old = packets.connect("box", v5=False, keepalive_s=5, user="", password=None, session_expiry_s=60, receive_max=10)
    assert old == bytes.fromhex("10 0f 0004 4d515454 04 00 0005 0003 626f78")
    assert packets.subscribe(["a/#"], v5=True) == bytes.fromhex("82 09 0001 00 0003 612f23 01")
    assert packets.puback(258) == bytes.fromhex("40 02 0102")


@pytest.mark.parametrize(
    ("body", "v5", "answer"),
    [
        ("0000", False, ConnAck(0, 0xFFFF, None)),
        ("0005", False, ConnAck(0x87, 0xFFFF, None)),
        ("0001", True, ConnAck(0x84, 0xFFFF, None)),
        ("0000", True, ConnAck(0x84, 0xFFFF, None)),
        ("010000", True, ConnAck(0, 0xFFFF, None)),
        ("0000 06 21 0014 13 001e", True, ConnAck(0, 20, 30)),
        ("0086 00", True, ConnAck(0x86, 0xFFFF, None)),
    ],
)
def test_the_answer_to_a_connection(body, v5, answer):
    assert packets.read_connack(Packet(packets.CONNACK, 0, bytes.fromhex(body)), v5=v5) == answer


@pytest.mark.parametrize(
    "packet",
    [
        Packet(packets.PUBLISH, 0, b""),
        Packet(packets.PUBLISH, 0, b"\x00\x00x"),
        Packet(packets.PUBLISH, 0, b"\x00\x09abc"),
        Packet(packets.PUBLISH, 2, b"\x00\x01a\x00\x00"),
        Packet(packets.PUBLISH, 2, b"\x00\x01a\x00"),
        Packet(packets.PUBLISH, 4, b"\x00\x01a\x00\x01"),
        Packet(packets.PUBLISH, 0, b"\x00\x01a\x05\x02\x00"),
        Packet(packets.PUBLISH, 0, b"\x00\x01a\x02\x7f\x00"),
        Packet(packets.PUBLISH, 0, b"\x00\x01a\x03\x02\x00\x00"),
        Packet(packets.PUBLISH, 0, b"\x00\x01a"),
    ],
)
def test_a_message_that_is_none_is_refused(packet):
    with pytest.raises(PacketError):
        packets.read_publish(packet, v5=True)


def test_a_length_without_an_end_is_refused():
    with pytest.raises(PacketError):
        read_all(b"\x30\xff\xff\xff\xff\x01")


@pytest.mark.parametrize("seed", range(30))
def test_random_bytes_only_ever_raise_packet_errors(seed):
    rng = random.Random(seed)
    for _ in range(300):
        body = rng.randbytes(rng.randrange(24))
        packet = Packet(rng.choice([0x20, 0x30, 0x40, 0x90]), rng.randrange(16), body)
        for read in (packets.read_publish, packets.read_connack, packets.read_suback):
            for v5 in (True, False):
                with contextlib.suppress(PacketError):
                    read(packet, v5=v5)
