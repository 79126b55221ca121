"""The rotation and the check of a plan."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.canteen.menu import FaultKind, PlanFault, check_plan, rotation
from edge.domain.canteen.settings import MenuDay

START = date(2026, 11, 2)  # a Monday


def plan(*days: tuple[int, str]) -> list[MenuDay]:
    return [MenuDay(day=(START + timedelta(days=n)).isoformat(), dish_ids=tuple(ids.split())) for n, ids in days]


def test_a_dish_may_return_on_the_fifteenth_day_and_no_sooner() -> None:
    assert check_plan(plan((0, "a"), (15, "a")), 1, 15) == ()
    assert check_plan(plan((0, "a"), (14, "a")), 1, 15) == (
        PlanFault(kind=FaultKind.REPEAT, day="2026-11-16", dish_id="a", number=14, last_day="2026-11-02"),
    )


def test_a_repeat_is_counted_from_the_latest_day() -> None:
    faults = check_plan(plan((0, "a"), (10, "a"), (20, "a")), 1, 15)
    assert [(fault.day, fault.number) for fault in faults] == [("2026-11-12", 10), ("2026-11-22", 10)]


def test_every_fault_is_reported() -> None:
    faults = check_plan(plan((0, "a b b"), (1, "a"), (2, "c d")), 2, 15)
    assert [(fault.kind, fault.dish_id, fault.number) for fault in faults] == [
        (FaultKind.TOO_MANY, "", 3),
        (FaultKind.TWICE_A_DAY, "b", 0),
        (FaultKind.TOO_FEW, "", 1),
        (FaultKind.REPEAT, "a", 1),
    ]


def test_rules_can_be_switched_off() -> None:
    assert check_plan(plan((0, "a"), (1, "a b")), 0, 0) == ()


def test_360_dishes_over_15_days_prove_the_rule() -> None:
    cycle = [tuple(f"d{day}-{n}" for n in range(24)) for day in range(15)]
    year = rotation(START, cycle, START, 365, frozenset())
    assert check_plan(year, 24, 15) == ()
    short = rotation(START, cycle[:14], START, 365, frozenset())
    assert {fault.kind for fault in check_plan(short, 24, 15)} == {FaultKind.REPEAT}


CYCLE = [("a",), ("b",), ("c",)]


def test_the_rotation_runs_in_both_directions() -> None:
    days = rotation(START, CYCLE, START - timedelta(days=4), 8, frozenset())
    assert [day.dish_ids[0] for day in days] == ["c", "a", "b", "c", "a", "b", "c", "a"]


def test_closed_days_are_left_out_and_use_up_nothing() -> None:
    days = rotation(START, CYCLE, START, 9, frozenset({5, 6}))
    assert [(day.day[-2:], day.dish_ids[0]) for day in days] == [
        ("02", "a"), ("03", "b"), ("04", "c"), ("05", "a"), ("06", "b"), ("09", "c"), ("10", "a"),
    ]  # fmt: skip


@given(
    first=st.dates(date(2020, 1, 1), date(2032, 1, 1)),
    closed=st.frozensets(st.integers(0, 6), max_size=6),
    length=st.integers(1, 9),
)
def test_wherever_one_looks_the_days_are_the_same(first: date, closed: frozenset[int], length: int) -> None:
    cycle = [(f"d{n}",) for n in range(length)]
    long = rotation(START, cycle, first, 40, closed)
    assert rotation(START, cycle, first + timedelta(days=1), 39, closed) == tuple(
        day for day in long if day.day > first.isoformat()
    )
    order = [int(day.dish_ids[0][1:]) for day in long]
    assert all((b - a) % length == 1 % length for a, b in pairwise(order))


@pytest.mark.parametrize("day", ["2026-11-02", "2026-11-03"])
def test_dishes_on_a_day(day: str) -> None:
    from edge.domain.canteen.menu import dishes_on
    from edge.domain.canteen.settings import CanteenConfig, DishCard, Nutrients, PricedBy
    from edge.domain.words import Text

    nothing = Nutrients(energy_j=0, protein_mg=0, fat_mg=0, carbohydrate_mg=0, sodium_mg=0)
    cards = tuple(
        DishCard(
            dish_id=dish_id, version="1", name=Text("", ""), price_fen=1, portion_g=1, priced_by=PricedBy.PORTION,
            nutrients=nothing, kind="main",
        )
        for dish_id in ("a", "b", "c")
    )  # fmt: skip
    config = CanteenConfig(
        version="1", site=Text("", ""), lanes=(), dishes=cards, menu=tuple(plan((0, "c a"), (1, "b"))), meals=(),
        rules=(), categories=(), references=(),
    )  # fmt: skip
    expected = {"2026-11-02": ["c", "a"], "2026-11-03": ["b"]}[day]
    assert [card.dish_id for card in dishes_on(config, day)] == expected
    assert dishes_on(config, "2026-11-04") == ()
