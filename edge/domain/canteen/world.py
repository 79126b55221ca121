"""The canteen's world: all that the kernel knows, snapshotted whole for replay, rebuilt from rows at start.

Orders of the refund window are kept as encoded bytes: a few hundred bytes each instead of kilobytes of objects, and
they are decoded only by the rare refund.
"""

from __future__ import annotations

import msgspec

from edge.domain.answered import StoredReply
from edge.domain.canteen.confidence import ReadLedger
from edge.domain.canteen.messages import DinerView, LaneView, NutrientShare, PlateView
from edge.domain.canteen.pricing import Amounts, Plan, Step, Usage
from edge.domain.canteen.rows import (
    DayRow,
    MemberRow,
    OrderLineRow,
    OrderRow,
    OrderStepRow,
    PaymentRow,
)
from edge.domain.canteen.settings import CanteenConfig, DishCard, LaneSettings, NutrientReference
from edge.domain.canteen.tray import Field


class Plate(msgspec.Struct):
    """A plate of the registry; see ``rows.PlateRow`` for the fields."""

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


class StoredOrder(msgspec.Struct, frozen=True):
    """An order whole, for void and refund."""

    order: OrderRow
    lines: tuple[OrderLineRow, ...]
    steps: tuple[OrderStepRow, ...]
    payment: PaymentRow


class Priced(msgspec.Struct, frozen=True):
    """The price of the tray as shown: one line per priced plate, in the order of ``uids``."""

    uids: tuple[str, ...]
    plan: Plan
    amounts: Amounts
    steps: tuple[Step, ...]
    grams: tuple[int, ...]
    nutrition: tuple[NutrientShare, ...]


class Lane(msgspec.Struct):
    """One checkout lane. ``content`` is what the price depends on; the version rises when it changes. ``waits_ns``:
    since when somebody who was identified has put down no tray, None when nobody has to."""

    settings: LaneSettings
    beta_a: float
    beta_b: float
    mean_plates: dict[str, float] = {}
    field: Field = msgspec.field(default_factory=Field)
    device_ready: bool = False
    device_problem: str = "not_connected"
    member: str | None = None
    category: str = ""
    waits_ns: int | None = None
    tray_id: str = ""
    tray_version: int = 0
    content: tuple[PlateView, ...] = ()
    diner: DinerView | None = None
    price_key: tuple[str, ...] = ()
    priced: Priced | None = None
    confirmed: int | None = None
    firm: bool = False
    asked: bool = False
    paid_uids: dict[str, int] = {}
    paid_view: LaneView | None = None
    staff_called: bool = False
    shown: LaneView | None = None
    ledger: ReadLedger = msgspec.field(default_factory=ReadLedger)


class DishCount(msgspec.Struct):
    bound: int = 0
    sold: int = 0


class World(msgspec.Struct):
    """See the module's head. ``config`` is kept without plates and members, which live in their own maps. ``usage`` is
    of the current day, member -> scheme (or scheme@meal) -> Usage; ``money_version`` rises when money or caps move;
    ``board_meal`` is the meal that the menu board was last shown for."""

    config: CanteenConfig | None = None
    reference: NutrientReference | None = None
    dishes: dict[str, DishCard] = {}
    on_menu: dict[str, int] = {}
    day: str = ""
    totals: DayRow | None = None
    plates: dict[str, Plate] = {}
    labels: dict[str, str] = {}
    counts: dict[str, DishCount] = {}
    members: dict[str, MemberRow] = {}
    cards: dict[str, str] = {}
    purses: dict[str, int] = {}
    lanes: dict[str, Lane] = {}
    lane_of_device: dict[str, str] = {}
    orders: dict[str, bytes] = {}
    order_days: dict[str, str] = {}
    refund_ids: dict[str, str] = {}
    charged: dict[str, str] = {}
    usage: dict[str, dict[str, Usage]] = {}
    spent: dict[str, int] = {}
    replies: dict[str, StoredReply] = {}
    money_version: int = 0
    set_aside: int = 0
    boards_due_ns: int | None = None
    board_meal: str = ""
    clock_trusted: bool = True
