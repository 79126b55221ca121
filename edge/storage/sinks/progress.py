"""How far a sink is, and how far back to go when it may have lost what it acknowledged.

A server may answer 204 and still lose the last seconds when it dies (VictoriaMetrics 1.79.5 lost 52 % of what it had
acknowledged within 2 s of a kill -9). So a position counts as settled only when the same server still answers
``SETTLE_S`` after its acknowledgement, by the monotonic clock, and every sign of a restart goes back to the newest
settled position. While all goes well that is the last 60 s of samples; after an outage, when hours of samples go out in
a minute, it is all that was sent in that minute.

The hard part is to make progress all the same: a line that breaks every few seconds would send one stretch for ever.
Where the server proves that it is the same process as before, nothing was lost and nothing is sent again. Where it
cannot, one stretch is sent at most ``REPEATS_MAX`` times more. A server that proves that it is a new process is always
believed. A user would notice a mistake as a hole after the server's restart, or as a sink that never catches up.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from edge.storage.sinks.answers import Answer, Verdict
from edge.storage.sinks.keys import TimeKeys

SETTLE_S = 60.0
#: Positions that are remembered on the way to being settled: one for each of these seconds.
MARK_EVERY_S = 5.0
REPEATS_MAX = 3
#: A server's start is known to a second or two: two lives so near look like one until it has been known for so long.
LIFE_PROVEN_S = 5.0


class Mark(NamedTuple):
    """A position between two inputs: everything up to ``seq`` was sent, ``keys`` is the state behind it."""

    seq: int
    keys: TimeKeys


class _Dated(NamedTuple):
    mono_s: float
    mark: Mark


class Progress:
    """The position of one sink. Times are monotonic seconds of this process."""

    def __init__(self, settled: Mark) -> None:
        self.settled = settled
        self.acked = settled
        self.rewinds = 0
        #: What was acknowledged up to this moment is settled.
        self.safe_s = -math.inf
        self._young: deque[_Dated] = deque()
        self._repeats = 0
        self._life = ""
        self._life_since_s = 0.0
        self._connected = False
        self._doubt = False
        self._sent = False

    def arrived(self, mark: Mark, mono_s: float) -> None:
        """Everything up to ``mark`` is acknowledged."""
        self.acked = mark
        if not self._young or mono_s - self._young[-1].mono_s >= MARK_EVERY_S:
            self._young.append(_Dated(mono_s, mark))

    def heard(self, answer: Answer, mono_s: float) -> bool:
        """Take in one answer. True: what was sent before it may be lost, so call ``rewind`` and read again."""
        if answer.verdict is Verdict.UNREACHABLE:
            self._doubt = self._doubt or self._connected
            return False
        sign = self._doubt or (answer.fresh and self._connected) or answer.sign
        if answer.verdict in {Verdict.MISCONFIGURED, Verdict.BUSY}:
            # It may be a proxy that speaks: only a write that was looked at tells of the server itself.
            self._doubt = sign
            return False
        lived_s = mono_s - self._life_since_s
        proven_new = bool(answer.life) and bool(self._life) and answer.life != self._life
        proven_same = bool(answer.life) and answer.life == self._life and lived_s >= LIFE_PROVEN_S
        if answer.life and answer.life != self._life:
            self._life, self._life_since_s = answer.life, mono_s
        had_sent = self._sent
        self._connected, self._doubt, self._sent = True, False, True
        doubtful = sign and not proven_same and self._repeats < REPEATS_MAX
        if had_sent and (proven_new or doubtful):
            return True
        self._settle(mono_s)
        return False

    def _settle(self, mono_s: float) -> None:
        """The server that answers now is the one that acknowledged these, long ago: only then are they settled. Time
        alone settles nothing, for it may have died in between."""
        self.safe_s = mono_s - SETTLE_S
        while self._young and mono_s - self._young[0].mono_s >= SETTLE_S:
            self.settled = self._young.popleft().mark
            self._repeats = 0

    def rewind(self) -> Mark:
        """Go back to the newest settled position and return it."""
        self.rewinds += 1
        self._repeats += 1
        self._young.clear()
        self._sent = False
        self.acked = self.settled
        return self.settled
