"""The journal of the access doors as the API answers it.

It says who came and when: for staff alone, never for a wall or a resident, and with tokens instead of names.
"""

from __future__ import annotations

import msgspec

from edge.api.books import Listing
from edge.domain.garage.access_rows import AccessEventRow


class AccessEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the journal of a door. ``at_trusted`` False: the box's clock was not sure of itself then."""

    seq: int
    door: str
    what: str
    why: str
    holder: str
    card_end: str
    at_ns: int
    at_trusted: bool


class AccessEventList(msgspec.Struct, frozen=True, kw_only=True):
    """The journal, newest first."""

    items: list[AccessEvent]
    next_cursor: str | None


def access_list(listing: Listing[AccessEventRow]) -> AccessEventList:
    """The stored journal as an answer."""
    items = [
        AccessEvent(**{name: getattr(row, name) for name in AccessEvent.__struct_fields__}) for row in listing.rows
    ]
    return AccessEventList(items=items, next_cursor=listing.next_cursor)
