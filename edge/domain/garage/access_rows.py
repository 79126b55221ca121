"""What access doors keep: each card that was shown, each door that was forced, held or released. ``at_ns`` is UTC wall
time."""

from __future__ import annotations

from typing import ClassVar

from edge.domain.kernel import Row


class AccessEventRow(Row, frozen=True, kw_only=True, tag="access_event"):
    """One event at a door. ``what``: granted, denied, forced, held, closed, relocked, released (by the
    interlock). ``why``: stable code of a refusal. ``holder`` is a token, never a name; of an unknown card only its last
    four characters are kept, in ``card_end``."""

    KEY: ClassVar = ("seq", "door", "what")
    seq: int
    door: str
    what: str
    why: str
    holder: str
    card_end: str
    at_ns: int
    at_trusted: bool


ACCESS_ROW_TYPES: tuple[type[Row], ...] = (AccessEventRow,)
