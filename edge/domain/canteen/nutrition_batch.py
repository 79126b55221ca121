"""The nutrition of whole days of trays at once, with numpy; gives the very integers of ``nutrition`` (a test holds
them).

Trays are concatenated: ``dish`` and ``grams`` have one entry per plate, ``starts`` one per tray: the index of its first
plate. A tray without plates cannot be written this way and is refused. All arithmetic is in int64: amounts up to 10^8
(J or mg per portion) times 5,000 g stay below 2^63 by five orders.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.domain.canteen.nutrition import FIELDS, LIGHT_PORTION_G, LIGHTS
from edge.domain.canteen.settings import DishCard, Nutrients

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: The words behind the codes that ``DayNutrition.levels`` gives.
LEVEL_WORDS = ("", "low", "medium", "high")


class DishTable:
    """The nutrients per portion of all dishes as arrays: ``amounts`` and ``known`` are (dishes, 8), ``portion_g``
    (dishes,). ``index`` finds the row of a dish id."""

    def __init__(self, dishes: Sequence[DishCard]) -> None:
        rows = [[getattr(dish.nutrients, field) for _, field in FIELDS] for dish in dishes]
        self.known: Bools = np.array([[v is not None for v in row] for row in rows], dtype=bool).reshape(
            -1, len(FIELDS)
        )
        self.amounts: Ints = np.array([[v or 0 for v in row] for row in rows], dtype=np.int64).reshape(-1, len(FIELDS))
        self.portion_g: Ints = np.array([dish.portion_g for dish in dishes], dtype=np.int64)
        self.index = {dish.dish_id: row for row, dish in enumerate(dishes)}


class DayNutrition:
    """Sums per tray: ``amounts`` and ``known`` (trays, 8), ``grams`` (trays,). An amount that is not known counts 0."""

    def __init__(self, amounts: Ints, known: Bools, grams: Ints) -> None:
        self.amounts = np.where(known, amounts, 0)
        self.known = known
        self.grams = grams

    def share_pct(self, daily: Nutrients) -> Ints:
        """Percent of ``daily`` (trays, 8), halves up; -1 where unknown."""
        reference = np.array([getattr(daily, field) or 0 for _, field in FIELDS], dtype=np.int64)
        pct = _half_up(self.amounts * 100, np.maximum(reference, 1))
        return np.where(self.known & (reference > 0), pct, -1)

    def levels(self) -> NDArray[np.int8]:
        """Traffic lights (trays, 8) as indices into ``LEVEL_WORDS``."""
        codes = np.zeros(self.amounts.shape, dtype=np.int8)
        for column, (name, _) in enumerate(FIELDS):
            light = LIGHTS.get(name)
            if light is None:
                continue
            amount = self.amounts[:, column]
            high = (self.grams > LIGHT_PORTION_G) & (amount > light.red_portion_mg)
            high |= amount * 100 > light.red_mg * self.grams
            low = amount * 100 <= light.green_mg * self.grams
            code = np.where(high, 3, np.where(low, 1, 2))
            codes[:, column] = np.where(self.known[:, column] & (self.grams >= 1), code, 0)
        return codes


def day_nutrition(table: DishTable, dish: Ints, grams: Ints, starts: Ints) -> DayNutrition:
    """The nutrition of every tray. ``dish`` are rows of ``table``, ``starts`` rises strictly from 0."""
    if len(dish) != len(grams):
        raise ValueError("dish and grams must be equally long")
    if len(starts) == 0:
        if len(dish):
            raise ValueError("plates without a tray")
        empty = np.zeros((0, len(FIELDS)), dtype=np.int64)
        return DayNutrition(empty, empty.astype(bool), np.zeros(0, dtype=np.int64))
    if starts[0] != 0 or starts[-1] >= len(dish) or bool(np.any(np.diff(starts) <= 0)):
        raise ValueError("starts must rise strictly from 0, each before the last plate")
    plates = _half_up(table.amounts[dish] * grams[:, None], table.portion_g[dish][:, None])
    amounts = np.add.reduceat(plates, starts, axis=0)
    known = np.logical_and.reduceat(table.known[dish], starts, axis=0)
    return DayNutrition(amounts, known, np.add.reduceat(grams, starts))


def _half_up(numerator: Ints, denominator: Ints) -> Ints:
    return (2 * numerator + denominator) // (2 * denominator)
