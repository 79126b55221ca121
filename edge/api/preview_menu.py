"""A made-up canteen for the preview and the tests: twelve dishes, two lanes, today's board. Plain data."""

from __future__ import annotations

from edge.domain.canteen.messages import MenuItemView, MenuView
from edge.domain.canteen.settings import (
    CanteenConfig,
    Category,
    DishCard,
    LaneSettings,
    Meal,
    MenuDay,
    NutrientReference,
    Nutrients,
    PricedBy,
)
from edge.domain.words import Text

DAY = "2026-11-20"
AT_NS = 1_795_147_440_000_000_000
SITE = Text("康乐食府", "Kangle Canteen")

#: zh, en, fen, g, kJ, protein g, fat g, carbohydrate g, sodium mg, marks, allergens
_DISHES = (
    ("红烧肉", "Red-braised pork", 1200, 120, 1650, 14, 36, 6, 720, (), ("soy",)),
    ("清炒菠菜", "Stir-fried spinach", 500, 150, 310, 4, 5, 5, 280, ("low_salt",), ()),
    ("米饭", "Steamed rice", 100, 200, 970, 5, 1, 51, 4, ("soft",), ()),
    ("番茄炒蛋", "Tomato and egg", 600, 160, 720, 10, 12, 8, 410, ("soft",), ("eggs",)),
    ("清蒸鲈鱼", "Steamed sea bass", 1800, 180, 760, 34, 5, 1, 390, ("soft", "low_salt"), ("fish",)),
    ("麻婆豆腐", "Mapo tofu", 700, 180, 830, 13, 14, 6, 980, ("spicy",), ("soy",)),
    ("宫保鸡丁", "Kung pao chicken", 1000, 150, 1150, 21, 17, 10, 860, ("spicy",), ("peanuts", "soy")),
    ("紫菜蛋花汤", "Seaweed egg soup", 200, 250, 170, 3, 2, 2, 520, ("soft",), ("eggs",)),
    ("蒜蓉西兰花", "Broccoli with garlic", 600, 150, 330, 5, 4, 7, 260, ("low_salt",), ()),
    ("狮子头", "Lion's head meatball", 900, 130, 1240, 13, 25, 5, 640, ("soft",), ("eggs", "soy", "gluten")),
    ("凉拌黄瓜", "Cucumber salad", 300, 120, 140, 1, 2, 4, 350, (), ("sesame",)),
    ("小米粥", "Millet porridge", 200, 300, 480, 3, 1, 24, 6, ("soft", "low_salt"), ()),
)
DAILY = Nutrients(energy_j=8_400_000, protein_mg=60_000, fat_mg=60_000, carbohydrate_mg=300_000, sodium_mg=2_000)


def _nutrients(kj: int, protein_g: int, fat_g: int, carbohydrate_g: int, sodium_mg: int) -> Nutrients:
    return Nutrients(
        energy_j=kj * 1000,
        protein_mg=protein_g * 1000,
        fat_mg=fat_g * 1000,
        carbohydrate_mg=carbohydrate_g * 1000,
        sodium_mg=sodium_mg,
    )


CARDS = tuple(
    DishCard(
        dish_id=f"d{i:03}",
        version=f"v{i:03}",
        name=Text(zh, en),
        price_fen=fen,
        portion_g=grams,
        priced_by=PricedBy.PORTION,
        nutrients=_nutrients(kj, protein, fat, carbohydrate, sodium),
        kind="staple" if fen <= 100 else "dish",
        marks=marks,
        allergens=allergens,
    )
    for i, (zh, en, fen, grams, kj, protein, fat, carbohydrate, sodium, marks, allergens) in enumerate(_DISHES, start=1)
)

CONFIG = CanteenConfig(
    version="preview",
    site=SITE,
    lanes=tuple(LaneSettings(lane=n, name=Text(f"{n} 号台", f"Lane {n}"), device=f"reader{n}") for n in ("1", "2")),
    dishes=CARDS,
    menu=(MenuDay(day=DAY, dish_ids=tuple(card.dish_id for card in CARDS)),),
    meals=(Meal(meal_id="lunch", name=Text("午餐", "Lunch"), start_min=630, end_min=810),),
    rules=(),
    categories=(Category(category_id="guest", name=Text("散客", "Guest")),),
    references=(NutrientReference(reference_id="nrv", start="2013-01-01", source="GB 28050", daily=DAILY),),
)

MENU = MenuView(
    site=SITE,
    business_day=DAY,
    meal="lunch",
    reference=DAILY,
    items=tuple(
        MenuItemView(
            dish_id=card.dish_id,
            name=card.name,
            kind=card.kind,
            price_fen=card.price_fen,
            special_fen=card.price_fen - 100 if i == 5 else None,
            portion_g=card.portion_g,
            priced_by=card.priced_by,
            nutrients=card.nutrients,
            marks=card.marks,
            allergens=card.allergens,
            may_contain=card.may_contain,
            bound=12,
            sold=12 if i == 4 else i,
            sold_out=i == 4,
        )
        for i, card in enumerate(CARDS)
    ),
)
