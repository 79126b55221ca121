"""The building's fire transmission unit (GB/T 26875.3) as the garage knows it: several panels behind one unit.

It dials the box, tells every state after dialling and each half minute (so that its heads can be supervised), and a
fire at once; it answers questions after states. Bit 0 of every fire is clear, as in all public samples: literally
"test", and yet a fire. ``firmware_sim.gb26875.unit`` is the stricter one, with repeats and spoilt messages. A user
would notice a nicer unit as a product that takes real fires for tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable

from firmware_sim.garage.building import Building
from firmware_sim.garage.config import HeadConfig
from firmware_sim.gb26875.frames import Packet, pack, unpack
from firmware_sim.gb26875.unit import CENTRE, OWN, TYPES

HEARTBEAT_S, STATES_S, RETRY_S = 20.0, 30.0, 1.0
LOOK_S = 0.1
READ_BYTES = 4096
CONTROL, SEND, ACK, REQUEST, REPLY = 1, 2, 3, 4, 5
SYSTEM, COMPONENT, UNIT, READ_SYSTEM, READ_UNIT = 1, 2, 21, 61, 81
NORMAL, FIRE = 1, 2
OTHER_DETECTOR = 25


def china_now() -> bytes:
    """Second, minute, hour, day, month, year - 2000."""
    now = time.gmtime(time.time() + 8 * 3600)
    return bytes((now.tm_sec, now.tm_min, now.tm_hour, now.tm_mday, now.tm_mon, now.tm_year - 2000))


def frame(serial: int, command: int, unit: bytes = b"") -> bytes:
    """A whole frame around an application unit."""
    return pack(Packet(serial, china_now(), OWN, CENTRE, command, unit))


class TransmissionUnit:
    """``heads``: what the panel watches. ``quiet``: the unit is switched off."""

    def __init__(self, heads: Iterable[HeadConfig], building: Building) -> None:
        self._heads = tuple(heads)
        self._building = building
        self.quiet = False
        self.acked = 0
        self._serial = 0
        self._told: dict[str, bool] = {}

    async def dial(self, host: str, port: int) -> None:
        """Dial, serve, dial again, until cancelled."""
        while True:
            if not self.quiet:
                with contextlib.suppress(OSError):
                    reader, writer = await asyncio.open_connection(host, port)
                    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    await self._serve(reader, writer)
            await asyncio.sleep(RETRY_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._told.clear()
        hear = asyncio.create_task(self._hear(reader, writer))
        try:
            since_s = heart_s = STATES_S
            while not hear.done() and not self.quiet:
                if since_s >= STATES_S:
                    since_s = 0.0
                    self._told.clear()
                if heart_s >= HEARTBEAT_S:
                    heart_s = 0.0
                    writer.write(frame(self._next(), SEND))
                self._tell_changes(writer)
                await asyncio.sleep(LOOK_S)
                since_s, heart_s = since_s + LOOK_S, heart_s + LOOK_S
        finally:
            hear.cancel()
            await asyncio.gather(hear, return_exceptions=True)
            writer.transport.abort()

    def _tell_changes(self, writer: asyncio.StreamWriter) -> None:
        """Fires first, then the rest: one frame for each object whose state is another than was told."""
        changed = [head for head in self._heads if self._told.get(head.source) is not self._alarm(head)]
        for head in sorted(changed, key=lambda each: not self._alarm(each)):
            self._told[head.source] = self._alarm(head)
            writer.write(frame(self._next(), SEND, self.report(head)))

    def _alarm(self, head: HeadConfig) -> bool:
        return self._building.heads[head.source].alarm

    def report(self, head: HeadConfig) -> bytes:
        """The application unit that tells of one head or, without area, of its whole system."""
        status = (FIRE if self._alarm(head) else NORMAL).to_bytes(2, "little")
        where = bytes((head.system, head.address))
        if head.area < 0:
            return bytes((SYSTEM, 1)) + where + status + china_now()
        place = (
            bytes((TYPES.get(head.kind, OTHER_DETECTOR),))
            + head.area.to_bytes(2, "little")
            + head.position.to_bytes(2, "little")
        )
        words = head.source.encode("gb18030")[:31].ljust(31, b"\0")
        return bytes((COMPONENT, 1)) + where + place + status + words + china_now()

    def _next(self) -> int:
        self._serial = (self._serial + 1) & 0xFFFF
        return self._serial

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = bytearray()
        while data := await reader.read(READ_BYTES):
            heard += data
            for packet in unpack(heard):
                self._answer(packet, writer)

    def _answer(self, packet: Packet, writer: asyncio.StreamWriter) -> None:
        serial, command, unit = packet.serial, packet.command, packet.unit
        if command == ACK:
            self.acked += 1
        elif command == CONTROL:
            writer.write(frame(serial, ACK))
        elif command == REQUEST and unit[:1] == bytes((READ_SYSTEM,)):
            for head in self._heads:
                if head.area < 0 and unit[2:4] == bytes((head.system, head.address)):
                    writer.write(frame(serial, REPLY, self.report(head)))
        elif command == REQUEST and unit[:1] == bytes((READ_UNIT,)):
            fire = FIRE if any(self._alarm(head) for head in self._heads) else 0
            writer.write(frame(serial, REPLY, bytes((UNIT, 1, fire)) + china_now()))
