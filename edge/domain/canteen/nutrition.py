"""What is in a tray: sums, shares of the daily reference, and the traffic light, in whole J and mg.

The hard part is not to know more than one does: an unknown nutrient of one plate makes the sum of the tray unknown,
never smaller. A diner would notice a mistake here as a salt bar that calls a salty lunch light.

Sources. Energy unit: 1 kcal = 4.184 kJ exactly (thermochemical calorie, as USDA uses it). Daily references: GB
28050-2011, table of nutrient reference values, as data with a start date in the site's ``references.toml``. Traffic
light: the United Kingdom's front-of-pack guidance (Department of Health and Food Standards Agency, 2013, updated
2016): per 100 g, and red also by the amount per portion when a portion is above 100 g. We apply the portion criterion
to the tray as a whole: it is one meal of one person. Salt is sodium x 2.5 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from edge.domain.canteen.messages import NutrientShare
from edge.domain.canteen.money import half_up
from edge.domain.canteen.settings import Nutrients

J_PER_KCAL = 4184

#: The nutrients in the order in which they are shown: the name in views, and the field of ``Nutrients``.
FIELDS: tuple[tuple[str, str], ...] = (
    ("energy", "energy_j"),
    ("protein", "protein_mg"),
    ("fat", "fat_mg"),
    ("carbohydrate", "carbohydrate_mg"),
    ("sodium", "sodium_mg"),
    ("saturated_fat", "saturated_fat_mg"),
    ("sugars", "sugars_mg"),
    ("fibre", "fibre_mg"),
)


class Light(NamedTuple):
    """Traffic light limits in mg: green at or below, red above (both per 100 g), red above per portion."""

    green_mg: int
    red_mg: int
    red_portion_mg: int


#: Salt limits 0.3 g, 1.5 g, 1.8 g are given as sodium: salt / 2.5.
LIGHTS: dict[str, Light] = {
    "fat": Light(3_000, 17_500, 21_000),
    "saturated_fat": Light(1_500, 5_000, 6_000),
    "sugars": Light(5_000, 22_500, 27_000),
    "sodium": Light(120, 600, 720),
}

#: The portion criterion is for portions above this.
LIGHT_PORTION_G = 100

NOTHING = Nutrients(
    energy_j=0,
    protein_mg=0,
    fat_mg=0,
    carbohydrate_mg=0,
    sodium_mg=0,
    saturated_fat_mg=0,
    sugars_mg=0,
    fibre_mg=0,
)


def total(parts: Sequence[Nutrients]) -> Nutrients:
    """The sum of all parts; a nutrient that is unknown in one of them is unknown. Nothing at all sums to zeros."""
    return Nutrients(
        energy_j=sum(n.energy_j for n in parts),
        protein_mg=sum(n.protein_mg for n in parts),
        fat_mg=sum(n.fat_mg for n in parts),
        carbohydrate_mg=sum(n.carbohydrate_mg for n in parts),
        sodium_mg=sum(n.sodium_mg for n in parts),
        saturated_fat_mg=_sum([n.saturated_fat_mg for n in parts]),
        sugars_mg=_sum([n.sugars_mg for n in parts]),
        fibre_mg=_sum([n.fibre_mg for n in parts]),
    )


def _sum(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def scaled(nutrients: Nutrients, grams: int, portion_g: int) -> Nutrients:
    """What is in ``grams`` when ``nutrients`` is in ``portion_g`` (> 0) grams; each nutrient rounded once, halves
    up."""
    if grams == portion_g:
        return nutrients
    n = nutrients
    return Nutrients(
        energy_j=half_up(n.energy_j * grams, portion_g),
        protein_mg=half_up(n.protein_mg * grams, portion_g),
        fat_mg=half_up(n.fat_mg * grams, portion_g),
        carbohydrate_mg=half_up(n.carbohydrate_mg * grams, portion_g),
        sodium_mg=half_up(n.sodium_mg * grams, portion_g),
        saturated_fat_mg=_scale(n.saturated_fat_mg, grams, portion_g),
        sugars_mg=_scale(n.sugars_mg, grams, portion_g),
        fibre_mg=_scale(n.fibre_mg, grams, portion_g),
    )


def _scale(amount: int | None, grams: int, portion_g: int) -> int | None:
    return None if amount is None else half_up(amount * grams, portion_g)


def shares(amounts: Nutrients, daily: Nutrients, grams: int) -> tuple[NutrientShare, ...]:
    """Each nutrient of ``grams`` of food against the ``daily`` reference, in the order of ``FIELDS``.

    ``share_pct`` is rounded half up, None where amount or reference is unknown (or the reference zero); ``level`` is ""
    where no traffic light is defined, the amount is unknown, or there is no food (``grams`` < 1).
    """
    shown = []
    for name, field in FIELDS:
        amount: int | None = getattr(amounts, field)
        reference: int | None = getattr(daily, field)
        pct = half_up(amount * 100, reference) if amount is not None and reference else None
        shown.append(NutrientShare(nutrient=name, amount=amount, share_pct=pct, level=level(name, amount, grams)))
    return tuple(shown)


def level(nutrient: str, amount_mg: int | None, grams: int) -> str:
    """The traffic light "low", "medium" or "high" of ``amount_mg`` in ``grams``; "" where there is none."""
    light = LIGHTS.get(nutrient)
    if light is None or amount_mg is None or grams < 1:
        return ""
    per_100_g_x_grams = amount_mg * 100
    over_portion = grams > LIGHT_PORTION_G and amount_mg > light.red_portion_mg
    if over_portion or per_100_g_x_grams > light.red_mg * grams:
        return "high"
    return "low" if per_100_g_x_grams <= light.green_mg * grams else "medium"


def kcal(energy_j: int) -> int:
    """Whole kcal of an energy in J, halves up."""
    return half_up(energy_j, J_PER_KCAL)
