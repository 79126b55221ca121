"""What the API reads from the stores of the daemons: rows, never sums that the kernel keeps.

Reads are synchronous and short (the reader's transactions end within 250 ms); routes call them in the thread pool. A
user would notice a mistake here as another member's order on the screen, so every method is asked for one owner or one
object, and the owner check is the caller's (``edge.api.owners``).
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

import msgspec

from edge.domain.canteen import rows
from edge.domain.canteen.settings import CanteenConfig


class BooksAway(Exception):  # noqa: N818 - a state of the world, not a fault of the program
    """The store cannot be read now (missing, being migrated, of another version). ``args[0]`` says which."""


class BadCursor(ValueError):  # noqa: N818 - see BooksAway
    """The cursor is none that this list gave out."""


R = TypeVar("R")


class Listing(msgspec.Struct, Generic[R], frozen=True):
    """Some rows and the opaque cursor of the next ones, None at the end."""

    rows: list[R]
    next_cursor: str | None


class OrderFile(msgspec.Struct, frozen=True, kw_only=True):
    """All that is stored about one order."""

    order: rows.OrderRow
    lines: list[rows.OrderLineRow]
    steps: list[rows.OrderStepRow]
    payment: rows.PaymentRow | None
    refunds: list[rows.RefundRow]


class Books(Protocol):
    """Stored rows, read-only. Every method may raise ``BooksAway``, those with a cursor ``BadCursor``."""

    def config(self) -> CanteenConfig | None:
        """The configuration in force in the daemon (without its plates and members), None before its first start."""
        ...

    def order(self, order_id: str) -> OrderFile | None: ...

    def orders(self, day: str, lane: str, cursor: str | None, limit: int) -> Listing[rows.OrderRow]:
        """Newest first; "" means any day or lane."""
        ...

    def member_orders(self, member: str, cursor: str | None, limit: int) -> Listing[rows.OrderRow]:
        """One member's orders, newest first."""
        ...

    def member(self, token: str) -> rows.MemberRow | None: ...

    def balance_fen(self, member: str) -> int:
        """0 for a purse that never moved."""
        ...

    def purse_entries(self, member: str, cursor: str | None, limit: int) -> Listing[rows.PurseEntryRow]:
        """One purse's movements, newest first."""
        ...

    def plates(self, cursor: str | None, limit: int) -> Listing[rows.PlateRow]:
        """In the order of ``uid``."""
        ...
