"""The life cycle of one alarm as a total table (after ISA-18.2 / IEC 62682; ``garage-domain.md`` section 2).

The hard part is that nobody can make an alarm go away while what it speaks of lasts: acknowledge, silence, shelve and
reset are different acts, and each has its own column here. An alarm is *live* while its condition lasts, or while a
latch still holds it after the condition went. A user would notice a mistake as a fire that vanished from the page
because somebody had clicked it away.

``TABLE[state, event]`` gives the next state when the alarm is live after the event, and the next one when it is not;
None is a refusal (the state stays). Every pair of a state and an event is in the table, a test counts them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

#: Causes that the alarm book raises by itself: no room for one more, a notice that nobody proved or that was refused.
BOOK_CAUSES = frozenset({"alarms_overflow", "notice_unproven", "notice_refused"})


class AlarmState(StrEnum):
    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    OUT_OF_SERVICE = "out_of_service"


class AlarmEvent(StrEnum):
    """RAISE: the condition came (or came again). REANNOUNCE: it lasts and something new joined it. CLEAR: it went.
    RESET: a person released the latch. REMOVE and RESTORE: out of service and back."""

    RAISE = "raise"
    REANNOUNCE = "reannounce"
    CLEAR = "clear"
    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    SUPPRESS = "suppress"
    UNSUPPRESS = "unsuppress"
    REMOVE = "remove"
    RESTORE = "restore"


class Priority(StrEnum):
    """FIRE stands above the three of ISA-18.2 (whose aim is about 80 % low, 15 % medium, 5 % high) and can neither be
    shelved, suppressed nor taken out of service."""

    FIRE = "fire"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return _RANKS[self]


_RANKS = {Priority.FIRE: 0, Priority.HIGH: 1, Priority.MEDIUM: 2, Priority.LOW: 3}


class Next(NamedTuple):
    """The state after an event: while the alarm is live, and when it is not. None refuses the event."""

    live: AlarmState | None
    gone: AlarmState | None


_NORMAL = AlarmState.NORMAL
_UNACK = AlarmState.UNACKNOWLEDGED
_ACK = AlarmState.ACKNOWLEDGED
_RTN = AlarmState.RETURNED_UNACKNOWLEDGED
_SHELVED = AlarmState.SHELVED
_SUPPRESSED = AlarmState.SUPPRESSED
_OUT = AlarmState.OUT_OF_SERVICE
_STATES = (_NORMAL, _UNACK, _ACK, _RTN, _SHELVED, _SUPPRESSED, _OUT)
_NO = Next(None, None)
_SHOWN_AGAIN = Next(_UNACK, _NORMAL)

#: One row per event, one column per state in the order of ``AlarmState``.
_ROWS: dict[AlarmEvent, tuple[Next, ...]] = {
    AlarmEvent.RAISE: (
        Next(_UNACK, _UNACK),
        Next(_UNACK, _UNACK),
        Next(_ACK, _ACK),
        Next(_UNACK, _UNACK),
        Next(_SHELVED, _SHELVED),
        Next(_SUPPRESSED, _SUPPRESSED),
        Next(_OUT, _OUT),
    ),
    AlarmEvent.REANNOUNCE: (
        Next(_UNACK, None),
        Next(_UNACK, None),
        Next(_UNACK, None),
        Next(_UNACK, None),
        Next(_SHELVED, None),
        Next(_SUPPRESSED, None),
        Next(_OUT, None),
    ),
    AlarmEvent.CLEAR: (
        Next(_NORMAL, _NORMAL),
        Next(_UNACK, _RTN),
        Next(_ACK, _NORMAL),
        Next(_RTN, _RTN),
        Next(_SHELVED, _SHELVED),
        Next(_SUPPRESSED, _SUPPRESSED),
        Next(_OUT, _OUT),
    ),
    AlarmEvent.ACKNOWLEDGE: (_NO, Next(_ACK, _NORMAL), Next(_ACK, _NORMAL), Next(_ACK, _NORMAL), _NO, _NO, _NO),
    # A reset is refused while the condition lasts: the caller makes the alarm "not live" by releasing the latch.
    AlarmEvent.RESET: (
        _NO,
        Next(None, _RTN),
        Next(None, _NORMAL),
        Next(None, _RTN),
        Next(None, _SHELVED),
        Next(None, _SUPPRESSED),
        Next(None, _OUT),
    ),
    AlarmEvent.SHELVE: (_NO, *(Next(_SHELVED, _SHELVED),) * 4, _NO, _NO),
    AlarmEvent.UNSHELVE: (_NO, _NO, _NO, _NO, _SHOWN_AGAIN, _NO, _NO),
    AlarmEvent.SUPPRESS: (*(Next(_SUPPRESSED, _SUPPRESSED),) * 6, Next(_OUT, _OUT)),
    AlarmEvent.UNSUPPRESS: (_NO, _NO, _NO, _NO, _NO, _SHOWN_AGAIN, _NO),
    AlarmEvent.REMOVE: (Next(_OUT, _OUT),) * 7,
    AlarmEvent.RESTORE: (*(_NO,) * 6, _SHOWN_AGAIN),
}

TABLE: dict[tuple[AlarmState, AlarmEvent], Next] = {
    (state, event): following
    for event, columns in _ROWS.items()
    for state, following in zip(_STATES, columns, strict=True)
}


def following(state: AlarmState, event: AlarmEvent, *, live: bool) -> AlarmState | None:
    """The state after ``event``; ``live`` is judged after the event. None: the act is refused."""
    after = TABLE[state, event]
    return after.live if live else after.gone
