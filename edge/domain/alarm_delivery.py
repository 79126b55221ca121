"""Proof of delivery: what came of telling somebody goes back into the book.

A user would notice a mistake here as a webhook that is told the same fire for a day although it answered each time.
"""

from __future__ import annotations

from edge.domain.alarm_book import AlarmBook
from edge.domain.alarm_moves import enter
from edge.domain.alarm_notices import finish, target_key
from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.kernel import Stamp
from edge.domain.notices import Channel, NotifyResult


def notified(book: AlarmBook, result: NotifyResult, stamp: Stamp) -> None:
    """What came of an attempt to tell somebody. Delivered or final: done. Else it is tried again after its pause (and
    from the third try on ``tick`` makes the dead target an alarm of its own, on the page only)."""
    enter(book, stamp)
    notice = book.notices.get(result.notice_id)
    if notice is None:
        return
    key = target_key(notice.channel, notice.target)
    if result.delivered:
        finish(book, notice, "delivered", result.proof, stamp)
        clear_alarm(book, key, stamp)
    elif result.final:
        finish(book, notice, "failed", result.proof, stamp)
        detail = result.proof
        raise_alarm(book, key, cause="notice_refused", zone="", priority=Priority.MEDIUM, detail=detail, stamp=stamp)


def proven(book: AlarmBook, channel: Channel, alarm_id: str, proof: str, stamp: Stamp) -> None:
    """A panel showed the alarm (PAGE) or the sounder reads on (BUZZER): its notices by this channel are done."""
    enter(book, stamp)
    for notice in list(book.notices.values()):
        if notice.channel is channel and notice.alarm_id == alarm_id:
            book.changed = True  # what a panel is asked for is in the view
            finish(book, notice, "delivered", proof, stamp)
            clear_alarm(book, target_key(channel, notice.target), stamp)
