"""How often an outdoor point is used, day by day and hour by hour, from a counter that only ever says its state.

The hard part is a smaller number than before: a word that came late, or a counter that began anew with a new battery.
The point's own time tells them apart where it gives one; without it a number of more than half is a late word once,
and a counter that began anew when the next word repeats it. A use counts in the hour in which it was told, or, of a
post that was cut off, in the hour of its own time if that was today. A user would notice a mistake as 400 visitors on
a rainy Monday morning, or as a busy compound whose point is taken away because "nobody uses it".
"""

from __future__ import annotations

from datetime import timedelta

from edge.domain.gym.dues import wear_of
from edge.domain.gym.settings import AssetKind
from edge.domain.gym.turn import Turn
from edge.domain.gym.wear import keep
from edge.domain.gym.wear_state import HOURS, Wear
from edge.domain.gym.workout import NS_PER_S
from edge.domain.gym.workout_state import Asset
from edge.domain.machine_readings import CountReading

#: A counter that leaps by more between two words is not believed.
MAX_USES = 5000
#: Words are late by at most so much; a clock that went back by more was set.
LATE_MAX_NS = 24 * 3600 * NS_PER_S
#: What was counted is written down so often: a power cut shifts at most so much of it to the next word.
NOTED_NS = 60 * NS_PER_S


def counted(turn: Turn, asset: Asset, body: CountReading) -> None:
    """A point told its counter."""
    wear = wear_of(turn.world, asset.settings.asset)
    wear.heard_day = turn.world.day
    if body.battery_pct is not None:
        wear.battery_pct = body.battery_pct
    if body.use_count is None:
        return
    more = _more(wear, body.use_count, body.source_wall_ns)
    if more:
        wear.day.uses += more
        wear.day.hours = wear.day.hours or [0] * HOURS
        wear.day.hours[_hour(turn, body.delay_ms)] += more


def _more(wear: Wear, count: int, said_ns: int | None) -> int:
    """What ``count``, said at ``said_ns`` by the point's own clock, adds."""
    last, behind_ns = wear.counter, wear.said_ns - said_ns if said_ns and wear.said_ns else None
    late = behind_ns is not None and 0 < behind_ns <= LATE_MAX_NS
    if late and last is not None and count <= max(last, wear.before_reset):
        return 0
    wear.said_ns = said_ns or 0
    if last is None or count >= last:
        wear.counter, wear.odd_counts = count, 0
        return _believed(0 if last is None else count - last)
    newer = behind_ns is not None and behind_ns <= 0
    if not newer and 2 * count > last:
        if not wear.odd_counts:
            wear.odd_counts = 1
            return 0
        wear.counter, wear.odd_counts = count, 0
        return 0  # it began anew, or two words were late: nobody can tell how much of it is new
    wear.before_reset, wear.counter, wear.odd_counts = last, count, 0
    return _believed(count)


def _believed(more: int) -> int:
    return more if more <= MAX_USES else 0


def _hour(turn: Turn, delay_ms: int | None) -> int:
    """The hour of the site's clock in which it was used, as far as it is of this day."""
    now = turn.site_time()
    if not delay_ms or not turn.stamp.wall_trusted:
        return now.hour
    used = now - timedelta(milliseconds=delay_ms)
    return used.hour if used.date() == now.date() else now.hour


def note(turn: Turn) -> None:
    """Write down once a minute which points were heard; call it before ``occupancy.keep``, which keeps that clock."""
    if turn.now_ns - turn.world.uses_ns < NOTED_NS:
        return
    for asset in turn.world.assets.values():
        if asset.settings.kind is AssetKind.OUTDOOR and asset.heard_ns is not None:
            wear = wear_of(turn.world, asset.settings.asset)
            if asset.heard_ns >= wear.noted_ns:
                keep(turn, asset)
