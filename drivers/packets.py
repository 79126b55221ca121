"""Packets as hex text: one input line of ``kangle decode`` holds one session, its packets separated by ``|``.

The hard part is to be as strict as with streams: half a byte or a foreign letter anywhere spoils the whole line, since
the packets of a session belong together. A user would notice a mistake as a record that was put together from the
halves of two machines.
"""

from __future__ import annotations

from binascii import Error, unhexlify
from collections.abc import Callable

from drivers.buffer import ErrorKind, Refusal
from drivers.decoded import Decoded, Fields

_DIGITS = frozenset(b"0123456789abcdefABCDEF")


def unhex(text: bytes) -> bytes | Refusal:
    """The bytes that ``text`` spells; spaces do not count."""
    digits = text.replace(b" ", b"")
    try:
        return unhexlify(digits)
    except Error:
        return Refusal(ErrorKind.BAD_INPUT, _why_not_hex(digits))


def packets_of(line: bytes) -> list[bytes] | Refusal:
    """The packets of a session, at least one (which may be empty)."""
    packets: list[bytes] = []
    for part in line.split(b"|"):
        packet = unhex(part)
        if isinstance(packet, Refusal):
            return packet
        packets.append(packet)
    return packets


def decode_packets(line: bytes, take: Callable[[bytes], Fields | Refusal]) -> Decoded:
    """One input line through ``take``, which keeps what the packets of a session share."""
    packets = packets_of(line)
    if isinstance(packets, Refusal):
        return Decoded([], [error_of(packets)])
    frames: list[Fields] = []
    errors: list[Fields] = []
    for packet in packets:
        told = take(packet)
        if isinstance(told, Refusal):
            errors.append(error_of(told))
        else:
            frames.append(told)
    return Decoded(frames, errors)


def error_of(refusal: Refusal) -> Fields:
    return {"kind": refusal.kind.value, "detail": refusal.detail}


def _why_not_hex(digits: bytes) -> str:
    for at, digit in enumerate(digits):
        if digit not in _DIGITS:
            return f"byte {digit:#04x} at position {at} (spaces not counted) is no hex digit"
    return f"{len(digits)} hex digits: a byte needs two"
