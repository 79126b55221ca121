"""What people do with alarms: the commands that every vertical takes, and what they do to the book.

Acknowledge, silence, shelve and reset are four different acts; none of them moves anything in the field (an interlock's
reset is its vertical's own command).
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_book import AlarmBook
from edge.domain.alarm_delivery import proven
from edge.domain.alarms import acknowledge, reset_alarm, restore, shelve, take_out_of_service, unshelve
from edge.domain.kernel import Stamp
from edge.domain.notices import Channel


class AckAlarm(msgspec.Struct, frozen=True, kw_only=True, tag="ack_alarm"):
    """I have seen it. Stops nothing but its sound and its escalation."""

    alarm_id: str


class ShelveAlarm(msgspec.Struct, frozen=True, kw_only=True, tag="shelve_alarm"):
    """Put an alarm aside for ``minutes`` (1-480; 0 unshelves). Fire may not be shelved."""

    alarm_id: str
    minutes: int
    reason: str = ""


class ResetAlarm(msgspec.Struct, frozen=True, kw_only=True, tag="reset_alarm"):
    """End a latched alarm whose condition has gone. Not the reset of a zone."""

    alarm_id: str


class ServiceAlarm(msgspec.Struct, frozen=True, kw_only=True, tag="service_alarm"):
    """Take an alarm out of service (``out``) until it is put back. Fire refuses."""

    alarm_id: str
    out: bool
    reason: str = ""


class AlarmShown(msgspec.Struct, frozen=True, kw_only=True, tag="alarm_shown"):
    """A panel has the alarm on its screen: the proof of delivery of the channel "page"."""

    alarm_id: str


AlarmCommand = AckAlarm | ShelveAlarm | ResetAlarm | ServiceAlarm | AlarmShown


def act(book: AlarmBook, body: AlarmCommand, by: str, stamp: Stamp) -> str:
    """Do it; gives the problem code (``ok``, ``unknown_alarm``, ``not_shelvable``, ``bad_value``). ``by`` is the person
    or terminal."""
    match body:
        case AckAlarm(alarm_id=alarm_id):
            return acknowledge(book, alarm_id, by, stamp)
        case ShelveAlarm(alarm_id=alarm_id, minutes=0):
            return unshelve(book, alarm_id, by, stamp)
        case ShelveAlarm(alarm_id=alarm_id, minutes=minutes, reason=reason):
            return shelve(book, alarm_id, minutes, by, stamp, reason=reason)
        case ResetAlarm(alarm_id=alarm_id):
            return reset_alarm(book, alarm_id, by, stamp)
        case ServiceAlarm(alarm_id=alarm_id, out=True, reason=reason):
            return take_out_of_service(book, alarm_id, by, stamp, reason=reason)
        case ServiceAlarm(alarm_id=alarm_id):
            return restore(book, alarm_id, by, stamp)
        case AlarmShown(alarm_id=alarm_id):
            proven(book, Channel.PAGE, alarm_id, by, stamp)
            return "ok"
