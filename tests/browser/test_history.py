"""The history page: readable in both languages and sizes, from a year to a second, and honest about what is missing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

SIZES = {"desk": (1440, 900), "tablet": (1180, 820), "phone": (390, 844)}


def choose(page, *names):
    for name in names:
        page.locator(".picker-one", has_text=name).first.click()
    page.wait_for_selector(f".curves-keys li:nth-child({len(names)})")
    settled(page)


def settled(page):
    page.wait_for_selector(".curves[data-busy=false]")


@pytest.mark.parametrize("size", SIZES)
def test_the_page_is_readable_touchable_and_sound(open_page, size):
    opened = open_page(*SIZES[size], role="maintenance")
    page = opened.goto("/history", ".picker-one")
    opened.shot(f"history-{size}-first")
    choose(page, "B1-P01", "B1-P02")
    faults = {}
    for look in opened.looks():
        opened.shot(f"history-{size}-{look}")
        if found := opened.audit(font=14):
            faults[look] = found
        opened.fits(SIZES[size][0])
    assert faults == {}
    assert opened.axe() == []
    page.set_viewport_size({"width": 320, "height": 640})
    opened.shot(f"history-{size}-reflow")
    opened.fits(320)


def test_from_a_year_to_a_second_and_back(open_page):
    opened = open_page(*SIZES["desk"], role="manager")
    page = opened.goto("/history", ".picker-one")
    choose(page, "B1-P01")
    names = ("year", "month", "week", "day", "hour", "minute", "second")
    each = {"year": "3600", "day": "60", "minute": "0"}
    for index, name in enumerate(names[:-1]):
        page.locator(".history-spans > button").nth(index).click()
        page.wait_for_selector(f".history-spans > button:nth-child({index + 1})[aria-pressed=true]")
        if name in each:
            expect(page.locator(".curves")).to_have_attribute("data-resolution", each[name])
        settled(page)
        opened.shot(f"history-span-{name}")
    for _ in range(6):
        page.locator(".history-moves button").nth(1).click()
        settled(page)
    page.wait_for_selector(".history-spans > button:nth-child(7)[aria-pressed=true]")
    opened.shot("history-span-second")


def test_dragging_zooms_and_the_pointer_tells_values(open_page):
    opened = open_page(*SIZES["desk"], role="manager")
    page = opened.goto("/history", ".picker-one")
    choose(page, "B1-P01", "B1-smoke-3")
    box = page.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    opened.until("document.querySelector('[data-curve=\"0\"] output').textContent !== ''")
    expect(page.locator('[data-curve="0"] output')).to_have_text(re.compile("W$"))
    expect(page.locator('[data-curve="1"] output')).to_have_text(re.compile("^[是否]$"))
    before = page.locator(".curves a").get_attribute("href")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60, steps=5)
    page.mouse.up()
    opened.until(f"document.querySelector('.curves a').getAttribute('href') !== {before!r}")
    settled(page)
    opened.shot("history-zoomed")


def test_four_curves_at_most_and_a_search(open_page):
    opened = open_page(*SIZES["desk"], role="admin")
    page = opened.goto("/history", ".picker-one")
    choose(page, "B1-P01", "B1-P02", "B1-P03", "B1-P04")
    page.locator(".picker-one", has_text="B1-P05").first.click()
    opened.until("document.querySelector('.curves-keys li:last-child strong').textContent.includes('P05')")
    expect(page.locator(".curves-keys li")).to_have_count(4)
    opened.shot("history-four")
    page.locator(".picker input").fill("smoke")
    opened.until("document.querySelectorAll('.picker-one').length === 1")
    page.locator(".picker input").fill("nothing of this name")
    page.wait_for_selector(".picker .empty")


def test_who_may_not_see_it_is_told(open_page):
    opened = open_page(*SIZES["desk"], role="cashier")
    page = opened.goto("/history", ".fault")
    expect(page.locator(".picker")).to_have_count(0)


def test_a_zone_is_one_curve_beside_others(open_page):
    """What all outlets of a zone draw together, by the zone's name; a table is offered of single series only."""
    opened = open_page(*SIZES["desk"], role="manager")
    page = opened.goto("/history", ".picker-one")
    choose(page, "B1 充电区")
    expect(page.locator(".curves-keys strong").first).to_have_text("B1 充电区 · 功率")
    expect(page.locator(".picker-one").first).to_contain_text("共 8 路")
    expect(page.locator(".curves a")).to_have_count(0)
    opened.shot("history-zone")
    page.locator(".picker-one", has_text="B1-P01").first.click()
    page.wait_for_selector(".curves-keys li:nth-child(2)")
    settled(page)
    expect(page.locator(".curves a")).to_have_count(1)
    for look in opened.looks():
        opened.shot(f"history-zone-and-outlet-{look}")
