"""What each point said lately, to know a message that comes again.

A broker that was killed, or a gateway that missed the acknowledgement, sends once more what is already counted. The
hard part is that this happens just when our own link has opened anew: what was said is remembered across that, and only
that a point is there must be told again. A user would notice a mistake as the twelve repetitions before the broker's
restart counted twice.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

from drivers.topics import POINTS_MAX

T = TypeVar("T")


class Lately(Generic[T]):
    """The last ``kept`` messages of each of at most ``POINTS_MAX`` points; the point longest unheard is forgotten."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._points: OrderedDict[str, deque[T]] = OrderedDict()
        self._there: set[str] = set()

    def opened(self) -> None:
        """The link is open, maybe again: each point's next word is its first."""
        self._there.clear()

    def of(self, point: str) -> deque[T]:
        """What the point said, the oldest first; the caller appends."""
        seen = self._points.get(point)
        if seen is None:
            seen = self._points[point] = deque(maxlen=self._kept)
            if len(self._points) > POINTS_MAX:
                gone, _ = self._points.popitem(last=False)
                self._there.discard(gone)
        self._points.move_to_end(point)
        return seen

    def is_first(self, point: str) -> bool:
        """True once for each point since the link opened."""
        if point in self._there:
            return False
        self._there.add(point)
        return True
