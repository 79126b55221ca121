"""CSAFE frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md sections 2 to 4.

The hard part is that a frame has no length: it ends at a flag, everything between is stuffed, the check included, and
what the host sends is laid out otherwise than what the machine answers. A user would notice a mistake as a machine that
falls silent whenever its checksum happens to be F1.
"""

from __future__ import annotations

import re

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import xor8
from drivers.csafe.values import GET_TIME_WORKED, is_time
from drivers.driver import LocalProtocolError

EXTENDED, STANDARD, END, ESCAPE = 0xF0, 0xF1, 0xF2, 0xF3
WIRE_MAX = 1024
"""Longest frame believed, in bytes on the wire. The classic text says 96; rowers send longer ones (PROTOCOL.md)."""
WRAPPERS = frozenset({0x1A, 0x76, 0x77, 0x7E, 0x7F})
SHORT = 0x80
"""Commands of the host from here on carry no data."""
_ADDRESSES = 2
_BREAK = re.compile(rb"[\xf0-\xf2]|\xf3[^\x00-\x03]", re.DOTALL)
_START = re.compile(rb"[\xf0\xf1]")
_ESCAPED = re.compile(rb"\xf3(.)", re.DOTALL)
_FLAG = re.compile(rb"[\xf0-\xf3]")


class Item(msgspec.Struct, frozen=True):
    """A command or its answer. ``data`` None: none was given (a short command, or a last one in a wrapper without a
    length). ``items``: what a wrapper holds."""

    command: int
    data: bytes | None = None
    items: tuple[Item, ...] | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. ``content`` is unstuffed, without addresses and checksum. ``status`` is that of a machine, None
    in a frame of the host and in the empty one."""

    raw: bytes
    destination: int | None
    source: int | None
    content: bytes
    status: int | None
    items: tuple[Item, ...]


class _MisfitError(Exception):
    """Inner lengths do not fit."""


class Grammar:
    """Cuts and proves frames of one side."""

    max_length = WIRE_MAX

    def __init__(self, *, from_host: bool) -> None:
        self._from_host = from_host

    def seek(self, data: bytearray, at: int) -> int:
        found = _START.search(data, at)
        return found.start() if found else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        """Up to the end flag; or to what breaks the frame, for ``parse`` to refuse as one piece."""
        found = _BREAK.search(data, at + 1, at + WIRE_MAX)
        if found is None:
            if len(data) - at < WIRE_MAX:
                return 0
            return Refusal(ErrorKind.BAD_LENGTH, f"no end flag within {WIRE_MAX} bytes")
        breaks_at = found.start()
        if data[breaks_at] in {EXTENDED, STANDARD}:
            if breaks_at == at + 1:
                return Refusal(ErrorKind.NOISE, "a start flag before a start flag")
            return breaks_at - at
        return breaks_at + 1 - at

    def parse(self, raw: bytes) -> Frame | Refusal:
        if raw[-1] == ESCAPE:
            return Refusal(ErrorKind.BAD_ESCAPE, "F3 is followed by something else than 00 to 03")
        if raw[-1] != END:
            return Refusal(ErrorKind.TRUNCATED, f"a new frame begins after {len(raw)} bytes")
        inner = _ESCAPED.sub(lambda found: bytes((0xF0 | found[1][0],)), raw[1:-1])
        addresses, inner = (inner[:_ADDRESSES], inner[_ADDRESSES:]) if raw[0] == EXTENDED else (b"", inner)
        if not inner:
            return Refusal(ErrorKind.TOO_SHORT, "no room for a checksum")
        content, check = inner[:-1], inner[-1]
        if xor8(content) != check:
            return Refusal(ErrorKind.BAD_CHECKSUM, f"the checksum is {check:02x}, must be {xor8(content):02x}")
        status = None if self._from_host or not content else content[0]
        try:
            items = _items(content if self._from_host else content[1:], from_host=self._from_host)
        except _MisfitError as error:
            return Refusal(ErrorKind.BAD_LENGTH, str(error))
        if not self._from_host and any(item.command == GET_TIME_WORKED and not is_time(item.data) for item in items):
            return Refusal(ErrorKind.BAD_TIME, "minutes or seconds above 59")
        return Frame(
            raw=raw,
            destination=addresses[0] if addresses else None,
            source=addresses[1] if addresses else None,
            content=content,
            status=status,
            items=items,
        )

    def is_plausible(self, data: bytearray, at: int) -> bool:
        return True


def _items(content: bytes, *, from_host: bool, wrapped: bool = False) -> tuple[Item, ...]:
    """The items of ``content``. Raises ``_MisfitError``."""
    items: list[Item] = []
    at = 0
    while at < len(content):
        command = content[at]
        at += 1
        if from_host and command >= SHORT:
            items.append(Item(command))
            continue
        if at == len(content):
            if not wrapped:
                raise _MisfitError(f"{command:02x} at the end has no length")
            items.append(Item(command))
            break
        length = content[at]
        data = content[at + 1 : at + 1 + length]
        if len(data) < length:
            raise _MisfitError(f"{command:02x} announces {length} bytes, {len(data)} are left")
        at += 1 + length
        if command in WRAPPERS and not wrapped:
            items.append(Item(command, items=_items(data, from_host=from_host, wrapped=True)))
        else:
            items.append(Item(command, data))
    return tuple(items)


def encode(content: bytes, addresses: tuple[int, int] | None = None) -> bytes:
    """The frame's bytes; ``addresses`` (destination, source) make it an extended one."""
    inner = (bytes(addresses) if addresses else b"") + content + bytes((xor8(content),))
    stuffed = _FLAG.sub(lambda found: bytes((ESCAPE, found[0][0] & 0x03)), inner)
    if len(stuffed) + 2 > WIRE_MAX:
        raise LocalProtocolError(f"csafe: a frame of {len(stuffed) + 2} bytes is over the limit of {WIRE_MAX}")
    return bytes((EXTENDED if addresses else STANDARD,)) + stuffed + bytes((END,))
