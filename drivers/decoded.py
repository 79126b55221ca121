"""What a decoder gives back for one input, and the loop that all byte-stream decoders share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from drivers.buffer import Grammar, Refused, Scanner

Fields = dict[str, Any]
"""The fields of one frame or error as the decode contract names them: str, int, float, bool, None, lists of Fields."""

F = TypeVar("F")


class Decoded(NamedTuple):
    """One output object of ``kangle decode`` (reference/decode-contract.md section 2)."""

    frames: list[Fields]
    errors: list[Fields]
    pending_bytes: int = 0


def decode_stream(grammar: Grammar[F], data: bytes, describe: Callable[[F], Fields], filler: bytes = b"") -> Decoded:
    """Decode a whole byte stream with a fresh scanner; its end is the inter-frame time-out."""
    scanner = Scanner(grammar, filler)
    frames: list[Fields] = []
    errors: list[Fields] = []
    for item in [*scanner.feed(data), *scanner.flush()]:
        if not isinstance(item, Refused):
            frames.append(describe(item))
            continue
        error: Fields = {"kind": item.kind.value, "detail": item.detail}
        if item.alarm:
            error["alarm"] = item.alarm
        if item.salvaged:
            error["salvaged"] = msgspec.to_builtins(list(item.salvaged))
        errors.append(error)
    return Decoded(frames, errors, scanner.pending)
