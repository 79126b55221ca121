"""Refunds and voids in odd orders, under odd ids."""

from __future__ import annotations

from edge.domain.canteen.messages import BindPlates, Pay, RefundLines, VoidOrder
from edge.domain.canteen.rows import DayRow, RefundRow


def sell(canteen, uids, order_id):
    canteen.command(BindPlates(dish_id="pork", plate_uids=tuple(uids)))
    view = canteen.settle("1", uids)
    body = Pay(
        lane="1", order_id=order_id, tray_id=view.tray_id, tray_version=view.tray_version,
        payable_fen=view.payable_fen, method="cash", tendered_fen=view.payable_fen,
    )  # fmt: skip
    assert canteen.command(body).code == "ok"
    canteen.settle("1", [])


def test_a_void_never_writes_over_a_refund(canteen, kit):
    """A void keeps its rows under ``void:<command id>``, which a refund may have been called."""
    sell(canteen, [kit.uid(0)], "a")
    sell(canteen, [kit.uid(1)], "b")
    refund = RefundLines(refund_id="void:x", order_id="a", line_nos=(1,), reason="cold")
    assert canteen.command(refund).code == "ok"
    assert canteen.command(VoidOrder(order_id="b", reason="wrong"), command_id="x").code == "id_taken"
    assert canteen.command(VoidOrder(order_id="b", reason="wrong"), command_id="y").code == "ok"
    refunds = canteen.rows.tables[RefundRow].values()
    assert sorted((row.order_id, row.paid_fen) for row in refunds) == [("a", 1200), ("b", 1200)]
    assert canteen.rows.tables[DayRow][(kit.day,)].refunded_fen == 2400
