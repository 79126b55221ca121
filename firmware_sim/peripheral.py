"""What a gateway holds a Bluetooth connection to: values that come by themselves, and what may be written."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Value(NamedTuple):
    """A notification; ``char`` "" for a page of an ANT machine."""

    char: str
    data: bytes


class Peripheral(Protocol):
    """``every_s`` between notifications. ``dead``: out of range or without power."""

    every_s: float
    dead: bool

    def values(self, now_ns: int) -> list[Value]:
        """What is notified now."""
        ...

    def written(self, char: str, data: bytes, now_ns: int) -> list[Value]:
        """Indications and notifications that a write causes."""
        ...
