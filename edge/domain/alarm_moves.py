"""The moves of one alarm within its book: the only code that changes an alarm's state, always by the table.

``edge.domain.alarms`` decides which act is meant; here is what it does to the alarm, its parent or children, the sound,
the metrics and the notices. The hard part is the order: the condition changes first, then the table is asked, then what
follows from the new state is done once. A user would notice a mistake as an alarm that sounds in silence.
"""

from __future__ import annotations

import zlib

from edge.domain.alarm_book import (
    MAX_DETAIL_CHARS,
    MAX_DETAILS,
    MAX_DROPPED,
    MAX_FLAPS,
    NS_PER_S,
    Alarm,
    AlarmBook,
    mark,
    note,
)
from edge.domain.alarm_clock import advance
from edge.domain.alarm_metrics import count_flood, rang
from edge.domain.alarm_notices import arm, cancel, retry_all, tell_cleared
from edge.domain.alarm_states import AlarmEvent, AlarmState, Priority, following
from edge.domain.kernel import Stamp

#: How long children of a parent that went may take to recover before they sound for themselves.
RELEASE_NS = 30 * NS_PER_S
#: An alarm that came this often within ``FLAP_WINDOW_NS`` flaps: it is held until it was calm for ``CALM_NS``.
FLAP_RAISES = 3
FLAP_WINDOW_NS = 600 * NS_PER_S
CALM_NS = 300 * NS_PER_S
OVERFLOW_KEY = "alarms:overflow"
_BASE = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)


def enter(book: AlarmBook, stamp: Stamp) -> None:
    """Bring the book's clock to ``stamp``. Where the time away cannot be known, every shelf ends now (the safe side)
    and every notice that waits is due."""
    book.stirred = True
    before_ns = book.clock.now_ns
    if not advance(book.clock, stamp):
        for alarm in book.alarms.values():
            if alarm.shelved_until_ns is not None:
                alarm.shelved_until_ns = book.clock.now_ns
        retry_all(book)
    count_flood(book, stamp, book.clock.now_ns - before_ns)


def step(book: AlarmBook, alarm: Alarm, event: AlarmEvent, stamp: Stamp, *, by: str = "", detail: str = "") -> None:
    """Move by the table, write the journal, and take the alarm out of the book when it is normal. A refused event is a
    mistake of the caller, who asks ``following`` first."""
    after = following(alarm.state, event, live=alarm.live)
    if after is None:
        raise ValueError(f"{event} is refused in {alarm.state}")
    alarm.state = after
    note(book, alarm, event, stamp, by=by, detail=detail)
    if after is AlarmState.NORMAL:
        del book.alarms[alarm.key]
        book.dirty.pop(alarm.key, None)
        book.ended.append(alarm)


