"""``Books`` over the canteen daemon's own file, read-only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from edge.api.books import BadCursor, BooksAway, Listing, OrderFile
from edge.domain.answered import ConfigRow
from edge.domain.canteen import rows
from edge.domain.canteen.settings import CanteenConfig
from edge.domain.kernel import Row
from edge.storage.errors import StoreError
from edge.storage.reading import StoreReader, Value

R = TypeVar("R", bound=Row)
T = TypeVar("T")

#: Lines, steps and refunds of one order: a tray holds tens of plates.
MAX_PARTS = 500


class StoreBooks:
    """Reads ``facts.db`` in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._reader = StoreReader(directory)
        self._config: CanteenConfig | None = None
        self._config_version = ""

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def config(self) -> CanteenConfig | None:
        found = _read(lambda: self._reader.fetch(ConfigRow, limit=1))
        if not found:
            return None
        if self._config is None or found[0].version != self._config_version:
            try:
                self._config = msgspec.msgpack.decode(found[0].body, type=CanteenConfig)
            except msgspec.MsgspecError as exc:
                raise BooksAway("the stored configuration is of another version") from exc
            self._config_version = found[0].version
        return self._config

    def order(self, order_id: str) -> OrderFile | None:
        order = _read(lambda: self._reader.get(rows.OrderRow, order_id))
        if order is None:
            return None
        sale: dict[str, Value] = {"business_day": order.business_day, "order_id": order_id}
        return OrderFile(
            order=order,
            lines=self._parts(rows.OrderLineRow, sale),
            steps=self._parts(rows.OrderStepRow, sale),
            payment=next(iter(self._parts(rows.PaymentRow, sale)), None),
            refunds=self._parts(rows.RefundRow, {"order_id": order_id}),
        )

    def orders(self, day: str, lane: str, cursor: str | None, limit: int) -> Listing[rows.OrderRow]:
        where: dict[str, Value] = {**({"business_day": day} if day else {}), **({"lane": lane} if lane else {})}
        return self._page(rows.OrderRow, where, ("business_day", "seq"), cursor, limit)

    def member_orders(self, member: str, cursor: str | None, limit: int) -> Listing[rows.OrderRow]:
        return self._page(rows.OrderRow, {"member": member}, ("seq",), cursor, limit)

    def member(self, token: str) -> rows.MemberRow | None:
        return _read(lambda: self._reader.get(rows.MemberRow, token))

    def balance_fen(self, member: str) -> int:
        purse = _read(lambda: self._reader.get(rows.PurseRow, member))
        return purse.balance_fen if purse is not None else 0

    def purse_entries(self, member: str, cursor: str | None, limit: int) -> Listing[rows.PurseEntryRow]:
        return self._page(rows.PurseEntryRow, {"member": member}, ("seq",), cursor, limit)

    def plates(self, cursor: str | None, limit: int) -> Listing[rows.PlateRow]:
        return self._page(rows.PlateRow, {}, ("uid",), cursor, limit, newest_first=False)

    def _parts(self, kind: type[R], where: Mapping[str, Value]) -> list[R]:
        return _read(lambda: self._reader.fetch(kind, where, limit=MAX_PARTS))

    def _page(
        self,
        kind: type[R],
        where: Mapping[str, Value],
        by: Sequence[str],
        cursor: str | None,
        limit: int,
        *,
        newest_first: bool = True,
    ) -> Listing[R]:
        def page() -> Listing[R]:
            found = self._reader.page(kind, where, by=by, newest_first=newest_first, cursor=cursor, limit=limit)
            return Listing(found.rows, found.cursor)

        return _read(page)


def _read(work: Callable[[], T]) -> T:
    try:
        return work()
    except StoreError as exc:
        if exc.code == "cursor":
            raise BadCursor(exc.text) from exc
        raise BooksAway(f"{exc.code}: {exc.text}") from exc
