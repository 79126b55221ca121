"""Never pretend: a dead API, a hung line or a dead daemon shows within 3 s, and all recovers without a reload."""

from __future__ import annotations

import json
import urllib.request

import pytest
from playwright.sync_api import expect

#: Of the page's own time: a machine under load draws late, and may starve the page itself.
SHOWN_WITHIN_MS = 3000
PAGES = {
    "lane": ("/lane/1", 1280, 800, ".total[data-stale=true]"),
    "menu": ("/menu", 1920, 1080, ".board[data-stale=true]"),
    "demo": ("/demo", 1440, 900, ".total[data-stale=true]"),
    "cashier": ("/cashier", 1440, 900, ".desk-lane[data-stale=true]"),
}


@pytest.mark.parametrize(("name", "way"), [("lane", "hang"), *((name, "cut") for name in PAGES)])
def test_a_silent_api_shows_within_3_s_and_comes_back(preview, line, open_page, name, way):
    path, width, height, stale = PAGES[name]
    preview.phase("1", "firm")
    opened = open_page(width, height, base=line.base)
    opened.tolerate = ("Failed to load resource", "ERR_")
    page = opened.goto(path)
    page.evaluate("window.same = true")
    page.wait_for_selector(stale.replace("true", "false"))
    getattr(line, way)()
    opened.falls_silent(SHOWN_WITHIN_MS)
    page.wait_for_selector(stale)
    page.wait_for_selector(".notice[data-level=alarm]")
    opened.shot(f"live-{name}-{way}")
    line.mend()
    opened.time_goes_on()
    page.wait_for_selector(".strip-link[data-link=live]")
    page.wait_for_selector(stale, state="detached")
    assert page.evaluate("window.same") is True


def test_the_age_of_what_is_shown_grows(preview, line, open_page):
    preview.phase("1", "firm")
    opened = open_page(base=line.base)
    opened.tolerate = ("Failed to load resource", "ERR_")
    page = opened.goto("/lane/1")
    page.wait_for_selector(".lane[data-mode=firm]")
    line.cut()
    opened.falls_silent(4000)
    page.wait_for_selector("text=这是 4 秒前的画面")
    expect(page.locator(".total-note")).to_contain_text("旧数据")
    opened.rest()
    assert opened.audit(contrast=7.0, font=18, target=60, primary=96) == []
    expect(page.locator(".actions .primary")).to_be_disabled()
    opened.time_goes_on(skip_ms=3000, speed=0)
    page.wait_for_selector("text=这是 7 秒前的画面")


def test_a_dead_daemon_shows_although_the_api_lives(preview, open_page):
    preview.phase("1", "firm")
    opened = open_page()
    page = opened.goto("/lane/1")
    preview.post("daemon/dead")
    page.wait_for_selector(".strip-link[data-link=daemon]")  # with the first pulse that says so, one each second
    expect(page.locator(".notice")).to_contain_text("结算程序没有响应")
    expect(page.locator(".actions .primary")).to_be_disabled()
    opened.shot("live-daemon-dead")
    preview.post("daemon/alive")
    page.wait_for_selector(".strip-link[data-link=live]")
    expect(page.locator(".actions .primary")).to_be_enabled()


def test_a_box_that_is_away_at_the_start_is_waited_for(preview, line, open_page):
    """A terminal that boots before the box goes on by itself."""
    opened = open_page(base=line.base)
    opened.tolerate = ("Failed to load resource", "ERR_")
    opened.page.route("**/api/v1/system/info", lambda route: route.abort())
    page = opened.goto("/lane/1", ready=".fault")
    expect(page.locator(".fault")).to_contain_text("盒子没有回答")
    opened.page.unroute("**/api/v1/system/info")
    page.wait_for_selector(".lane[data-mode=empty]")


def test_a_login_that_ended_is_said(preview, open_page, line):
    opened = open_page(base=line.base)
    opened.tolerate = ("Failed to load resource", "ERR_", "401")
    page = opened.goto("/lane/1")
    opened.page.context.clear_cookies()
    line.cut()
    line.mend()
    page.wait_for_selector("text=请先登录")
    expect(page.locator(".fault a")).to_have_attribute("href", "/login?next=%2Flane%2F1")


def test_a_page_of_an_older_build_reloads_itself_when_idle(preview, server, line, open_page):
    opened = open_page(base=line.base)
    opened.tolerate = ("Failed to load resource", "ERR_")
    page = opened.goto("/lane/1")
    page.evaluate("window.same = true")
    info = json.loads(urllib.request.urlopen(f"{server}/api/v1/system/info").read())
    opened.page.route("**/api/v1/system/info", lambda route: route.fulfill(json={**info, "build": "another"}))
    with page.expect_navigation():
        line.cut()
        line.mend()
    page.wait_for_selector(".lane[data-mode=empty]")
    assert page.evaluate("window.same") is None