def ring(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """It sounds (again), unless it is shelved, hidden or out of service: metrics and the escalation begin anew."""
    if alarm.state is not AlarmState.UNACKNOWLEDGED:
        return
    alarm.silenced = False
    alarm.acknowledged_by = ""
    alarm.raised_ns = book.clock.now_ns
    rang(book, alarm, stamp)
    arm(book, alarm, stamp)


def add_detail(book: AlarmBook, alarm: Alarm, detail: str, stamp: Stamp) -> bool:
    """Keep a detail once; True when it is new. Beyond ``MAX_DETAILS`` only its checksum is kept, to count it once."""
    detail = detail[:MAX_DETAIL_CHARS]
    if not detail or detail in alarm.details:
        return False
    if len(alarm.details) < MAX_DETAILS:
        alarm.details.append(detail)
        alarm.last_wall_ns = stamp.wall_ns
        mark(book, alarm)
        return True
    mark_of = zlib.crc32(detail.encode())
    if mark_of in alarm.dropped or len(alarm.dropped) >= MAX_DROPPED:
        return False
    alarm.dropped.append(mark_of)
    mark(book, alarm)
    return True


def activate(book: AlarmBook, alarm: Alarm, detail: str, stamp: Stamp) -> None:
    """The condition came: sound, or join the parent that explains it; gather the children it explains."""
    alarm.active, alarm.held = True, alarm.latched
    alarm.count += 1
    alarm.last_wall_ns = stamp.wall_ns
    _remember_raise(book, alarm.key)
    sounded = alarm.state is AlarmState.ACKNOWLEDGED
    step(book, alarm, AlarmEvent.RAISE, stamp, detail=detail)
    if sounded:  # a latch held it acknowledged; its condition came anew
        step(book, alarm, AlarmEvent.REANNOUNCE, stamp)
    why = _reason_to_hide(book, alarm)
    if why:
        hide(book, alarm, why, stamp)
    ring(book, alarm, stamp)
    _gather_children(book, alarm, stamp)


def announce_again(book: AlarmBook, alarm: Alarm, detail: str, stamp: Stamp) -> None:
    """It lasts, and something graver or new joined it: heard anew, also while it was held until calm."""
    alarm.clear_due_ns = None
    step(book, alarm, AlarmEvent.REANNOUNCE, stamp, detail=detail)
    ring(book, alarm, stamp)


def flapped(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """It came again while it was held until calm: counted, and heard only if it is a fire."""
    alarm.clear_due_ns = None
    alarm.count += 1
    alarm.last_wall_ns = stamp.wall_ns
    _remember_raise(book, alarm.key)
    if alarm.priority is Priority.FIRE:
        step(book, alarm, AlarmEvent.REANNOUNCE, stamp, detail="again")
        ring(book, alarm, stamp)
    else:
        note(book, alarm, AlarmEvent.RAISE, stamp, detail="again: flapping")


def held_until_calm(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> bool:
    """Hold a flapping alarm in place of clearing it; False when it does not flap."""
    since_ns = book.clock.now_ns - FLAP_WINDOW_NS
    raises = [at_ns for at_ns in book.flaps.get(alarm.key, ()) if at_ns >= since_ns]
    if len(raises) < FLAP_RAISES:
        return False
    alarm.clear_due_ns = book.clock.now_ns + CALM_NS
    note(book, alarm, AlarmEvent.CLEAR, stamp, detail="flapping: held until calm")
    return True


def end_alarm(book: AlarmBook, key: str, stamp: Stamp) -> None:
    """Whom or what ``key`` spoke of is there no more: it goes also while it flaps, and the next of that name is heard
    as the first."""
    book.flaps.pop(key, None)
    alarm = book.alarms.get(key)
    if alarm is not None and alarm.active:
        enter(book, stamp)
        clear(book, alarm, stamp)


def clear(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """The condition has gone (a latch may hold the alarm on)."""
    alarm.active = False
    alarm.clear_due_ns = None
    alarm.last_wall_ns = stamp.wall_ns
    step(book, alarm, AlarmEvent.CLEAR, stamp)
    after_gone(book, alarm, stamp)


def after_gone(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """What follows when an alarm stopped being live: those who were told hear it, children may speak soon."""
    if alarm.live:
        return
    tell_cleared(book, alarm, stamp)
    for child in book.alarms.values():
        if child.hidden_by == alarm.key and child.release_due_ns is None:
            child.release_due_ns = book.clock.now_ns + RELEASE_NS
            mark(book, child)


def hide(book: AlarmBook, alarm: Alarm, why: str, stamp: Stamp) -> None:
    """Suppress by design; ``why`` is the parent's key or ``design:<reason>``."""
    alarm.hidden_by, alarm.shelved_until_ns, alarm.release_due_ns = why, None, None
    cancel(book, alarm.alarm_id, stamp)
    step(book, alarm, AlarmEvent.SUPPRESS, stamp, detail=why)
    parent = book.alarms.get(why)
    if parent is not None:
        for detail in alarm.details or [alarm.key]:
            if add_detail(book, parent, detail, stamp):
                parent.count += 1


def unhide(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """End a suppression; what still lasts sounds."""
    come_back(book, alarm, AlarmEvent.UNSUPPRESS, "", stamp)


def come_back(book: AlarmBook, alarm: Alarm, event: AlarmEvent, by: str, stamp: Stamp) -> None:
    """End a shelf, a suppression or a time out of service."""
    alarm.shelved_until_ns, alarm.release_due_ns, alarm.hidden_by = None, None, ""
    if alarm.state is AlarmState.OUT_OF_SERVICE and event is not AlarmEvent.RESTORE:
        mark(book, alarm)
        return
    step(book, alarm, event, stamp, by=by)
    ring(book, alarm, stamp)


def show_the_graver(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """An alarm that became graver than what hides it shows itself; a fire comes back from anywhere."""
    mark(book, alarm)
    parent = book.alarms.get(alarm.hidden_by)
    lesser_parent = parent is not None and alarm.priority.rank < parent.priority.rank
    fire = alarm.priority is Priority.FIRE
    if alarm.state is AlarmState.SUPPRESSED and (lesser_parent or fire):
        unhide(book, alarm, stamp)
    elif fire and alarm.state is AlarmState.SHELVED:
        come_back(book, alarm, AlarmEvent.UNSHELVE, "", stamp)
    elif fire and alarm.state is AlarmState.OUT_OF_SERVICE:
        come_back(book, alarm, AlarmEvent.RESTORE, "", stamp)


def _reason_to_hide(book: AlarmBook, alarm: Alarm) -> str:
    """The live parent that explains the alarm, or the design reason; "" when it must show itself."""
    if alarm.priority is Priority.FIRE or alarm.hidden_by:
        return ""
    if alarm.key in book.by_design:
        return f"design:{book.by_design[alarm.key]}"
    parent = book.alarms.get(alarm.parent)
    explained = parent is not None and parent.live and parent.priority.rank <= alarm.priority.rank
    return alarm.parent if explained else ""


def _gather_children(book: AlarmBook, parent: Alarm, stamp: Stamp) -> None:
    for child in list(book.alarms.values()):
        if child.parent != parent.key or child is parent:
            continue
        if child.hidden_by == parent.key:
            child.release_due_ns = None
        elif child.state in _BASE and child.live and _reason_to_hide(book, child) == parent.key:
            hide(book, child, parent.key, stamp)


def _remember_raise(book: AlarmBook, key: str) -> None:
    """Book time of a raise, for flap damping; the keys that were quiet longest are forgotten first."""
    raises = book.flaps.pop(key, [])
    book.flaps[key] = [*raises[-(FLAP_RAISES - 1) :], book.clock.now_ns]
    if len(book.flaps) > MAX_FLAPS:
        del book.flaps[next(iter(book.flaps))]
