"""Alarms that people can trust: raise, clear, acknowledge, silence, shelve, suppress, take out of service, reset.

Pure and shared by all verticals (after ISA-18.2). A kernel keeps an ``AlarmBook`` in its world, calls these functions
with the input's stamp wherever it learns something, and ends each input with ``flush``, which gives the rows, the
notices and the view that came of it (nothing, if nothing changed). Raising what stands and clearing what does not are
free, so a kernel that evaluates levels may call them on every tick.

The hard part is that many devices fall silent or are cut from one cause. An alarm raised with the key of a ``parent``
that is live is suppressed and told as a detail of the parent; when the parent goes, what still lasts half a minute
later sounds for itself. A graver alarm is never hidden by a lesser one. A user would notice a mistake as 40 alarms for
one fire, or as a dead detector that nobody heard of because its gateway had once been away.
"""

from __future__ import annotations

from edge.domain.alarm_book import NS_PER_S, Alarm, AlarmBook, find, is_full, mark, next_id
from edge.domain.alarm_clock import to_mono_ns
from edge.domain.alarm_metrics import acknowledged, flood_due_ns
from edge.domain.alarm_moves import (
    OVERFLOW_KEY,
    activate,
    add_detail,
    after_gone,
    announce_again,
    clear,
    come_back,
    enter,
    flapped,
    held_until_calm,
    hide,
    show_the_graver,
    step,
    unhide,
)
from edge.domain.alarm_notices import (
    cancel,
    notices_due_ns,
    tick_notices,
    unproven_keys,
)
from edge.domain.alarm_states import AlarmEvent, AlarmState, Priority, following
from edge.domain.kernel import Stamp

#: A shelf ends by itself at the latest after this many minutes (one shift).
MAX_SHELF_MIN = 480


def raise_alarm(  # noqa: PLR0913 - by keyword only; a call reads as a sentence
    book: AlarmBook,
    key: str,
    *,
    cause: str,
    zone: str,
    priority: Priority,
    detail: str,
    stamp: Stamp,
    latched: bool = False,
    shelvable: bool = True,
    parent: str = "",
    reannounce: bool = False,
) -> str:
    """The condition ``key`` lasts; gives the id of its alarm.

    ``cause`` is a stable code that pages translate; ``detail`` one line of what took part ("" for none), kept once.
    ``reannounce``: a detail that is new makes an acknowledged or silenced alarm sound again (a second detector in one
    fire). A graver ``priority`` than before raises the alarm's and sounds again; an equal one with another ``cause`` (a
    head that was out of reach and now is silent) is told under its new name. ``latched``: it stays live until
    ``reset_alarm``. ``parent``: the key of the root cause, if there is one.
    """
    enter(book, stamp)
    alarm = book.alarms.get(key)
    if alarm is None:
        if key != OVERFLOW_KEY and is_full(book, priority):
            return _overflow(book, key, stamp)
        alarm = _new(book, key, parent, stamp)
        alarm.cause, alarm.priority = cause, priority
        alarm.shelvable = shelvable and priority is not Priority.FIRE
        book.alarms[key] = alarm
    graver = priority.rank < alarm.priority.rank
    if graver:
        alarm.priority, alarm.cause = priority, cause
        alarm.shelvable = shelvable and priority is not Priority.FIRE
        show_the_graver(book, alarm, stamp)
    else:
        _rename(book, alarm, priority, cause)
    alarm.latched, alarm.zone = alarm.latched or latched, zone
    new_detail = add_detail(book, alarm, detail, stamp)
    if not alarm.active:
        activate(book, alarm, detail, stamp)
    elif graver or (reannounce and new_detail):
        announce_again(book, alarm, detail, stamp)
    elif alarm.clear_due_ns is not None:
        flapped(book, alarm, stamp)
    return alarm.alarm_id


def _rename(book: AlarmBook, alarm: Alarm, priority: Priority, cause: str) -> None:
    if priority is alarm.priority and cause != alarm.cause:
        alarm.cause = cause
        mark(book, alarm)


