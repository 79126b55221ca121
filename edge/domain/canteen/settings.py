"""The canteen's configuration as plain values: lanes, dish cards, menus, tariff rules, plates, members.

``edge.site`` reads and checks the files and builds one ``CanteenConfig``; it enters the kernel as a logged input. Money
is integer fen, rates are basis points (9000 = pays 90 %), masses mg or g, energy J: a price never meets a float.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.words import Text


class Nutrients(msgspec.Struct, frozen=True, kw_only=True):
    """What is in some amount of food, in integers: J, mg. ``None`` is unknown, never 0. The first five are always
    known for a dish on sale (``config check`` refuses it otherwise)."""

    energy_j: int
    protein_mg: int
    fat_mg: int
    carbohydrate_mg: int
    sodium_mg: int
    saturated_fat_mg: int | None = None
    sugars_mg: int | None = None
    fibre_mg: int | None = None


class PricedBy(StrEnum):
    PORTION = "portion"
    WEIGHT = "weight"


class DishCard(msgspec.Struct, frozen=True, kw_only=True):
    """One dish. ``price_fen`` is per portion of ``portion_g`` grams, also for dishes priced by weight (then the price
    of g grams is price_fen * g / portion_g, half up). ``nutrients`` are per portion. ``version`` is the digest of
    the card, so that a receipt tells which card it was made from. Allergens are lower_snake codes; ``allergens`` the
    dish contains, ``may_contain`` traces; anything not in ``allergens_declared_free`` or these two is unknown."""

    dish_id: str
    version: str
    name: Text
    price_fen: int
    portion_g: int
    priced_by: PricedBy
    nutrients: Nutrients
    kind: str
    marks: tuple[str, ...] = ()
    allergens: tuple[str, ...] = ()
    may_contain: tuple[str, ...] = ()
    allergens_declared_free: tuple[str, ...] = ()
    station: str = ""


class MenuDay(msgspec.Struct, frozen=True, kw_only=True):
    """What is on sale on one business day (ISO date, Asia/Shanghai), in the order of the board."""

    day: str
    dish_ids: tuple[str, ...]


class Meal(msgspec.Struct, frozen=True, kw_only=True):
    """A named part of the day: local minutes since midnight, end exclusive."""

    meal_id: str
    name: Text
    start_min: int
    end_min: int


class RuleKind(StrEnum):
    SPECIAL = "special"
    DISCOUNT = "discount"
    SUBSIDY = "subsidy"
    WIPE_OFF = "wipe_off"


class SpendBasis(StrEnum):
    LIST = "list"
    DISCOUNTED = "discounted"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One tariff rule, in force on business days ``start`` to ``end`` inclusive ("" = open end).

    Conditions (all must hold; None or empty = any): age range in full years, ``district`` of residence, ``hukou`` (city
    household registration), ``low_income``, ``meals``, ``dishes`` (special only).
    Effects by kind: special sets ``price_fen`` for the named dishes; discount charges ``rate_bp`` of the line sum;
    subsidy grants ``amount_fen`` if the spend on ``spend_basis`` reaches ``min_spend_fen``; wipe_off rounds the
    payable down to a multiple of ``unit_fen``.
    Caps (0 = none): ``per_person_per_day`` grants per person, scheme and day, ``daily_fen`` and ``meal_fen`` per
    person, ``budget_fen`` for the scheme as a whole.
    """

    rule_id: str
    version: str
    kind: RuleKind
    title: Text
    start: str
    end: str = ""
    district: str = ""
    min_age: int | None = None
    max_age: int | None = None
    hukou: bool | None = None
    low_income: bool | None = None
    meals: tuple[str, ...] = ()
    dishes: tuple[str, ...] = ()
    price_fen: int = 0
    rate_bp: int = 10_000
    amount_fen: int = 0
    min_spend_fen: int = 0
    spend_basis: SpendBasis = SpendBasis.LIST
    scheme: str = ""
    per_person_per_day: int = 0
    daily_fen: int = 0
    meal_fen: int = 0
    budget_fen: int = 0
    unit_fen: int = 1
    source: str = ""


class Category(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of diner for quotes and for guests without a card. A member's own facts win over it."""

    category_id: str
    name: Text
    age: int | None = None
    district: str = ""
    hukou: bool = False
    low_income: bool = False


class PlateEntry(msgspec.Struct, frozen=True, array_like=True):
    """A plate of the registry. ``label`` is printed on its rim, for people."""

    uid: str
    label: str
    kind: str
    tare_g: int


class MemberEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A member as the canteen knows them: a token, never a name. ``card`` is the number on the card's chip."""

    token: str
    card: str
    born: str
    district: str = ""
    hukou: bool = False
    low_income: bool = False


class LaneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One checkout lane. ``beta_a``/``beta_b``: prior of the read probability of a plate in one pass; ``mean_plates``:
    prior of plates on a tray; ``epsilon``: bound on the chance that a live plate was missed; ``dead_chip_ppm``: share
    of plates whose chip never answers, per million; ``hidden_ppm``: share of plates that capture may hide from every
    statistical pass (readers that walk a tree by UID, such as FEIG; 0 for Gen2, whose slots are drawn anew each round).
    """

    lane: str
    name: Text
    device: str
    beta_a: int = 45
    beta_b: int = 5
    mean_plates: float = 3.5
    epsilon: float = 1e-4
    dead_chip_ppm: int = 1000
    hidden_ppm: int = 50_000
    cap_ms: int = 1200


class NutrientReference(msgspec.Struct, frozen=True, kw_only=True):
    """Daily reference values with the day from which they hold; a meal's share is amount / daily."""

    reference_id: str
    start: str
    source: str
    daily: Nutrients


class CanteenConfig(msgspec.Struct, frozen=True, kw_only=True):
    """All that the canteen kernel is told by configuration. ``version`` is the digest of the rest."""

    version: str
    site: Text
    lanes: tuple[LaneSettings, ...]
    dishes: tuple[DishCard, ...]
    menu: tuple[MenuDay, ...]
    meals: tuple[Meal, ...]
    rules: tuple[Rule, ...]
    categories: tuple[Category, ...]
    references: tuple[NutrientReference, ...]
    plates: tuple[PlateEntry, ...] = ()
    members: tuple[MemberEntry, ...] = ()
    default_category: str = "guest"
    refund_days: int = 7
    utc_offset_min: int = 480
