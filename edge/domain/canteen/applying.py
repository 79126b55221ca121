"""Starting a world from rows, applying a configuration, opening a business day."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from edge.domain.answered import ConfigRow, ReplyRow, StoredReply
from edge.domain.canteen.confidence import ReadLedger, refit
from edge.domain.canteen.orders import lane_row
from edge.domain.canteen.plates import enter, register
from edge.domain.canteen.pricing import Usage
from edge.domain.canteen.quoting import reference_on
from edge.domain.canteen.rows import (
    DayRow,
    DishDayRow,
    LaneRow,
    MemberRow,
    OrderLineRow,
    OrderRow,
    OrderStepRow,
    PaymentRow,
    PlateRow,
    PurseRow,
    RefundRow,
    SchemeRow,
    SessionChargeRow,
    SubsidyUseRow,
)
from edge.domain.canteen.settings import CanteenConfig
from edge.domain.canteen.world import DishCount, Lane, Plate, StoredOrder, World
from edge.domain.kernel import Row, Rows

CONFIG_KIND = "canteen"
REPLY_DAYS = 7
#: A charging session whose price was taken is known so long, however late the garage asks again.
CHARGE_DAYS = 90


def days_earlier(day: str, days: int) -> str:
    """The ISO date ``days`` before ``day``."""
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()


# --- configuration ----------------------------------------------------------------------------------------------------


def apply_config(world: World, config: CanteenConfig) -> list[Row]:
    """Take a configuration. New plates and members are entered, known ones corrected; nothing is ever deleted by a file
    (a plate that left the file may lie in the washing). Lanes that left are dropped, new ones begin with their
    prior.
    """
    rows: list[Row] = []
    for entry in config.plates:
        before = world.plates.get(entry.uid)
        known = before is not None and (before.label, before.kind, before.tare_g) == (
            entry.label,
            entry.kind,
            entry.tare_g,
        )
        if not known:
            rows += register(world, entry.uid, entry.label, entry.kind, entry.tare_g)
    for member in config.members:
        row = MemberRow(
            token=member.token,
            card=member.card,
            born=member.born,
            district=member.district,
            hukou=member.hukou,
            low_income=member.low_income,
        )
        if world.members.get(member.token) != row:
            rows += _enter_member(world, row)
    bare = msgspec.structs.replace(config, plates=(), members=())
    world.config = bare
    _index(world)
    rows.append(ConfigRow(kind=CONFIG_KIND, version=config.version, body=msgspec.msgpack.encode(bare)))
    return rows


def _enter_member(world: World, row: MemberRow) -> list[Row]:
    """Enter a member or correct one. A card is of whoever was given it last: the member who had it before (gone from
    the file, or with another card now) keeps purse and orders without it, else the next start would choose by token.
    """
    rows: list[Row] = []
    holder = world.cards.get(row.card)
    if holder is not None and holder != row.token:
        bereft = world.members[holder] = msgspec.structs.replace(world.members[holder], card="")
        rows.append(bereft)
    old = world.members.get(row.token)
    if old is not None and world.cards.get(old.card) == row.token:
        del world.cards[old.card]
    world.members[row.token] = row
    if row.card:
        world.cards[row.card] = row.token
    return [*rows, row]


def _index(world: World) -> None:
    """Everything that is derived from the configuration and the day."""
    config = world.config
    if config is None:
        return
    world.dishes = {dish.dish_id: dish for dish in config.dishes}
    today = [menu for menu in config.menu if menu.day == world.day]
    world.on_menu = {dish_id: i for i, dish_id in enumerate(today[0].dish_ids)} if today else {}
    world.reference = reference_on(config, world.day) if config.references else None
    learned = world.lanes
    world.lanes = {}
    for settings in config.lanes:
        lane = learned.get(settings.lane)
        if lane is None:
            lane = Lane(settings=settings, beta_a=float(settings.beta_a), beta_b=float(settings.beta_b))
        lane.settings = settings
        world.lanes[settings.lane] = lane
    world.lane_of_device = {lane.settings.device: name for name, lane in world.lanes.items()}
    world.money_version += 1


# --- the business day -------------------------------------------------------------------------------------------------


def open_day(world: World, day: str) -> list[Row]:
    """Begin ``day``. A day that is not later than the current one changes nothing: the business day never goes back."""
    if day <= world.day:
        return []
    world.day = day
    world.totals = DayRow(day=day)
    world.usage, world.counts = {}, {}
    keep = days_earlier(day, REPLY_DAYS)
    world.replies = {k: v for k, v in world.replies.items() if v.day >= keep}
    window = world.config.refund_days if world.config is not None else REPLY_DAYS
    oldest = days_earlier(day, window)
    world.order_days = {k: v for k, v in world.order_days.items() if v >= oldest}
    world.orders = {k: v for k, v in world.orders.items() if k in world.order_days}
    world.refund_ids = {k: v for k, v in world.refund_ids.items() if v >= oldest}
    charges_kept = days_earlier(day, CHARGE_DAYS)
    world.charged = {k: v for k, v in world.charged.items() if v >= charges_kept}
    rows: list[Row] = [world.totals]
    for name in sorted(world.lanes):
        lane = world.lanes[name]
        lane.beta_a, lane.beta_b = refit(lane.ledger, lane.beta_a, lane.beta_b)
        lane.ledger = ReadLedger()
        rows.append(lane_row(lane))
    _index(world)
    return rows


# --- start ------------------------------------------------------------------------------------------------------------


def load_world(rows: Rows) -> World:
    """The world as the committed rows tell it."""
    world = World()
    for day in rows.all(DayRow):
        world.day, world.totals = day.day, day
    for stored in rows.all(PlateRow):
        enter(world, _plate(stored))
    for member in rows.all(MemberRow):
        _enter_member(world, member)
    world.purses = {purse.member: purse.balance_fen for purse in rows.all(PurseRow)}
    world.spent = {scheme.scheme: scheme.spent_fen for scheme in rows.all(SchemeRow)}
    for config in rows.all(ConfigRow):
        if config.kind == CONFIG_KIND:
            world.config = msgspec.msgpack.decode(config.body, type=CanteenConfig)
    _index(world)
    _load_lanes(world, rows)
    if world.day:
        _load_day(world, rows)
        _load_orders(world, rows)
    return world


def _plate(row: PlateRow) -> Plate:
    return Plate(**{name: getattr(row, name) for name in row.__struct_fields__})


def _load_lanes(world: World, rows: Rows) -> None:
    for row in rows.all(LaneRow):
        lane = world.lanes.get(row.lane)
        if lane is not None:
            lane.beta_a, lane.beta_b = row.beta_a, row.beta_b
            lane.mean_plates = msgspec.json.decode(row.mean_plates_json, type=dict[str, float])


def _load_day(world: World, rows: Rows) -> None:
    for use in rows.since(SubsidyUseRow, "day", world.day):
        world.usage.setdefault(use.member, {})[use.scheme] = Usage(use.fen, use.grants)
    for count in rows.since(DishDayRow, "day", world.day):
        world.counts[count.dish_id] = DishCount(count.bound, count.sold)
    for charge in rows.since(SessionChargeRow, "day", days_earlier(world.day, CHARGE_DAYS)):
        world.charged[charge.session_id] = charge.day
    for reply in rows.since(ReplyRow, "day", days_earlier(world.day, REPLY_DAYS)):
        world.replies[reply.command_id] = StoredReply(reply.digest, reply.code, reply.body, reply.day)


def _load_orders(world: World, rows: Rows) -> None:
    window = world.config.refund_days if world.config is not None else REPLY_DAYS
    oldest = days_earlier(world.day, window)
    orders = {order.order_id: order for order in rows.since(OrderRow, "business_day", oldest)}
    lines: dict[str, list[OrderLineRow]] = {order_id: [] for order_id in orders}
    steps: dict[str, list[OrderStepRow]] = {order_id: [] for order_id in orders}
    for line in rows.since(OrderLineRow, "business_day", oldest):
        if line.order_id in lines:
            lines[line.order_id].append(line)
    for step in rows.since(OrderStepRow, "business_day", oldest):
        if step.order_id in steps:
            steps[step.order_id].append(step)
    for payment in rows.since(PaymentRow, "business_day", oldest):
        order = orders.get(payment.order_id)
        if order is None:
            continue
        stored = StoredOrder(order, tuple(lines[order.order_id]), tuple(steps[order.order_id]), payment)
        world.orders[order.order_id] = msgspec.msgpack.encode(stored)
        world.order_days[order.order_id] = order.business_day
    for refund in rows.since(RefundRow, "business_day", oldest):
        world.refund_ids[refund.refund_id] = refund.business_day
