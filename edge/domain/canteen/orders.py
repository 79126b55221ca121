"""Selling a tray: the rows of an order, written in one transaction with the payment, the claims and the purse.

The hard part is that nothing may be half: the order, its lines, the plates that are now sold, the purse, the subsidy
right and the answer that the terminal will get again on a repeat are one list of rows of one input. A diner would
notice a mistake as a double charge, a lost sale, or a plate sold twice.
"""

from __future__ import annotations

import msgspec

from edge.domain.canteen.confidence import learn_mean
from edge.domain.canteen.lanes import diner_at
from edge.domain.canteen.messages import LaneView, PaidView, Pay, Phase
from edge.domain.canteen.nutrition import scaled
from edge.domain.canteen.outcome import Outcome, refused
from edge.domain.canteen.plates import count_row, plate_row
from edge.domain.canteen.pricing import Usage, meal_key
from edge.domain.canteen.purses import move
from edge.domain.canteen.rows import (
    ClaimRow,
    DayRow,
    LaneRow,
    OrderLineRow,
    OrderRow,
    OrderStepRow,
    PaymentRow,
    SchemeRow,
    SubsidyUseRow,
)
from edge.domain.canteen.world import DishCount, Lane, Priced, StoredOrder, World
from edge.domain.kernel import Row, Stamp

MAX_TENDER_FEN = 1_000_000


def to_json(value: object) -> str:
    """Compact JSON text with sorted keys, for the ``*_json`` columns."""
    return msgspec.json.encode(value, order="sorted").decode()


def pay(world: World, command: Pay, stamp: Stamp) -> Outcome:
    """Sell the tray as it is shown, or say why not. Codes: see ``docs/architecture.md``."""
    lane = world.lanes.get(command.lane)
    if lane is None:
        return refused("unknown_lane", lane=command.lane)
    if command.order_id in world.orders:
        return refused("id_taken", order_id=command.order_id)
    problem = _why_not(world, lane, command)
    if problem is not None:
        return problem
    order = _build(world, lane, command, stamp)
    rows = [order.order, *order.lines, *order.steps, order.payment]
    rows += _claim(world, lane, order)
    balance = None
    if command.method == "purse" and order.payment.member is not None:
        purse_rows, balance = move(world, order.payment.member, -order.payment.fen, "pay", order.order.order_id, stamp)
        rows += purse_rows
    rows += _use_subsidies(world, order)
    rows += _totals(world, order)
    rows += _learn(lane, order.order.meal, len(order.lines))
    remember(world, order)
    paid = _paid_view(order, balance)
    _settle(lane, paid)
    return Outcome("ok", paid, rows)


def _why_not(world: World, lane: Lane, command: Pay) -> Outcome | None:
    shown = lane.shown
    if shown is None or shown.phase is not Phase.FIRM or lane.priced is None:
        phase = shown.phase.value if shown is not None else Phase.OFFLINE.value
        if shown is not None and (shown.tray_id, shown.tray_version) != (command.tray_id, command.tray_version):
            return _changed(lane)
        code = "blocked" if phase == Phase.BLOCKED.value else "not_firm"
        return refused(code, phase=phase, problem=shown.problem if shown is not None else "reader_offline")
    if (shown.tray_id, shown.tray_version) != (command.tray_id, command.tray_version):
        return _changed(lane)
    payable = lane.priced.amounts.payable_fen
    if command.payable_fen != payable:
        return _changed(lane)
    if command.method == "purse":
        if lane.member is None or lane.member not in world.members:
            return refused("no_member")
        balance = world.purses.get(lane.member, 0)
        if balance < payable:
            return refused("purse_short", balance_fen=balance, payable_fen=payable)
        return None
    if command.method != "cash":
        return refused("bad_method", allowed=["purse", "cash"])
    if not payable <= command.tendered_fen <= MAX_TENDER_FEN:
        code = "tender_short" if command.tendered_fen < payable else "bad_value"
        return refused(code, payable_fen=payable, tendered_fen=command.tendered_fen)
    return None


