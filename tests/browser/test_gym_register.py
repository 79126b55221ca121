"""The register of equipment on the maintenance page: every outdoor piece with its dates, and a sheet of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

TABLET = (1180, 820)
PHONE = (390, 844)


@pytest.fixture
def gym(preview):
    """Plays scenes; afterwards the gym is quiet again."""
    yield lambda scene: preview.post(f"gym/{scene}")
    preview.post("gym/quiet")


@pytest.mark.parametrize("size", [PHONE, TABLET])
def test_the_register_is_readable_and_leads_to_each_piece(gym, open_page, size):
    gym("locked")
    opened = open_page(*size, role="maintenance")
    page = opened.goto("/gym/maintenance", ".order-card")
    page.locator(".upkeep > .tabs button").nth(2).click()
    expect(page.locator(".register .rows li"), "outdoor equipment first").to_have_count(2)
    for look in opened.looks():
        opened.shot(f"gym-register-{size[0]}-{look}")
        assert opened.audit(font=14) == []
        opened.fits(size[0])
    assert opened.axe() == []
    page.locator(".register .tabs button").click()
    page.wait_for_selector(".register .rows li >> nth=10")
    opened.shot(f"gym-register-all-{size[0]}")
    broken = page.locator(".register .rows li", has_text="Treadmill 6")
    expect(broken).to_contain_text("Locked out")
    broken.locator("button").click()
    page.wait_for_selector(".machine-upkeep")


def test_the_sheet_is_that_of_what_is_shown(gym, open_page):
    gym("quiet")
    page = open_page(*TABLET, role="maintenance").goto("/gym/maintenance", ".choose")
    page.locator(".upkeep > .tabs button").nth(2).click()
    page.wait_for_selector(".register .rows li")
    with page.expect_download() as found:
        page.locator(".register a.button").click()
    lines = found.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["asset", "od-1", "od-2"]


def test_a_machine_tells_its_starts_and_its_current(gym, open_page):
    gym("locked")
    page = open_page(*TABLET, role="maintenance").goto("/gym/maintenance", ".choose select")
    page.select_option(".choose select", "tm-3")
    page.wait_for_selector(".wear .beats-line")
    for told in ("启动", "最大电流"):
        expect(page.locator(".machine-upkeep")).to_contain_text(told)
