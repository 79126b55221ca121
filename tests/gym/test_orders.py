"""Work orders, lock-out and the narrow way back; inspections; what is due."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.gym.messages import (
    AckOrder,
    ClaimAsset,
    CloseOrder,
    ConfigApplied,
    Inspect,
    LockOut,
    ReportFault,
    ReturnTest,
    ServiceDone,
    TicketOrder,
)
from edge.domain.gym.wear_rows import OrderStepRow


def orders(gym):
    return {order.cause: order for order in gym.world.orders.values()}


def repair(gym, body):
    return gym.command(body, role=Role.MAINTENANCE, user="fitter-1")


def test_one_fault_is_one_order(gym):
    for _ in range(3):
        gym.health("t1", error_code=17)
        gym.elapse(10)
    assert list(orders(gym)) == ["fault"]
    assert gym.shown["asset/t1"].use == "fault"
    assert gym.shown["asset/t1"].fault == "error_17"
    assert {"machine_fault", "order_fault"} <= set(gym.causes())
    gym.health("t1", error_code=0)
    assert gym.shown["asset/t1"].use != "fault"
    assert list(orders(gym)) == ["fault"]  # somebody still has to look


def test_the_steps_of_an_order(gym):
    order = gym.command(ReportFault(asset="t1", what="noise", note="a knock at 8 km/h")).body["order"]
    assert repair(gym, AckOrder(order_id=order)).code == "ok"
    assert repair(gym, TicketOrder(order_id=order, ticket="W-77")).code == "ok"
    assert (gym.world.orders[order].state, gym.world.orders[order].ticket) == ("ticket", "W-77")
    assert repair(gym, ReturnTest(asset="t1", passed=True)).code == "ok"
    assert gym.world.orders == {}


@pytest.mark.parametrize("restart", [False, True])
def test_only_a_passed_test_gives_a_locked_machine_back(gym, restart):
    gym.person("anna", "c1")
    gym.stand("t1")
    gym.train("t1", 60)
    assert gym.command(LockOut(asset="t1", note="belt torn")).code == "ok"
    assert [row.reason for row in gym.workouts()] == ["locked_out"]
    if restart:
        gym.restart()
    gym.stand("t1")
    gym.train("t1", 20)
    assert gym.shown["asset/t1"].use == "locked"
    assert gym.command(ClaimAsset(asset="t1", card="c1")).body["problem"] == "out_of_order"
    assert repair(gym, ReturnTest(asset="t1", passed=False)).code == "ok"
    assert gym.shown["asset/t1"].use == "locked"
    assert gym.command(ReturnTest(asset="t1", passed=True)).code == "forbidden"  # a coach is no fitter
    assert repair(gym, ReturnTest(asset="t1", passed=True)).code == "ok"
    assert gym.shown["asset/t1"].use in {"free", "warm"}


def test_a_test_that_was_failed_is_told_by_the_order_of_a_machine_that_was_in_use(gym):
    gym.command(ReportFault(asset="t1", what="noise"))
    assert repair(gym, ReturnTest(asset="t1", passed=False, note="belt torn")).code == "ok"
    assert gym.asset("t1").locked_by
    assert [(row.step, row.note) for row in gym.rows.all(OrderStepRow)][1:] == [("failed", "belt torn")]


def test_danger_in_an_inspection_locks_out(gym):
    assert gym.shown["maintenance"].checklist == gym.config.inspection, "a page asks what the kernel takes"
    reply = repair(gym, Inspect(asset="o1", items=(("frame", "ok"), ("bolts", "danger"))))
    assert reply.body["worst"] == "danger"
    assert gym.shown["asset/o1"].use == "locked"
    assert repair(gym, Inspect(asset="o1", items=(("wheel", "ok"),))).code == "bad_value"


def test_hours_are_warned_of_and_then_ordered_once(gym):
    gym.health("t1", usage_hours_h=4000.0)  # an old machine that is new to us
    gym.elapse(601)
    gym.health("t1", usage_hours_h=4091.0)
    assert gym.world.orders == {}
    assert ("t1", "hours_soon", 91) in gym.shown["maintenance"].due
    gym.elapse(601)
    gym.health("t1", usage_hours_h=4101.0)
    gym.elapse(601)
    gym.health("t1", usage_hours_h=4102.0)
    assert list(orders(gym)) == ["hours_due"]
    repair(gym, ServiceDone(asset="t1"))
    repair(gym, ReturnTest(asset="t1", passed=True))
    gym.elapse(601)
    gym.health("t1", usage_hours_h=4103.0)
    assert gym.world.orders == {}


def test_a_changed_console_is_no_service_and_no_debt(gym):
    gym.health("t1", usage_hours_h=4000.0)
    gym.elapse(601)
    gym.health("t1", usage_hours_h=4050.0)
    gym.elapse(601)
    gym.health("t1", usage_hours_h=3.0)
    gym.elapse(601)
    gym.health("t1", usage_hours_h=54.0)
    assert list(orders(gym)) == ["hours_due"]  # 50 + 51 hours since the last service


def without(gym, name):
    """The site's configuration when a machine is gone from its file."""
    left = tuple(one for one in gym.config.assets if one.asset != name)
    return msgspec.structs.replace(gym.config, version="gone", assets=left)


def test_the_view_of_a_machine_goes_with_it(gym):
    """A page would show it as free for ever."""
    assert gym.shown["asset/t1"] is not None
    gym.give(ConfigApplied(without(gym, "t1")))
    gym.run(3)
    assert [key for key, view in gym.shown.items() if view is None] == ["asset/t1"]


def test_an_order_of_a_machine_that_is_gone_is_closed_by_a_reason(gym):
    gym.command(LockOut(asset="t1", note="belt torn"))
    order = next(iter(gym.world.orders))
    assert repair(gym, CloseOrder(order_id=order, note="sold")).body["problem"] == "return_test_first"
    gym.give(ConfigApplied(without(gym, "t1")))
    gym.config = gym.world.config
    gym.restart()
    assert [one.order_id for one in gym.shown["maintenance"].orders] == [order]
    assert repair(gym, CloseOrder(order_id=order, note="")).code == "bad_value"
    assert gym.command(CloseOrder(order_id=order, note="sold")).code == "forbidden"  # a coach is no fitter
    assert repair(gym, CloseOrder(order_id=order, note="sold in November")).code == "ok"
    assert gym.world.orders == {}
    assert gym.shown["maintenance"].orders == ()
    steps = [row for row in gym.rows.all(OrderStepRow) if row.step == "removed"]
    assert [(row.by, row.note) for row in steps] == [("fitter-1", "sold in November")]
    gym.restart()
    assert gym.world.orders == {}
    assert repair(gym, CloseOrder(order_id=order, note="again")).code == "unknown_order"
    standing = {"unacknowledged", "acknowledged"}
    assert not any(one.cause == "order_locked_out" and one.state in standing for one in gym.shown["gym-alarms"].alarms)
