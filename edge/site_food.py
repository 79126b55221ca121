"""Ingredients, cooking methods and dishes of a site: read, checked, and cooked on paper into dish cards.

The hard part is to refuse what would mislead a diner: nutrients that do not fit their energy, a mark or an allergen
statement that the recipe contradicts, a dish on sale with an unknown main nutrient.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import msgspec

from edge.domain.canteen.recipes import Food, Method, check_food
from edge.domain.words import Text
from edge.site_csv import Sheet
from edge.site_ingredients import CONTENTS, SOURCE
from edge.site_report import Bag, one_of, same
from edge.site_table import ID, ID_FORM, Seen, once, open_table
from edge.site_toml import read_toml

#: GB 7718-2025 (in force 16 March 2027) names the first eight; molluscs and sesame are ours, after (EU) 1169/2011.
ALLERGENS = (
    "gluten",
    "crustaceans",
    "fish",
    "eggs",
    "peanuts",
    "soy",
    "milk",
    "tree_nuts",
    "molluscs",
    "sesame",
)

#: Groups of ingredients: weight yields go by them, and ``ANIMAL`` ones are never vegetarian.
GROUPS = (
    "meat",
    "poultry",
    "fish",
    "shellfish",
    "egg",
    "dairy",
    "soy",
    "leaf",
    "vegetable",
    "mushroom",
    "tuber",
    "dried",
    "grain",
    "starch",
    "nut",
    "fruit",
    "oil",
    "animal_fat",
    "sauce",
    "seasoning",
    "water",
)
ANIMAL = frozenset({"meat", "poultry", "fish", "shellfish", "animal_fat"})

SOURCES = (SOURCE, "label", "own")
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,4})?", re.ASCII)
_NDB = re.compile(r"\d{5}", re.ASCII)
_PCT = re.compile(r"[1-9]\d?|100", re.ASCII)
_NEEDED = ("energy_kcal", "protein_g", "fat_g", "carbohydrate_g", "sodium_mg")
_COLUMNS = ("food_id", "zh", "en", "group", "allergens", "edible_pct", "source", "ndb_no", *CONTENTS)


class Ingredient(msgspec.Struct, frozen=True):
    """A food with what the recipe calculation does not need: its names and the allergens that it contains."""

    food: Food
    name: Text
    allergens: frozenset[str]


def read_ingredients(path: Path, file: str, bag: Bag) -> tuple[dict[str, Ingredient], frozenset[str]]:
    """The ingredient table by food id, and the ids of rows that cannot be used. A row that lacks a main nutrient is a
    mistake."""
    sheet = Sheet(path, file, bag, _COLUMNS, ("energy_reason", "note"))
    found: dict[str, Ingredient] = {}
    unusable = set()
    for line, row in sheet:
        cells = dict(zip(sheet.columns, row, strict=True))
        if not _row_ok(sheet, line, cells):
            unusable.add(cells["food_id"])
            continue
        food = _food(cells)
        if food.food_id in found:
            sheet.mistake("duplicate", line, "food_id", food.food_id)
            continue
        check = check_food(food)
        if not check.agrees and not cells["energy_reason"]:
            values = f"{check.table_j / 1000:.0f} kJ"
            allowed = same(f"{check.factors_j / 1000:.0f} ± {check.tolerance_j / 1000:.0f} kJ/100 g")
            hint = Text(
                "更正数值，或在 energy_reason 写明原因", "correct the values, or give the reason in energy_reason"
            )
            sheet.mistake("energy", line, "energy_kcal", values, allowed, hint)
            unusable.add(food.food_id)
            continue
        allergens = frozenset(cells["allergens"].split())
        found[food.food_id] = Ingredient(food, Text(cells["zh"], cells["en"]), allergens)
    return found, frozenset(unusable)


def _row_ok(sheet: Sheet, line: int, cells: dict[str, str]) -> bool:
    """Check the cells of one row; False when it cannot be used."""
    before = len(sheet.bag)
    if not ID.fullmatch(cells["food_id"]):
        sheet.mistake("bad_format", line, "food_id", cells["food_id"], ID_FORM)
    for column, allowed in (("group", GROUPS), ("source", SOURCES)):
        if cells[column] not in allowed:
            sheet.mistake("not_allowed", line, column, cells[column], one_of(allowed, len(GROUPS)))
    for code in cells["allergens"].split():
        if code not in ALLERGENS:
            sheet.mistake("not_allowed", line, "allergens", code, one_of(ALLERGENS))
    if cells["edible_pct"] and not _PCT.fullmatch(cells["edible_pct"]):
        sheet.mistake("out_of_range", line, "edible_pct", cells["edible_pct"], same("1..100 %"))
    if cells["source"] == SOURCE and not _NDB.fullmatch(cells["ndb_no"]):
        sheet.mistake("missing", line, "ndb_no", cells["ndb_no"], Text("5 位数字", "5 digits"))
    for column in ("zh", "en"):
        if not cells[column]:
            sheet.mistake("missing", line, column)
    for column in CONTENTS:
        if not cells[column]:
            if column in _NEEDED:
                sheet.mistake("missing", line, column)
        elif not _NUMBER.fullmatch(cells[column]) or (column.endswith("_g") and Decimal(cells[column]) > 100):
            sheet.mistake("out_of_range", line, column, cells[column], same("0..100 g, mg: 0..99999"))
    return len(sheet.bag) == before


def _food(cells: dict[str, str]) -> Food:
    def milli(column: str) -> int | None:
        """From g to mg, to the nearest mg (the table has at most three decimals)."""
        return int((Decimal(cells[column]) * 1000).to_integral_value()) if cells[column] else None

    def part(column: str, whole: int) -> int | None:
        """A part of ``whole``: unknown stays unknown, but a part of nothing is nothing."""
        amount = milli(column)
        return 0 if amount is None and whole == 0 else amount

    fat, carbohydrate = milli("fat_g") or 0, milli("carbohydrate_g") or 0
    return Food(
        food_id=cells["food_id"],
        group=cells["group"],
        table_energy_j=int(Decimal(cells["energy_kcal"]) * 4184),
        protein_mg=milli("protein_g") or 0,
        fat_mg=fat,
        carbohydrate_mg=carbohydrate,
        sodium_mg=int(Decimal(cells["sodium_mg"]).to_integral_value()),
        saturated_fat_mg=part("saturated_fat_g", fat),
        sugars_mg=part("sugars_g", carbohydrate),
        fibre_mg=part("fibre_g", carbohydrate),
        edible_pct=int(cells["edible_pct"] or 100),
    )


def read_methods(path: Path, file: str, bag: Bag) -> dict[str, Method]:
    """The cooking methods by id. A group without a yield cannot be cooked by that method."""
    top = open_table(read_toml(path, file, bag), bag)
    methods: dict[str, Method] = {}
    seen: Seen = {}
    for entry in top.tables("method"):
        method_id = entry.ident("id")
        entry.string("note", required=False)
        yields = {}
        table = entry.table("yield_pct", required=True)
        for group in GROUPS:
            pct = table.integer(group, 1, 1_200, -1, "%")
            if pct is not None and pct > 0:
                yields[group] = pct
        table.finish()
        sodium = entry.integer("sodium_kept_pct", 0, 100, 100, "%")
        uptake = entry.integer("oil_uptake_pct", 0, 40, 0, "%")
        entry.finish()
        once(seen, method_id, entry, "id")
        methods[method_id] = Method(
            method_id=method_id, yield_pct=yields, sodium_kept_pct=sodium or 0, oil_uptake_pct=uptake or 0
        )
    top.finish()
    return methods
