"""The example site: loads cleanly, is believable food, and gives the same values every time."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from edge.domain.canteen.nutrition import kcal, level, scaled
from edge.domain.canteen.settings import PricedBy, RuleKind
from edge.site import Site, load_site
from edge.site_ingredients import CONTENTS
from edge.site_people import UID

INGREDIENTS = Path(__file__).resolve().parents[2] / "config/canteen/ingredients.csv"

#: SHA-256 over ndb_no and the contents columns of every row: the facts as copied from the USDA table. When a row is
#: added on purpose, rebuild with ``python -m edge.site_ingredients`` and put the new digest here.
FACTS_DIGEST = "c61ca0c7612faafa570b1241f0f66084e3d3c251487872ba02acb075ca5ea5a0"


def rows() -> list[dict[str, str]]:
    with INGREDIENTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_committed_facts_are_those_of_the_table() -> None:
    facts = "\n".join("|".join([row["ndb_no"], *(row[column] for column in CONTENTS)]) for row in rows())
    assert sha256(facts.encode()).hexdigest() == FACTS_DIGEST


@pytest.mark.parametrize(
    ("food_id", "ndb_no", "energy_kcal", "protein_g", "fat_g", "sodium_mg"),
    [  # read by eye from SR28: pork belly; carp; firm tofu; pak choi; short-grain rice; shoyu; salt; canola oil
        ("pork_belly", "10005", 518, "9.34", "53.01", 32),
        ("carp", "15008", 127, "17.83", "5.6", 49),
        ("tofu_firm", "16126", 78, "9.04", "4.17", 12),
        ("pak_choi", "11116", 13, "1.5", "0.2", 65),
        ("rice", "20052", 358, "6.5", "0.52", 1),
        ("soy_sauce", "16123", 53, "8.14", "0.57", 5493),
        ("salt", "02047", 0, "0", "0", 38758),
        ("rapeseed_oil", "04582", 884, "0", "100", 0),
    ],
)
def test_spot_values(food_id, ndb_no, energy_kcal, protein_g, fat_g, sodium_mg) -> None:
    row = next(row for row in rows() if row["food_id"] == food_id)
    assert row["ndb_no"] == ndb_no
    assert int(row["energy_kcal"]) == energy_kcal
    assert Decimal(row["protein_g"]) == Decimal(protein_g)
    assert Decimal(row["fat_g"]) == Decimal(fat_g)
    assert int(row["sodium_mg"]) == sodium_mg


def test_every_row_names_its_source() -> None:
    assert all(row["source"] == "usda-sr28" and len(row["ndb_no"]) == 5 for row in rows())


def test_only_the_menu_plan_and_the_unsigned_limits_are_told(example: Site) -> None:
    assert [(m.code, m.file) for m in example.warnings] == [
        ("menu_plan", "canteen/menu.toml"),
        ("contradiction", "gym/rules.toml"),
    ]
    assert example.warnings[0].value.startswith("720 ")
    assert example.gym is not None
    assert (example.gym.limits.author, example.gym.limits.date) == ("", "")


def test_two_days_of_24_different_dishes(example: Site) -> None:
    first, second = (set(day.dish_ids) for day in example.canteen.menu[:2])
    assert (len(first), len(second), len(first | second)) == (24, 24, 48)
    assert {dish.dish_id for dish in example.canteen.dishes} == first | second


def test_prices_and_kinds(example: Site) -> None:
    dishes = example.canteen.dishes
    assert all(100 <= dish.price_fen <= 1800 for dish in dishes)
    assert {dish.kind for dish in dishes} == {"main", "half_meat", "vegetable", "soup", "staple", "elder", "fruit"}
    assert sum(dish.priced_by is PricedBy.WEIGHT for dish in dishes) >= 3
    assert all(dish.name.zh and dish.name.en for dish in dishes)


def test_energies_and_sodium_are_believable(example: Site) -> None:
    for dish in example.canteen.dishes:
        per_100 = scaled(dish.nutrients, 100, dish.portion_g)
        low = 15 if dish.kind in {"soup", "staple"} or dish.dish_id == "d026" else 40
        assert low <= kcal(per_100.energy_j) <= 400, dish.dish_id
        assert per_100.protein_mg + per_100.fat_mg + per_100.carbohydrate_mg < 100_000
        if dish.kind in {"main", "half_meat", "vegetable"}:
            assert 200 <= per_100.sodium_mg <= 700, dish.dish_id


def test_against_cooked_foods_of_the_same_table(example: Site) -> None:
    """What the calculation gives against what the USDA analysed cooked: rice 20053 (130 kcal, 2.36 g protein per 100
    g), egg steamed is mostly egg and water. Within 10 %: the method and its yields are sound."""
    rice = next(d for d in example.canteen.dishes if d.dish_id == "d033")
    per_100 = scaled(rice.nutrients, 100, rice.portion_g)
    assert kcal(per_100.energy_j) == pytest.approx(130, rel=0.1)
    assert per_100.protein_mg == pytest.approx(2360, rel=0.1)


def test_low_salt_dishes_are_low_in_salt(example: Site) -> None:
    marked = [dish for dish in example.canteen.dishes if "low_salt" in dish.marks]
    assert len(marked) >= 6
    assert all(level("sodium", dish.nutrients.sodium_mg, dish.portion_g) == "low" for dish in marked)


def test_allergens_follow_from_the_recipe(example: Site) -> None:
    cards = {dish.dish_id: dish for dish in example.canteen.dishes}
    assert cards["d013"].allergens == ("gluten", "soy")
    assert cards["d013"].may_contain == ("peanuts",)
    assert set(cards["d016"].allergens) == {"crustaceans", "tree_nuts"}
    assert cards["d033"].allergens == ()
    assert len(cards["d033"].allergens_declared_free) == 8
    for dish in cards.values():
        assert not set(dish.allergens_declared_free) & {*dish.allergens, *dish.may_contain}


def test_unknown_nutrients_stay_unknown(example: Site) -> None:
    """Shiitake has no saturated fat in the table, so a dish with it has none either, and never 0."""
    cards = {dish.dish_id: dish.nutrients for dish in example.canteen.dishes}
    assert cards["d020"].saturated_fat_mg is None
    assert cards["d020"].sugars_mg is not None


def test_a_part_of_nothing_is_nothing(example: Site) -> None:
    """Sea bass has no sugars value in the table, but no carbohydrate either, of which sugars are a part."""
    bass = next(row for row in rows() if row["food_id"] == "bass")
    assert (bass["carbohydrate_g"], bass["sugars_g"]) == ("0", "")
    assert next(d for d in example.canteen.dishes if d.dish_id == "d002").nutrients.sugars_mg is not None


def test_plates_members_and_lanes(example: Site) -> None:
    config = example.canteen
    assert len(config.plates) == 600
    assert sum(plate.uid.startswith("e0") and len(plate.uid) == 16 for plate in config.plates) == 300
    assert sum(len(plate.uid) == 24 for plate in config.plates) == 300
    assert all(UID.fullmatch(plate.uid) for plate in config.plates)
    assert len(config.members) == 20
    assert [lane.lane for lane in config.lanes] == ["1", "2"]
    assert {device.protocol for device in example.devices["canteen"]} == {"feig", "magicrf"}


def test_the_tariff_is_all_there(example: Site) -> None:
    rules = example.canteen.rules
    assert sum(rule.kind is RuleKind.DISCOUNT for rule in rules) == 4
    assert sum(rule.kind is RuleKind.SUBSIDY for rule in rules) == 3
    assert all(rule.source for rule in rules if rule.kind in {RuleKind.DISCOUNT, RuleKind.SUBSIDY})
    wipe_off = next(rule for rule in rules if rule.kind is RuleKind.WIPE_OFF)
    assert (wipe_off.start, wipe_off.end, wipe_off.unit_fen) == ("2024-01-01", "2025-11-30", 10)


def test_the_same_files_and_day_give_the_same_site(load_on) -> None:
    encode = msgspec.msgpack.encode
    first, second = load_on(date(2026, 11, 22)).canteen, load_on(date(2026, 11, 22)).canteen
    assert encode(first) == encode(second)
    other = load_on(date(2026, 11, 23)).canteen
    assert other.version != first.version
    assert other.dishes == first.dishes


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 1, 4), date(2026, 11, 22), date(2031, 12, 31)])
def test_the_menu_covers_yesterday_to_thirty_days_ahead_on_any_date(load_on, today) -> None:
    menu = load_on(today).canteen.menu
    assert [day.day for day in menu] == [(today + timedelta(days=n)).isoformat() for n in range(-1, 31)]
    assert all(len(day.dish_ids) == 24 for day in menu)
    assert menu[0].dish_ids != menu[1].dish_ids
    assert menu[0].dish_ids == menu[2].dish_ids


def test_a_closed_date_has_no_menu(load_on) -> None:
    days = [day.day for day in load_on(date(2027, 1, 20)).canteen.menu]
    assert "2027-02-05" in days
    assert "2027-02-06" not in days


def test_an_exception_with_dishes_replaces_the_rotation(site) -> None:
    site.swap("canteen/menu.toml", "date = 2027-02-06", 'date = 2026-11-24\ndishes = ["d048", "d001"]\n#')
    site.swap("canteen/menu.toml", "closed = true", "")
    menu = {day.day: day.dish_ids for day in site.load().canteen.menu}
    assert menu["2026-11-24"] == ("d048", "d001")


def test_closed_weekdays_do_not_use_up_a_menu(site) -> None:
    site.swap("canteen/menu.toml", "closed_weekdays = []", 'closed_weekdays = ["sun"]')
    menu = site.load().canteen.menu
    assert all(date.fromisoformat(day.day).weekday() != 6 for day in menu)
    assert all(a.dish_ids != b.dish_ids for a, b in pairwise(menu))


def test_a_rule_changed_under_the_same_version_still_gets_another_version(site) -> None:
    before = site.load().canteen.rules[0].version
    site.swap("canteen/tariff.toml", 'pays_percent = "90"', 'pays_percent = "91"')
    assert site.load().canteen.rules[0].version != before


def test_directory_and_file_are_the_same_site(site) -> None:
    by_file = load_site(site.folder / "site.toml", date(2026, 11, 22))
    assert by_file == site.load()
    assert by_file.data_dir == site.folder / "data"
    assert by_file.run_dir == site.folder / "data/run"


def test_tables_may_lie_elsewhere(site, tmp_path) -> None:
    """So the demo can write a site.toml of its own over these tables."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    text = site.read("site.toml").replace('tables = "', f'tables = "{site.folder}/')
    (other / "site.toml").write_text(text, encoding="utf-8")
    assert load_site(other, date(2026, 11, 22)).canteen == site.load().canteen


