"""What a panel shows of the alarms: complete states, the first fire on top. Key ``alarms``."""

from __future__ import annotations

import msgspec

from edge.domain.alarm_book import NS_PER_S, Alarm, AlarmBook
from edge.domain.alarm_states import AlarmState, Priority
from edge.domain.kernel import Stamp
from edge.domain.notices import Channel

#: The order on the page: what asks for a hand comes first.
_ORDER = {
    AlarmState.UNACKNOWLEDGED: 0,
    AlarmState.ACKNOWLEDGED: 1,
    AlarmState.RETURNED_UNACKNOWLEDGED: 2,
    AlarmState.SHELVED: 3,
    AlarmState.OUT_OF_SERVICE: 4,
    AlarmState.SUPPRESSED: 5,
    AlarmState.NORMAL: 6,
}


class AlarmView(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm group as a panel shows it (``edge.domain.alarms``). ``state``: unacknowledged, acknowledged,
    returned_unacknowledged, shelved, suppressed, out_of_service. ``latched``: its condition has gone and only a reset
    ends it. ``count``: how often it came or something joined it; ``dropped``: details beyond those shown.
    ``asked`` > 0: the box wants a panel to say that it shows this alarm (the channel "page"), and has asked so many
    times by now."""

    alarm_id: str
    cause: str
    zone: str
    priority: str
    state: str
    latched: bool
    count: int
    details: tuple[str, ...]
    first_wall_ns: int
    last_wall_ns: int
    acknowledged_by: str = ""
    shelved_left_s: int = 0
    active: bool = True
    shelvable: bool = True
    silenced: bool = False
    flapping: bool = False
    dropped: int = 0
    hidden_by: str = ""
    asked: int = 0


class AlarmsView(msgspec.Struct, frozen=True, kw_only=True):
    """All alarms that are not normal, the first fire on top; key ``alarms``. Alarms that a parent explains are details
    of that parent and not listed. ``hidden`` counts them."""

    alarms: tuple[AlarmView, ...]
    flood: bool
    unacknowledged: int
    sounding: bool
    at_wall_ns: int
    hidden: int = 0


def alarms_view(book: AlarmBook, stamp: Stamp) -> AlarmsView:
    """The page's list as it stands."""
    shown = [alarm for alarm in book.alarms.values() if not _explained(book, alarm)]
    shown.sort(key=_place)
    asked: dict[str, int] = {}
    for notice in book.notices.values():
        if notice.channel is Channel.PAGE:
            asked[notice.alarm_id] = asked.get(notice.alarm_id, 0) + notice.tries
    waiting = [alarm for alarm in shown if alarm.state is AlarmState.UNACKNOWLEDGED]
    return AlarmsView(
        alarms=tuple(_view(book, alarm, asked.get(alarm.alarm_id, 0)) for alarm in shown),
        flood=book.flood,
        unacknowledged=len(waiting) + sum(alarm.state is AlarmState.RETURNED_UNACKNOWLEDGED for alarm in shown),
        sounding=any(alarm.live and not alarm.silenced for alarm in waiting),
        at_wall_ns=stamp.wall_ns,
        hidden=len(book.alarms) - len(shown),
    )


def _explained(book: AlarmBook, alarm: Alarm) -> bool:
    return alarm.state is AlarmState.SUPPRESSED and alarm.hidden_by in book.alarms


def _place(alarm: Alarm) -> tuple[int, int, int, int, str]:
    """Live fires first, the oldest of them on top (where it began matters most); then by state and priority, the
    newest first."""
    if alarm.priority is Priority.FIRE and alarm.live:
        return (0, 0, 0, alarm.first_wall_ns, alarm.alarm_id)
    return (1, _ORDER[alarm.state], alarm.priority.rank, -alarm.last_wall_ns, alarm.alarm_id)


def _view(book: AlarmBook, alarm: Alarm, asked: int) -> AlarmView:
    left_ns = 0 if alarm.shelved_until_ns is None else alarm.shelved_until_ns - book.clock.now_ns
    return AlarmView(
        alarm_id=alarm.alarm_id,
        cause=alarm.cause,
        zone=alarm.zone,
        priority=alarm.priority.value,
        state=alarm.state.value,
        latched=alarm.held and not alarm.active,
        count=alarm.count,
        details=tuple(alarm.details),
        first_wall_ns=alarm.first_wall_ns,
        last_wall_ns=alarm.last_wall_ns,
        acknowledged_by=alarm.acknowledged_by,
        shelved_left_s=max(0, -(-left_ns // NS_PER_S)),
        active=alarm.active,
        shelvable=alarm.shelvable,
        silenced=alarm.silenced,
        flapping=alarm.clear_due_ns is not None,
        dropped=len(alarm.dropped),
        hidden_by=alarm.hidden_by,
        asked=asked,
    )
