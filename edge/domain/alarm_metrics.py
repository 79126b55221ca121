"""How well the alarms serve the people who watch them (ISA-18.2 / EEMUA 191 figures, ``garage-domain.md`` section 2).

An annunciation is an alarm that begins to sound. A flood starts with 10 of them within 10 minutes and ends when fewer
than 5 lie within 10 minutes. All of it is data; pages and reports give it words.
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_book import MAX_HOURS, NS_PER_S, Alarm, AlarmBook
from edge.domain.alarm_rows import AlarmHourRow
from edge.domain.alarm_states import AlarmState
from edge.domain.kernel import Stamp

FLOOD_WINDOW_NS = 600 * NS_PER_S
FLOOD_STARTS = 10
FLOOD_ENDS = 5
STALE_NS = 24 * 3600 * NS_PER_S
#: Annunciations remembered for the flood window; more than this in 10 minutes is a flood anyhow.
MAX_RINGS = 1000
#: While a flood lasts its time is booked at least so often.
FLOOD_TICK_NS = 60 * NS_PER_S
_HOUR_NS = 3600 * NS_PER_S
_MS = 1_000_000


def rang(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """Count one annunciation."""
    book.rings = [*book.rings[-(MAX_RINGS - 1) :], book.clock.now_ns]
    hour = _hour(book, stamp)
    counted = getattr(hour, alarm.priority.value) + 1
    _put_hour(book, msgspec.structs.replace(hour, **{alarm.priority.value: counted}))
    count_flood(book, stamp, 0)


def acknowledged(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """Count how long the alarm waited for its acknowledgement."""
    hour = _hour(book, stamp)
    waited_ms = (book.clock.now_ns - alarm.raised_ns) // _MS
    _put_hour(
        book,
        msgspec.structs.replace(hour, acknowledged=hour.acknowledged + 1, ack_wait_ms=hour.ack_wait_ms + waited_ms),
    )


def count_flood(book: AlarmBook, stamp: Stamp, elapsed_ns: int) -> None:
    """Book ``elapsed_ns`` to the flood if one lasts, and judge anew whether it does."""
    if book.flood and elapsed_ns:
        hour = _hour(book, stamp)
        _put_hour(book, msgspec.structs.replace(hour, flood_ms=hour.flood_ms + elapsed_ns // _MS))
    since_ns = book.clock.now_ns - FLOOD_WINDOW_NS
    if book.rings and book.rings[0] <= since_ns:
        book.rings = [at_ns for at_ns in book.rings if at_ns > since_ns]
    flood = len(book.rings) >= (FLOOD_ENDS if book.flood else FLOOD_STARTS)
    if flood != book.flood:
        book.flood, book.changed = flood, True


def flood_due_ns(book: AlarmBook) -> list[int]:
    """Book times at which the flood must be judged or booked again."""
    if not book.flood:
        return []
    ends_ns = book.rings[-FLOOD_ENDS] + FLOOD_WINDOW_NS
    return [min(ends_ns, book.clock.now_ns + FLOOD_TICK_NS)]


class AlarmKpi(msgspec.Struct, frozen=True, kw_only=True):
    """The report over the last ``hours`` clock hours, the present one included. Shares are per cent of the
    annunciations; ``stale`` are ids of alarms that have been live for over 24 h."""

    hours: int
    operators: int
    annunciations: int
    per_hour_per_operator: float
    peak_hour: int
    flood_pct: float
    floods_now: bool
    share_high_pct: float
    share_medium_pct: float
    share_low_pct: float
    mean_ack_wait_s: float | None
    standing: int
    stale: tuple[str, ...]
    dropped_notices: int


def kpi(book: AlarmBook, stamp: Stamp, *, operators: int = 1, hours: int = 24) -> AlarmKpi:
    """Figures to hold against ISA-18.2: at most about 6 alarms per hour and operator, under 1 % of the time in flood,
    under 5 stale, about 80/15/5 per cent low/medium/high (fire counts as high)."""
    hours, operators = max(1, hours), max(1, operators)
    now = stamp.wall_ns // _HOUR_NS
    rows = [row for hour, row in book.hours.items() if now - hours < hour <= now]
    sums = {name: sum(getattr(row, name) for row in rows) for name in ("fire", "high", "medium", "low")}
    total = sum(sums.values())
    acknowledged_count = sum(row.acknowledged for row in rows)
    flood_ms = sum(row.flood_ms for row in rows)

    def share(count: int) -> float:
        return round(100 * count / total, 1) if total else 0.0

    return AlarmKpi(
        hours=hours,
        operators=operators,
        annunciations=total,
        per_hour_per_operator=round(total / hours / operators, 2),
        peak_hour=max((row.fire + row.high + row.medium + row.low for row in rows), default=0),
        flood_pct=round(100 * flood_ms * _MS / (hours * _HOUR_NS), 2),
        floods_now=book.flood,
        share_high_pct=share(sums["fire"] + sums["high"]),
        share_medium_pct=share(sums["medium"]),
        share_low_pct=share(sums["low"]),
        mean_ack_wait_s=(
            round(sum(row.ack_wait_ms for row in rows) / acknowledged_count / 1000, 1) if acknowledged_count else None
        ),
        standing=sum(alarm.state is not AlarmState.SUPPRESSED for alarm in book.alarms.values()),
        stale=stale(book),
        dropped_notices=book.dropped_notices,
    )


def stale(book: AlarmBook) -> tuple[str, ...]:
    """Ids of alarms that are live and have stood in sight for over 24 h, the oldest first."""
    shown = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
    old = [
        (alarm.raised_ns, alarm.alarm_id)
        for alarm in book.alarms.values()
        if alarm.live and alarm.state in shown and book.clock.now_ns - alarm.raised_ns >= STALE_NS
    ]
    return tuple(alarm_id for _, alarm_id in sorted(old))


def _hour(book: AlarmBook, stamp: Stamp) -> AlarmHourRow:
    number = stamp.wall_ns // _HOUR_NS
    found = book.hours.get(number)
    if found is None:
        found = AlarmHourRow(hour=number, fire=0, high=0, medium=0, low=0, flood_ms=0, acknowledged=0, ack_wait_ms=0)
    return found


def _put_hour(book: AlarmBook, row: AlarmHourRow) -> None:
    book.hours[row.hour] = row
    book.dirty_hours[row.hour] = None
    if len(book.hours) > MAX_HOURS:
        oldest = min(book.hours)
        del book.hours[oldest]
        book.dirty_hours.pop(oldest, None)
