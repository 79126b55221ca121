"""The wall board: 24 dishes at once, allergens never cut off, pages that turn slowly when they do not fit."""

from __future__ import annotations

import json

import pytest

NAMES = [
    ("雪菜毛豆肉末", "Minced pork with pickled greens and green soybeans"),
    ("红烧肉烧蛋", "Red-braised pork belly with egg"),
]
ALLERGENS = ["gluten", "crustaceans", "fish", "eggs", "soy", "tree_nuts"]
MARKS = ["vegetarian", "signature", "soft", "low_salt"]


def dish(i):
    zh, en = NAMES[i % 2]
    return {
        "dish_id": f"d{i:03}",
        "name": {"zh": zh, "en": en},
        "kind": "main",
        "price_fen": 1650,
        "special_fen": 1450 if i % 3 == 0 else None,
        "portion_g": 150,
        "priced_by": "portion" if i % 2 else "weight",
        "nutrients": {"energy_j": 2_345_000, "protein_mg": 24_000, "fat_mg": 31_000, "carbohydrate_mg": 62_000,
                      "sodium_mg": 1_250, "saturated_fat_mg": None, "sugars_mg": None, "fibre_mg": None},
        "marks": MARKS[: 1 + i % 3],
        "allergens": ALLERGENS[: 2 + i % 3],
        "may_contain": [],
        "bound": 20,
        "sold": 20 if i == 5 else i % 20,
        "sold_out": i == 5,
    }  # fmt: skip


def stream(items):
    reference = {"energy_j": 8_400_000, "protein_mg": 60_000, "fat_mg": 60_000, "carbohydrate_mg": 300_000,
                 "sodium_mg": 2_000, "saturated_fat_mg": None, "sugars_mg": None, "fibre_mg": None}  # fmt: skip
    menu = {"site": {"zh": "康乐食府", "en": "Kangle Canteen"}, "business_day": "2026-11-20", "meal": "lunch",
            "items": items, "reference": reference}  # fmt: skip
    view = json.dumps({"key": "menu", "version": 1, "view": menu})
    pulse = json.dumps({"daemons": {"canteen": {"alive": True, "age_ms": 100}}})
    return f"event: view\nid: b:menu:1\ndata: {view}\n\nevent: pulse\ndata: {pulse}\n\n"


@pytest.fixture
def board(open_page, request):
    """The board with 24 long-named dishes, most with many allergens."""
    own = hasattr(request, "param")  # whose clock is then set
    opened = open_page(1920, 1080, size=getattr(request, "param", "normal"), own=own)
    body = stream([dish(i) for i in range(24)])
    opened.page.route("**/api/v1/live*", lambda route: route.fulfill(content_type="text/event-stream", body=body))
    opened.goto("/menu", ".dish")
    return opened


def test_24_dishes_fit_in_chinese_and_turn_pages_where_they_do_not(board):
    counts = {}
    faults = {}
    for look in board.looks():
        counts[look] = board.page.locator(".dish").count()
        board.shot(f"menu-full-{look}")
        if found := board.audit(contrast=7.0, font=18):
            faults[look] = found
    assert faults == {}
    wanted = {"zh-normal": 24, "zh-elder": 12, "en-normal": 12, "en-elder": 12}
    assert counts == {look: wanted[look] for look in counts}
    assert {"zh-normal", "en-elder"} <= set(counts)


def test_allergens_sold_out_and_special_are_written_out(board):
    text = board.page.locator(".dish >> nth=2 >> .dish-allergens").inner_text()
    assert text == "含麸质、甲壳、鱼、蛋"
    assert "没有标出的过敏原不等于没有" in board.page.locator(".notice").inner_text()
    page = board.page
    sold = page.locator(".dish[data-out=true]")
    assert sold.count() == 1
    assert "售完" in sold.inner_text()
    assert "line-through" in page.evaluate(
        "getComputedStyle(document.querySelector('.dish[data-out=true] h2')).textDecorationLine"
    )
    special = page.locator(".dish >> nth=0")
    assert "特价" in special.inner_text()
    assert special.locator(".money-digits").inner_text() == "14.50"
    assert special.locator("s").inner_text() == "16.50"


@pytest.mark.parametrize("board", ["elder"], indirect=True)
def test_pages_turn_slowly_and_stay_when_chosen(board):
    page = board.page
    page.clock.install()
    page.reload()
    page.wait_for_selector(".turner")

    def shown():
        return page.locator(".turner [aria-pressed=true]").inner_text()

    page.clock.run_for(14_000)
    assert shown() == "1"
    page.clock.run_for(7_000)
    assert shown() == "2"
    page.click(".turner button >> nth=0")
    page.clock.run_for(50_000)
    assert shown() == "1"
    page.clock.run_for(12_000)
    assert shown() == "2"
