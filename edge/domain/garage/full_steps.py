"""Abrupt falls of the power: what was switched, told from what tapers.

A battery lets the power sink over tens of minutes; only a charger, or a hand, takes it away within one. So a fall that
is steep against the minutes before it says that something at this port was switched: a charger went green, one of
several on a splitter ended, or a two-step charger went on with a reduced constant current. The last looks like a hot
float and is not full at all: it is told by what came before (a plateau, not the end of a taper) and by how much is left
(a stage keeps about half or more of its own current). How long such a stage can last follows from the battery:
acceptance of lead sinks with a time constant T, so from the share s of the current it takes T (1 - s) / s; with
T 2.7 h (cold) and s 0.5 that is 162 min. A user would notice a mistake here as a lead-acid battery that is charged to
80 % only.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from edge.domain.garage.charging_trend import GAP, drift_of

#: A fall shows in the last two minutes, which must agree (the step itself lies in neither), against the lowest of
#: fifteen before them (fans go off within these); the two between may be the step's.
AFTER_MIN = 2
SETTLED_PCT = 10
SETTLED_DW = 20
BETWEEN_MIN = 2
BEFORE_MIN = 15
LEAST_MIN = 3
#: Abrupt: so many per cent, or so many dW, and half as much again as in the five minutes before.
FALL_PCT = 20
FALL_DW = 200
FALL_LEAST_DW = 30
EARLIER_MIN = 5
#: A reduced stage keeps at least this much of what fell away (a share of 0.45 and more of its charger's current), and
#: is no less than half of the smallest charger's 60 W.
KEPT_PCT = 80
STAGE_LEAST_DW = 300
#: Not a stage: what fell away was at the end of a taper, low against the session's peak, and had been sinking.
TAPER_PCT = 30
SINKING_MIN = 30
SINKING_LEAST_MIN = 6
SINKING_PCT = 96
#: No lead-acid taper falls so fast (its time constant is 38 min and more): a lithium charger beside it has ended.
AWAY_MIN = 15
AWAY_PCT = 65


class Kind(Enum):
    """What an abrupt fall may mean: ``STAGE`` perhaps a reduced stage, ``END`` something ended."""

    STAGE = "stage"
    END = "end"


class Step(NamedTuple):
    """``least_dw``: what a stage that began with it must draw at least."""

    kind: Kind
    least_dw: int


def step_at_end(minutes: list[int], peak_dw: int, low_dw: int) -> Step | None:
    """Whether the last minutes of ``minutes`` (dW, gaps left out) fell abruptly. ``low_dw``: the most at which a charge
    may be over; no constant current of a charger beside it is so small."""
    loads = [value for value in minutes[-(BEFORE_MIN + SINKING_MIN) :] if value != GAP]
    if len(loads) < AFTER_MIN + BETWEEN_MIN + LEAST_MIN or minutes[-1] == GAP:
        return None
    after = max(loads[-AFTER_MIN:])
    if (after - min(loads[-AFTER_MIN:])) * 100 > max(SETTLED_PCT * after, SETTLED_DW * 100):
        return None
    earlier = loads[: -AFTER_MIN - BETWEEN_MIN]
    before = min(earlier[-BEFORE_MIN:])
    fall = before - after
    if fall < FALL_LEAST_DW or (fall < FALL_DW and fall * 100 < FALL_PCT * before):
        return None
    if fall * 2 < 3 * max(0, earlier[-EARLIER_MIN - 1 :][0] - earlier[-1]):
        return None
    least_dw = max(STAGE_LEAST_DW, KEPT_PCT * fall // 100)
    tapered = after < low_dw or before * 100 <= TAPER_PCT * peak_dw
    ended = after < least_dw or (tapered and _sinking(earlier))
    return Step(Kind.END if ended else Kind.STAGE, least_dw)


def fell_away(minutes: list[int]) -> bool:
    """Whether so much was lost in a quarter of an hour that what is left is a course of its own."""
    return (
        len(minutes) > AWAY_MIN
        and GAP not in minutes[-AWAY_MIN - 1 :]
        and minutes[-1] * 100 <= AWAY_PCT * minutes[-AWAY_MIN - 1]
    )


def _sinking(loads: list[int]) -> bool:
    """Whether the power went down all along before the fall."""
    span = loads[-SINKING_MIN:]
    if len(span) < SINKING_LEAST_MIN:
        return True
    first, last = drift_of(span)
    return last * 100 <= SINKING_PCT * first
