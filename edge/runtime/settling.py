"""When a message may be acknowledged: after all that came of it is on disk.

A broker that waits for the acknowledgement keeps the message and sends it again after our crash; one that was
acknowledged too early is gone. A user would notice a mistake as smoke that nobody heard of because the box was killed
within the same millisecond.
"""

from __future__ import annotations

from collections.abc import Callable

#: What a link that keeps its messages wants called, once, when all that came of one is on disk.
Settled = Callable[[], None]


def all_of(count: int, settled: Settled) -> Settled:
    """Calls ``settled`` when it has been called ``count`` times itself; at once for none."""
    left = count

    def one_more() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            settled()

    if count == 0:
        settled()
    return one_more


def after(act: Callable[[], None], settled: Settled | None) -> Settled:
    """Acts, then passes the word on."""

    def both() -> None:
        act()
        if settled is not None:
            settled()

    return both
