"""Remembers inputs on which the kernel raised, so that a repeat of one costs nothing.

The hard part is what counts as a repeat. The same command or reading, byte for byte, within a minute is one: each raise
costs a new world, and a sender that repeats it every second must not cost one a second. A timer looks like any other
and is not a repeat; a safety input is always decided. A user would notice a mistake as a box that stands still because
one terminal insists.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b

import msgspec

from edge.runtime.clock import Clock
from edge.runtime.inbox import Entry, EntryKind

#: The same input is not decided again for so long after it raised; so many inputs are remembered for that.
POISON_NS = 60_000_000_000
POISON_MAX = 64

#: Set-asides per minute beyond which everything but safety pauses.
RAISES_PER_MIN = 20
RAISES_PAUSE_NS = 3_000_000_000
_MINUTE_NS = 60_000_000_000

_REPEATABLE = frozenset({EntryKind.COMMAND, EntryKind.READING})


class Quarantine:
    """``add`` what raised (never a safety input that must be decided again); ask ``holds`` before deciding."""

    def __init__(self, clock: Clock) -> None:
        self.counters = {"inputs_set_aside": 0, "inputs_refused": 0}
        #: False as long as nothing ever raised: then nothing else need be asked.
        self.in_use = False
        self._clock = clock
        self._until_ns: dict[bytes, int] = {}
        self._raises: deque[int] = deque(maxlen=RAISES_PER_MIN)
        self._paused_until_ns = 0

    @property
    def pausing(self) -> bool:
        """True while too many inputs raise: only safety inputs are to be decided."""
        return bool(self._paused_until_ns) and self._clock.mono_ns() < self._paused_until_ns

    def holds(self, entry: Entry) -> bool:
        """True for a repeat of an input that raised within the last minute."""
        if not self._until_ns or entry.kind not in _REPEATABLE:
            return False
        held = self._clock.mono_ns() < self._until_ns.get(_fingerprint(entry), 0)
        self.counters["inputs_refused"] += held
        return held

    def add(self, entry: Entry, *, is_safety: bool) -> None:
        """``entry`` raised just now."""
        now_ns = self._clock.mono_ns()
        self.in_use = True
        self.counters["inputs_set_aside"] += 1
        if entry.kind in _REPEATABLE and not is_safety:
            self._until_ns[_fingerprint(entry)] = now_ns + POISON_NS
            if len(self._until_ns) > POISON_MAX:
                del self._until_ns[next(iter(self._until_ns))]
        if len(self._raises) == RAISES_PER_MIN and now_ns - self._raises[0] < _MINUTE_NS:
            self._paused_until_ns = now_ns + RAISES_PAUSE_NS
        self._raises.append(now_ns)


def _fingerprint(entry: Entry) -> bytes:
    return blake2b(msgspec.msgpack.encode(entry.item), digest_size=16).digest()
