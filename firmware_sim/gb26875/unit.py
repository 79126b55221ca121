"""The transmission unit beside a fire panel: tells changes, repeats what nobody acknowledged, answers questions.

Written from ``drivers/gb26875/PROTOCOL.md``. As in every public sample, its fires have bit 0 clear. A user would notice
a nicer unit as a product that takes real fires for tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from firmware_sim.gb26875.frames import Packet, pack, unpack
from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice

LOOK_NS = 100_000_000
SEND, ACK, REQUEST, REPLY, NACK = 2, 3, 4, 5, 6
OWN, CENTRE = 889, 88888
TYPES = {"smoke": 40, "heat": 31, "call_point": 23, "gas": 11, "flow": 96, "pressure": 99}
#: How a message may be spoilt, its sum being right all the same.
SPOILT = ("", "bad_count", "bad_clock", "torn")


@dataclass(slots=True)
class Head:
    """One component of the panel's loop."""

    kind: str = "smoke"
    zone: int = 1
    position: int = 1
    name: str = "烟感"
    fire: bool = False
    fault: bool = False

    @property
    def bits(self) -> int:
        acted = 0x40 if self.kind in {"flow", "pressure"} else 0x02
        return (acted if self.fire else 0) | (4 if self.fault else 0)


@dataclass(slots=True)
class Panel:
    """``resets`` counts presses of its reset key: heads fall back without a message for each. ``spoil``: how its
    messages are wrong (see ``SPOILT``). ``silent``: no power."""

    heads: dict[str, Head] = field(default_factory=dict)
    resets: int = 0
    manual: bool = False
    mains_fault: bool = False
    spoil: str = ""
    silent: bool = False
    answers: bool = True
    heartbeat_s: int = 20


class TransmissionUnit(LineDevice):
    """``china`` is what its clock shows at simulated time 0. ``acked``, ``nacked`` count answers, ``sent`` frames."""

    def __init__(
        self,
        panel: Panel,
        *,
        china: datetime = datetime(2026, 11, 22, 8, 0, 0),  # noqa: DTZ001 - China local time, as on the wire
        seed: int = 0,
        line: LineSettings | None = None,
    ) -> None:
        super().__init__(line or LineSettings(1_000_000, "N"), seed)
        self.panel = panel
        self.acked = self.nacked = self.sent = self.given_up = 0
        self._china = china
        self._heard = bytearray()
        self._serial = 0
        self._told: dict[str, int] = {}
        self._resets = panel.resets
        self._manual = False
        self._mains = False
        self._spoke_ns = -1 << 62
        self._open: dict[int, tuple[bytes, int, int]] = {}
        self.at(0, self._look)

    def forget(self) -> None:
        self._heard.clear()
        self._told.clear()
        self._open.clear()
        self._spoke_ns = -1 << 62

    def on_bytes(self, heard: Heard) -> None:
        self._heard += heard.data
        for packet in unpack(self._heard):
            self._got(packet, heard.end_ns)

    def _got(self, packet: Packet, now_ns: int) -> None:
        if packet.command == ACK:
            self.acked += self._open.pop(packet.serial, None) is not None
        elif packet.command == NACK:
            self.nacked += 1
            if packet.serial in self._open:
                frame, tries, _ = self._open[packet.serial]
                self._open[packet.serial] = (frame, tries, -1 << 62)
        elif packet.command == REQUEST and self.panel.answers and not self.panel.silent:
            unit = self._answer(packet.unit, now_ns)
            back = Packet(packet.serial, self._clock(now_ns), OWN, packet.source, REPLY if unit else NACK, unit)
            self.answer([pack(back)], now_ns)

    def _answer(self, question: bytes, now_ns: int) -> bytes:
        burning = any(head.fire for head in self.panel.heads.values())
        match question[0] if question else 0:
            case 81:
                return b"\x15\x01" + bytes((2 if burning else 0,)) + self._clock(now_ns)
            case 61:
                return b"\x01\x01\x01\x01" + (2 if burning else 1).to_bytes(2, "little") + self._clock(now_ns)
            case 85:
                return b"\x19\x01\x02\x07"
            case _:
                return b""

    def _look(self, now_ns: int) -> None:
        self.at(now_ns + LOOK_NS, self._look)
        panel = self.panel
        if panel.silent:
            return
        if panel.resets != self._resets:
            self._resets = panel.resets
            for name, head in panel.heads.items():
                head.fire = False
                self._told[name] = head.bits
            self._say(b"\x01\x01\x01\x01" + 0x2001.to_bytes(2, "little") + self._clock(now_ns), now_ns)
        changed = [name for name, head in panel.heads.items() if self._told.get(name, 0) != head.bits]
        for name in sorted(changed, key=lambda each: not panel.heads[each].fire):
            self._told[name] = panel.heads[name].bits
            self._say(b"\x02\x01" + self._component(panel.heads[name], now_ns), now_ns)
        if panel.manual and not self._manual:
            self._say(b"\x18\x01\x04\x01" + self._clock(now_ns), now_ns)
        if panel.mains_fault != self._mains:
            self._say(b"\x15\x01" + bytes((8 if panel.mains_fault else 0,)) + self._clock(now_ns), now_ns)
        self._manual, self._mains = panel.manual, panel.mains_fault
        self._repeat(now_ns)
        if now_ns - self._spoke_ns >= panel.heartbeat_s * 10**9:
            self._say(b"", now_ns)

    def _component(self, head: Head, now_ns: int) -> bytes:
        where = bytes((1, 1, TYPES.get(head.kind, 25)))
        where += head.zone.to_bytes(2, "little") + head.position.to_bytes(2, "little")
        words = head.name.encode("gb18030")[:31].ljust(31, b"\0")
        return where + head.bits.to_bytes(2, "little") + words + self._clock(now_ns)

    def _say(self, unit: bytes, now_ns: int) -> None:
        self._serial = (self._serial + 1) & 0xFFFF
        clock = self._clock(now_ns)
        match self.panel.spoil if unit else "":
            case "bad_count":
                unit = unit[:1] + bytes((unit[1] + 1,)) + unit[2:]
            case "bad_clock":
                clock = bytes(6)
            case "torn":
                unit = unit[:-10]
            case _:
                pass
        frame = pack(Packet(self._serial, clock, OWN, CENTRE, SEND, unit))
        self._open[self._serial] = (frame, 1, now_ns)
        self._put(frame, now_ns)

    def _repeat(self, now_ns: int) -> None:
        """Not acknowledged within 10 s: up to three times more."""
        for serial, (frame, tries, sent_ns) in list(self._open.items()):
            if now_ns - sent_ns < 10 * 10**9:
                continue
            if tries > 3:
                del self._open[serial]
                self.given_up += 1
                continue
            self._open[serial] = (frame, tries + 1, now_ns)
            self._put(frame, now_ns)

    def _put(self, frame: bytes, now_ns: int) -> None:
        self.sent += 1
        self._spoke_ns = now_ns
        self.answer([frame], now_ns)

    def _clock(self, now_ns: int) -> bytes:
        now = self._china + timedelta(microseconds=now_ns // 1000)
        return bytes((now.second, now.minute, now.hour, now.day, now.month, now.year - 2000))