def clear_alarm(book: AlarmBook, key: str, stamp: Stamp) -> None:
    """The condition ``key`` has gone. Free when it was not there."""
    alarm = book.alarms.get(key)
    if alarm is None or not alarm.active or alarm.clear_due_ns is not None:
        return
    enter(book, stamp)
    if not held_until_calm(book, alarm, stamp):
        clear(book, alarm, stamp)


def acknowledge(book: AlarmBook, alarm_id: str, by: str, stamp: Stamp) -> str:
    """Somebody has seen it: "ok" (also when it was acknowledged before), "unknown_alarm" or "bad_value" (it is shelved
    or hidden). The alarm stays while its condition lasts; nothing is released."""
    enter(book, stamp)
    alarm = find(book, alarm_id)
    if alarm is None:
        return "unknown_alarm"
    if alarm.state is AlarmState.ACKNOWLEDGED:
        return "ok"
    if following(alarm.state, AlarmEvent.ACKNOWLEDGE, live=alarm.live) is None:
        return "bad_value"
    alarm.acknowledged_by = by
    acknowledged(book, alarm, stamp)
    cancel(book, alarm.alarm_id, stamp)
    step(book, alarm, AlarmEvent.ACKNOWLEDGE, stamp, by=by)
    return "ok"


def silence(book: AlarmBook, stamp: Stamp, *, zone: str = "") -> None:
    """Stop the sound of all that sounds now ("" = in every zone), and only the sound. What comes later sounds."""
    enter(book, stamp)
    for alarm in book.alarms.values():
        if alarm.state is AlarmState.UNACKNOWLEDGED and not alarm.silenced and zone in {"", alarm.zone}:
            alarm.silenced = True
            mark(book, alarm)


def shelve(book: AlarmBook, alarm_id: str, minutes: int, by: str, stamp: Stamp, *, reason: str = "") -> str:
    """Put it aside for ``minutes`` (1 to ``MAX_SHELF_MIN``): "ok", "unknown_alarm", "not_shelvable" (fire, and what its
    owner says) or "bad_value"."""
    enter(book, stamp)
    alarm = find(book, alarm_id)
    if alarm is None:
        return "unknown_alarm"
    if not alarm.shelvable:
        return "not_shelvable"
    allowed = following(alarm.state, AlarmEvent.SHELVE, live=alarm.live) is not None
    if not allowed or not 1 <= minutes <= MAX_SHELF_MIN:
        return "bad_value"
    alarm.shelved_until_ns = book.clock.now_ns + minutes * 60 * NS_PER_S
    cancel(book, alarm.alarm_id, stamp)
    step(book, alarm, AlarmEvent.SHELVE, stamp, by=by, detail=f"{minutes} min {reason}".strip())
    return "ok"


def unshelve(book: AlarmBook, alarm_id: str, by: str, stamp: Stamp) -> str:
    """End a shelf: what still lasts sounds anew. "ok", "unknown_alarm" or "bad_value" (it was not shelved)."""
    return _return(book, alarm_id, AlarmEvent.UNSHELVE, by, stamp)


def take_out_of_service(book: AlarmBook, alarm_id: str, by: str, stamp: Stamp, *, reason: str = "") -> str:
    """Maintenance takes it out until ``restore``: codes as ``shelve``. Fire refuses."""
    enter(book, stamp)
    alarm = find(book, alarm_id)
    if alarm is None:
        return "unknown_alarm"
    if not alarm.shelvable:
        return "not_shelvable"
    alarm.shelved_until_ns = None
    cancel(book, alarm.alarm_id, stamp)
    step(book, alarm, AlarmEvent.REMOVE, stamp, by=by, detail=reason)
    return "ok"


def restore(book: AlarmBook, alarm_id: str, by: str, stamp: Stamp) -> str:
    """Back in service: what still lasts sounds anew. Codes as ``unshelve``."""
    return _return(book, alarm_id, AlarmEvent.RESTORE, by, stamp)


def reset_alarm(book: AlarmBook, alarm_id: str, by: str, stamp: Stamp) -> str:
    """Release the latch of an alarm whose condition has gone: "ok", "unknown_alarm", or "bad_value" while the condition
    lasts or where nothing is latched. It moves nothing in the field: that is the interlock's reset."""
    enter(book, stamp)
    alarm = find(book, alarm_id)
    if alarm is None:
        return "unknown_alarm"
    if alarm.active or not alarm.held:
        return "bad_value"
    alarm.held = False
    step(book, alarm, AlarmEvent.RESET, stamp, by=by)
    after_gone(book, alarm, stamp)
    return "ok"


