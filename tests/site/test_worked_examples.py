"""The worked tariff examples of the district rules, reproduced from the example site's files by the pricing
pipeline."""

from __future__ import annotations

import pytest

from edge.domain.canteen.quoting import quote_dishes
from edge.site import Site

LUNCH = 12 * 60

#: Baskets of the example menu with the list prices of the worked examples.
BASKETS = {
    1600: ("d003",),
    1800: ("d002",),
    850: ("d012", "d034"),
    2000: ("d001", "d019"),
}


def pay(site: Site, category: str, list_fen: int, day: str = "2026-11-22") -> tuple[int, dict[str, int]]:
    """Payable fen and the fen of each step by rule id."""
    quote = quote_dishes(site.canteen, category, day, LUNCH, [(dish, None) for dish in BASKETS[list_fen]])
    assert quote.list_fen == list_fen
    return quote.payable_fen, {step.rule_id: step.fen for step in quote.steps}


@pytest.mark.parametrize(
    ("category", "list_fen", "discount_fen", "subsidy_fen", "payable_fen"),
    [
        ("putuo-65-hukou", 1600, -160, -200, 1240),
        ("putuo-82-hukou", 1800, -270, -300, 1230),
        ("putuo-70-low-income", 850, -85, -500, 265),
        ("putuo-65-resident", 2000, -200, 0, 1800),
        ("guest", 2000, 0, 0, 2000),
        ("xuhui-60", 2000, -200, 0, 1800),
        ("xuhui-70", 2000, -300, 0, 1700),
    ],
)
def test_threshold_on_the_list_price(example, category, list_fen, discount_fen, subsidy_fen, payable_fen) -> None:
    payable, steps = pay(example, category, list_fen)
    assert payable == payable_fen
    assert sum(fen for rule, fen in steps.items() if "discount" in rule) == discount_fen
    assert sum(fen for rule, fen in steps.items() if "subsidy" in rule) == subsidy_fen


@pytest.mark.parametrize(
    ("category", "list_fen", "payable_fen"),
    [("putuo-65-hukou", 1600, 1440), ("putuo-82-hukou", 1800, 1230), ("putuo-70-low-income", 850, 765)],
)
def test_threshold_on_the_discounted_price(site, category, list_fen, payable_fen) -> None:
    tariff = site.read("canteen/tariff.toml").replace('spend_basis = "list"', 'spend_basis = "discounted"')
    site.write("canteen/tariff.toml", tariff)
    assert pay(site.load(), category, list_fen)[0] == payable_fen


def test_rules_hold_on_their_days_only(example) -> None:
    before, _ = pay(example, "putuo-82-hukou", 1800, "2025-11-30")
    first_day, _ = pay(example, "putuo-82-hukou", 1800, "2025-12-01")
    assert (before, first_day) == (1800, 1230)
    xuhui_before, _ = pay(example, "xuhui-70", 2000, "2021-12-31")
    assert xuhui_before == 2000


def test_the_wipe_off_is_switched_by_dates(example) -> None:
    """8.50 at 15 % off is 7.225, so 7.23; until November 2025 the 3 fen were wiped off."""
    assert pay(example, "xuhui-70", 850, "2025-11-30") == (
        720,
        {"list-price": 850, "xuhui-2022-discount-70": -127, "wipe-off-jiao": -3},
    )
    assert pay(example, "xuhui-70", 850, "2025-12-01")[0] == 723


def test_the_winter_special_is_for_dinner_and_the_winter(example) -> None:
    def soup(day: str, minute: int) -> int:
        return quote_dishes(example.canteen, "guest", day, minute, [("d032", None)]).payable_fen

    dinner = 17 * 60
    assert soup("2026-11-22", dinner) == 450
    assert soup("2026-11-22", LUNCH) == 600
    assert soup("2026-10-31", dinner) == 600
    assert soup("2027-02-28", dinner) == 450
    assert soup("2027-03-01", dinner) == 600
