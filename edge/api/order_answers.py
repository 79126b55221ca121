"""Stored rows as answers: an order with all its parts, lists, a purse, plates. Pure translation, no sums of our own."""

from __future__ import annotations

from typing import Any

import msgspec

from edge.api.books import Listing, OrderFile
from edge.domain.canteen import rows
from edge.domain.canteen.messages import Assurance
from edge.domain.canteen.settings import CanteenConfig
from edge.domain.words import Text


class OrderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A sale. list_fen + discount_fen + subsidy_fen + rounding_fen = payable_fen."""

    order_id: str
    business_day: str
    meal: str
    lane: str
    member: str | None
    category: str
    status: str
    list_fen: int
    discount_fen: int
    subsidy_fen: int
    rounding_fen: int
    payable_fen: int
    refunded_fen: int
    at_ns: int
    at_trusted: bool


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """One plate of an order. ``shares_fen`` are its shares of the order's steps, in step order."""

    line_no: int
    plate_uid: str
    dish_id: str
    dish_version: str
    name: Text | None
    grams: int
    list_fen: int
    payable_fen: int
    subsidy_fen: int
    shares_fen: tuple[int, ...]
    energy_j: int
    protein_mg: int
    fat_mg: int
    carbohydrate_mg: int
    sodium_mg: int
    refunded: bool


class OrderStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the price, with the rule that made it and the numbers it used."""

    step_no: int
    kind: str
    rule_id: str
    rule_version: str
    title: Text | None
    scheme: str
    fen: int
    why: dict[str, int | str]


class OrderPayment(msgspec.Struct, frozen=True, kw_only=True):
    """How an order was paid."""

    method: str
    fen: int
    tendered_fen: int
    change_fen: int
    at_ns: int


class OrderRefund(msgspec.Struct, frozen=True, kw_only=True):
    """What was paid back for one line."""

    refund_id: str
    line_no: int
    paid_fen: int
    subsidy_fen: int
    business_day: str
    actor: str
    reason: str
    at_ns: int


class Order(OrderSummary, frozen=True, kw_only=True):
    """A sale with everything that explains it. ``assurance``: how sure it was that every plate was read."""

    tray_id: str
    config_version: str
    lines: tuple[OrderLine, ...]
    steps: tuple[OrderStep, ...]
    payment: OrderPayment | None
    refunds: tuple[OrderRefund, ...]
    assurance: Assurance | None


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, newest first. ``next_cursor`` is None on the last page."""

    items: tuple[OrderSummary, ...]
    next_cursor: str | None


class PurseEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of a purse."""

    seq: int
    fen: int
    balance_fen: int
    kind: str
    ref: str
    at_ns: int


class Purse(msgspec.Struct, frozen=True, kw_only=True):
    """A member's purse with its movements, newest first."""

    member: str
    balance_fen: int
    entries: tuple[PurseEntry, ...]
    next_cursor: str | None


class Plate(msgspec.Struct, frozen=True, kw_only=True):
    """A plate. For sale while sold_epoch < fill_epoch. ``reads`` of ``passes`` tell how well its chip answers."""

    uid: str
    label: str
    kind: str
    tare_g: int
    dish_id: str | None
    grams: int | None
    fill_epoch: int
    sold_epoch: int
    bound_day: str
    retired: bool
    reads: int
    passes: int


class PlateList(msgspec.Struct, frozen=True, kw_only=True):
    """Plates in the order of their UID. ``next_cursor`` is None on the last page."""

    items: tuple[Plate, ...]
    next_cursor: str | None


#: What a step is called when its rule has no title of its own (the list price) or is no longer in the configuration.
KIND_TITLES = {
    "list": Text("标价", "List price"),
    "special": Text("特价", "Special"),
    "discount": Text("优惠", "Discount"),
    "subsidy": Text("补贴", "Subsidy"),
    "wipe_off": Text("抹零", "Rounding"),
}

ANSWERS: tuple[type[msgspec.Struct], ...] = (Order, OrderList, Purse, PlateList)


def summary(row: rows.OrderRow) -> OrderSummary:
    """The columns of the order itself."""
    return OrderSummary(**_columns(row, OrderSummary))


def order_list(listing: Listing[rows.OrderRow]) -> OrderList:
    """One page of orders."""
    return OrderList(items=tuple(summary(row) for row in listing.rows), next_cursor=listing.next_cursor)


def plate_list(listing: Listing[rows.PlateRow]) -> PlateList:
    """One page of plates."""
    items = tuple(Plate(**_columns(row, Plate)) for row in listing.rows)
    return PlateList(items=items, next_cursor=listing.next_cursor)


def purse(member: str, balance_fen: int, listing: Listing[rows.PurseEntryRow]) -> Purse:
    """A purse with one page of its movements."""
    entries = tuple(PurseEntry(**_columns(row, PurseEntry)) for row in listing.rows)
    return Purse(member=member, balance_fen=balance_fen, entries=entries, next_cursor=listing.next_cursor)


def order(file: OrderFile, config: CanteenConfig | None) -> Order:
    """The whole order; names of dishes and rules from the configuration in force; a dish that it no longer has is
    None."""
    names = {dish.dish_id: dish.name for dish in config.dishes} if config else {}
    titles = {rule.rule_id: rule.title for rule in config.rules} if config else {}
    payment = file.payment
    return Order(
        **_columns(file.order, OrderSummary),
        tray_id=file.order.tray_id,
        config_version=file.order.config_version,
        lines=tuple(_line(row, names.get(row.dish_id)) for row in file.lines),
        steps=tuple(_step(row, titles.get(row.rule_id) or KIND_TITLES.get(row.kind)) for row in file.steps),
        payment=OrderPayment(**_columns(payment, OrderPayment)) if payment else None,
        refunds=tuple(OrderRefund(**_columns(row, OrderRefund)) for row in file.refunds),
        assurance=msgspec.json.decode(file.order.assurance_json, type=Assurance | None),
    )


def _line(row: rows.OrderLineRow, name: Text | None) -> OrderLine:
    columns = {field: getattr(row, field) for field in OrderLine.__struct_fields__ if hasattr(row, field)}
    return OrderLine(**columns, name=name, shares_fen=msgspec.json.decode(row.fen_json, type=tuple[int, ...]))


def _step(row: rows.OrderStepRow, title: Text | None) -> OrderStep:
    columns = {field: getattr(row, field) for field in OrderStep.__struct_fields__ if hasattr(row, field)}
    return OrderStep(**columns, title=title, why=msgspec.json.decode(row.why_json, type=dict[str, int | str]))


def _columns(row: msgspec.Struct, kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {field: getattr(row, field) for field in kind.__struct_fields__}
