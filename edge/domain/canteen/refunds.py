"""Giving money back: by the amounts that were stored with each line, never computed anew.

Each line keeps its share of every step, so lines can be refunded in any order and the sum never exceeds what was paid.
The subsidy share goes back to the scheme; the person's right for the day is given back only on the same day and only
when the whole subsidy of the order has gone back. A void is a refund of all lines of today that also unsells the
plates.
"""

from __future__ import annotations

import msgspec

from edge.domain.canteen.messages import RefundLines, VoidOrder
from edge.domain.canteen.orders import recall, remember
from edge.domain.canteen.outcome import Outcome, refused
from edge.domain.canteen.plates import count_row, plate_row
from edge.domain.canteen.pricing import Usage, meal_key
from edge.domain.canteen.purses import move
from edge.domain.canteen.rows import (
    ClaimRow,
    DayRow,
    OrderLineRow,
    RefundRow,
    SchemeRow,
    SubsidyUseRow,
)
from edge.domain.canteen.world import DishCount, StoredOrder, World
from edge.domain.kernel import Row, Stamp

MAX_REASON = 200


class Slip(msgspec.Struct, frozen=True):
    """Who gives money back, why, and under which id."""

    refund_id: str
    status: str
    actor: str
    reason: str


def void_order(world: World, command: VoidOrder, command_id: str, actor: str, stamp: Stamp) -> Outcome:
    """Undo an order of today."""
    stored = recall(world, command.order_id)
    if stored is None:
        return refused("unknown_order", order_id=command.order_id)
    if stored.order.status == "voided":
        return refused("already_voided", order_id=command.order_id)
    if stored.order.business_day != world.day:
        return refused("too_old", business_day=stored.order.business_day)
    open_lines = tuple(line for line in stored.lines if not line.refunded)
    if not open_lines:
        return refused("already_refunded", order_id=command.order_id)
    slip = Slip(f"void:{command_id}", "voided", actor, command.reason[:MAX_REASON])
    if slip.refund_id in world.refund_ids:  # a refund under this very id: its rows must not be written over
        return refused("id_taken", refund_id=slip.refund_id)
    rows = _give_back(world, stored, open_lines, slip, stamp)
    rows += _unsell(world, stored)
    return _done(world, command.order_id, slip, open_lines, rows)


def refund_lines(world: World, command: RefundLines, actor: str, stamp: Stamp) -> Outcome:
    """Pay back some lines of an order of the refund window."""
    stored = recall(world, command.order_id)
    if stored is None:
        return refused("unknown_order", order_id=command.order_id)
    if command.refund_id in world.refund_ids:
        return refused("id_taken", refund_id=command.refund_id)
    wanted = set(command.line_nos)
    lines = tuple(line for line in stored.lines if line.line_no in wanted)
    if not wanted or len(lines) < len(wanted) or len(command.line_nos) > len(wanted):
        return refused("bad_value", line_nos=[line.line_no for line in stored.lines])
    done = [line.line_no for line in lines if line.refunded]
    if done:
        return refused("already_refunded", line_nos=done)
    left = [line for line in stored.lines if not line.refunded and line.line_no not in wanted]
    slip = Slip(command.refund_id, "refunded_part" if left else "refunded", actor, command.reason[:MAX_REASON])
    return _done(world, command.order_id, slip, lines, _give_back(world, stored, lines, slip, stamp))


def _done(world: World, order_id: str, slip: Slip, lines: tuple[OrderLineRow, ...], rows: list[Row]) -> Outcome:
    stored = recall(world, order_id)
    if stored is None:
        raise AssertionError("an order that was just written is gone")
    member = stored.payment.member
    body = {
        "order_id": order_id,
        "refund_id": slip.refund_id,
        "status": stored.order.status,
        "method": stored.payment.method,
        "refunded_fen": sum(line.payable_fen for line in lines),
        "line_nos": [line.line_no for line in lines],
        "balance_fen": world.purses.get(member) if member is not None else None,
    }
    return Outcome("ok", body, rows)


