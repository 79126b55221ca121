"""Another battery at the same port: when peak and timers may begin anew.

Over 60 s with nothing but a charger's standby, and then a plateau of at least half the old one
(``garage-domain.md`` 4.3), or a steady one far from what was drawn before. A loose plug looks the same for minutes; it
is told by what comes back: a battery in its taper returns at the level it had. A user would notice a mistake here as a
loose plug that makes an old charge look young again, and never full; or as a second battery cut in the middle.
"""

from __future__ import annotations

from edge.domain.garage.charging_trend import GAP, drift_of, is_flat, level, median

GAP_NS = 60_000_000_000
STANDBY_W = 6.0
SHARE_PCT = 50
#: A plateau stands for so long; a full charger that is plugged in anew draws for a minute or two.
HELD_MIN = 5
OTHER_HELD_MIN = 9
OTHER_PCT = 30
SAME_PCT = 10
#: The old plateau, below which a charge was in its taper (or its reduced stage).
TAPERED_PCT = 92
#: What came back at its level was another battery after all if it had been sinking and now stands for so long.
STANDS_MIN = 30
SINKING_PCT = 96
STANDING_PCT = 99
#: So long after the gap nobody waits for it any more.
SEEN_MIN = 40


def level_before_gap(minutes: list[int]) -> int:
    """The last minute above standby, in dW; 0 for none."""
    return next((value for value in reversed(minutes) if value >= STANDBY_W * 10), 0)


def is_swap(minutes: list[int], peak_dw: int, before_dw: int, since_min: int, least_dw: int) -> bool:
    """Whether what has been drawn for ``since_min`` minutes since the gap is another battery's. ``before_dw``: the last
    level before the gap; ``least_dw``: no charger's constant current is smaller."""
    back = minutes[-HELD_MIN:]
    if since_min < HELD_MIN or len(back) < HELD_MIN or GAP in back:
        return False
    now, returned = level(minutes), median(minutes[-since_min:][1:4])
    away = abs(returned - before_dw) * 100
    if before_dw * 100 < TAPERED_PCT * peak_dw and away <= SAME_PCT * before_dw:
        return since_min >= STANDS_MIN and _stands_now(minutes, since_min)
    if min(back) * 100 > SHARE_PCT * peak_dw:
        return True
    other = before_dw > 0 and away > OTHER_PCT * before_dw and now >= least_dw
    return other and since_min >= OTHER_HELD_MIN and is_flat(minutes, OTHER_HELD_MIN, 3, 0)


def _stands_now(minutes: list[int], since_min: int) -> bool:
    """Whether a taper before the gap has become a constant current after it."""
    loads = [value for value in minutes[: -since_min - 1] if value >= STANDBY_W * 10][-STANDS_MIN:]
    back = [value for value in minutes[-STANDS_MIN:] if value != GAP]
    if len(loads) < HELD_MIN or len(back) * 5 <= STANDS_MIN * 4:
        return False
    was, now = drift_of(loads), drift_of(back)
    return was[1] * 100 <= SINKING_PCT * was[0] and now[1] * 100 >= STANDING_PCT * now[0]
