"""The transactions of a charger as we know them.

The hard part is what chargers do with them in the field: a start sent again after a lost answer, a stop sent twice, an
id of -1 for a transaction that began offline. A user would notice a mistake as a session that is paid for twice or
never ends.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import OrderedDict

import msgspec

OPEN_MAX = 64
ENDED_MAX = 64
_ID_MASK = 0x7FFF_FFFF


class Transaction(msgspec.Struct, frozen=True):
    """``session`` is our command's id where we started it, else the id as text."""

    transaction_id: int
    connector: int
    session: str
    meter_start_wh: int | None


def tag_of(command_id: str) -> str:
    """The idTag (at most 20 characters) under which our command starts a transaction."""
    return "K" + hashlib.sha256(command_id.encode()).hexdigest()[:19].upper()


class Transactions:
    """At most 64 open, 64 ended ones remembered, 64 tags given out; the oldest of each is forgotten."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, Transaction] = OrderedDict()
        self._ended: OrderedDict[int, None] = OrderedDict()
        self._tags: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def give_tag(self, connector: int, command_id: str) -> str:
        tag = tag_of(command_id)
        self._tags[tag] = (connector, command_id)
        if len(self._tags) > OPEN_MAX:
            self._tags.popitem(last=False)
        return tag

    def withdraw(self, connector: int) -> None:
        """Tags given out for a connector that is to be off start nothing any more."""
        for tag in [tag for tag, (given, _) in self._tags.items() if given == connector]:
            del self._tags[tag]

    def knows_tag(self, tag: str) -> bool:
        return tag in self._tags

    def start(self, connector: int, tag: str, told: str, meter_start_wh: int | None) -> tuple[Transaction, bool]:
        """The transaction of a StartTransaction, and whether it is a repeated one. ``told`` is all that the charger
        said of it: said again, it gives the same id."""
        transaction_id = zlib.crc32(told.encode()) & _ID_MASK or 1
        if transaction_id in self._open:
            return self._open[transaction_id], True
        session = self._tags[tag][1] if tag in self._tags else str(transaction_id)
        transaction = Transaction(transaction_id, connector, session, meter_start_wh)
        self.adopt(transaction)
        return transaction, False

    def adopt(self, transaction: Transaction) -> None:
        """A transaction that runs at the charger, however we heard of it. A connector has one at a time."""
        for each in [each for each in self._open.values() if each.connector == transaction.connector]:
            del self._open[each.transaction_id]
        self._open[transaction.transaction_id] = transaction
        if len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)

    def of(self, connector: int) -> Transaction | None:
        return next((each for each in self._open.values() if each.connector == connector), None)

    def stop(self, transaction_id: int) -> Transaction | None:
        """The transaction that ends, None for one that has ended already or is not known. An id that cannot be one (0,
        -1) means the only open one, if there is only one."""
        transaction = self._open.pop(transaction_id, None)
        if transaction is None and transaction_id <= 0 and len(self._open) == 1:
            _, transaction = self._open.popitem()
        if transaction is not None:
            self._ended[transaction.transaction_id] = None
            if len(self._ended) > ENDED_MAX:
                self._ended.popitem(last=False)
        return transaction

    def has_ended(self, transaction_id: int) -> bool:
        return transaction_id in self._ended