def _changed(lane: Lane) -> Outcome:
    payable = lane.priced.amounts.payable_fen if lane.priced is not None else 0
    return refused("tray_changed", tray_id=lane.tray_id, tray_version=lane.tray_version, payable_fen=payable)


def _lines(world: World, order_id: str, priced: Priced) -> tuple[OrderLineRow, ...]:
    lines = []
    for i, (uid, grams) in enumerate(zip(priced.uids, priced.grams, strict=True)):
        plate = world.plates[uid]
        card = world.dishes[plate.dish_id or ""]
        fens = [step.allocation[i] for step in priced.steps]
        subsidy = sum(f for f, step in zip(fens, priced.steps, strict=True) if step.kind == "subsidy")
        part = scaled(card.nutrients, grams, card.portion_g)
        lines.append(
            OrderLineRow(
                order_id=order_id,
                line_no=i + 1,
                business_day=world.day,
                plate_uid=uid,
                fill_epoch=plate.fill_epoch,
                dish_id=card.dish_id,
                dish_version=card.version,
                grams=grams,
                list_fen=fens[0],
                payable_fen=sum(fens),
                subsidy_fen=subsidy,
                fen_json=to_json(fens),
                energy_j=part.energy_j,
                protein_mg=part.protein_mg,
                fat_mg=part.fat_mg,
                carbohydrate_mg=part.carbohydrate_mg,
                sodium_mg=part.sodium_mg,
            )
        )
    return tuple(lines)


def _build(world: World, lane: Lane, command: Pay, stamp: Stamp) -> StoredOrder:
    priced = lane.priced
    config = world.config
    if priced is None or config is None:
        raise AssertionError("a tray without a price cannot be sold")
    diner, _ = diner_at(world, lane, config)
    _, meal, _, _ = lane.price_key  # of the price, which may be older than the end of a meal by a reader's pass
    sums = priced.amounts
    order = OrderRow(
        order_id=command.order_id,
        seq=stamp.seq,
        business_day=world.day,
        meal=meal,
        lane=lane.settings.lane,
        tray_id=lane.tray_id,
        member=diner.member,
        category=diner.category,
        status="paid",
        list_fen=sums.list_fen,
        discount_fen=sums.special_fen + sums.discount_fen,
        subsidy_fen=sum(sums.subsidies_fen),
        rounding_fen=sums.wipe_off_fen,
        payable_fen=sums.payable_fen,
        refunded_fen=0,
        config_version=config.version,
        assurance_json=to_json(lane.shown.assurance if lane.shown is not None else None),
        at_ns=stamp.wall_ns,
        at_trusted=stamp.wall_trusted,
    )
    steps = tuple(
        OrderStepRow(
            order_id=command.order_id,
            step_no=i,
            business_day=world.day,
            kind=step.kind,
            rule_id=step.rule_id,
            rule_version=step.rule_version,
            scheme=step.scheme,
            fen=step.fen,
            why_json=to_json(step.why),
        )
        for i, step in enumerate(priced.steps)
    )
    cash = command.method == "cash"
    payment = PaymentRow(
        order_id=command.order_id,
        business_day=world.day,
        method=command.method,
        member=None if cash else diner.member,
        fen=sums.payable_fen,
        tendered_fen=command.tendered_fen if cash else sums.payable_fen,
        change_fen=command.tendered_fen - sums.payable_fen if cash else 0,
        at_ns=stamp.wall_ns,
    )
    return StoredOrder(order, _lines(world, command.order_id, priced), steps, payment)


def _claim(world: World, lane: Lane, order: StoredOrder) -> list[Row]:
    rows: list[Row] = []
    dishes: set[str] = set()
    for line in order.lines:
        plate = world.plates[line.plate_uid]
        plate.sold_epoch = plate.fill_epoch
        track = lane.field.tracks.get(plate.uid)
        if track is not None and track.passes:
            plate.reads += track.reads
            plate.passes += track.passes
            if not track.keyed:  # a dead chip tells nothing of how well this antenna reads
                lane.ledger.add(track.reads, track.passes)
        rows.append(plate_row(plate))
        rows.append(ClaimRow(plate_uid=plate.uid, fill_epoch=plate.fill_epoch, order_id=order.order.order_id))
        world.counts.setdefault(line.dish_id, DishCount()).sold += 1
        dishes.add(line.dish_id)
    return rows + [count_row(world, dish) for dish in sorted(dishes)]


