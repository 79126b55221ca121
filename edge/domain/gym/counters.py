"""How far a machine's counter has moved: resets, wraps and leaps told apart from use.

A counter means nothing but its differences. The hard part is the step back: a machine that began anew counts from zero
(what it counts now is new), one that wraps goes on, and one that lies must not add a marathon. A small step back is
a word that came late, and is left out; a counter that stays back for seconds is a machine that began anew: a broker
that says ten words again says them at once. Any step back to what was said before the counter's last word is left out
as well: a gateway whose broker died says again what was heard already. Where the difference cannot have been done in
the time, nothing is added and the leap is counted. A user would notice a mistake as a walk of 655 km, as a workout
whose distance falls, or as one that was walked twice.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

#: What a machine may have been ahead of its last message when the next one comes.
SLACK_S = 3.0


class Moved(StrEnum):
    """FIRST: nothing to compare with. RESET: the machine began anew, and what it counted since is added. LEAP: not
    believed, nothing added. BACK: a word that came late, left out."""

    FIRST = "first"
    ON = "on"
    WRAPPED = "wrapped"
    RESET = "reset"
    LEAP = "leap"
    BACK = "back"


class Counter(msgspec.Struct):
    """``last`` is the machine's own word, ``at_ns`` when it was said (monotonic), ``leaps`` how often it was not
    believed, ``backs`` whether the last word was taken for a late one, ``back_ns`` since when."""

    last: float | None = None
    at_ns: int = 0
    leaps: int = 0
    backs: int = 0
    back_ns: int = 0


def advance(
    counter: Counter, value: float, now_ns: int, *, rate_per_s: float, modulus: float = 0, older: bool = False
) -> tuple[Moved, float]:
    """Take the counter's new ``value``; gives what happened and how much to add (never negative).

    ``rate_per_s`` is the fastest believable growth, ``modulus`` where the counter wraps (0: it does not), ``older``
    that it was said before what was heard last."""
    last, seconds = counter.last, (now_ns - counter.at_ns) / 1e9
    most = rate_per_s * (seconds + SLACK_S)
    if older and last is not None and value < last:
        return Moved.BACK, 0.0
    late = last is not None and last / 2 < value < last and last - value <= rate_per_s * SLACK_S
    if late and (not counter.backs or now_ns - counter.back_ns < SLACK_S * 1e9):
        counter.back_ns = counter.back_ns if counter.backs else now_ns
        counter.backs = 1
        return Moved.BACK, 0.0
    counter.last, counter.at_ns, counter.backs = value, now_ns, 0
    if last is None:
        return Moved.FIRST, 0.0
    if late:
        return Moved.RESET, 0.0
    delta, moved = value - last, Moved.ON
    if delta < 0:
        wrapped = delta + modulus
        if modulus and 0 <= wrapped <= most:
            delta, moved = wrapped, Moved.WRAPPED
        else:
            delta, moved = max(0.0, value), Moved.RESET
    if delta <= most:
        return moved, delta
    counter.leaps += 1
    return (moved, 0.0) if moved is Moved.RESET else (Moved.LEAP, 0.0)
