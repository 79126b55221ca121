"""From a recipe to what is on the plate: nutrients per 100 g cooked and per portion, in whole J and mg.

The calculation (the "recipe calculation" that food composition tables use where no analysis exists):

1. amount of a nutrient in the batch = sum over ingredients of
   grams as put in the pot x edible share x share eaten x retention x content per 100 g raw;
2. weight of the batch, cooked = what the kitchen weighed, or else the sum over ingredients of grams x share eaten x
weight
   yield of the ingredient's group under the cooking method (water leaves, or is taken up);
3. a portion = batch amount x portion grams / cooked grams, rounded once, halves up. All arithmetic is exact in
integers.

Facts: contents per 100 g (USDA table, each row citing its number), 1 kcal = 4.184 kJ, the energy factors below. Our
assumptions, all in the site's ``cooking.toml`` where a kitchen replaces them by weighing: weight yields, oil uptake in
frying, sodium kept when liquid is poured away. Protein, fat, carbohydrate and fibre are taken as fully kept, since pan
juices are served; alcohol as fully lost.

Carbohydrate: the USDA table gives it by difference, fibre included. We show available carbohydrate = that minus fibre,
because fibre has its own energy factor. Where fibre is unknown the carbohydrate stays by difference (an upper bound)
and the fibre of the dish is unknown.

The hard part is that unknown stays unknown and nothing is rounded twice. A diner would notice a mistake as a dish whose
energy does not fit its nutrients, which is what ``check_energy`` looks for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from edge.domain.canteen.money import half_up
from edge.domain.canteen.settings import Nutrients

#: Energy factors in J per mg = kJ per g: GB 28050-2011 and (EU) 1169/2011 annex XIV agree on these.
PROTEIN_J_PER_MG = 17
FAT_J_PER_MG = 37
CARBOHYDRATE_J_PER_MG = 17
FIBRE_J_PER_MG = 8

#: Two energies are taken to agree within the greater of 5 % and 40 kJ per 100 g.
TOLERANCE_BP = 500
TOLERANCE_J_PER_100_G = 40_000


class Food(msgspec.Struct, frozen=True, kw_only=True):
    """A raw ingredient: contents per 100 g of its edible part. ``table_energy_j`` is the energy that the table states;
    ``carbohydrate_mg`` is by difference, fibre included. ``edible_pct`` < 100 where bone or shell is served with it.
    ``None`` is unknown. ``group`` chooses the weight yield."""

    food_id: str
    group: str
    table_energy_j: int
    protein_mg: int
    fat_mg: int
    carbohydrate_mg: int
    sodium_mg: int
    saturated_fat_mg: int | None = None
    sugars_mg: int | None = None
    fibre_mg: int | None = None
    edible_pct: int = 100


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way of cooking: weight yield in percent by ingredient group, sodium kept in percent, and the oil that
    deep-fried pieces take up, in percent of their raw weight."""

    method_id: str
    yield_pct: Mapping[str, int]
    sodium_kept_pct: int = 100
    oil_uptake_pct: int = 0


class Part(msgspec.Struct, frozen=True):
    """An ingredient of a batch: ``grams`` as put in the pot, of which ``eaten_pct`` ends up on plates (the rest is
    poured away or left in the pot)."""

    food: Food
    grams: int
    eaten_pct: int = 100


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of any size. ``fried`` names the ingredients (food ids) that are deep-fried in ``frying_oil`` first;
    ``cooked_g`` is the weighed batch and wins over the estimate."""

    method: Method
    parts: tuple[Part, ...]
    fried: frozenset[str] = frozenset()
    frying_oil: Food | None = None
    cooked_g: int | None = None


class UnknownGroupError(KeyError):
    """The method has no weight yield for an ingredient's group; the argument is the group."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A cooked batch with exact sums: nutrient amounts in units of 1e-8 (J or mg), weights in units of 1e-4 g. Ask
    ``portion`` for numbers that people read. ``estimate`` is the weight by the yields, also where it was weighed."""

    weight: int
    estimate: int
    edible: int
    table_energy: int
    protein: int
    fat: int
    carbohydrate: int
    sodium: int
    saturated_fat: int | None
    sugars: int | None
    fibre: int | None

    @property
    def energy(self) -> int:
        """Energy by the factors, from exact sums."""
        return (
            PROTEIN_J_PER_MG * self.protein
            + FAT_J_PER_MG * self.fat
            + CARBOHYDRATE_J_PER_MG * self.carbohydrate
            + FIBRE_J_PER_MG * (self.fibre or 0)
        )

    @property
    def cooked_g(self) -> int:
        return half_up(self.weight, 10_000)

    def portion(self, grams: int) -> Nutrients:
        """What is in ``grams`` as served (bones and shells weigh but feed nobody)."""

        def per(amount: int) -> int:
            return half_up(amount * grams, self.weight * 10_000)

        return Nutrients(
            energy_j=per(self.energy),
            protein_mg=per(self.protein),
            fat_mg=per(self.fat),
            carbohydrate_mg=per(self.carbohydrate),
            sodium_mg=per(self.sodium),
            saturated_fat_mg=None if self.saturated_fat is None else per(self.saturated_fat),
            sugars_mg=None if self.sugars is None else per(self.sugars),
            fibre_mg=None if self.fibre is None else per(self.fibre),
        )

    def table_energy_j(self, grams: int) -> int:
        """The energy of ``grams`` as the ingredients' table states it."""
        return half_up(self.table_energy * grams, self.weight * 10_000)

    @property
    def solids_exceed_weight(self) -> bool:
        """True when protein, fat, carbohydrate and fibre together outweigh the edible cooked food: impossible, so a
        weight, a yield or a quantity is wrong."""
        solids = self.protein + self.fat + self.carbohydrate + (self.fibre or 0)
        return solids > self.edible * 10_000_000


