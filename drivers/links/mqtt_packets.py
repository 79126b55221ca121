"""MQTT 5 and 3.1.1 packets, as far as a client of QoS 0 and 1 needs them: bytes to packets and back. No I/O, no time.

Written from the standards (section numbers in the code: MQTT 5 where both versions say the same). The hard part is to
be cheap and strict at once: five thousand messages a second pass here, and a length, a property or a topic that is
not what it should be must end the connection, never be guessed. A user would notice a mistake as smoke that was read as
another device's word, or as a link that breaks each time a broker sends a property that it may send.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from drivers.links.mqtt_reasons import UNSUPPORTED_VERSION, new_code

CONNACK, PUBLISH, PUBACK, SUBACK, PINGRESP, DISCONNECT = 0x20, 0x30, 0x40, 0x90, 0xD0, 0xE0
PING = b"\xc0\x00"
GOODBYE = b"\xe0\x00"

#: Longest packet that is kept; of a longer one only the head is, to acknowledge it.
PACKET_BYTES_MAX = 256 * 1024
HEAD_BYTES = 72 * 1024

#: MQTT 5, 2.2.2.2: property -> how its value is written. Numbers are lengths in bytes.
_VARINT, _TEXT, _PAIR = 0, -1, -2
_PROPERTIES = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), 1),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), 2),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), 4),
    **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), _TEXT),
    0x0B: _VARINT,
    0x26: _PAIR,
}
_EXPIRY, _SESSION_EXPIRY, _KEEPALIVE, _RECEIVE_MAX = 0x02, 0x11, 0x13, 0x21


class PacketError(Exception):
    """What came is no MQTT, or none that may come here."""


class Packet(msgspec.Struct, frozen=True, gc=False):
    """``kind`` is the first byte without its flags. ``cut``: the body is only the head of a packet that is too long."""

    kind: int
    flags: int
    body: bytes
    cut: bool = False


class Publish(msgspec.Struct, frozen=True, gc=False):
    """An incoming message. ``mid`` 0: QoS 0. ``expiry_s``: what is left of the sender's message expiry. ``topic`` and
    ``payload`` are as they came."""

    topic: bytes
    payload: bytes
    mid: int
    retain: bool
    expiry_s: int | None


class ConnAck(NamedTuple):
    """``code`` 0: welcome. ``receive_max``: publications under way at a time; ``keepalive_s`` None: ours is taken."""

    code: int
    receive_max: int
    keepalive_s: int | None


class Reader:
    """Cuts a stream into packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0
        self._skip = 0

    def feed(self, data: bytes) -> None:
        """Take in what was received."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data

    def take(self) -> Packet | None:
        """The next whole packet, None when more bytes are needed. Raises ``PacketError``."""
        buffer, at = self._buffer, self._at
        if self._skip:
            gone = min(self._skip, len(buffer) - at)
            self._at, self._skip = at + gone, self._skip - gone
            return None if self._skip else self.take()
        left = len(buffer) - at
        if left < 2:
            return None
        size, head = buffer[at + 1], at + 2
        if size > 0x7F:
            found = _long_size(buffer, at + 1)
            if found is None:
                return None
            size, head = found
        end = head + size
        first = buffer[at]
        if size > PACKET_BYTES_MAX:
            return self._take_head(first, head, end)
        if len(buffer) < end:
            return None
        self._at = end
        return Packet(first & 0xF0, first & 0x0F, bytes(buffer[head:end]))

    def _take_head(self, first: int, head: int, end: int) -> Packet | None:
        """Of a packet that is too long: its head, once that is there; the rest is passed over."""
        if len(self._buffer) < head + HEAD_BYTES:
            return None
        body = bytes(self._buffer[head : head + HEAD_BYTES])
        self._at = min(end, len(self._buffer))
        self._skip = end - self._at
        return Packet(first & 0xF0, first & 0x0F, body, cut=True)


def _long_size(buffer: bytearray, at: int) -> tuple[int, int] | None:
    """(length, where the body begins) of a variable byte integer (1.5.5); None when it is not whole."""
    size = shift = 0
    for place in range(at, min(at + 4, len(buffer))):
        size |= (buffer[place] & 0x7F) << shift
        shift += 7
        if buffer[place] < 0x80:
            return size, place + 1
    if len(buffer) >= at + 4:
        raise PacketError("a length of more than four bytes")
    return None


# --- in ---------------------------------------------------------------------------------------------------------------


def read_publish(packet: Packet, *, v5: bool) -> Publish:
    """3.3. Raises ``PacketError``."""
    body, flags = packet.body, packet.flags
    qos = flags & 0x06
    if qos > 0x02 or (flags & 0x08 and not qos):
        raise PacketError("a message of a quality that was not asked for")
    end = len(body)
    at = 2 + (body[0] << 8 | body[1]) if end >= 2 else end + 1
    topic, mid = body[2:at], 0
    if qos:
        mid = int.from_bytes(body[at : at + 2], "big")
        at += 2
    if at > end or not topic or (qos and not mid):
        raise PacketError("a message without a topic, or without its number")
    expiry_s = None
    if v5 and not packet.cut:
        if at < end and not body[at]:
            at += 1
        else:
            found, at = _properties(body, at)
            expiry_s = found.get(_EXPIRY)
    return Publish(topic, body[at:], mid, bool(flags & 1), expiry_s)


def read_connack(packet: Packet, *, v5: bool) -> ConnAck:
    """3.2. A broker that knows no MQTT 5 answers in the older form: two bytes, code 1 for the version."""
    body = packet.body
    if len(body) < 2 or body[0] > 1:
        raise PacketError("an acknowledgement of the connection that is none")
    if not v5 or len(body) == 2:
        code = new_code(body[1]) if body[1] or not v5 else UNSUPPORTED_VERSION
        return ConnAck(code, 0xFFFF, None)
    found, _ = _properties(body, 2)
    return ConnAck(body[1], found.get(_RECEIVE_MAX, 0xFFFF), found.get(_KEEPALIVE))


def read_suback(packet: Packet, *, v5: bool) -> bytes:
    """3.9: one reason code a topic; from 0x80 on it is refused."""
    at = 2
    if v5:
        _found, at = _properties(packet.body, 2)
    if len(packet.body) <= at:
        raise PacketError("an acknowledgement of the subscription without a word")
    return packet.body[at:]


def read_mid(packet: Packet) -> int:
    """3.4: the number of the publication that is acknowledged."""
    if len(packet.body) < 2:
        raise PacketError("an acknowledgement without a number")
    return packet.body[0] << 8 | packet.body[1]


def _properties(body: bytes, at: int) -> tuple[dict[int, int], int]:
    """(properties that are numbers, where they end)."""
    length, at = _varint(body, at)
    end = at + length
    if end > len(body):
        raise PacketError("properties beyond the packet")
    found: dict[int, int] = {}
    while at < end:
        name = body[at]
        form = _PROPERTIES.get(name)
        at += 1
        if form is None:
            raise PacketError(f"unknown property {name:#04x}")
        if form > 0:
            found[name] = int.from_bytes(body[at : at + form], "big")
            at += form
        elif form == _VARINT:
            found[name], at = _varint(body, at)
        else:
            for _ in range(-form):
                at += 2 + int.from_bytes(body[at : at + 2], "big")
    if at != end:
        raise PacketError("properties that do not fill their length")
    return found, end


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(at + 4, len(body))):
        value |= (body[place] & 0x7F) << shift
        shift += 7
        if body[place] < 0x80:
            return value, place + 1
    raise PacketError("a number without an end")


# --- out --------------------------------------------------------------------------------------------------------------


def connect(
    client: str,
    *,
    v5: bool,
    keepalive_s: int,
    user: str,
    password: str | None,
    session_expiry_s: int,
    receive_max: int,
) -> bytes:
    """3.1: resume the session of ``client`` (never a clean start)."""
    flags = (0x80 if user else 0) | (0x40 if password is not None else 0)
    head = _text(b"MQTT") + bytes((5 if v5 else 4, flags)) + struct.pack(">H", keepalive_s)
    if v5:
        properties = struct.pack(">BIBH", _SESSION_EXPIRY, session_expiry_s, _RECEIVE_MAX, receive_max)
        head += bytes((len(properties),)) + properties
    body = head + _text(client.encode())
    if user:
        body += _text(user.encode())
    if password is not None:
        body += _text(password.encode())
    return b"\x10" + _size(len(body)) + body


def subscribe(topics: Sequence[str], *, v5: bool) -> bytes:
    """3.8: all of them at QoS 1, as packet number 1."""
    body = b"\x00\x01" + (b"\x00" if v5 else b"") + b"".join(_text(topic.encode()) + b"\x01" for topic in topics)
    return b"\x82" + _size(len(body)) + body


def publish(topic: str, payload: bytes, mid: int, expiry_s: int | None, *, v5: bool) -> bytes:
    """3.3: QoS 1, never retained; the expiry where the protocol has one."""
    name = topic.encode()
    properties = _expiring(expiry_s) if v5 else b""
    size = _size(4 + len(name) + len(properties) + len(payload))
    return b"".join((b"\x32", size, struct.pack(">H", len(name)), name, struct.pack(">H", mid), properties, payload))


def puback(mid: int) -> bytes:
    """3.4: taken."""
    return struct.pack(">BBH", 0x40, 2, mid)


@lru_cache(maxsize=64)
def _expiring(expiry_s: int | None) -> bytes:
    return b"\x00" if expiry_s is None else struct.pack(">BBI", 5, _EXPIRY, expiry_s)


def _text(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


def _size(size: int) -> bytes:
    if size < 0x80:
        return bytes((size,))
    out = bytearray()
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out)
