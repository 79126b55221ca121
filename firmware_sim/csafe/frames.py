"""CSAFE frames from the machine's side, written from ``drivers/csafe/PROTOCOL.md`` sections 2 and 3."""

from __future__ import annotations

from typing import NamedTuple


class Request(NamedTuple):
    """``extended``: destination and source of an extended frame."""

    commands: list[tuple[int, bytes]]
    extended: tuple[int, int] | None


def stuff(data: bytes) -> bytes:
    out = bytearray()
    for byte in data:
        out += bytes((0xF3, byte - 0xF0)) if 0xF0 <= byte <= 0xF3 else bytes((byte,))
    return bytes(out)


def checksum(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value


def sealed(contents: bytes, extended: tuple[int, int] | None = None) -> bytes:
    """A frame; an extended request is answered with its addresses exchanged."""
    body = contents + bytes((checksum(contents),))
    if extended is None:
        return b"\xf1" + stuff(body) + b"\xf2"
    return b"\xf0" + stuff(bytes(extended) + body) + b"\xf2"


class Receiver:
    """Collects bytes between flags; what is damaged is given back as None."""

    def __init__(self) -> None:
        self._frame: bytearray | None = None

    def forget(self) -> None:
        self._frame = None

    def hear(self, data: bytes) -> list[Request | None]:
        heard: list[Request | None] = []
        for byte in data:
            if byte in {0xF0, 0xF1}:
                self._frame = bytearray((byte,))
            elif self._frame is not None and byte == 0xF2:
                heard.append(_request(bytes(self._frame)))
                self._frame = None
            elif self._frame is not None:
                self._frame.append(byte)
        return heard


def _request(frame: bytes) -> Request | None:
    plain = bytearray()
    escaped = False
    for byte in frame[1:]:
        if escaped:
            if byte > 3:
                return None
            plain.append(0xF0 + byte)
            escaped = False
        elif byte == 0xF3:
            escaped = True
        else:
            plain.append(byte)
    extended = (plain[0], plain[1]) if frame[0] == 0xF0 and len(plain) > 2 else None
    if extended:
        del plain[:2]
    if escaped or not plain or checksum(bytes(plain[:-1])) != plain[-1]:
        return None
    return Request(_commands(bytes(plain[:-1])), extended)


def _commands(contents: bytes) -> list[tuple[int, bytes]]:
    commands, at = [], 0
    while at < len(contents):
        identifier = contents[at]
        at += 1
        size = 0
        if identifier < 0x80 and at < len(contents):
            size = contents[at]
            at += 1
        commands.append((identifier, contents[at : at + size]))
        at += size
    return commands
