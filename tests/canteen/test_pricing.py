"""The pipeline against the districts' worked examples, against itself on arrays, and against known rounding bugs."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.domain.canteen.pricing import (
    Diner,
    Occasion,
    Usage,
    amounts,
    compile_plan,
    explain,
    line_of,
    meal_key,
)
from edge.domain.canteen.pricing_batch import SubsidyColumn, batch_amounts
from edge.domain.canteen.settings import Rule, RuleKind, SpendBasis
from edge.domain.words import Text

LUNCH = Occasion(day="2026-11-22", meal="lunch")
T = Text(zh="规则", en="rule")


def rule(rule_id, kind, **more):
    return Rule(rule_id=rule_id, version="1", kind=kind, title=T, start="2025-12-01", **more)


def putuo(basis):
    common = {"district": "putuo", "scheme": "dine-in", "per_person_per_day": 1, "spend_basis": basis}
    return (
        rule("d60", RuleKind.DISCOUNT, district="putuo", min_age=60, max_age=79, rate_bp=9000),
        rule("d80", RuleKind.DISCOUNT, district="putuo", min_age=80, rate_bp=8500),
        rule(
            "a", RuleKind.SUBSIDY, min_age=60, hukou=True, low_income=True, amount_fen=500, min_spend_fen=800, **common
        ),
        rule("b", RuleKind.SUBSIDY, min_age=60, max_age=79, hukou=True, amount_fen=200, min_spend_fen=1500, **common),
        rule("c", RuleKind.SUBSIDY, min_age=80, hukou=True, amount_fen=300, min_spend_fen=1500, **common),
    )


EXAMPLES = [  # age, hukou, low income, list, after discount, payable (threshold on list), payable (on discounted)
    (65, True, False, 1600, 1440, 1240, 1440),
    (82, True, False, 1800, 1530, 1230, 1230),
    (70, True, True, 850, 765, 265, 765),
    (65, False, False, 2000, 1800, 1800, 1800),
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_putuo_2025_worked_examples(kit, example):
    age, hukou, low_income, list_fen, discounted, on_list, on_discounted = example
    diner = Diner(category="x", age=age, district="putuo", hukou=hukou, low_income=low_income, member="m")
    for basis, payable in ((SpendBasis.LIST, on_list), (SpendBasis.DISCOUNTED, on_discounted)):
        plan = compile_plan(putuo(basis), "v", diner, LUNCH)
        lines = [line_of(plan, kit.dish("a", list_fen), 150)]
        sums = amounts(plan, lines)
        assert sums.list_fen + sums.discount_fen == discounted
        assert sums.payable_fen == payable


def test_rounding_is_on_what_is_paid_half_up(kit):
    plan = compile_plan([rule("d", RuleKind.DISCOUNT, rate_bp=9000)], "v", Diner(category="x"), LUNCH)
    assert amounts(plan, [line_of(plan, kit.dish("a", 1235), 150)]).payable_fen == 1112


def test_full_subsidy_leaves_exactly_nothing(kit):
    """frappe/erpnext#52001: a 100 % discount left 0.01."""
    plan = compile_plan([rule("s", RuleKind.SUBSIDY, amount_fen=9999, scheme="s")], "v", Diner(category="x"), LUNCH)
    lines = [line_of(plan, kit.dish(n, fen), 150) for n, fen in (("a", 333), ("b", 1), ("c", 667))]
    sums = amounts(plan, lines)
    assert sums.payable_fen == 0
    steps = explain(plan, lines, sums)
    assert [sum(s.allocation[i] for s in steps) for i in range(3)] == [0, 0, 0]
    assert steps[-1].why["limited_by"] == "payable"


def test_lines_of_219_and_the_total_agree(kit):
    """odoo#36732: a line of 2.19 and a total of 2.18."""
    plan = compile_plan([rule("d", RuleKind.DISCOUNT, rate_bp=9500)], "v", Diner(category="x"), LUNCH)
    lines = [line_of(plan, kit.dish("a", 219), 150)] * 3
    sums = amounts(plan, lines)
    steps = explain(plan, lines, sums)
    assert sum(sum(s.allocation) for s in steps) == sums.payable_fen == 624


def test_rules_hold_only_in_their_time_meal_and_for_their_people(kit):
    base = rule("d", RuleKind.DISCOUNT, rate_bp=5000, end="2026-11-30", meals=("lunch",), district="putuo", min_age=60)
    fits = Diner(category="x", age=60, district="putuo")

    def discounted(diner=fits, day="2026-11-22", meal="lunch"):
        return compile_plan([base], "v", diner, Occasion(day=day, meal=meal)).discount is not None

    assert discounted()
    assert discounted(day="2026-11-30")
    assert not discounted(day="2026-12-01")
    assert not discounted(day="2025-11-30")
    assert not discounted(meal="dinner")
    assert not discounted(Diner(category="x", age=59, district="putuo"))
    assert not discounted(Diner(category="x", district="putuo"))
    assert not discounted(Diner(category="x", age=60, district="xuhui"))


def test_caps_leave_what_they_leave():
    subsidy = rule(
        "s", RuleKind.SUBSIDY, amount_fen=300, scheme="s", daily_fen=500, meal_fen=400, budget_fen=1000,
        per_person_per_day=3,
    )  # fmt: skip

    def rest(usage, spent=0):
        plan = compile_plan([subsidy], "v", Diner(category="x", member="m"), LUNCH, usage, {"s": spent})
        return plan.grants[0].rest_fen, plan.grants[0].limited_by

    assert rest({}) == (300, "")
    assert rest({"s": Usage(300, 1)}) == (200, "daily_fen")
    assert rest({meal_key("s", "lunch"): Usage(350, 1)}) == (50, "meal_fen")
    assert rest({}, spent=950) == (50, "budget_fen")
    assert rest({}, spent=1200) == (0, "budget_fen")
    assert rest({"s": Usage(0, 3)}) == (0, "used_today")
    guest = compile_plan([subsidy], "v", Diner(category="x"), LUNCH)
    assert (guest.grants[0].rest_fen, guest.grants[0].limited_by) == (0, "no_member")


