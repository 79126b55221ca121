"""The wall board: 24 dishes at once, allergens never cut off, pages that turn slowly when they do not fit."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

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
    opened = open_page(1920, 1080, size=getattr(request, "param", "normal"))
    opened.before(TURNER)
    body = stream([dish(i) for i in range(24)])
    opened.page.route("**/api/v1/live*", lambda route: route.fulfill(content_type="text/event-stream", body=body))
    opened.goto("/menu", ".dish")
    return opened


def test_24_dishes_fit_in_chinese_and_turn_pages_where_they_do_not(board):
    seen = set()
    faults = {}
    wanted = {"zh-normal": 24, "zh-elder": 12, "en-normal": 12, "en-elder": 12}
    for look in board.looks():
        seen.add(look)
        expect(board.page.locator(".dish"), look).to_have_count(wanted[look])
        board.shot(f"menu-full-{look}")
        if found := board.audit(contrast=7.0, font=18):
            faults[look] = found
    assert faults == {}
    assert {"zh-normal", "en-elder"} <= seen


def test_allergens_sold_out_and_special_are_written_out(board):
    page = board.page
    expect(page.locator(".dish >> nth=2 >> .dish-allergens")).to_have_text("含麸质、甲壳、鱼、蛋", use_inner_text=True)
    expect(page.locator(".notice")).to_contain_text("没有标出的过敏原不等于没有")
    sold = page.locator(".dish[data-out=true]")
    expect(sold).to_have_count(1)
    expect(sold).to_contain_text("售完")
    assert "line-through" in page.evaluate(
        "getComputedStyle(document.querySelector('.dish[data-out=true] h2')).textDecorationLine"
    )
    special = page.locator(".dish >> nth=0")
    expect(special).to_contain_text("特价")
    expect(special.locator(".money-digits")).to_have_text("14.50")
    expect(special.locator("s")).to_have_text("16.50")


#: The timers of turning pages are the test's: ``turning()`` gives how long the next page still waits (ms, 0: none),
#: ``turning(true)`` lets that time be over.
TURNER = """
const wait = window.setTimeout, stop = window.clearTimeout, turns = new Map();
let turnId = 0;
window.setTimeout = (act, ms, ...rest) =>
  ms === 20000 || ms === 60000 ? (turns.set(--turnId, [act, ms]), turnId) : wait(act, ms, ...rest);
window.clearTimeout = (id) => turns.delete(id) || stop(id);
window.turning = (over) => {
  if (over) for (const [id, [act]] of turns) { turns.delete(id); act(); }
  return [...turns.values()].reduce((sum, [, ms]) => sum + ms, 0);
};
"""


@pytest.mark.parametrize("board", ["elder"], indirect=True)
def test_pages_turn_slowly_and_stay_when_chosen(board):
    page = board.page
    shown = page.locator(".turner [aria-pressed=true]")
    board.until("turning() === 20000")
    expect(shown).to_have_text("1")
    page.evaluate("turning(true)")
    expect(shown).to_have_text("2")
    board.until("turning() === 20000")
    page.click(".turner button >> nth=0")
    expect(shown).to_have_text("1")
    board.until("turning() === 60000")
    page.evaluate("turning(true)")
    expect(shown).to_have_text("2")
    board.until("turning() === 20000")
