"""Frames of GB/T 26875.3, written from drivers/gb26875/PROTOCOL.md, section 2."""

from __future__ import annotations

from dataclasses import dataclass

OVERHEAD = 30
LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Packet:
    """A good frame. ``clock`` are the six raw bytes of the sender's time."""

    serial: int
    clock: bytes
    source: int
    target: int
    command: int
    unit: bytes


def pack(packet: Packet) -> bytes:
    """The packet on the wire."""
    middle = b"".join(
        (
            packet.serial.to_bytes(2, "little"),
            b"\x01\x01",
            packet.clock,
            packet.source.to_bytes(6, "little"),
            packet.target.to_bytes(6, "little"),
            len(packet.unit).to_bytes(2, "little"),
            bytes((packet.command,)),
            packet.unit,
        )
    )
    return b"@@" + middle + bytes((sum(middle) % 256,)) + b"##"


def unpack(buffer: bytearray) -> list[Packet]:
    """Take the good frames off the front of ``buffer``; what is left may still become one."""
    found: list[Packet] = []
    while True:
        start = buffer.find(b"@@")
        if start < 0:
            del buffer[: max(0, len(buffer) - 1)]
            return found
        del buffer[:start]
        if len(buffer) < 27:
            return found
        size = int.from_bytes(buffer[24:26], "little")
        if size > LONGEST:
            del buffer[0]
            continue
        if len(buffer) < OVERHEAD + size:
            return found
        raw = bytes(buffer[: OVERHEAD + size])
        if raw[-2:] != b"##" or sum(raw[2:-3]) % 256 != raw[-3]:
            del buffer[0]
            continue
        del buffer[: len(raw)]
        found.append(
            Packet(
                int.from_bytes(raw[2:4], "little"),
                raw[6:12],
                int.from_bytes(raw[12:18], "little"),
                int.from_bytes(raw[18:24], "little"),
                raw[26],
                raw[27:-3],
            )
        )
