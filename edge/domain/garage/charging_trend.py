"""The course of a session in minutes: what the full and trouble tests look at.

Samples come every second, every ten or every five minutes; each is folded into the minute it falls in, and minutes
without a sample hold the last word. A minute in which nothing drew power is a gap: gaps are no measurement of a battery
and never enter a mean or a slope. A user would notice a mistake here as a charge that ends because of a loose plug.
All powers are integers in dW (0.1 W); minute k of a session is ``age // 60 s``.
"""

from __future__ import annotations

import msgspec

GAP = -1
MINUTE_NS = 60_000_000_000
KEPT = 120
#: Longest silence that is filled with the last word; anything longer is a gap (the meter-silent cap has acted by then).
HELD = 10


class Trend(msgspec.Struct, kw_only=True):
    """The last ``KEPT`` minutes. ``minutes`` are means over the samples with a load, or ``GAP``. ``peak_dw`` is the
    highest two-minute mean since the session began or a swap was confirmed."""

    minute: int = 0
    sum_dw: float = 0.0
    loaded: int = 0
    empty: int = 0
    minutes: list[int] = msgspec.field(default_factory=list)
    peak_dw: int = 0


def add(trend: Trend, minute: int, power_w: float, *, idle: bool) -> int:
    """Fold one sample into ``minute`` (of the session). Returns how many minutes this completed (0 mostly)."""
    done = 0
    if minute > trend.minute:
        done = _roll(trend, minute)
    if idle:
        trend.empty += 1
    else:
        trend.sum_dw += power_w * 10
        trend.loaded += 1
    return done


def _roll(trend: Trend, minute: int) -> int:
    minutes = trend.minutes
    if trend.loaded:
        value = round(trend.sum_dw / trend.loaded)
    elif trend.empty:
        value = GAP
    else:
        value = minutes[-1] if minutes else GAP
    passed = minute - trend.minute
    minutes.append(value)
    if passed > 1:
        minutes.extend([value] * min(passed - 1, HELD - 1))
        minutes.extend([GAP] * min(max(0, passed - HELD), KEPT))
    if len(minutes) > KEPT:
        del minutes[:-KEPT]
    trend.minute, trend.sum_dw, trend.loaded, trend.empty = minute, 0.0, 0, 0
    trend.peak_dw = max(trend.peak_dw, level(minutes))
    return passed


def skip(trend: Trend, minute: int) -> None:
    """Minutes up to ``minute`` in which nobody looked (downtime): gaps, not the last word held."""
    passed = minute - trend.minute
    if passed < 2:
        return
    _roll(trend, trend.minute + 1)
    trend.minutes = [*trend.minutes, *[GAP] * min(passed - 1, KEPT)][-KEPT:]
    trend.minute = minute


def level(minutes: list[int]) -> int:
    """Mean of the last two minutes in dW; 0 while the last minute is a gap, the last one alone after a gap."""
    if not minutes or minutes[-1] == GAP:
        return 0
    if len(minutes) == 1 or minutes[-2] == GAP:
        return minutes[-1]
    return (minutes[-1] + minutes[-2]) // 2


def median(values: list[int]) -> int:
    """The middle value (upper one of an even count); ``values`` is not empty."""
    return sorted(values)[len(values) // 2]


def drift(minutes: list[int], window: int) -> tuple[int, int] | None:
    """(median of the first third, median of the last third) of the last ``window`` minutes in dW. Medians, so that a
    fan or a short burst moves nothing. None while a fifth of the window or more is missing or a gap."""
    if len(minutes) < window:
        return None
    span = minutes[-window:]
    loads = [value for value in span if value != GAP]
    if len(loads) * 5 <= window * 4:
        return None
    return drift_of(loads)


def drift_of(loads: list[int]) -> tuple[int, int]:
    """(median of the first third, median of the last third) of ``loads``, which is not empty."""
    third = max(1, len(loads) // 3)
    return median(loads[:third]), median(loads[-third:])


def is_flat(minutes: list[int], window: int, share_pct: int, least_dw: int) -> bool:
    """Whether the power moved by at most ``share_pct`` % (and at least ``least_dw`` is allowed) over the window."""
    ends = drift(minutes, window)
    if ends is None:
        return False
    first, last = ends
    return abs(first - last) * 100 <= max(share_pct * max(first, last), least_dw * 100)
