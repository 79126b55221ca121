"""A tray that was priced in a meal and is paid as the meal ends."""

from __future__ import annotations

from edge.domain.canteen.messages import BindPlates, Identify, Pay
from edge.domain.canteen.rows import OrderRow, SubsidyUseRow
from edge.domain.canteen.settings import Rule, RuleKind
from edge.domain.words import Text

LUNCH_HELP = Rule(
    rule_id="help", version="1", kind=RuleKind.SUBSIDY, title=Text(zh="补贴", en="help"), start="2026-01-01",
    meals=("lunch",), amount_fen=200, meal_fen=200, scheme="help",
)  # fmt: skip
LUNCH_ENDS_NS = 90 * 60_000_000_000  # after noon


def test_a_subsidy_is_used_in_the_meal_that_it_was_granted_in(kit):
    canteen = kit.new(kit.config(rules=(LUNCH_HELP,)))
    canteen.command(BindPlates(dish_id="pork", plate_uids=(kit.uid(0),)))
    canteen.settle("1", [kit.uid(0)])
    canteen.command(Identify(lane="1", card="1002"))
    view = canteen.lane()
    assert view.payable_fen == 1000
    canteen.wall_ns = kit.noon_ns + LUNCH_ENDS_NS  # no pass has come since
    paid = canteen.command(
        Pay(lane="1", order_id="o", tray_id=view.tray_id, tray_version=view.tray_version, payable_fen=1000,
            method="cash", tendered_fen=1000)
    )  # fmt: skip
    assert paid.code == "ok"
    (order,) = canteen.rows.tables[OrderRow].values()
    uses = {use.scheme: use.fen for use in canteen.rows.tables[SubsidyUseRow].values()}
    assert (order.meal, uses) == ("lunch", {"help": 200, "help@lunch": 200})
