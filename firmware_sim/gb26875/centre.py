"""A monitoring centre: takes reports, acknowledges, asks now and then. Written from drivers/gb26875/PROTOCOL.md."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.gb26875.frames import Packet, pack, unpack
from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice

OWN = 88888


@dataclass(slots=True)
class Desk:
    """``mute``: it acknowledges nothing. ``denies``: it answers all but heartbeats with a nack."""

    mute: bool = False
    denies: bool = False


class Centre(LineDevice):
    """``reports`` are the application units taken in, in order of arrival, each serial once; ``replies`` what was
    answered to its questions; ``heartbeats`` are counted."""

    def __init__(self, desk: Desk | None = None, *, seed: int = 0, line: LineSettings | None = None) -> None:
        super().__init__(line or LineSettings(1_000_000, "N"), seed)
        self.desk = desk or Desk()
        self.reports: list[Packet] = []
        self.replies: list[Packet] = []
        self.heartbeats = self.repeats = 0
        self._heard = bytearray()
        self._serials: set[int] = set()

    def forget(self) -> None:
        self._heard.clear()

    def ask(self, question: int, now_ns: int, command: int = 4) -> None:
        """Send a request (or another command): a clock with 90, else one spare byte."""
        clock = bytes((0, 0, 8, 22, 11, 26))
        unit = bytes((question, 1)) + (clock if question == 90 else b"\0")
        self.answer([pack(Packet(4242, clock, OWN, 0, command, unit))], now_ns)

    def on_bytes(self, heard: Heard) -> None:
        self._heard += heard.data
        for packet in unpack(self._heard):
            if packet.command == 2:
                self._report(packet, heard.end_ns)
            else:
                self.replies.append(packet)

    def _report(self, packet: Packet, now_ns: int) -> None:
        if not packet.unit:
            self.heartbeats += 1
        elif packet.serial in self._serials:
            self.repeats += 1
        elif not self.desk.mute:
            self._serials.add(packet.serial)
            self.reports.append(packet)
        if not self.desk.mute:
            command = 6 if self.desk.denies and packet.unit else 3
            back = Packet(packet.serial, packet.clock, packet.target, packet.source, command, b"")
            self.answer([pack(back)], now_ns)