def _use_subsidies(world: World, order: StoredOrder) -> list[Row]:
    """Spend the order's subsidy rights: the scheme's budget, and the person's right of the day and of the meal."""
    rows: list[Row] = []
    member = order.order.member
    for step in order.steps:
        scheme, fen = step.scheme, -step.fen
        if not scheme or not fen:
            continue
        world.spent[scheme] = world.spent.get(scheme, 0) + fen
        rows.append(SchemeRow(scheme=scheme, spent_fen=world.spent[scheme]))
        if member is None:
            continue
        used = world.usage.setdefault(member, {})
        for key in (scheme, meal_key(scheme, order.order.meal)):
            old = used.get(key, Usage())
            used[key] = Usage(old.fen + fen, old.grants + 1)
            rows.append(
                SubsidyUseRow(member=member, scheme=key, day=world.day, fen=used[key].fen, grants=used[key].grants)
            )
    return rows


def _totals(world: World, order: StoredOrder) -> list[Row]:
    row, total = order.order, world.totals or DayRow(day=world.day)
    cash = order.payment.fen if order.payment.method == "cash" else 0
    world.totals = msgspec.structs.replace(
        total,
        orders=total.orders + 1,
        paid_fen=total.paid_fen + row.payable_fen,
        cash_fen=total.cash_fen + cash,
        subsidy_fen=total.subsidy_fen - row.subsidy_fen,
        discount_fen=total.discount_fen - row.discount_fen,
        plates_sold=total.plates_sold + len(order.lines),
    )
    return [world.totals]


def _learn(lane: Lane, meal: str, plates: int) -> list[Row]:
    lane.mean_plates[meal] = learn_mean(lane.mean_plates.get(meal, lane.settings.mean_plates), plates)
    return [lane_row(lane)]


def lane_row(lane: Lane) -> LaneRow:
    """The stored form of what a lane has learned."""
    return LaneRow(
        lane=lane.settings.lane,
        beta_a=lane.beta_a,
        beta_b=lane.beta_b,
        mean_plates_json=to_json(lane.mean_plates),
    )


def remember(world: World, order: StoredOrder) -> None:
    """Keep an order for void and refund; caps and prices that others see may change."""
    world.orders[order.order.order_id] = msgspec.msgpack.encode(order)
    world.order_days[order.order.order_id] = order.order.business_day
    world.money_version += 1


def recall(world: World, order_id: str) -> StoredOrder | None:
    """The order as it stands, None when it is unknown or older than the refund window."""
    data = world.orders.get(order_id)
    return msgspec.msgpack.decode(data, type=StoredOrder) if data is not None else None


def _paid_view(order: StoredOrder, balance_fen: int | None) -> PaidView:
    return PaidView(
        order_id=order.order.order_id,
        method=order.payment.method,
        paid_fen=order.payment.fen,
        tendered_fen=order.payment.tendered_fen,
        change_fen=order.payment.change_fen,
        balance_fen=balance_fen,
        at_wall_ns=order.order.at_ns,
    )


def _settle(lane: Lane, paid: PaidView) -> None:
    """The lane's tray is now the paid one: its plates no longer make a tray, its receipt stays on the screen."""
    shown: LaneView | None = lane.shown
    if shown is None or lane.priced is None:
        raise AssertionError("a tray that was never shown cannot be paid")
    lane.paid_uids = dict.fromkeys(lane.priced.uids, 1)
    diner = shown.diner
    if paid.balance_fen is not None:
        diner = msgspec.structs.replace(diner, balance_fen=paid.balance_fen)
    lane.paid_view = msgspec.structs.replace(
        shown, phase=Phase.PAID, problem="", paid=paid, diner=diner, staff_called=False, at_wall_ns=0
    )
    lane.staff_called = False
