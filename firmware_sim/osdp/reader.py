"""Card readers with a door relay each, on one RS-485 line. Written from ``drivers/osdp/PROTOCOL.md``.

The hard part to simulate is the repeated question: a reader that sees the same sequence number again gives the same
answer again and does nothing a second time. A user would notice a nicer reader as a door that opens twice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice
from firmware_sim.osdp.wire import Packet, Session, closed, pack, unpack

ANSWER_NS = 3_000_000
#: The specification's own key; a reader fresh from the box has it.
FACTORY_KEY = bytes(range(0x30, 0x40))
OFFLINE_NS = 8_000_000_000


@dataclass(slots=True)
class Door:
    """One reader. ``key`` b"": it has no secure channel. ``factory``: it still uses the factory key. ``strict``: it
    obeys nothing outside a secure channel. ``loses``: so many answers are lost, one after another. ``spoils``: its next
    answer has a wrong MAC."""

    key: bytes = bytes(range(16))
    factory: bool = False
    strict: bool = False
    dead: bool = False
    busy: int = 0
    loses: int = 0
    spoils: bool = False
    tamper: bool = False
    contact_open: bool = False
    relay: bool = False
    opened: int = 0
    buzzing: bool = False
    color: int = 0


@dataclass(slots=True)
class Talk:
    """Where a reader is in its conversation with the panel."""

    events: deque[tuple[int, bytes]] = field(default_factory=deque)
    session: Session | None = None
    sequence: int = -1
    last: bytes = b""
    heard_ns: int = 0
    until_ns: int = 0

    def begin_anew(self) -> None:
        self.session, self.sequence = None, -1


class ReaderBus(LineDevice):
    """``doors`` by address. ``log`` are the codes that were obeyed: (address, code, time)."""

    def __init__(
        self, doors: dict[int, Door] | None = None, *, seed: int = 0, line: LineSettings | None = None
    ) -> None:
        super().__init__(line or LineSettings(9600, "N"), seed)
        self.doors = doors if doors is not None else {0: Door()}
        self.log: deque[tuple[int, int, int]] = deque(maxlen=4096)
        self._heard = bytearray()
        self._talks = {address: Talk() for address in self.doors}

    def forget(self) -> None:
        self._heard.clear()
        for talk in self._talks.values():
            talk.begin_anew()

    def present(self, address: int, bits: str) -> None:
        """A card is held to a reader: its bits, as 0 and 1."""
        size = -(-len(bits) // 8)
        data = int(bits.ljust(size * 8, "0"), 2).to_bytes(size, "big")
        self._talks[address].events.append((0x50, b"\x00\x01" + len(bits).to_bytes(2, "little") + data))

    def swing(self, address: int, *, is_open: bool) -> None:
        """The leaf moves, and with it the door contact; the reader tells it at its next poll."""
        door = self.doors[address]
        if door.contact_open is not is_open:
            door.contact_open = is_open
            self._talks[address].events.append((0x49, bytes((int(is_open),))))

    def press(self, address: int, keys: str) -> None:
        raw = keys.replace("*", "\x7f").replace("#", "\r").encode()
        self._talks[address].events.append((0x53, bytes((0, len(raw))) + raw))

    def on_bytes(self, heard: Heard) -> None:
        self._heard += heard.data
        for packet in unpack(self._heard):
            door = self.doors.get(packet.address)
            if door is None or door.dead:
                continue
            reply = self._reply(door, packet, heard.end_ns)
            if door.loses:
                door.loses -= 1
            elif reply:
                self.answer([reply], heard.end_ns + ANSWER_NS)

    def _reply(self, door: Door, packet: Packet, now_ns: int) -> bytes:
        talk = self._talks[packet.address]
        if now_ns - talk.heard_ns > OFFLINE_NS:
            talk.begin_anew()
        talk.heard_ns = now_ns
        if door.busy:
            door.busy -= 1
            return closed(pack(packet.address, 0, 0x79))
        if packet.sequence == 0:
            talk.begin_anew()
        elif packet.sequence == talk.sequence:
            return talk.last
        elif talk.sequence >= 0 and packet.sequence != talk.sequence % 3 + 1:
            return closed(pack(packet.address, packet.sequence, 0x41, b"\x04"))
        talk.sequence = packet.sequence
        talk.last = self._answer(door, packet, now_ns)
        return talk.last

    def _answer(self, door: Door, packet: Packet, now_ns: int) -> bytes:
        talk = self._talks[packet.address]
        kind = packet.scb[0] if packet.scb else 0
        if kind in {0x11, 0x13}:
            return self._handshake(door, packet)
        session = talk.session
        if kind in {0x15, 0x17}:
            data = session.opened(packet) if session is not None and session.ready else None
            if data is None or session is None:
                talk.session = None
                return closed(pack(packet.address, packet.sequence, 0x41, b"\x06"))
            code, told = self._obey(door, packet.address, packet.code, data, now_ns)
            reply = session.secured(packet.address, packet.sequence, code, told)
            if door.spoils:
                door.spoils = False
                reply = closed(reply[:-3] + bytes((reply[-3] ^ 1,)))
            return reply
        if door.strict and packet.code != 0x61:
            return closed(pack(packet.address, packet.sequence, 0x41, b"\x06"))
        code, told = self._obey(door, packet.address, packet.code, packet.data, now_ns)
        return closed(pack(packet.address, packet.sequence, code, told))

    def _handshake(self, door: Door, packet: Packet) -> bytes:
        talk = self._talks[packet.address]
        if not door.key:
            return closed(pack(packet.address, packet.sequence, 0x41, b"\x05"))
        own = b"\x00" if door.factory else b"\x01"
        if packet.code == 0x76:
            key = FACTORY_KEY if door.factory else door.key
            talk.session = Session(key, self.random.randbytes(8))
            data = talk.session.challenged(packet.data, b"\x01\x02\x03\x04\x05\x06\x07\x08")
            return closed(pack(packet.address, packet.sequence, 0x76, data, b"\x12" + own))
        rmac = talk.session.confirmed(packet.data) if talk.session is not None else None
        if rmac is None:
            talk.session = None
            return closed(pack(packet.address, packet.sequence, 0x78, bytes(16), b"\x14\xff"))
        return closed(pack(packet.address, packet.sequence, 0x78, rmac, b"\x14" + own))

    def _obey(self, door: Door, address: int, code: int, data: bytes, now_ns: int) -> tuple[int, bytes]:
        self.log.append((address, code, now_ns))
        talk = self._talks[address]
        match code:
            case 0x60:
                return talk.events.popleft() if talk.events else (0x40, b"")
            case 0x61:
                return 0x45, b"\xca\x44\x6c\x01\x02" + (4711).to_bytes(4, "little") + b"\x01\x02\x03"
            case 0x64:
                return 0x48, bytes((int(door.tamper), 0))
            case 0x65:
                return 0x49, bytes((int(door.contact_open),))
            case 0x66:
                return 0x4A, bytes((int(door.relay),))
            case 0x68 if len(data) == 4 and data[0] == 0:
                self._switch(door, talk, data, now_ns)
                return 0x40, b""
            case 0x69 if len(data) == 14:
                door.color = data[12]
                return 0x40, b""
            case 0x6A if len(data) == 5:
                door.buzzing = data[1] == 2
                return 0x40, b""
            case _:
                return 0x41, b"\x03"

    def _switch(self, door: Door, talk: Talk, data: bytes, now_ns: int) -> None:
        on = data[1] in {2, 4, 5}
        door.opened += on and not door.relay
        door.relay = on
        if data[1] == 5:
            talk.until_ns = now_ns + int.from_bytes(data[2:4], "little") * 100_000_000
            self.at(talk.until_ns, lambda at_ns: self._fall_back(door, talk, at_ns))
        else:
            talk.until_ns = 0

    @staticmethod
    def _fall_back(door: Door, talk: Talk, at_ns: int) -> None:
        if talk.until_ns and at_ns >= talk.until_ns:
            door.relay, talk.until_ns = False, 0