def reset_key(book: AlarmBook, key: str, by: str, stamp: Stamp) -> str:
    """``reset_alarm`` by key, for a kernel whose own latch was released."""
    alarm = book.alarms.get(key)
    return "unknown_alarm" if alarm is None else reset_alarm(book, alarm.alarm_id, by, stamp)


def suppress(book: AlarmBook, key: str, why: str, stamp: Stamp) -> bool:
    """Suppress by design (a walk test, a zone without power), now and when it comes later, until ``unsuppress``. The
    kernel asserts it again after a restart. False: a fire, which nothing suppresses."""
    enter(book, stamp)
    alarm = book.alarms.get(key)
    if alarm is not None and alarm.priority is Priority.FIRE:
        return False
    book.by_design[key] = why
    if alarm is not None and not alarm.hidden_by:
        hide(book, alarm, f"design:{why}", stamp)
    return True


def unsuppress(book: AlarmBook, key: str, stamp: Stamp) -> None:
    """End a suppression by design: what still lasts sounds anew."""
    enter(book, stamp)
    book.by_design.pop(key, None)
    alarm = book.alarms.get(key)
    if alarm is not None and alarm.hidden_by.startswith("design:"):
        unhide(book, alarm, stamp)


def tick(book: AlarmBook, stamp: Stamp) -> None:
    """Do what has come due: shelves that end, calm after flapping, children released, notices to (re)send, flood
    metrics. Call it on every timer, and once after a start."""
    enter(book, stamp)
    now_ns = book.clock.now_ns
    for alarm in list(book.alarms.values()):
        if alarm.shelved_until_ns is not None and alarm.shelved_until_ns <= now_ns:
            come_back(book, alarm, AlarmEvent.UNSHELVE, "", stamp)
        if alarm.clear_due_ns is not None and alarm.clear_due_ns <= now_ns:
            clear(book, alarm, stamp)
        if alarm.release_due_ns is not None and alarm.release_due_ns <= now_ns:
            unhide(book, alarm, stamp)
    tick_notices(book, stamp)
    for key in unproven_keys(book):
        raise_alarm(book, key, cause="notice_unproven", zone="", priority=Priority.MEDIUM, detail="", stamp=stamp)


def next_due(book: AlarmBook) -> int | None:
    """Monotonic ns at which ``tick`` has something to do, or None; ``flush`` keeps it in ``AlarmBook.due_ns``."""
    dues = [
        due
        for alarm in book.alarms.values()
        for due in (alarm.shelved_until_ns, alarm.clear_due_ns, alarm.release_due_ns)
        if due is not None
    ]
    dues += notices_due_ns(book)
    dues += flood_due_ns(book)
    return to_mono_ns(book.clock, min(dues)) if dues else None


def _new(book: AlarmBook, key: str, parent: str, stamp: Stamp) -> Alarm:
    """A new occurrence; what it is is filled in by the caller."""
    return Alarm(
        alarm_id=next_id(book, stamp),
        key=key,
        cause="",
        zone="",
        priority=Priority.LOW,
        shelvable=False,
        latched=False,
        parent=parent,
        first_wall_ns=stamp.wall_ns,
        last_wall_ns=stamp.wall_ns,
    )


def _overflow(book: AlarmBook, key: str, stamp: Stamp) -> str:
    """The book is full: one alarm stands for all that found no room, until somebody resets it."""
    return raise_alarm(
        book,
        OVERFLOW_KEY,
        cause="alarms_overflow",
        zone="",
        priority=Priority.HIGH,
        detail=key,
        stamp=stamp,
        latched=True,
        shelvable=False,
    )


def _return(book: AlarmBook, alarm_id: str, event: AlarmEvent, by: str, stamp: Stamp) -> str:
    enter(book, stamp)
    alarm = find(book, alarm_id)
    if alarm is None:
        return "unknown_alarm"
    if following(alarm.state, event, live=alarm.live) is None:
        return "bad_value"
    come_back(book, alarm, event, by, stamp)
    return "ok"
