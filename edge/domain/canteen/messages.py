"""What goes into the canteen kernel (inputs, commands) and what it shows (views). Rows are in ``rows``.

Commands carry the id that the terminal made before its first send: it is the HTTP Idempotency-Key. Views are complete
states, never differences, so that a lost or coalesced one does no harm.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.actors import Actor, Role
from edge.domain.canteen.settings import CanteenConfig, Nutrients
from edge.domain.devices import DeviceReading
from edge.domain.words import Text

# --- commands ---------------------------------------------------------------------------------------------------------


class Identify(msgspec.Struct, frozen=True, kw_only=True, tag="identify"):
    """A member's card at a lane (or "" to forget the member, or a category for a guest)."""

    lane: str
    card: str = ""
    category: str = ""


class Pay(msgspec.Struct, frozen=True, kw_only=True, tag="pay"):
    """Pay the tray exactly as shown: ``tray_id``, ``tray_version`` and ``payable_fen`` must be what the kernel holds,
    or the answer is ``tray_changed``. ``method`` is "purse" (of the member identified at the lane) or "cash"
    (``tendered_fen`` >= payable)."""

    lane: str
    order_id: str
    tray_id: str
    tray_version: int
    payable_fen: int
    method: str
    tendered_fen: int = 0


class ConfirmPlates(msgspec.Struct, frozen=True, kw_only=True, tag="confirm_plates"):
    """The guest or a cashier says how many plates lie on the tray: the second sensor against dead chips. A count that
    differs from the plates read blocks payment with a way out; an equal one makes an unsure tray firm."""

    lane: str
    tray_id: str
    plates: int


class KeyPlate(msgspec.Struct, frozen=True, kw_only=True, tag="key_plate"):
    """A cashier enters a plate that cannot be read (dead chip) by its printed label; it is priced like a read one."""

    lane: str
    tray_id: str
    label: str


class CallStaff(msgspec.Struct, frozen=True, kw_only=True, tag="call_staff"):
    lane: str
    on: bool = True


class VoidOrder(msgspec.Struct, frozen=True, kw_only=True, tag="void_order"):
    """Undo a whole order of the same business day: all is paid back, subsidies are returned, plates are unsold."""

    order_id: str
    reason: str


class RefundLines(msgspec.Struct, frozen=True, kw_only=True, tag="refund_lines"):
    """Pay back the stored allocated amounts of some lines."""

    refund_id: str
    order_id: str
    line_nos: tuple[int, ...]
    reason: str


class TopUp(msgspec.Struct, frozen=True, kw_only=True, tag="top_up"):
    member: str
    fen: int
    method: str = "cash"


class ChargeSession(msgspec.Struct, frozen=True, kw_only=True, tag="charge_session"):
    """Take the price of a charging session from a member's purse, once per ``session_id``: a repeat under any command
    id is answered ``ok`` and moves nothing. ``purse_short`` moves nothing either; it may be asked again later."""

    session_id: str
    member: str
    fen: int


class ReadPurses(msgspec.Struct, frozen=True, kw_only=True, tag="read_purses"):
    """A page of the purses for a vertical that keeps a copy: members after ``after``, at most ``limit`` (1-2000). The
    answer has ``as_of_wall_ns``, ``purses`` [[member, card, balance_fen], ...] and ``next`` ("" at the end). Changes
    nothing and is not kept."""

    after: str = ""
    limit: int = 2000


class BindPlates(msgspec.Struct, frozen=True, kw_only=True, tag="bind_plates"):
    """Plates were filled with a dish: each begins a new fill epoch. ``grams`` (needed) for dishes priced by
    weight, and for no other."""

    dish_id: str
    plate_uids: tuple[str, ...]
    grams: int | None = None


class RegisterPlates(msgspec.Struct, frozen=True, kw_only=True, tag="register_plates"):
    """Plates for the registry beyond those of the configuration: (uid, label, kind, tare_g)."""

    plates: tuple[tuple[str, str, str, int], ...]


class RetirePlate(msgspec.Struct, frozen=True, kw_only=True, tag="retire_plate"):
    uid: str
    retired: bool = True


CommandBody = (
    Identify
    | Pay
    | ConfirmPlates
    | KeyPlate
    | CallStaff
    | VoidOrder
    | RefundLines
    | TopUp
    | ChargeSession
    | ReadPurses
    | BindPlates
    | RegisterPlates
    | RetirePlate
)

