"""A clock that goes on over restarts, for shelves, flap damping and retries.

Monotonic time means nothing across a restart, and wall time may be stepped. So the book counts time of its own: within
one boot id by monotonic differences, across a restart by the wall-clock difference if both stamps were trusted (that is
how downtime counts). Where the downtime cannot be known, ``advance`` says so and every shelf ends: the safe side. A
user would notice a mistake as an alarm that stays shelved for ever after a power cut.
"""

from __future__ import annotations

import msgspec

from edge.domain.kernel import Stamp


class BookClock(msgspec.Struct):
    """``now_ns`` is book time; the rest is the stamp at which it stood so. An empty ``boot_id``: never started."""

    now_ns: int = 0
    boot_id: str = ""
    mono_ns: int = 0
    wall_ns: int = 0
    wall_trusted: bool = False


def advance(clock: BookClock, stamp: Stamp) -> bool:
    """Bring book time to ``stamp``. False: the time since the last stamp could not be known (a restart with an
    untrusted clock, or one that went back)."""
    known = True
    if stamp.boot_id == clock.boot_id:
        clock.now_ns += max(0, stamp.mono_ns - clock.mono_ns)
        clock.mono_ns = max(clock.mono_ns, stamp.mono_ns)
    else:
        gone_ns = stamp.wall_ns - clock.wall_ns
        known = not clock.boot_id or (stamp.wall_trusted and clock.wall_trusted and gone_ns >= 0)
        clock.now_ns += gone_ns if known and clock.boot_id else 0
        clock.boot_id, clock.mono_ns = stamp.boot_id, stamp.mono_ns
    clock.wall_ns, clock.wall_trusted = stamp.wall_ns, stamp.wall_trusted
    return known


def to_mono_ns(clock: BookClock, book_ns: int) -> int:
    """Monotonic time of the present boot at which book time will be ``book_ns``."""
    return clock.mono_ns + book_ns - clock.now_ns
