"""What a worker is given from outside: the way to a sink, and the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.storage.sinks.answers import Answer
from edge.storage.sinks.prepared import Item


class Transport(Protocol):
    """Carries items to one sink; ``send`` returns within a bounded time and never raises for what the sink does."""

    def send(self, items: Sequence[Item]) -> Answer: ...

    def close(self) -> None: ...


class Times(Protocol):
    """``mono_s`` never goes back; ``wall_ns`` is UTC."""

    def mono_s(self) -> float: ...

    def wall_ns(self) -> int: ...
