"""What a panel shows of an access door. No holder and no card: the journal (``AccessEventRow``) has them for staff."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.words import Text


class LockState(StrEnum):
    """LOCKED: only a card opens. GRANTED: a card has opened it, for seconds. RELEASED: the interlock holds it open."""

    LOCKED = "locked"
    GRANTED = "granted"
    RELEASED = "released"


class DoorView(msgspec.Struct, frozen=True, kw_only=True):
    """One door. ``open`` None: no contact, or it has not spoken since the start. ``trouble``: "", forced or held.
    ``last`` is what the last card since the start was answered: "", granted, or why it was refused (unknown_card,
    wrong_door, expired, wrong_hour), ``last_ago_s`` ago. ``events``: lines of the journal since the start, so that a
    page knows when to read it again."""

    door: str
    name: Text
    lock: LockState
    open: bool | None
    trouble: str = ""
    last: str = ""
    last_ago_s: int | None = None
    events: int = 0