def test_six_thousand_plates_load(site) -> None:
    lines = "".join(f"e004{n:012x},P{n},plate-round,{300 + n % 9}\n" for n in range(6000))
    site.write("canteen/plates.csv", "uid,label,kind,tare_g\n" + lines)
    assert len(site.load().canteen.plates) == 6000


def test_a_dish_can_add_allergens_and_traces_but_not_state_both(site) -> None:
    site.swap(
        "canteen/dishes/20_half_meat.toml",
        'may_contain = ["peanuts"]',
        'also_contains = ["sesame"]\nmay_contain = ["peanuts", "sesame", "soy"]',
    )
    card = next(dish for dish in site.load().canteen.dishes if dish.dish_id == "d013")
    assert card.allergens == ("gluten", "soy", "sesame")
    assert card.may_contain == ("peanuts",)


def test_an_exception_beyond_the_horizon_changes_nothing(site) -> None:
    site.swap("canteen/menu.toml", "closed = true", 'dishes = ["d001"]')
    assert "2027-02-06" not in [day.day for day in site.load().canteen.menu]


def test_given_values_win_over_defaults(site) -> None:
    site.swap("site.toml", "utc_offset_min = 480", "utc_offset_min = 0")
    site.swap("site.toml", "dead_chip_ppm = 1000", "dead_chip_ppm = 0")
    site.swap("site.toml", "refund_days = 7", "refund_days = 0")
    site.swap("site.toml", "trust_loopback_http = true", "trust_loopback_http = false")
    loaded = site.load()
    config = loaded.canteen
    assert (config.utc_offset_min, config.lanes[1].dead_chip_ppm, config.refund_days) == (0, 0, 0)
    assert loaded.api.trust_loopback_http is False


def test_what_the_api_would_refuse_to_start_with_is_told_by_the_check(site) -> None:
    site.swap("site.toml", "trust_loopback_http = true", "trust_loopback_http = false")
    assert ("contradiction", "api.trust_loopback_http") in [(m.code, m.path) for m in site.load().warnings]
