"""What is known of an access door."""

from __future__ import annotations

import msgspec

from edge.domain.garage.settings import DoorSettings


class Door(msgspec.Struct, kw_only=True):
    """One door. ``unlocked_until_ns``: when the lock must fall, 0 = it has; ``granted_until_ns``: the same of the last
    card, kept; ``last_answer``: what that card was answered. ``opened_ns``: since when the contact says open, None
    closed or unknown. ``forced``: this opening was not granted. ``events``:
    lines of the journal since the start. Times are monotonic of this boot."""

    settings: DoorSettings
    unlocked_until_ns: int = 0
    granted_until_ns: int = 0
    opened_ns: int | None = None
    forced: bool = False
    held: bool = False
    last_card: str = ""
    last_card_ns: int = 0
    last_answer: str = ""
    events: int = 0