def test_dish_by_weight_and_special(kit):
    special = rule("sp", RuleKind.SPECIAL, dishes=("f",), price_fen=250)
    card = kit.dish("f", 330, by_weight=True, portion_g=200)
    plan = compile_plan([special], "v", Diner(category="x"), LUNCH)
    line = line_of(plan, card, 137)
    assert line.list_fen == 226  # 330 * 137 / 200 = 226.05
    assert line.special_fen == 171 - 226  # 250 * 137 / 200 = 171.25
    assert line.energy_j == 342_500  # 500 kJ per 200 g
    dear = compile_plan([msgspec.structs.replace(special, price_fen=999)], "v", Diner(category="x"), LUNCH)
    assert line_of(dear, card, 137).special_fen == 0


def test_the_best_rule_wins_and_ties_go_to_the_smaller_id():
    rules = [
        rule("z", RuleKind.DISCOUNT, rate_bp=8000),
        rule("b", RuleKind.DISCOUNT, rate_bp=8000),
        rule("a", RuleKind.DISCOUNT, rate_bp=9000),
        rule("s1", RuleKind.SUBSIDY, amount_fen=100, scheme="s"),
        rule("s2", RuleKind.SUBSIDY, amount_fen=200, scheme="s"),
        rule("w", RuleKind.WIPE_OFF, unit_fen=10),
    ]
    plan = compile_plan(rules, "v", Diner(category="x"), LUNCH)
    assert plan.discount.rule_id == "b"
    assert [g.rule.rule_id for g in plan.grants] == ["s2"]
    assert plan.wipe_off.rule_id == "w"
    assert plan == compile_plan(rules[::-1], "v", Diner(category="x"), LUNCH)


baskets = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), min_size=1, max_size=8),
        st.sampled_from([10_000, 9_000, 8_500, 7_777, 1]),
        st.lists(st.tuples(st.integers(0, 900), st.integers(0, 4000), st.booleans()), min_size=2, max_size=2),
        st.sampled_from([1, 5, 10, 100]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(baskets)
def test_lines_order_and_arrays_agree_for_random_baskets(kit_free_baskets):
    columns = {"list": [], "special": [], "rate": [], "rest": [], "min": [], "basis": [], "unit": []}
    live = []
    for plates, rate, grants, unit in kit_free_baskets:
        rules = [rule("d", RuleKind.DISCOUNT, rate_bp=rate), rule("w", RuleKind.WIPE_OFF, unit_fen=unit)]
        for i, (amount, spend, on_list) in enumerate(grants):
            basis = SpendBasis.LIST if on_list else SpendBasis.DISCOUNTED
            rules.append(
                rule(
                    f"s{i}", RuleKind.SUBSIDY, amount_fen=amount, min_spend_fen=spend, scheme=f"s{i}", spend_basis=basis
                )
            )
        for i, (_, price) in enumerate(plates):
            rules.append(rule(f"p{i}", RuleKind.SPECIAL, dishes=(f"d{i}",), price_fen=price))
        plan = compile_plan(rules, "v", Diner(category="x", member="m"), LUNCH)
        lines = [line_of(plan, DISH(f"d{i}", price), 150) for i, (price, _) in enumerate(plates)]
        sums = amounts(plan, lines)
        steps = explain(plan, lines, sums)
        payable = [sum(s.allocation[i] for s in steps) for i in range(len(lines))]
        assert sum(payable) == sum(s.fen for s in steps) == sums.payable_fen >= 0
        assert min(payable) >= 0
        assert all(sum(s.allocation) == s.fen for s in steps)
        live.append(sums[:6])
        pad = [0] * (8 - len(lines))
        columns["list"].append([line.list_fen for line in lines] + pad)
        columns["special"].append([line.special_fen for line in lines] + pad)
        columns["rate"].append(rate)
        columns["unit"].append(unit)
        columns["rest"].append([g[0] for g in grants])
        columns["min"].append([g[1] for g in grants])
        columns["basis"].append([g[2] for g in grants])
    arrays = {name: np.array(rows) for name, rows in columns.items()}
    batch = batch_amounts(
        arrays["list"],
        arrays["special"],
        arrays["rate"],
        tuple(SubsidyColumn(arrays["rest"][:, i], arrays["min"][:, i], arrays["basis"][:, i]) for i in range(2)),
        arrays["unit"],
    )
    for i, expected in enumerate(live):
        assert (
            tuple(tuple(int(v) for v in column[i]) if column.ndim == 2 else int(column[i]) for column in batch)
            == expected
        )


def DISH(dish_id, price_fen):  # noqa: N802  reads like the fixture it stands for
    from edge.domain.canteen.settings import DishCard, Nutrients, PricedBy

    return DishCard(
        dish_id=dish_id, version="1", name=T, price_fen=price_fen, portion_g=150, priced_by=PricedBy.PORTION, kind="x",
        nutrients=Nutrients(energy_j=1, protein_mg=1, fat_mg=1, carbohydrate_mg=1, sodium_mg=1),
    )  # fmt: skip
