"""What the canteen keeps: one struct per table of ``edge/storage/schema``. Field order is column order.

Money is signed integer fen, days are ISO dates (Asia/Shanghai), ``at_ns`` UTC wall ns with ``at_trusted`` beside it.
Parts of an order repeat its business day and are keyed by it first, so that a start reads only the refund window and a
sale writes next to the one before it: each index less is a page less in the payment's commit. JSON columns (``*_json``)
hold what nobody queries by: reasons and explanations.
"""

from __future__ import annotations

from typing import ClassVar

from edge.domain.answered import AuditRow, ConfigRow, ReplyRow
from edge.domain.kernel import Row


class DayRow(Row, frozen=True, kw_only=True, tag="business_day"):
    """The business day, and the totals that the day view shows; the newest row is the current day."""

    KEY: ClassVar = ("day",)
    day: str
    orders: int = 0
    paid_fen: int = 0
    cash_fen: int = 0
    subsidy_fen: int = 0
    discount_fen: int = 0
    refunded_fen: int = 0
    plates_sold: int = 0


class PlateRow(Row, frozen=True, kw_only=True, tag="plate"):
    """A plate. ``fill_epoch`` rises with each binding; ``sold_epoch`` is the last epoch sold (0 = never): the filling
    is for sale while sold_epoch < fill_epoch. ``reads`` of ``passes`` is the read-rate ledger."""

    KEY: ClassVar = ("uid",)
    uid: str
    label: str
    kind: str
    tare_g: int
    dish_id: str | None = None
    grams: int | None = None
    fill_epoch: int = 0
    sold_epoch: int = 0
    bound_day: str = ""
    retired: bool = False
    reads: int = 0
    passes: int = 0


class DishDayRow(Row, frozen=True, kw_only=True, tag="dish_day"):
    """Plates filled with and sold of a dish on a day: portions left = bound - sold."""

    KEY: ClassVar = ("day", "dish_id")
    day: str
    dish_id: str
    bound: int
    sold: int


class LaneRow(Row, frozen=True, kw_only=True, tag="lane_stats"):
    """What a lane has learned: prior of the read probability (Beta) and of plates per tray by meal (JSON object)."""

    KEY: ClassVar = ("lane",)
    lane: str
    beta_a: float
    beta_b: float
    mean_plates_json: str


class MemberRow(Row, frozen=True, kw_only=True, tag="member"):
    KEY: ClassVar = ("token",)
    token: str
    card: str
    born: str
    district: str
    hukou: bool
    low_income: bool


class PurseRow(Row, frozen=True, kw_only=True, tag="purse"):
    KEY: ClassVar = ("member",)
    member: str
    balance_fen: int


class PurseEntryRow(Row, frozen=True, kw_only=True, tag="purse_entry"):
    """One movement of a purse. ``kind``: top_up, pay, refund, void, charge; ``ref``: order, refund, command
    or charging session id."""

    KEY: ClassVar = ("seq", "member")
    seq: int
    member: str
    fen: int
    balance_fen: int
    kind: str
    ref: str
    at_ns: int


class SessionChargeRow(Row, frozen=True, kw_only=True, tag="session_charge"):
    """The price of a charging session (garage) that was taken from a purse: no session is charged twice."""

    KEY: ClassVar = ("day", "session_id")
    day: str
    session_id: str
    member: str
    fen: int


class OrderRow(Row, frozen=True, kw_only=True, tag="orders"):
    """A sale. The sum of its steps (the list price is step 0) = payable_fen = paid; discount_fen, subsidy_fen and
    rounding_fen are sums of steps, <= 0. ``status``: paid, refunded_part, refunded, voided."""

    KEY: ClassVar = ("order_id",)
    order_id: str
    seq: int
    business_day: str
    meal: str
    lane: str
    tray_id: str
    member: str | None
    category: str
    status: str
    list_fen: int
    discount_fen: int
    subsidy_fen: int
    rounding_fen: int
    payable_fen: int
    refunded_fen: int
    config_version: str
    assurance_json: str
    at_ns: int
    at_trusted: bool


class OrderLineRow(Row, frozen=True, kw_only=True, tag="order_line"):
    """One plate of an order; ``fen_json`` is this line's share of every step, in step order; payable_fen is what is
    left to pay for it; nutrients are those of the plate."""

    KEY: ClassVar = ("business_day", "order_id", "line_no")
    order_id: str
    line_no: int
    business_day: str
    plate_uid: str
    fill_epoch: int
    dish_id: str
    dish_version: str
    grams: int
    list_fen: int
    payable_fen: int
    subsidy_fen: int
    fen_json: str
    energy_j: int
    protein_mg: int
    fat_mg: int
    carbohydrate_mg: int
    sodium_mg: int
    refunded: bool = False


class OrderStepRow(Row, frozen=True, kw_only=True, tag="order_step"):
    KEY: ClassVar = ("business_day", "order_id", "step_no")
    order_id: str
    step_no: int
    business_day: str
    kind: str
    rule_id: str
    rule_version: str
    scheme: str
    fen: int
    why_json: str


class PaymentRow(Row, frozen=True, kw_only=True, tag="payment"):
    KEY: ClassVar = ("business_day", "order_id")
    order_id: str
    business_day: str
    method: str
    member: str | None
    fen: int
    tendered_fen: int
    change_fen: int
    at_ns: int


class ClaimRow(Row, frozen=True, kw_only=True, tag="claim"):
    """Who owns a filling: one order per plate and epoch, ever; "" after a void gave it back."""

    KEY: ClassVar = ("plate_uid", "fill_epoch")
    plate_uid: str
    fill_epoch: int
    order_id: str


class RefundRow(Row, frozen=True, kw_only=True, tag="refund"):
    KEY: ClassVar = ("refund_id", "line_no")
    refund_id: str
    line_no: int
    order_id: str
    paid_fen: int
    subsidy_fen: int
    business_day: str
    actor: str
    reason: str
    at_ns: int


class SubsidyUseRow(Row, frozen=True, kw_only=True, tag="subsidy_use"):
    """What a member got from a scheme on a day: fen and number of grants (given back by same-day void or refund)."""

    KEY: ClassVar = ("day", "member", "scheme")
    member: str
    scheme: str
    day: str
    fen: int
    grants: int


class SchemeRow(Row, frozen=True, kw_only=True, tag="scheme"):
    """How much of a scheme's budget is spent."""

    KEY: ClassVar = ("scheme",)
    scheme: str
    spent_fen: int


ROW_TYPES: tuple[type[Row], ...] = (
    ConfigRow,
    DayRow,
    PlateRow,
    DishDayRow,
    LaneRow,
    MemberRow,
    PurseRow,
    PurseEntryRow,
    SessionChargeRow,
    OrderRow,
    OrderLineRow,
    OrderStepRow,
    PaymentRow,
    ClaimRow,
    RefundRow,
    SubsidyUseRow,
    SchemeRow,
    ReplyRow,
    AuditRow,
)
