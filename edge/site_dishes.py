"""Dish files of a site: recipes in, dish cards out.

Each file ``canteen/dishes/*.toml`` holds the dishes of one kind. What a dish contains (allergens, animal or not)
follows from its ingredients; the file can only add to it, and a statement that the recipe contradicts is refused. A
diner would notice a mistake here as "free of milk" on a dish with milk in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge.domain.canteen.nutrition import LIGHTS, level
from edge.domain.canteen.recipes import Batch, Method, Part, Recipe, UnknownGroupError, check_energy, cook
from edge.domain.canteen.settings import DishCard, Nutrients, PricedBy
from edge.domain.words import Text
from edge.site_food import ALLERGENS, ANIMAL, Ingredient
from edge.site_report import Bag, did_you_mean, one_of, same
from edge.site_table import ID, Seen, Table, once, open_table
from edge.site_toml import read_toml

KINDS = ("main", "half_meat", "vegetable", "soup", "staple", "elder", "fruit")
MARKS = ("signature", "soft", "low_salt", "low_sugar", "vegetarian", "spicy")

PRICE_FEN = (10, 20_000)
PORTION_G = (20, 1_000)
GRAMS_MAX = 1_000_000

#: A weighed batch that differs from the estimate by more than this is worth a second look.
CRUDE_PCT = 35

_UNKNOWN = Nutrients(energy_j=0, protein_mg=0, fat_mg=0, carbohydrate_mg=0, sodium_mg=0)
_FOODS = Text("ingredients.csv 里的编号", "ids of ingredients.csv")


class Pantry(NamedTuple):
    """What dishes are made from. ``unusable`` are ids of rows that stand in the table but have a mistake of their own:
    dishes that use them are not blamed."""

    ingredients: Mapping[str, Ingredient]
    unusable: frozenset[str]
    methods: Mapping[str, Method]


def read_dishes(folder: Path, shown: str, pantry: Pantry, bag: Bag) -> tuple[tuple[DishCard, ...], bool]:
    """All dishes of all files of ``folder`` (shown as ``shown``), by file name and place in the file; and whether all
    files could be read."""
    cards = []
    complete = True
    seen: Seen = {}
    for path in sorted(folder.glob("*.toml")):
        doc = read_toml(path, f"{shown}/{path.name}", bag)
        complete = complete and not doc.broken
        top = open_table(doc, bag)
        kind = top.word("kind", KINDS)
        for entry in top.tables("dish"):
            card = _dish(entry, kind, pantry)
            if once(seen, card.dish_id, entry, "id"):
                cards.append(card)
        top.finish()
    return tuple(cards), complete


def _dish(entry: Table, kind: str, pantry: Pantry) -> DishCard:
    dish_id = entry.ident("id")
    name = entry.text("name")
    price_fen = entry.yuan("price_yuan", *PRICE_FEN)
    portion_g = entry.integer("portion_g", *PORTION_G, unit="g") or 1
    priced_by = entry.choice("priced_by", PricedBy, PricedBy.PORTION) or PricedBy.PORTION
    marks = entry.strings("marks", MARKS)
    station = entry.string("station", ID, required=False)
    used = _ingredients(entry.table("grams", required=True), pantry)
    contains = {code for ingredient, _, _ in used for code in ingredient.allergens}
    contains.update(entry.strings("also_contains", ALLERGENS))
    traces = tuple(code for code in entry.strings("may_contain", ALLERGENS) if code not in contains)
    batch = _cook(entry, used, pantry)
    card = DishCard(
        dish_id=dish_id,
        version="",
        name=name,
        price_fen=price_fen or 0,
        portion_g=portion_g,
        priced_by=priced_by,
        nutrients=batch.portion(portion_g) if batch else _UNKNOWN,
        kind=kind,
        marks=marks,
        allergens=tuple(code for code in ALLERGENS if code in contains),
        may_contain=traces,
        allergens_declared_free=entry.strings("free_of", ALLERGENS),
        station=station,
    )
    _check_statements(entry, card, used, sound=batch is not None)
    entry.finish()
    return msgspec.structs.replace(card, version=digest(card))


def _check_statements(entry: Table, card: DishCard, used: list[tuple[Ingredient, int, str]], *, sound: bool) -> None:
    """Marks and allergen statements against the recipe."""
    for code in card.allergens_declared_free:
        if code in card.allergens or code in card.may_contain:
            sources = (
                ", ".join(i.food.food_id for i, _, _ in used if code in i.allergens) or "also_contains, may_contain"
            )
            entry.mistake("contradiction", "free_of", code, hint=Text(f"来自 {sources}", f"it comes from {sources}"))
    if "vegetarian" in card.marks:
        animal = [i.food.food_id for i, _, _ in used if i.food.group in ANIMAL]
        if animal:
            entry.mistake("contradiction", "marks", "vegetarian", hint=same(", ".join(animal)))
    for mark, nutrient, amount in (
        ("low_salt", "sodium", card.nutrients.sodium_mg),
        ("low_sugar", "sugars", card.nutrients.sugars_mg),
    ):
        if mark in card.marks and sound and level(nutrient, amount, card.portion_g) != "low":
            found = "?" if amount is None else str(amount * 100 // card.portion_g)
            allowed = same(f"<= {LIGHTS[nutrient].green_mg} mg {nutrient}/100 g")
            entry.mistake("contradiction", "marks", f"{mark}: {found} mg/100 g", allowed)


def _ingredients(table: Table, pantry: Pantry) -> list[tuple[Ingredient, int, str]]:
    """(ingredient, grams, food id) of ``[dish.grams]``, the readable ones."""
    used = []
    for food_id, value in table.items():
        grams = table.integer(food_id, 1, GRAMS_MAX, unit="g")
        if food_id not in pantry.ingredients:
            if food_id in pantry.unusable or not pantry.ingredients:
                continue
            hint = did_you_mean(food_id, pantry.ingredients)
            table.mistake("unknown_id", food_id, value, _FOODS, hint)
        elif grams is not None:
            used.append((pantry.ingredients[food_id], grams, food_id))
    return used


def _cook(entry: Table, used: list[tuple[Ingredient, int, str]], pantry: Pantry) -> Batch | None:
    """The cooked batch; None when the recipe cannot be computed (a mistake has then been recorded)."""
    before = len(entry.bag)
    names = [food_id for _, _, food_id in used]
    named = entry.table("grams").names()
    method = entry.string("method", allowed=one_of(pantry.methods))
    if method and pantry.methods and method not in pantry.methods:
        entry.mistake("unknown_id", "method", method, one_of(pantry.methods), did_you_mean(method, pantry.methods))
    eaten = entry.table("eaten_pct")
    for food_id in eaten.names():
        if food_id not in named:
            eaten.mistake("unknown_id", food_id, food_id, one_of(named), did_you_mean(food_id, named))
    shares = {name: eaten.integer(name, 0, 100, 100, "%") for name in names}
    fried = entry.strings("fried", named)
    oil = entry.string("frying_oil", required=bool(fried))
    if oil and pantry.ingredients and oil not in pantry.ingredients and oil not in pantry.unusable:
        entry.mistake("unknown_id", "frying_oil", oil, _FOODS, did_you_mean(oil, pantry.ingredients))
    cooked_g = entry.integer("cooked_g", 1, GRAMS_MAX, unit="g") if entry.has("cooked_g") else None
    entry.allow("cooked_g")
    reason = entry.string("energy_reason", required=False)
    if not named and entry.has("grams"):
        entry.mistake("missing", "grams", "", Text("至少一种食材", "at least one ingredient"))
    missing = len(used) < len(named) or method not in pantry.methods or bool(oil and oil not in pantry.ingredients)
    if len(entry.bag) > before or missing or not used:
        return None
    recipe = Recipe(
        method=pantry.methods[method],
        parts=tuple(Part(i.food, grams, shares[name] or 0) for i, grams, name in used),
        fried=frozenset(fried),
        frying_oil=pantry.ingredients[oil].food if oil else None,
        cooked_g=cooked_g,
    )
    return _checked(entry, recipe, reason)


def _checked(entry: Table, recipe: Recipe, reason: str) -> Batch | None:
    try:
        batch = cook(recipe)
    except UnknownGroupError as error:
        hint = Text("在 cooking.toml 给该方法补出成率", "add the group's yield to this method in cooking.toml")
        entry.mistake("missing", "method", str(error.args[0]), hint=hint)
        return None
    except ValueError as error:
        entry.mistake("implausible", "eaten_pct", str(error))
        return None
    if abs(batch.weight - batch.estimate) * 100 > CRUDE_PCT * batch.estimate:
        estimate = Text(f"估算约 {batch.estimate // 10_000} g", f"the yields say about {batch.estimate // 10_000} g")
        entry.mistake("implausible", "cooked_g", f"{batch.cooked_g} g", hint=estimate, warn=True)
    if batch.solids_exceed_weight:
        hint = Text("检查克数、出成率或 cooked_g", "check grams, yields or cooked_g")
        entry.mistake("implausible", "grams", f"{batch.cooked_g} g", hint=hint)
        return None
    check = check_energy(batch)
    if not check.agrees and not reason:
        allowed = same(f"{check.table_j / 1000:.0f} ± {check.tolerance_j / 1000:.0f} kJ/100 g")
        hint = Text(
            "检查食材，或在 energy_reason 写明原因", "check the ingredients, or give the reason in energy_reason"
        )
        entry.mistake("energy", "grams", f"{check.factors_j / 1000:.0f} kJ", allowed, hint)
    return batch


def digest(value: object) -> str:
    """A short fingerprint of a value: 12 hex digits of SHA-256 over its msgpack."""
    return sha256(msgspec.msgpack.encode(value)).hexdigest()[:12]
