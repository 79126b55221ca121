"""A quote without a tray: what would these dishes cost this kind of diner at this time, with every step explained.

Used by ``kangle quote``, the API and staff who want to know before they promise. It runs the very pipeline of the
lanes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.domain.canteen.messages import NutrientShare
from edge.domain.canteen.nutrition import scaled, shares, total
from edge.domain.canteen.pricing import Amounts, Diner, Line, Occasion, Step, amounts, compile_plan, explain, line_of
from edge.domain.canteen.settings import CanteenConfig, Category, DishCard, NutrientReference, Nutrients
from edge.domain.words import Text


class QuoteError(ValueError):
    """The question cannot be answered; ``code`` is a stable problem code, the message names the remedy."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class QuoteLine(msgspec.Struct, frozen=True, kw_only=True):
    dish_id: str
    dish_version: str
    name: Text
    grams: int
    list_fen: int
    payable_fen: int
    nutrients: Nutrients


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt before the fact. ``lines[i].payable_fen`` is the sum of ``steps[*].allocation[i]``."""

    config_version: str
    diner: Diner
    day: str
    meal: str
    lines: tuple[QuoteLine, ...]
    steps: tuple[Step, ...]
    list_fen: int
    payable_fen: int
    nutrients: Nutrients
    nutrition: tuple[NutrientShare, ...]


def meal_at(config: CanteenConfig, minute: int) -> str:
    """The meal that is served ``minute`` minutes after local midnight, "" between meals."""
    for meal in config.meals:
        if meal.start_min <= minute < meal.end_min:
            return meal.meal_id
    return ""


def reference_on(config: CanteenConfig, day: str) -> NutrientReference:
    """The nutrient reference in force on ``day``: the one with the latest start not after it (else the earliest)."""
    known = sorted(config.references, key=lambda r: r.start)
    in_force = [r for r in known if r.start <= day]
    return (in_force or known)[-1 if in_force else 0]


def diner_of(category: Category, member: str | None) -> Diner:
    """The diner that a category stands for."""
    return Diner(
        category=category.category_id,
        age=category.age,
        district=category.district,
        hukou=category.hukou,
        low_income=category.low_income,
        member=member,
    )


def _category(config: CanteenConfig, category_id: str) -> Category:
    for category in config.categories:
        if category.category_id == category_id:
            return category
    known = ", ".join(c.category_id for c in config.categories)
    raise QuoteError("unknown_category", f"no diner category {category_id!r}; known: {known}")


def _dish(config: CanteenConfig, dish_id: str) -> DishCard:
    for dish in config.dishes:
        if dish.dish_id == dish_id:
            return dish
    known = sorted(dish.dish_id for dish in config.dishes)
    there = f"it has {known[0]} to {known[-1]}, {len(known)} in all" if known else "it has none"
    raise QuoteError("unknown_dish", f"the site has no dish {dish_id!r}; {there}")


def _line(card: DishCard, grams: int, row: Line, steps: Sequence[Step], i: int) -> QuoteLine:
    return QuoteLine(
        dish_id=card.dish_id,
        dish_version=card.version,
        name=card.name,
        grams=grams,
        list_fen=row.list_fen,
        payable_fen=sum(step.allocation[i] for step in steps),
        nutrients=scaled(card.nutrients, grams, card.portion_g),
    )


def quote_dishes(
    config: CanteenConfig, category_id: str, day: str, minute: int, items: Sequence[tuple[str, int | None]]
) -> Quote:
    """Price ``items`` (dish id, grams or None for a portion) for a diner of ``category_id`` who used nothing yet today.

    Schemes capped per person are granted as to a member. Raises ``QuoteError`` for an unknown category or dish, no
    items, or grams outside 1..5000.
    """
    if not items:
        raise QuoteError("bad_value", "name at least one dish")
    category = _category(config, category_id)
    diner = diner_of(category, member="quote")
    meal = meal_at(config, minute)
    plan = compile_plan(config.rules, config.version, diner, Occasion(day=day, meal=meal))
    cards = [_dish(config, dish_id) for dish_id, _ in items]
    grams = [card.portion_g if asked is None else asked for card, (_, asked) in zip(cards, items, strict=True)]
    if not all(1 <= g <= 5000 for g in grams):
        raise QuoteError("bad_value", "grams must be from 1 to 5000")
    rows = [line_of(plan, card, g) for card, g in zip(cards, grams, strict=True)]
    result: Amounts = amounts(plan, rows)
    steps = explain(plan, rows, result)
    lines = tuple(
        _line(card, g, row, steps, i) for i, (card, g, row) in enumerate(zip(cards, grams, rows, strict=True))
    )
    nutrients = total([line.nutrients for line in lines])
    return Quote(
        config_version=config.version,
        diner=diner,
        day=day,
        meal=meal,
        lines=lines,
        steps=steps,
        list_fen=result.list_fen,
        payable_fen=result.payable_fen,
        nutrients=nutrients,
        nutrition=shares(nutrients, reference_on(config, day).daily, sum(grams)),
    )