#: Who may give which command. The API checks the same table; the daemon checks again.
COMMAND_ROLES: dict[type, frozenset[Role]] = {
    Identify: frozenset({Role.DINER_TERMINAL, Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    Pay: frozenset({Role.DINER_TERMINAL, Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    ConfirmPlates: frozenset({Role.DINER_TERMINAL, Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    KeyPlate: frozenset({Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    CallStaff: frozenset({Role.DINER_TERMINAL, Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    VoidOrder: frozenset({Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    RefundLines: frozenset({Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    TopUp: frozenset({Role.CASHIER, Role.MANAGER, Role.ADMIN}),
    ChargeSession: frozenset({Role.DEVICE}),
    ReadPurses: frozenset({Role.DEVICE}),
    BindPlates: frozenset({Role.KITCHEN, Role.MANAGER, Role.ADMIN}),
    RegisterPlates: frozenset({Role.KITCHEN, Role.MANAGER, Role.ADMIN}),
    RetirePlate: frozenset({Role.KITCHEN, Role.MANAGER, Role.ADMIN}),
}


# --- inputs -----------------------------------------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True, tag="command"):
    """A person's or terminal's wish. Same ``command_id`` and content: same answer; other content: refused."""

    command_id: str
    actor: Actor
    body: CommandBody


class ConfigApplied(msgspec.Struct, frozen=True, tag="config"):
    config: CanteenConfig


class DayOpened(msgspec.Struct, frozen=True, tag="day"):
    """The local calendar day (ISO, Asia/Shanghai) as the shell sees it. The business day never goes backwards."""

    day: str


class Timer(msgspec.Struct, frozen=True, tag="timer"):
    """The kernel's deadline came."""


CanteenInput = DeviceReading | Command | ConfigApplied | DayOpened | Timer


# --- views ------------------------------------------------------------------------------------------------------------


class PlateState(StrEnum):
    PRICED = "priced"
    UNKNOWN = "unknown"
    UNBOUND = "unbound"
    NOT_TODAY = "not_today"
    SOLD = "sold"
    DOUBTFUL = "doubtful"
    OTHER_LANE = "other_lane"
    RETIRED = "retired"


class Phase(StrEnum):
    OFFLINE = "offline"
    EMPTY = "empty"
    READING = "reading"
    FIRM = "firm"
    BLOCKED = "blocked"
    ASK = "ask"
    PAID = "paid"


class PlateView(msgspec.Struct, frozen=True, kw_only=True):
    """A plate on the tray. ``price_fen`` is the list price, None unless ``state`` is priced. ``blocks`` says whether it
    stops payment; ``other_lane`` names the lane that holds it, where one does. ``label`` is its printed mark."""

    uid: str
    label: str
    state: PlateState
    blocks: bool
    dish_id: str | None = None
    name: Text | None = None
    grams: int | None = None
    price_fen: int | None = None
    energy_j: int | None = None
    marks: tuple[str, ...] = ()
    other_lane: str | None = None
    seen: int = 0


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the price: signed ``fen`` on the order, the rule and version that made it, the numbers it used, and
    how it was spread over the lines (``allocation`` in line order, adds up to ``fen``)."""

    kind: str
    rule_id: str
    rule_version: str
    title: Text
    fen: int
    why: dict[str, int | str]
    allocation: tuple[int, ...]


class NutrientShare(msgspec.Struct, frozen=True, kw_only=True):
    """One nutrient of the whole tray. ``amount`` in mg (energy: J), None unknown; ``share_pct`` of the daily reference,
    whole percent; ``level`` is "low", "medium", "high" or "" (traffic light where one is defined)."""

    nutrient: str
    amount: int | None
    share_pct: int | None
    level: str = ""


class Assurance(msgspec.Struct, frozen=True, kw_only=True):
    """How sure it is that all plates were read, and why. ``miss_bound`` is the bound on the chance that a live plate is
    still unread, ``dead_bound`` the chance that a plate with a dead chip lies there; ``failing`` names the checks of
    the stopping rule that do not hold yet, of: passes, singletons, residual, incomplete, moving."""

    passes: int
    incomplete_passes: int
    singletons: int
    residual_empty: bool
    miss_bound: float
    dead_bound: float
    epsilon: float
    failing: tuple[str, ...]
    confirmed_plates: int | None = None
    weight_checked: bool = False


class DinerView(msgspec.Struct, frozen=True, kw_only=True):
    """Who eats, as far as the price needs it. ``member`` is a token; ``balance_fen`` None for guests."""

    category: str
    name: Text
    member: str | None = None
    age: int | None = None
    balance_fen: int | None = None


class PaidView(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str
    method: str
    paid_fen: int
    tendered_fen: int
    change_fen: int
    balance_fen: int | None
    at_wall_ns: int


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a checkout screen shows; key ``lane/<lane>``. ``problem`` (with phase blocked, ask or offline) is a
    stable code whose words and way out the page knows, e.g. plate_unknown, plate_sold, plate_unbound, plate_not_today,
    plate_doubtful, plate_other_lane, count_differs, cannot_be_sure, reader_offline, purse_short, disk_full."""

    lane: str
    name: Text
    phase: Phase
    problem: str
    tray_id: str
    tray_version: int
    plates: tuple[PlateView, ...]
    steps: tuple[StepView, ...]
    list_fen: int
    payable_fen: int
    firm: bool
    nutrition: tuple[NutrientShare, ...]
    assurance: Assurance | None
    diner: DinerView
    paid: PaidView | None
    staff_called: bool
    clock_trusted: bool
    business_day: str
    at_wall_ns: int


class MenuItemView(msgspec.Struct, frozen=True, kw_only=True):
    dish_id: str
    name: Text
    kind: str
    price_fen: int
    special_fen: int | None
    portion_g: int
    priced_by: str
    nutrients: Nutrients
    marks: tuple[str, ...]
    allergens: tuple[str, ...]
    may_contain: tuple[str, ...]
    bound: int
    sold: int
    sold_out: bool


class MenuView(msgspec.Struct, frozen=True, kw_only=True):
    """Today's board; key ``menu``. ``bound``/``sold`` count plates filled today; sold out = some bound, none left."""

    site: Text
    business_day: str
    meal: str
    items: tuple[MenuItemView, ...]
    reference: Nutrients


class DayView(msgspec.Struct, frozen=True, kw_only=True):
    """The day in a few numbers; key ``day``."""

    business_day: str
    orders: int
    paid_fen: int
    cash_fen: int
    subsidy_fen: int
    discount_fen: int
    refunded_fen: int
    plates_sold: int
    set_aside: int
