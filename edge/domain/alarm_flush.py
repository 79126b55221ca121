"""The border of the alarms: what came of an input goes out (``flush``), what was kept comes back (``load_alarms``)."""

from __future__ import annotations

import msgspec

from edge.domain.alarm_book import MAX_HOURS, Alarm, AlarmBook, Notice, Step
from edge.domain.alarm_clock import BookClock
from edge.domain.alarm_notices import take_due
from edge.domain.alarm_rows import AlarmClockRow, AlarmHourRow, AlarmRow, NotificationRow
from edge.domain.alarm_states import AlarmState
from edge.domain.alarm_views import alarms_view
from edge.domain.alarms import next_due
from edge.domain.kernel import EffectClass, Effects, Put, Send, Show, Stamp, StandingRows
from edge.domain.notices import NOTIFY_DEVICE

VIEW_KEY = "alarms"
_DESIGN = "design:"


def flush(book: AlarmBook, stamp: Stamp, view_key: str = VIEW_KEY) -> Effects:
    """Rows, notices and the view that came of this input; empty when nothing changed. Call it once at the end of
    ``handle`` (and of ``resume``, after ``tick``). ``view_key``: keys are unique over all daemons of a site. Costs
    nothing after an input that left the book alone."""
    if not book.stirred:
        return []
    notices = take_due(book, stamp)
    effects: Effects = [Put(row) for row in book.journal]
    effects += [Put(_alarm_row(alarm)) for alarm in book.ended]
    effects += [Put(_alarm_row(book.alarms[key])) for key in book.dirty if key in book.alarms]
    effects += [Put(row) for row in book.notice_rows.values()]
    effects += [Put(book.hours[hour]) for hour in book.dirty_hours]
    if effects:
        effects.append(Put(_clock_row(book)))
    effects += [Send(NOTIFY_DEVICE, notice, EffectClass.DURABLE) for notice in notices]
    if book.changed:
        effects.append(Show(view_key, alarms_view(book, stamp), EffectClass.DURABLE))
    book.journal, book.ended, book.changed = [], [], False
    book.dirty, book.notice_rows, book.dirty_hours = {}, {}, {}
    book.stirred, book.due_ns = False, next_due(book)
    return effects


def load_alarms(rows: StandingRows, steps: tuple[Step, ...] = ()) -> AlarmBook:
    """The book as the committed rows tell it. ``steps`` is the escalation plan of the configuration in force. What was
    suppressed by design stays so until the kernel says otherwise. Flap damping and the flood window begin anew."""
    book = AlarmBook(steps=steps)
    for clock in rows.all(AlarmClockRow):
        book.clock = BookClock(clock.book_ns, clock.boot_id, clock.mono_ns, clock.wall_ns, clock.wall_trusted)
        book.dropped_notices = clock.dropped_notices
    standing = [msgspec.msgpack.decode(row.body, type=Alarm) for row in rows.where(AlarmRow, {"standing": 1})]
    for alarm in sorted(standing, key=lambda alarm: (alarm.first_wall_ns, alarm.alarm_id)):
        book.alarms[alarm.key] = alarm
        if alarm.hidden_by.startswith(_DESIGN):
            book.by_design[alarm.key] = alarm.hidden_by.removeprefix(_DESIGN)
    pending = [msgspec.msgpack.decode(row.body, type=Notice) for row in rows.where(NotificationRow, {"pending": 1})]
    for notice in sorted(pending, key=lambda notice: (notice.made_ns, notice.notice_id)):
        book.notices[notice.notice_id] = notice
    hours = {row.hour: row for row in rows.all(AlarmHourRow)}
    book.hours = {hour: hours[hour] for hour in sorted(hours)[-MAX_HOURS:]}
    return book


def _alarm_row(alarm: Alarm) -> AlarmRow:
    return AlarmRow(
        alarm_id=alarm.alarm_id,
        key=alarm.key,
        cause=alarm.cause,
        zone=alarm.zone,
        priority=alarm.priority.value,
        state=alarm.state.value,
        standing=alarm.state is not AlarmState.NORMAL,
        first_at_ns=alarm.first_wall_ns,
        last_at_ns=alarm.last_wall_ns,
        body=msgspec.msgpack.encode(alarm),
    )


def _clock_row(book: AlarmBook) -> AlarmClockRow:
    clock = book.clock
    return AlarmClockRow(
        kind="clock",
        book_ns=clock.now_ns,
        boot_id=clock.boot_id,
        mono_ns=clock.mono_ns,
        wall_ns=clock.wall_ns,
        wall_trusted=clock.wall_trusted,
        dropped_notices=book.dropped_notices,
    )
