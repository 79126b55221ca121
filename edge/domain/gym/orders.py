"""Work orders: seen → acknowledged → ticket → locked out → return test.

One fault is one order, however often it is seen. Any step may come at any time, only the way back is narrow: a machine
that was locked out returns by a test that it passed, and by nothing else, neither a restart nor a code that vanished.
Only the order of a machine that the site no longer has is closed without one, by a person and with a reason. A
user would notice a mistake as a visitor on a treadmill whose belt is torn.
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_states import Priority
from edge.domain.alarms import acknowledge as acknowledge_alarm
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.gym import machines, photos
from edge.domain.gym.messages import (
    GRADES,
    AckOrder,
    CloseOrder,
    Inspect,
    LockOut,
    ReportFault,
    ReturnTest,
    TicketOrder,
)
from edge.domain.gym.photo_rows import ORDER
from edge.domain.gym.turn import Turn
from edge.domain.gym.view_types import OrderView
from edge.domain.gym.wear_rows import InspectionRow, OrderRow, OrderStepRow
from edge.domain.gym.workout import disarm, end
from edge.domain.gym.workout_state import Asset, Phase
from edge.domain.gym.world import World
from edge.domain.kernel import Rows
from edge.domain.outcome import Outcome, refused

SEEN, ACKNOWLEDGED, TICKET, LOCKED, CLOSED = "seen", "acknowledged", "ticket", "locked_out", "closed"
#: Orders that are settled by what was asked for: an inspection, a word of the counter, a new battery.
SETTLED = frozenset({"inspection_due", "counter_silent", "battery_low"})
MAX_NOTE = 500
#: Standing orders of one machine; further faults of it are steps of the last one.
MAX_STANDING = 20


def load_orders(world: World, rows: Rows) -> None:
    """The standing orders."""
    world.orders = {row.order_id: row for row in rows.where(OrderRow, {"standing": 1})}


def apply_locks(world: World) -> None:
    """Lock out again what was locked out."""
    for asset in world.assets.values():
        asset.locked_by = ""
    for order in world.orders.values():
        if order.state == LOCKED and order.asset in world.assets:
            world.assets[order.asset].locked_by = order.order_id


def open_order(turn: Turn, asset: Asset, cause: str, detail: str, by: str, *, alarm: bool = True) -> OrderRow:
    """The order about ``cause`` at this machine: the standing one, or a new one. ``alarm`` False: it is told on the
    list of orders alone."""
    name, orders = asset.settings.asset, turn.world.orders
    standing = [order for order in orders.values() if order.asset == name]
    for order in standing:
        if order.cause == cause:
            return order
    if len(standing) >= MAX_STANDING:
        _step(turn, standing[-1], f"also:{cause}", by, detail)
        return standing[-1]
    order = OrderRow(
        order_id=f"{name}-{turn.stamp.seq}-{cause}",
        asset=name,
        cause=cause,
        detail=detail[:MAX_NOTE],
        state=SEEN,
        standing=True,
        ticket="",
        opened_by=by,
        opened_ns=turn.stamp.wall_ns,
        at_ns=turn.stamp.wall_ns,
        closed_by="",
    )
    _keep(turn, order, SEEN, by, detail)
    if alarm:
        raise_alarm(
            turn.world.alarms, _alarm_key(order), cause=f"order_{cause}", zone=asset.settings.zone,
            priority=Priority.LOW, detail=f"{name}:{detail[:100]}" if detail else name, stamp=turn.stamp,
        )  # fmt: skip
    return order


def say_more(turn: Turn, order: OrderRow, detail: str, by: str) -> None:
    """What an order is about is known better now."""
    _keep(turn, msgspec.structs.replace(order, detail=detail[:MAX_NOTE]), f"also:{order.cause}", by, detail)


def report(turn: Turn, body: ReportFault, by: str) -> Outcome:
    """Somebody saw something wrong."""
    asset = turn.world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    if not body.what or len(body.what) > 40 or len(body.note) > MAX_NOTE:
        return refused("bad_value", field="what" if len(body.note) <= MAX_NOTE else "note", high=MAX_NOTE)
    words, known = f"{body.what}: {body.note}" if body.note else body.what, set(turn.world.orders)
    order = open_order(turn, asset, "reported", words, by)
    if order.order_id in known:
        _step(turn, order, "also:reported", by, words)
    return Outcome("ok", {"order": order.order_id})


def acknowledge(turn: Turn, body: AckOrder, by: str) -> Outcome:
    """Somebody is looking after it."""
    order = turn.world.orders.get(body.order_id)
    if order is None:
        return refused("unknown_order", order=body.order_id)
    if order.state == SEEN:
        order = msgspec.structs.replace(order, state=ACKNOWLEDGED)
    _keep(turn, order, ACKNOWLEDGED, by, "")
    _seen(turn, order, by)
    return Outcome("ok", {"order": order.order_id})


def ticket(turn: Turn, body: TicketOrder, by: str) -> Outcome:
    """It was given to a workshop."""
    order = turn.world.orders.get(body.order_id)
    if order is None:
        return refused("unknown_order", order=body.order_id)
    if not 1 <= len(body.ticket) <= 60:
        return refused("bad_value", field="ticket", low=1, high=60)
    state = order.state if order.state == LOCKED else TICKET
    _keep(turn, msgspec.structs.replace(order, state=state, ticket=body.ticket), TICKET, by, body.ticket)
    _seen(turn, order, by)
    return Outcome("ok", {"order": order.order_id})


def lock_out(turn: Turn, body: LockOut, by: str) -> Outcome:
    """Out of use until a return test."""
    asset = turn.world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    order = lock(turn, asset, "locked_out", body.note, by)
    return Outcome("ok", {"order": order.order_id})


def lock(turn: Turn, asset: Asset, cause: str, note: str, by: str) -> OrderRow:
    """Lock a machine out under its standing order, or under a new one."""
    order = turn.world.orders.get(asset.locked_by)
    if order is not None:
        return order
    standing = [one for one in turn.world.orders.values() if one.asset == asset.settings.asset]
    order = standing[0] if standing else open_order(turn, asset, cause, note, by)
    order = msgspec.structs.replace(order, state=LOCKED)
    _keep(turn, order, LOCKED, by, note)
    asset.locked_by = order.order_id
    if asset.workout is not None:
        machines.changed(turn, asset, [end(asset, "locked_out", turn.now_ns)])
    elif asset.phase is Phase.ARMED:
        machines.changed(turn, asset, [disarm(asset, turn.now_ns)])
    turn.show(asset.settings.asset, at_once=True)
    return order


def answer_orders(turn: Turn, asset: Asset, by: str, note: str) -> None:
    """A service was done: it is written into the standing orders of the machine; a return test closes them."""
    for order in [one for one in turn.world.orders.values() if one.asset == asset.settings.asset]:
        _step(turn, order, "serviced", by, note)


def settle(turn: Turn, asset: Asset, owed: set[str], by: str) -> None:
    """What was asked for has been done, and the machine itself or its inspection proves it: the order is closed. A
    round of 232 inspections needs no 232 return tests. A machine that is locked out still needs its own."""
    for order in [one for one in turn.world.orders.values() if one.asset == asset.settings.asset]:
        if order.cause in SETTLED and order.cause not in owed and order.state != LOCKED:
            done = msgspec.structs.replace(order, state=CLOSED, standing=False, closed_by=by)
            _keep(turn, done, "settled", by, "")
            clear_alarm(turn.world.alarms, _alarm_key(order), turn.stamp)


def return_test(turn: Turn, body: ReturnTest, by: str) -> Outcome:
    """The only way back into use."""
    asset = turn.world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    standing = [order for order in turn.world.orders.values() if order.asset == body.asset]
    if not standing:
        return refused("not_now", problem="no_order", asset=body.asset)
    if not body.passed:
        lock(turn, asset, "locked_out", body.note, by)  # first: of one input an order keeps its last step
    for order in standing:
        if body.passed:
            done = msgspec.structs.replace(order, state=CLOSED, standing=False, closed_by=by)
            _keep(turn, done, "passed", by, body.note)
            _seen(turn, order, by)
        else:
            _step(turn, order, "failed", by, body.note)
    if body.passed:
        asset.locked_by = asset.fault = ""
        clear_alarm(turn.world.alarms, f"fault:{body.asset}", turn.stamp)
    turn.show(body.asset, at_once=True)
    return Outcome("ok", {"asset": body.asset, "passed": body.passed})


def close(turn: Turn, body: CloseOrder, by: str) -> Outcome:
    """Close an order whose machine is gone: nothing is left that could be tested. While the site has the machine, the
    return test stays the only way."""
    order = turn.world.orders.get(body.order_id)
    if order is None:
        return refused("unknown_order", order=body.order_id)
    if order.asset in turn.world.assets:
        return refused("not_now", problem="return_test_first", asset=order.asset)
    if not body.note:
        return refused("bad_value", field="note", low=1, high=MAX_NOTE)
    done = msgspec.structs.replace(order, state=CLOSED, standing=False, closed_by=by)
    _keep(turn, done, "removed", by, body.note)
    _seen(turn, order, by)
    return Outcome("ok", {"order": order.order_id})


def inspect(turn: Turn, body: Inspect, by: str) -> Outcome:
    """An inspection by checklist (GB 19272-2024 asks for one of outdoor equipment); danger locks out at once."""
    asset = turn.world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    known = {item for item, _ in turn.config.inspection}
    for item, grade in body.items:
        if item not in known or grade not in GRADES:
            return refused("bad_value", field="items", item=item, grades=list(GRADES))
    if len({item for item, _ in body.items}) < len(body.items):
        return refused("bad_value", field="items", high=len(known))
    if not body.items or len(body.note) > MAX_NOTE:
        return refused("bad_value", field="items" if not body.items else "note", high=MAX_NOTE)
    worst = max((grade for _, grade in body.items), key=GRADES.index)
    turn.put(
        InspectionRow(
            seq=turn.stamp.seq, asset=body.asset, day=turn.world.day, by=by, worst=worst, note=body.note,
            items=msgspec.msgpack.encode(body.items), at_ns=turn.stamp.wall_ns,
        )
    )  # fmt: skip
    bad = ", ".join(item for item, grade in body.items if grade != "ok")
    if worst == "danger":
        lock(turn, asset, "inspection", bad, by)
    elif worst != "ok":
        open_order(turn, asset, "inspection", bad, by)
    return Outcome("ok", {"asset": body.asset, "worst": worst, "inspection": turn.stamp.seq})


def order_view(world: World, order: OrderRow) -> OrderView:
    """One order for the maintenance page."""
    return OrderView(
        order_id=order.order_id,
        asset=order.asset,
        cause=order.cause,
        detail=order.detail,
        state=order.state,
        ticket=order.ticket,
        opened_wall_ns=order.opened_ns,
        by=order.opened_by,
        photo=photos.photo_view(world, ORDER, order.order_id),
    )


def _keep(turn: Turn, order: OrderRow, step: str, by: str, note: str) -> None:
    order = msgspec.structs.replace(order, at_ns=turn.stamp.wall_ns)
    if order.standing:
        turn.world.orders[order.order_id] = order
    else:
        turn.world.orders.pop(order.order_id, None)
        photos.erase(turn, ORDER, order.order_id, by)
    turn.put(order)
    turn.maintenance = True
    _step(turn, order, step, by, note)


def _step(turn: Turn, order: OrderRow, step: str, by: str, note: str) -> None:
    turn.put(
        OrderStepRow(
            seq=turn.stamp.seq, order_id=order.order_id, step=step, by=by, note=note[:MAX_NOTE],
            at_ns=turn.stamp.wall_ns,
        )
    )  # fmt: skip


def _seen(turn: Turn, order: OrderRow, by: str) -> None:
    """Whoever sees to an order has heard of it: its alarm ends, and does not wait for a second acknowledgement."""
    book, key = turn.world.alarms, _alarm_key(order)
    clear_alarm(book, key, turn.stamp)
    if key in book.alarms:
        acknowledge_alarm(book, book.alarms[key].alarm_id, by, turn.stamp)


def _alarm_key(order: OrderRow) -> str:
    return f"order:{order.order_id}"