def cook(recipe: Recipe) -> Batch:
    """Cook a batch on paper. Raises ``UnknownGroupError``, and ValueError for a batch of which nothing is eaten."""
    parts = [*recipe.parts, *_taken_up(recipe)]

    def known(content: Callable[[Food], int], kept_pct: int = 100) -> int:
        return sum(_amount(part, content(part.food), kept_pct) for part in parts)

    def perhaps(content: Callable[[Food], int | None]) -> int | None:
        amounts = [(part, content(part.food)) for part in parts if part.grams and part.eaten_pct]
        found = [_amount(part, amount) for part, amount in amounts if amount is not None]
        return sum(found) if len(found) == len(amounts) else None

    cooked = [_cooked(part, recipe.method) for part in parts]
    estimate = sum(cooked)
    if estimate == 0:
        raise ValueError("nothing of this batch is eaten")
    edible = sum(weight * part.food.edible_pct for weight, part in zip(cooked, parts, strict=True)) // 100
    weight = estimate if recipe.cooked_g is None else recipe.cooked_g * 10_000
    return Batch(
        weight=weight,
        estimate=estimate,
        edible=edible * weight // estimate,
        table_energy=known(lambda food: food.table_energy_j),
        protein=known(lambda food: food.protein_mg),
        fat=known(lambda food: food.fat_mg),
        carbohydrate=known(available_carbohydrate_mg),
        sodium=known(lambda food: food.sodium_mg, recipe.method.sodium_kept_pct),
        saturated_fat=perhaps(lambda food: food.saturated_fat_mg),
        sugars=perhaps(lambda food: food.sugars_mg),
        fibre=perhaps(lambda food: food.fibre_mg),
    )


def available_carbohydrate_mg(food: Food) -> int:
    """Carbohydrate per 100 g without fibre; by difference where fibre is unknown. Never below 0: analyses of fibre and
    the difference method disagree by more than the carbohydrate in a few foods (dried fungi, bran)."""
    return max(0, food.carbohydrate_mg - (food.fibre_mg or 0))


def _taken_up(recipe: Recipe) -> list[Part]:
    if recipe.frying_oil is None:
        return []
    fried = sum(part.grams for part in recipe.parts if part.food.food_id in recipe.fried)
    return [Part(recipe.frying_oil, fried, recipe.method.oil_uptake_pct)]


def _amount(part: Part, per_100_g: int, kept_pct: int = 100) -> int:
    return part.grams * part.food.edible_pct * part.eaten_pct * kept_pct * per_100_g


def _cooked(part: Part, method: Method) -> int:
    try:
        yield_pct = method.yield_pct[part.food.group]
    except KeyError:
        raise UnknownGroupError(part.food.group) from None
    return part.grams * part.eaten_pct * yield_pct


class EnergyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """Two ways to the energy of 100 g: by the factors, and as the table states it, with the tolerance; all in J."""

    factors_j: int
    table_j: int

    @property
    def tolerance_j(self) -> int:
        return max(TOLERANCE_J_PER_100_G, self.table_j * TOLERANCE_BP // 10_000)

    @property
    def agrees(self) -> bool:
        return abs(self.factors_j - self.table_j) <= self.tolerance_j


def check_energy(batch: Batch) -> EnergyCheck:
    """Compare the two energies of 100 g of a cooked batch."""
    return EnergyCheck(factors_j=batch.portion(100).energy_j, table_j=batch.table_energy_j(100))


def check_food(food: Food) -> EnergyCheck:
    """Compare the two energies of 100 g of a raw food."""
    factors = (
        PROTEIN_J_PER_MG * food.protein_mg
        + FAT_J_PER_MG * food.fat_mg
        + CARBOHYDRATE_J_PER_MG * available_carbohydrate_mg(food)
        + FIBRE_J_PER_MG * (food.fibre_mg or 0)
    )
    return EnergyCheck(factors_j=factors, table_j=food.table_energy_j)
