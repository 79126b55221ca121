"""OSDP packets and the reader's half of the secure channel, written from drivers/osdp/PROTOCOL.md, sections 2 and 4."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SOM = 0x53


def crc(data: bytes) -> int:
    value = 0x1D0F
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


@dataclass(frozen=True, slots=True)
class Packet:
    """A good packet from the panel. ``scb``: type and data of the security block, empty without one."""

    raw: bytes
    address: int
    sequence: int
    scb: bytes
    code: int
    data: bytes


def unpack(buffer: bytearray) -> list[Packet]:
    """Take the good packets off the front of ``buffer``."""
    found: list[Packet] = []
    while True:
        start = buffer.find(SOM)
        if start < 0:
            buffer.clear()
            return found
        del buffer[:start]
        if len(buffer) < 5:
            return found
        size = int.from_bytes(buffer[2:4], "little")
        if not 7 <= size <= 1440:
            del buffer[0]
            continue
        if len(buffer) < size:
            return found
        raw = bytes(buffer[:size])
        packet = _judge(raw)
        if packet is None:
            del buffer[0]
            continue
        del buffer[:size]
        found.append(packet)


def _judge(raw: bytes) -> Packet | None:
    if raw[4] & 4:
        if len(raw) < 8 or crc(raw[:-2]) != int.from_bytes(raw[-2:], "little"):
            return None
        body = raw[5:-2]
    else:
        if sum(raw) & 0xFF:
            return None
        body = raw[5:-1]
    scb = b""
    if raw[4] & 8:
        scb, body = body[1 : body[0]], body[body[0] :]
    if not body or raw[1] & 0x80:
        return None
    return Packet(raw, raw[1], raw[4] & 3, scb, body[0], body[1:])


def pack(address: int, sequence: int, code: int, data: bytes = b"", scb: bytes = b"", extra: int = 0) -> bytes:
    """A reply up to ``extra`` bytes (a MAC) and the CRC, which are counted and still to come."""
    block = bytes((len(scb) + 1,)) + scb if scb else b""
    size = 5 + len(block) + 1 + len(data) + extra + 2
    control = sequence | 4 | (8 if scb else 0)
    return bytes((SOM, address | 0x80)) + size.to_bytes(2, "little") + bytes((control,)) + block + bytes((code,)) + data


def closed(packet: bytes) -> bytes:
    return packet + crc(packet).to_bytes(2, "little")


def _ecb(key: bytes, data: bytes) -> bytes:
    worker = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - what the protocol says
    return worker.update(data) + worker.finalize()


def _cbc(key: bytes, iv: bytes, data: bytes, *, back: bool = False) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv))
    worker = cipher.decryptor() if back else cipher.encryptor()
    return worker.update(data) + worker.finalize()


def _inverted(data: bytes) -> bytes:
    return bytes(255 - byte for byte in data)


def _filled(data: bytes) -> bytes:
    data += b"\x80"
    return data + bytes(-len(data) % 16)


@dataclass(slots=True)
class Session:
    """The reader's half. ``theirs`` and ``ours`` are the last MACs of panel and reader."""

    key: bytes
    rnd_b: bytes
    ready: bool = False
    theirs: bytes = bytes(16)
    ours: bytes = bytes(16)
    _enc: bytes = field(default=b"")
    _m1: bytes = field(default=b"")
    _m2: bytes = field(default=b"")
    _expected: bytes = field(default=b"")

    def challenged(self, rnd_a: bytes, uid: bytes) -> bytes:
        """The data of CCRYPT."""
        self._enc, self._m1, self._m2 = (
            _ecb(self.key, bytes((1, kind)) + rnd_a[:6] + bytes(8)) for kind in (0x82, 1, 2)
        )
        self._expected = _ecb(self._enc, self.rnd_b + rnd_a)
        return uid + self.rnd_b + _ecb(self._enc, rnd_a + self.rnd_b)

    def confirmed(self, cryptogram: bytes) -> bytes | None:
        """The data of RMAC_I, None when the panel has another key."""
        if cryptogram != self._expected:
            return None
        self.ours = _ecb(self._m2, _ecb(self._m1, cryptogram))
        self.ready = True
        return self.ours

    def opened(self, packet: Packet) -> bytes | None:
        """The plain data of a secured command."""
        if len(packet.data) < 4:
            return None
        mac = self._mac(packet.raw[:-6], self.ours)
        if mac[:4] != packet.data[-4:]:
            return None
        self.theirs = mac
        hidden = packet.data[:-4]
        if packet.scb[:1] == b"\x15":
            return hidden
        plain = _cbc(self._enc, _inverted(self.ours), hidden, back=True)
        return plain.rstrip(b"\0")[:-1]

    def secured(self, address: int, sequence: int, code: int, data: bytes) -> bytes:
        hidden = _cbc(self._enc, _inverted(self.theirs), _filled(data)) if data else b""
        packet = pack(address, sequence, code, hidden, b"\x18" if data else b"\x16", 4)
        self.ours = self._mac(packet, self.theirs)
        return closed(packet + self.ours[:4])

    def _mac(self, data: bytes, iv: bytes) -> bytes:
        if len(data) % 16:
            data = _filled(data)
        if len(data) > 16:
            iv = _cbc(self._m1, iv, data[:-16])[-16:]
        return _cbc(self._m2, iv, data[-16:])
