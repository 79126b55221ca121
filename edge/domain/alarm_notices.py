"""The outbox of notices: who is told of an alarm, when, how often, and until what proof.

Pure: it says what is due; a shell (``edge.runtime.notify``) sends and answers with ``NotifyResult``. The hard part is
to tell the truth about delivery without flooding the one who listens: the same id until proven, a growing pause between
tries, an end after a day, one notice at a time per alarm and target so that "cleared" never overtakes "raised". Notices
about notices are never made: a dead webhook is an alarm on the page only. A user would notice a mistake as a phone that
rings all night for an alarm which was acknowledged at nine.

PAGE and BUZZER are not sent: the view and the sounder's output are the channel; their proof comes by ``proven``.
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_book import MAX_NOTICES, NS_PER_S, Alarm, AlarmBook, Notice, Step, mark, next_id
from edge.domain.alarm_rows import NotificationRow
from edge.domain.alarm_states import AlarmState
from edge.domain.kernel import Stamp
from edge.domain.notices import Channel, Notify

FIRST_RETRY_NS = 5 * NS_PER_S
MAX_RETRY_NS = 300 * NS_PER_S
#: An unproven notice is given up after this long (and the journal says so).
GIVE_UP_NS = 24 * 3600 * NS_PER_S
#: So many tries without proof are an alarm of their own.
TRIES_TO_ALARM = 3
#: Alarms whose key begins so are never told by notice.
NOTIFY_KEY = "notify:"
_SENT = (Channel.MQTT, Channel.WEBHOOK)


def arm(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """Begin the escalation of an alarm that sounds now."""
    alarm.steps_done = 0
    cancel(book, alarm.alarm_id, stamp)
    escalate(book, alarm, stamp)


def escalate(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """Make the notices whose time has come while nobody acknowledged."""
    for step in _steps(book, alarm)[alarm.steps_done :]:
        if alarm.raised_ns + step.after_s * NS_PER_S > book.clock.now_ns:
            return
        alarm.steps_done += 1
        mark(book, alarm)
        what = "escalated" if step.after_s else "raised"
        _make(book, alarm, (step.channel, step.target), what, stamp)
        if (step.channel, step.target) not in alarm.told:
            alarm.told.append((step.channel, step.target))


def tick_notices(book: AlarmBook, stamp: Stamp) -> None:
    """Escalate what nobody acknowledged, and give up what cannot be proven."""
    for alarm in list(book.alarms.values()):
        if alarm.state is AlarmState.UNACKNOWLEDGED:
            escalate(book, alarm, stamp)
    for notice in list(book.notices.values()):
        if book.clock.now_ns - notice.made_ns >= GIVE_UP_NS:
            _end(book, notice, "failed", "given up", stamp)


def cancel(book: AlarmBook, alarm_id: str, stamp: Stamp) -> None:
    """Somebody took care: what was not to be told in any case is not told any more."""
    for notice in list(book.notices.values()):
        if notice.alarm_id == alarm_id and not notice.sticky:
            _end(book, notice, "cancelled", "", stamp)


def tell_cleared(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """Those who were told of it hear that it is over."""
    cancel(book, alarm.alarm_id, stamp)
    for told in alarm.told:
        if told[0] in _SENT:
            _make(book, alarm, told, "cleared", stamp)
    alarm.told = []


def retry_all(book: AlarmBook) -> None:
    """After a time away of unknown length every notice is due."""
    for notice in book.notices.values():
        notice.due_ns = book.clock.now_ns


def notices_due_ns(book: AlarmBook) -> list[int]:
    """Book times at which something is to be sent, escalated or given up."""
    dues = [min(notice.due_ns, notice.made_ns + GIVE_UP_NS) for notice in _heads(book)]
    for alarm in book.alarms.values():
        if alarm.state is AlarmState.UNACKNOWLEDGED:
            rest = _steps(book, alarm)[alarm.steps_done :]
            dues += [alarm.raised_ns + rest[0].after_s * NS_PER_S] if rest else []
    return dues


def take_due(book: AlarmBook, stamp: Stamp) -> list[Notify]:
    """What is to be sent now; each counts as a try and is due again after its pause."""
    sent = []
    for notice in _heads(book):
        if notice.due_ns > book.clock.now_ns:
            continue
        notice.tries += 1
        pause_ns = FIRST_RETRY_NS << min(notice.tries - 1, 10)
        notice.due_ns = book.clock.now_ns + min(pause_ns, MAX_RETRY_NS)
        _write(book, notice, "pending", "", stamp)
        if notice.channel in _SENT:
            sent.append(_message(notice))
        else:
            book.changed = True
    return sent


def finish(book: AlarmBook, notice: Notice, state: str, proof: str, stamp: Stamp) -> None:
    """Take a notice out of the outbox as delivered or failed, with the proof."""
    _end(book, notice, state, proof, stamp)


def target_key(channel: Channel, target: str) -> str:
    """The key of the alarm that says that this target does not answer."""
    return f"{NOTIFY_KEY}{channel}:{target}"


def unproven_keys(book: AlarmBook) -> list[str]:
    """Keys of the targets to which some notice was tried often and never proven."""
    tried = [notice for notice in book.notices.values() if notice.tries >= TRIES_TO_ALARM]
    return list(dict.fromkeys(target_key(notice.channel, notice.target) for notice in tried))


def _steps(book: AlarmBook, alarm: Alarm) -> list[Step]:
    if alarm.key.startswith(NOTIFY_KEY):
        return []
    chosen = [step for step in book.steps if step.priority is alarm.priority]
    return sorted(chosen, key=lambda step: step.after_s)


def _heads(book: AlarmBook) -> list[Notice]:
    """The first waiting notice of each alarm and target; the later ones wait for it."""
    heads: dict[tuple[str, Channel, str], Notice] = {}
    for notice in book.notices.values():
        heads.setdefault((notice.alarm_id, notice.channel, notice.target), notice)
    return list(heads.values())


def _make(book: AlarmBook, alarm: Alarm, to: tuple[Channel, str], what: str, stamp: Stamp) -> None:
    _make_room(book, alarm, stamp)
    notice = Notice(
        notice_id=next_id(book, stamp),
        alarm_id=alarm.alarm_id,
        channel=to[0],
        target=to[1],
        what=what,
        cause=alarm.cause,
        zone=alarm.zone,
        priority=alarm.priority,
        details=tuple(alarm.details),
        since_wall_ns=alarm.first_wall_ns,
        made_ns=book.clock.now_ns,
        due_ns=book.clock.now_ns,
        sticky=what != "escalated",
    )
    book.notices[notice.notice_id] = notice
    _write(book, notice, "pending", "", stamp)


def _make_room(book: AlarmBook, alarm: Alarm, stamp: Stamp) -> None:
    """The oldest notice of the lowest priority goes, and is counted."""
    if len(book.notices) < MAX_NOTICES:
        return
    victim = max(book.notices.values(), key=lambda notice: (notice.priority.rank, -notice.made_ns))
    book.dropped_notices += 1
    _end(book, victim, "dropped", f"no room for {alarm.alarm_id}", stamp)


def _end(book: AlarmBook, notice: Notice, state: str, proof: str, stamp: Stamp) -> None:
    del book.notices[notice.notice_id]
    _write(book, notice, state, proof, stamp)


def _write(book: AlarmBook, notice: Notice, state: str, proof: str, stamp: Stamp) -> None:
    pending = state == "pending"
    book.notice_rows[notice.notice_id] = NotificationRow(
        notice_id=notice.notice_id,
        alarm_id=notice.alarm_id,
        channel=notice.channel.value,
        target=notice.target,
        what=notice.what,
        state=state,
        pending=pending,
        tries=notice.tries,
        proof=proof,
        at_ns=stamp.wall_ns,
        body=msgspec.msgpack.encode(notice) if pending else b"",
    )


def _message(notice: Notice) -> Notify:
    return Notify(
        notice_id=notice.notice_id,
        channel=notice.channel,
        target=notice.target,
        what=notice.what,
        alarm_id=notice.alarm_id,
        cause=notice.cause,
        zone=notice.zone,
        priority=notice.priority.value,
        details=notice.details,
        since_wall_ns=notice.since_wall_ns,
        attempt=notice.tries,
    )
