"""Sums, shares and traffic lights; and whole days by numpy give the very same integers."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.canteen.nutrition import FIELDS, LIGHTS, NOTHING, kcal, level, scaled, shares, total
from edge.domain.canteen.nutrition_batch import LEVEL_WORDS, DishTable, day_nutrition
from edge.domain.canteen.settings import DishCard, Nutrients, PricedBy
from edge.domain.words import Text

NRV = Nutrients(
    energy_j=8_400_000,
    protein_mg=60_000,
    fat_mg=60_000,
    carbohydrate_mg=300_000,
    sodium_mg=2_000,
    saturated_fat_mg=20_000,
    fibre_mg=25_000,
)
AMOUNTS = st.integers(0, 20_000_000)
PERHAPS = st.none() | AMOUNTS
NUTRIENTS = st.builds(
    Nutrients,
    energy_j=AMOUNTS,
    protein_mg=AMOUNTS,
    fat_mg=AMOUNTS,
    carbohydrate_mg=AMOUNTS,
    sodium_mg=AMOUNTS,
    saturated_fat_mg=PERHAPS,
    sugars_mg=PERHAPS,
    fibre_mg=PERHAPS,
)


def values(nutrients: Nutrients) -> list[int | None]:
    return [getattr(nutrients, field) for _, field in FIELDS]


def test_one_unknown_makes_the_sum_unknown() -> None:
    known = Nutrients(energy_j=1, protein_mg=2, fat_mg=3, carbohydrate_mg=4, sodium_mg=5, fibre_mg=6, sugars_mg=0)
    unknown = Nutrients(energy_j=10, protein_mg=20, fat_mg=30, carbohydrate_mg=40, sodium_mg=50, sugars_mg=7)
    assert values(total([known, unknown])) == [11, 22, 33, 44, 55, None, 7, None]


def test_nothing_is_nothing() -> None:
    assert total([]) == NOTHING


@given(nutrients=NUTRIENTS, grams=st.integers(1, 5000), portion_g=st.integers(1, 1000))
def test_scaling_rounds_half_up_once(nutrients: Nutrients, grams: int, portion_g: int) -> None:
    for got, whole in zip(values(scaled(nutrients, grams, portion_g)), values(nutrients), strict=True):
        if whole is None:
            assert got is None
        else:
            exact = Decimal(whole) * grams / portion_g
            assert abs(Decimal(got) - exact) <= Decimal("0.5")
            if (2 * whole * grams) % portion_g == 0:
                assert got == int(exact.to_integral_value(ROUND_HALF_UP))


def test_shares_of_a_lunch() -> None:
    lunch = Nutrients(
        energy_j=2_950_000, protein_mg=24_300, fat_mg=30_000, carbohydrate_mg=80_000, sodium_mg=1_290,
        saturated_fat_mg=None, sugars_mg=6_000, fibre_mg=9_000,
    )  # fmt: skip
    found = shares(lunch, NRV, 600)
    assert [share.nutrient for share in found] == [name for name, _ in FIELDS]
    assert [share.share_pct for share in found] == [35, 41, 50, 27, 65, None, None, 36]
    assert [share.amount for share in found][:2] == [2_950_000, 24_300]
    # fat 5 g/100 g but 30 g in the meal; sodium 215 mg/100 g but 1,290 mg in the meal; sugars 1 g/100 g
    assert [share.level for share in found] == ["", "", "high", "", "high", "", "low", ""]


def test_half_a_percent_rounds_up() -> None:
    daily = Nutrients(energy_j=200, protein_mg=1000, fat_mg=1, carbohydrate_mg=1, sodium_mg=1)
    meal = Nutrients(energy_j=1, protein_mg=4, fat_mg=0, carbohydrate_mg=0, sodium_mg=0)
    assert [share.share_pct for share in shares(meal, daily, 100)][:2] == [1, 0]


@pytest.mark.parametrize(
    ("nutrient", "amount_mg", "grams", "expected"),
    [
        ("fat", 3_000, 100, "low"),
        ("fat", 3_001, 100, "medium"),
        ("fat", 17_500, 100, "medium"),
        ("fat", 17_501, 100, "high"),
        ("fat", 21_000, 200, "medium"),
        ("fat", 21_001, 200, "high"),
        ("fat", 17_400, 99, "high"),
        ("saturated_fat", 6_001, 300, "high"),
        ("saturated_fat", 1_500, 100, "low"),
        ("sugars", 5_000, 100, "low"),
        ("sugars", 27_000, 300, "medium"),
        ("sodium", 120, 100, "low"),
        ("sodium", 600, 100, "medium"),
        ("sodium", 601, 100, "high"),
        ("sodium", 721, 500, "high"),
        ("sodium", 720, 500, "medium"),
        ("protein", 99_999, 100, ""),
        ("sodium", None, 100, ""),
        ("sodium", 0, 0, ""),
    ],
)
def test_traffic_lights_at_their_edges(nutrient: str, amount_mg: int | None, grams: int, expected: str) -> None:
    assert level(nutrient, amount_mg, grams) == expected


def test_salt_limits_are_sodium_times_two_and_a_half() -> None:
    assert [limit * 5 // 2 for limit in LIGHTS["sodium"]] == [300, 1_500, 1_800]


def test_kcal() -> None:
    assert kcal(8_400_000) == 2008
    assert (kcal(2_092), kcal(2_091)) == (1, 0)


def card(number: int, nutrients: Nutrients, portion_g: int) -> DishCard:
    return DishCard(
        dish_id=f"d{number}", version="1", name=Text("", ""), price_fen=1, portion_g=portion_g,
        priced_by=PricedBy.PORTION, nutrients=nutrients, kind="main",
    )  # fmt: skip


DISHES = st.lists(st.tuples(NUTRIENTS, st.integers(1, 1000)), min_size=1, max_size=6)
TRAYS = st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3000)), min_size=1, max_size=5), max_size=6)


@given(dishes=DISHES, trays=TRAYS, daily=NUTRIENTS)
def test_whole_days_and_single_trays_give_the_same_integers(dishes, trays, daily: Nutrients) -> None:
    cards = [card(n, nutrients, portion_g) for n, (nutrients, portion_g) in enumerate(dishes)]
    plates = [(index % len(cards), grams) for tray in trays for index, grams in tray]
    starts = np.cumsum([0, *(len(tray) for tray in trays)])[:-1] if trays else np.zeros(0, dtype=np.int64)
    day = day_nutrition(
        DishTable(cards),
        np.array([dish for dish, _ in plates], dtype=np.int64),
        np.array([grams for _, grams in plates], dtype=np.int64),
        starts.astype(np.int64),
    )
    percent, levels = day.share_pct(daily), day.levels()
    assert len(day.grams) == len(trays)
    for row, tray in enumerate(trays):
        parts = [
            scaled(cards[index % len(cards)].nutrients, grams, cards[index % len(cards)].portion_g)
            for index, grams in tray
        ]
        grams = sum(g for _, g in tray)
        assert int(day.grams[row]) == grams
        for column, share in enumerate(shares(total(parts), daily, grams)):
            assert bool(day.known[row, column]) is (share.amount is not None)
            assert int(day.amounts[row, column]) == (share.amount or 0)
            assert int(percent[row, column]) == (-1 if share.share_pct is None else share.share_pct)
            assert LEVEL_WORDS[levels[row, column]] == share.level


def test_the_largest_amounts_do_not_overflow() -> None:
    huge = Nutrients(energy_j=10**8, protein_mg=10**8, fat_mg=10**8, carbohydrate_mg=10**8, sodium_mg=10**8)
    day = day_nutrition(
        DishTable([card(0, huge, 1)]), np.zeros(20, np.int64), np.full(20, 5000, np.int64), np.zeros(1, np.int64)
    )
    assert int(day.amounts[0, 0]) == 20 * 5000 * 10**8
    assert int(day.share_pct(NRV)[0, 4]) == math.floor(20 * 5000 * 10**8 * 100 / 2000)


@pytest.mark.parametrize("starts", [[1], [0, 0], [0, 3], [0, 2, 1], []])
def test_trays_that_do_not_fit_the_plates_are_refused(starts: list[int]) -> None:
    table = DishTable([card(0, NRV, 100)])
    with pytest.raises(ValueError, match=r"start|tray"):
        day_nutrition(table, np.zeros(3, np.int64), np.full(3, 100, np.int64), np.array(starts, dtype=np.int64))


def test_plates_and_grams_must_match() -> None:
    with pytest.raises(ValueError, match="equally long"):
        day_nutrition(
            DishTable([card(0, NRV, 100)]), np.zeros(3, np.int64), np.zeros(2, np.int64), np.zeros(1, np.int64)
        )
