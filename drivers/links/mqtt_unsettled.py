"""Messages that a broker keeps until we acknowledge them: in their order (MQTT 5, 4.6), when they are settled.

A user would notice a mistake as smoke that the broker forgot although the box was killed before it was on disk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class _Message:
    __slots__ = ("at_s", "mid", "settled")

    def __init__(self, mid: int, at_s: float) -> None:
        self.mid = mid
        self.at_s = at_s
        self.settled = False


class Unsettled:
    """``acknowledge`` is called with the number of each message, once, in the order of ``expect``."""

    def __init__(self, acknowledge: Callable[[int], None]) -> None:
        self._acknowledge = acknowledge
        self._waiting: deque[_Message] = deque()

    @property
    def oldest_s(self) -> float | None:
        """When the oldest came that is not acknowledged."""
        return self._waiting[0].at_s if self._waiting else None

    def expect(self, mid: int, at_s: float) -> Callable[[], None]:
        """What to call when the message is settled."""
        message = _Message(mid, at_s)
        self._waiting.append(message)

        def settled() -> None:
            message.settled = True
            while self._waiting and self._waiting[0].settled:
                self._acknowledge(self._waiting.popleft().mid)

        return settled

    def clear(self) -> None:
        """The connection is gone: nothing is acknowledged any more."""
        self._waiting.clear()
