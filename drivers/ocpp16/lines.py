"""OCPP messages on the seam between link and driver: one message a line. The WebSocket link turns line feeds inside a
message (white space of JSON) into spaces and ends it with one, so that any split of the bytes is right."""

from __future__ import annotations

import msgspec

from drivers.buffer import Refusal as BufferRefusal
from drivers.messages import Problem
from drivers.ocpp16.frames import Message, Refusal, parse

LINE_MAX = 256 * 1024
"""Bytes of a message; the longest sensible one (a MeterValues with all phases, a local list) has some 20 KiB."""


class Line(msgspec.Struct, frozen=True):
    """One message, good or refused. Nothing on this seam is lost to damage: TCP and WebSocket see to that."""

    raw: bytes
    message: Message | Refusal


class Grammar:
    """Cuts at line feeds."""

    max_length = LINE_MAX

    def seek(self, data: bytearray, at: int) -> int:
        return min(at, len(data))

    def claim(self, data: bytearray, at: int) -> int | BufferRefusal:
        end = data.find(b"\n", at, at + LINE_MAX)
        if end >= 0:
            return end + 1 - at
        return LINE_MAX if len(data) - at >= LINE_MAX else 0

    def parse(self, raw: bytes) -> Line | BufferRefusal:
        if not raw.endswith(b"\n"):
            return Line(raw, Refusal(problem=Problem("bad_length", f"over {LINE_MAX} bytes in one message")))
        return Line(raw, parse(raw[:-1]))

    def is_plausible(self, data: bytearray, at: int) -> bool:
        return False
