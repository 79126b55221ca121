"""The demo page: trays put together by hand, faults of the readers, both lanes paid from one page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


@pytest.fixture
def demo(preview, open_page):
    opened = open_page(1440, 900)
    page = opened.goto("/demo", ".picker button")
    page.wait_for_selector(".tools button:enabled")
    asked = []

    def note(request):
        if "/api/v1/demo/" in request.url and request.method != "GET":
            asked.append((request.method, request.url.partition("/demo/")[2], request.post_data_json))

    opened.on("request", note)
    return opened, page, asked


def test_a_tray_is_put_together_and_put_down_and_all_is_called_simulated(demo):
    opened, page, asked = demo
    expect(page.locator(".notice")).to_contain_text("模拟")
    for n in (1, 1, 3):
        page.click(f".picker li:nth-child({n}) button")
    page.click("button[aria-label='增加：芯片坏的盘子']")
    page.click("button[aria-label='增加：不认识的盘子']")
    page.click("button[aria-label='减少：不认识的盘子']")
    page.select_option(".panel-tray select", "A0000001")
    expect(page.locator(".panel-tray h2")).to_have_text("餐盘上有 4 盘")
    expect(page.locator(".picker li:nth-child(1) b")).to_have_text("×2")
    opened.shot("demo-composed")
    page.click("text=放到 2 号台")
    page.wait_for_selector(".stage-lane:nth-child(2) .tools button:has-text('拿走餐盘'):enabled")
    body = {"dishes": ["d001", "d001", "d003"], "unknown": 0, "dead": 1, "unbound": 0, "card": "A0000001"}
    assert asked == [("POST", "lanes/2/tray", body)]
    page.click(".stage-lane:nth-child(2) .tools button:has-text('拿走餐盘')")
    page.wait_for_selector(".stage-lane:nth-child(2) .tools button:has-text('拿走餐盘'):disabled")
    assert asked[1][:2] == ("DELETE", "lanes/2/tray")


def test_faults_show_which_one_is_on(demo):
    _, page, asked = demo
    tools = ".stage-lane:nth-child(1) .tools"
    expect(page.locator(f"{tools} button:has-text('插回')")).to_be_disabled()
    page.click(f"{tools} button:has-text('拔线')")
    page.wait_for_selector(f"{tools} button:has-text('拔线')[aria-pressed=true]")
    page.click(f"{tools} button:has-text('插回')")
    page.wait_for_selector(f"{tools} button:has-text('插回'):disabled")
    assert [body for _, _, body in asked] == [{"fault": "unplug"}, {"fault": "replug"}]


def test_diners_come_and_go(demo):
    _, page, asked = demo
    page.click(".panel-diners button")
    page.wait_for_selector("text=让顾客来")
    page.locator(".panel-rate input").fill("12")
    page.wait_for_selector("text=每分钟 12 位")
    assert next(body for _, path, body in asked if path == "diners") == {"on": False, "per_minute": 6}


def test_both_lanes_are_live_and_paid_from_one_page(demo, preview):
    _, page, _ = demo
    for lane in ("1", "2"):
        preview.phase(lane, "firm")
        page.wait_for_selector(f".stage-lane:nth-child({lane}) .lane[data-mode=firm]")
    page.click(".stage-lane:nth-child(2) .actions .primary")
    page.wait_for_selector(".stage-lane:nth-child(2) .lane[data-mode=paid]")
    expect(page.locator(".stage-lane:nth-child(1) .lane")).to_have_attribute("data-mode", "firm")


def test_a_simulator_that_is_away_is_said(preview, open_page):
    opened = open_page(1440, 900)
    opened.tolerate = ("503",)
    problem = {"title": "模拟器没有回应", "status": 503, "detail": "请检查模拟器是否在运行。", "code": "demo_away"}
    opened.page.route("**/api/v1/demo/state", lambda route: route.fulfill(status=503, json=problem))
    page = opened.goto("/demo", ".stage-lane")
    page.wait_for_selector("text=模拟器没有回应")
    expect(page.locator(".panel-diners button")).to_be_disabled()