def _give_back(
    world: World, stored: StoredOrder, lines: tuple[OrderLineRow, ...], slip: Slip, stamp: Stamp
) -> list[Row]:
    fen = sum(line.payable_fen for line in lines)
    numbers = {line.line_no for line in lines}
    after = tuple(
        msgspec.structs.replace(line, refunded=True) if line.line_no in numbers else line for line in stored.lines
    )
    order = msgspec.structs.replace(stored.order, status=slip.status, refunded_fen=stored.order.refunded_fen + fen)
    if order.refunded_fen > order.payable_fen:
        raise AssertionError(f"refunds of {order.order_id} exceed what was paid")
    rows: list[Row] = [order, *(line for line in after if line.line_no in numbers)]
    rows += [
        RefundRow(
            refund_id=slip.refund_id,
            line_no=line.line_no,
            order_id=order.order_id,
            paid_fen=line.payable_fen,
            subsidy_fen=-line.subsidy_fen,
            business_day=world.day,
            actor=slip.actor,
            reason=slip.reason,
            at_ns=stamp.wall_ns,
        )
        for line in lines
    ]
    world.refund_ids[slip.refund_id] = world.day
    rows += _return_subsidies(world, stored, lines, last=all(line.refunded for line in after))
    if stored.payment.member is not None and fen:
        rows += move(world, stored.payment.member, fen, "refund", slip.refund_id, stamp)[0]
    total = world.totals or DayRow(day=world.day)
    world.totals = msgspec.structs.replace(total, refunded_fen=total.refunded_fen + fen)
    remember(world, msgspec.structs.replace(stored, order=order, lines=after))
    return [*rows, world.totals]


def _return_subsidies(world: World, stored: StoredOrder, lines: tuple[OrderLineRow, ...], *, last: bool) -> list[Row]:
    """The lines' subsidy shares go back to their schemes, by the stored allocation of each step."""
    rows: list[Row] = []
    for step in stored.steps:
        scheme = step.scheme
        if not scheme or not step.fen:
            continue
        fen = -sum(msgspec.json.decode(line.fen_json, type=list[int])[step.step_no] for line in lines)
        world.spent[scheme] = max(0, world.spent.get(scheme, 0) - fen)
        rows.append(SchemeRow(scheme=scheme, spent_fen=world.spent[scheme]))
        member = stored.order.member
        if member is None or stored.order.business_day != world.day:
            continue
        used = world.usage.setdefault(member, {})
        for key in (scheme, meal_key(scheme, stored.order.meal)):
            old = used.get(key, Usage())
            used[key] = Usage(max(0, old.fen - fen), max(0, old.grants - (1 if last else 0)))
            rows.append(
                SubsidyUseRow(member=member, scheme=key, day=world.day, fen=used[key].fen, grants=used[key].grants)
            )
    return rows


def _unsell(world: World, stored: StoredOrder) -> list[Row]:
    rows: list[Row] = []
    dishes = set()
    for line in stored.lines:
        rows.append(ClaimRow(plate_uid=line.plate_uid, fill_epoch=line.fill_epoch, order_id=""))
        plate = world.plates.get(line.plate_uid)
        if plate is None or plate.fill_epoch != line.fill_epoch:
            continue  # filled anew since: that filling is another story
        plate.sold_epoch = line.fill_epoch - 1
        rows.append(plate_row(plate))
        world.counts.setdefault(line.dish_id, DishCount()).sold -= 1
        dishes.add(line.dish_id)
    for lane in world.lanes.values():
        paid = lane.paid_view.paid if lane.paid_view is not None else None
        if paid is not None and paid.order_id == stored.order.order_id:
            lane.paid_uids, lane.paid_view = {}, None
    return rows + [count_row(world, dish) for dish in sorted(dishes)]
