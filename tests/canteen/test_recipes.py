"""The recipe calculation, against numbers worked out by hand and against laws that any kitchen obeys."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.canteen.recipes import (
    Food,
    Method,
    Part,
    Recipe,
    UnknownGroupError,
    available_carbohydrate_mg,
    check_energy,
    check_food,
    cook,
)

RICE = Food(
    food_id="rice",
    group="grain",
    table_energy_j=358 * 4184,
    protein_mg=6500,
    fat_mg=520,
    carbohydrate_mg=79150,
    sodium_mg=1,
    saturated_fat_mg=140,
    sugars_mg=None,
    fibre_mg=2800,
)
OIL = Food(
    food_id="oil",
    group="oil",
    table_energy_j=884 * 4184,
    protein_mg=0,
    fat_mg=100_000,
    carbohydrate_mg=0,
    sodium_mg=0,
    saturated_fat_mg=7365,
    sugars_mg=0,
    fibre_mg=0,
)
SALT = Food(
    food_id="salt",
    group="seasoning",
    table_energy_j=0,
    protein_mg=0,
    fat_mg=0,
    carbohydrate_mg=0,
    sodium_mg=38758,
    saturated_fat_mg=0,
    sugars_mg=0,
    fibre_mg=0,
)
WATER = msgspec.structs.replace(SALT, food_id="water", group="water", sodium_mg=3)
RIBS = Food(
    food_id="ribs",
    group="meat",
    table_energy_j=277 * 4184,
    protein_mg=15470,
    fat_mg=23400,
    carbohydrate_mg=0,
    sodium_mg=81,
    saturated_fat_mg=7529,
    sugars_mg=0,
    fibre_mg=0,
    edible_pct=70,
)
PLAIN = Method(
    method_id="plain", yield_pct={"grain": 100, "oil": 100, "seasoning": 100, "water": 90, "meat": 70}, oil_uptake_pct=8
)


def recipe(*parts: Part, **more: object) -> Recipe:
    return Recipe(method=PLAIN, parts=parts, **more)


def test_rice_by_hand() -> None:
    """1,000 g rice + 1,950 g water at 90 % = 2,755 g; 200 g hold 72.6 g of rice."""
    batch = cook(recipe(Part(RICE, 1000), Part(WATER, 1950)))
    assert batch.cooked_g == 2755
    eaten = Fraction(200 * 1000, 2755)
    portion = batch.portion(200)
    assert portion.protein_mg == round(eaten * 65)
    assert portion.fat_mg == round(eaten * Fraction(520, 100))
    assert portion.carbohydrate_mg == round(eaten * Fraction(79150 - 2800, 100))
    assert portion.fibre_mg == round(eaten * 28)
    assert portion.sodium_mg == round((1000 * Fraction(1, 100) + 1950 * Fraction(3, 100)) * 200 / 2755)
    assert portion.sugars_mg is None
    energy = 17 * 6500 + 37 * 520 + 17 * (79150 - 2800) + 8 * 2800
    assert portion.energy_j == round(eaten * Fraction(energy, 100))


def test_bone_weighs_but_feeds_nobody() -> None:
    """1,000 g ribs with 30 % bone at yield 70 %: 700 g on plates, protein of 700 g of meat."""
    batch = cook(recipe(Part(RIBS, 1000)))
    assert batch.cooked_g == 700
    assert batch.portion(700).protein_mg == 700 * 15470 // 100


def test_what_is_poured_away_is_not_eaten_and_does_not_weigh() -> None:
    batch = cook(recipe(Part(RICE, 100), Part(SALT, 10, eaten_pct=40), Part(WATER, 1000, eaten_pct=0)))
    assert batch.cooked_g == 104
    assert batch.portion(104).sodium_mg == round(Fraction(4 * 38758, 100) + 1)


def test_sodium_lost_with_the_liquid() -> None:
    poach = msgspec.structs.replace(PLAIN, sodium_kept_pct=60)
    batch = cook(Recipe(method=poach, parts=(Part(RICE, 100), Part(SALT, 10))))
    assert batch.portion(110).sodium_mg == round(Fraction(60, 100) * (1 + Fraction(10 * 38758, 100)))


def test_fried_pieces_take_up_oil() -> None:
    """8 % of 500 g raw = 40 g of oil, in weight and in fat."""
    plain = cook(recipe(Part(RIBS, 500)))
    fried = cook(recipe(Part(RIBS, 500), fried=frozenset({"ribs"}), frying_oil=OIL))
    assert fried.cooked_g == plain.cooked_g + 40
    assert fried.portion(fried.cooked_g).fat_mg - plain.portion(plain.cooked_g).fat_mg == 40_000


def test_a_weighed_batch_wins_over_the_estimate() -> None:
    weighed = cook(recipe(Part(RICE, 1000), Part(WATER, 1950), cooked_g=2500))
    assert weighed.cooked_g == 2500
    assert weighed.portion(100).protein_mg == 65 * 1000 * 100 // 2500
    assert weighed.estimate == 2755 * 10_000


def test_too_light_a_batch_is_seen_as_impossible() -> None:
    assert cook(recipe(Part(RICE, 1000), Part(WATER, 1950), cooked_g=800)).solids_exceed_weight
    assert not cook(recipe(Part(RICE, 1000), Part(WATER, 1950), cooked_g=900)).solids_exceed_weight


def test_unknown_in_one_ingredient_is_unknown_in_the_dish() -> None:
    portion = cook(recipe(Part(RICE, 1000), Part(OIL, 1))).portion(100)
    assert portion.sugars_mg is None
    assert portion.saturated_fat_mg is not None


def test_unknown_in_an_ingredient_that_nobody_eats_does_not_matter() -> None:
    assert cook(recipe(Part(OIL, 100), Part(RICE, 50, eaten_pct=0))).portion(100).sugars_mg == 0


def test_unknown_fibre_leaves_carbohydrate_by_difference() -> None:
    food = msgspec.structs.replace(RICE, fibre_mg=None)
    assert available_carbohydrate_mg(food) == 79150
    assert cook(recipe(Part(food, 100))).portion(100).fibre_mg is None


def test_carbohydrate_never_goes_below_zero() -> None:
    assert available_carbohydrate_mg(msgspec.structs.replace(RICE, carbohydrate_mg=1000, fibre_mg=1200)) == 0


def test_a_group_without_a_yield_is_an_error() -> None:
    with pytest.raises(UnknownGroupError, match="nut"):
        cook(recipe(Part(msgspec.structs.replace(RICE, group="nut"), 1)))


def test_nothing_to_eat_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        cook(recipe(Part(RICE, 100, eaten_pct=0)))


@pytest.mark.parametrize(("off_j", "agrees"), [(0, True), (40_000, True), (40_001, False), (-40_001, False)])
def test_the_absolute_tolerance_of_the_energy_check(off_j: int, agrees: bool) -> None:
    factors = 17 * 3000 + 37 * 200
    food = Food(food_id="x", group="leaf", table_energy_j=factors + off_j, protein_mg=3000, fat_mg=200,
                carbohydrate_mg=0, sodium_mg=0)  # fmt: skip
    assert check_food(food).agrees is agrees


@pytest.mark.parametrize(("table_j", "agrees"), [(3_700_000, True), (3_523_810, True), (3_523_809, False)])
def test_the_relative_tolerance_of_the_energy_check(table_j: int, agrees: bool) -> None:
    """5 % of the table's energy: 3,700 kJ by the factors agree down to 3,700 / 1.05."""
    assert check_food(msgspec.structs.replace(OIL, table_energy_j=table_j)).agrees is agrees


def test_the_check_of_a_dish_sees_a_wrong_ingredient() -> None:
    good = cook(recipe(Part(RICE, 1000), Part(WATER, 100)))
    assert check_energy(good).agrees
    typo = msgspec.structs.replace(RICE, protein_mg=65000)
    assert not check_energy(cook(recipe(Part(typo, 1000), Part(WATER, 100)))).agrees


FOODS = st.sampled_from([RICE, OIL, SALT, WATER, RIBS])
PARTS = st.lists(st.builds(Part, FOODS, st.integers(1, 20_000), st.integers(1, 100)), min_size=1, max_size=8)


@given(parts=PARTS, factor=st.integers(2, 50), grams=st.integers(1, 2000))
def test_the_size_of_the_batch_does_not_matter(parts: list[Part], factor: int, grams: int) -> None:
    once = cook(recipe(*parts))
    many = cook(recipe(*(Part(p.food, p.grams * factor, p.eaten_pct) for p in parts)))
    assert once.portion(grams) == many.portion(grams)


@given(parts=PARTS, seed=st.randoms(use_true_random=False))
def test_the_order_of_ingredients_does_not_matter(parts: list[Part], seed) -> None:
    shuffled = parts[:]
    seed.shuffle(shuffled)
    assert cook(recipe(*parts)) == cook(recipe(*shuffled))


@given(parts=PARTS)
def test_the_whole_batch_holds_what_went_in(parts: list[Part]) -> None:
    """A portion of the whole batch is the sum over ingredients, to half a gram of rounding in the weight."""
    batch = cook(recipe(*parts))
    fat = sum(Fraction(p.grams * p.eaten_pct * p.food.edible_pct * p.food.fat_mg, 100 * 100 * 100) for p in parts)
    whole = Fraction(batch.weight, 10_000)
    per_gram = fat / whole
    assert abs(batch.portion(batch.cooked_g).fat_mg - fat) <= per_gram / 2 + Fraction(1, 2)
