"""The desk: help calls, orders found, money given back only as shown and only when held for a second, top-ups once."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect


@pytest.fixture
def desk(preview, open_page):
    opened = open_page(1440, 900)
    opened.tolerate = ("Failed to load resource", "net::ERR_FAILED")
    page = opened.goto("/cashier", ".orders-list button")
    sent = []

    def note(request):
        if request.method == "POST":
            sent.append(
                (request.url.partition("/canteen/")[2], request.headers["idempotency-key"], request.post_data_json)
            )

    opened.on("request", note)
    return opened, page, sent


def test_orders_are_found_by_id_amount_member_and_lane(desk):
    _, page, _ = desk
    expect(page.locator(".orders-list button")).to_have_count(40)
    for words, count in (("o-0007", 1), ("15.30", 40), ("m002", 13), ("m002 0012", 1), ("nothing", 0)):
        page.fill(".orders-search input", words)
        expect(page.locator(".orders-list button"), words).to_have_count(count)
    page.wait_for_selector("text=没有符合的订单")


def test_a_refund_names_the_exact_amount_and_needs_a_hold(desk):
    opened, page, sent = desk
    page.click(".orders-list button:has-text('o-0040')")
    page.wait_for_selector(".back")
    refund = ".back .hold >> nth=0"
    expect(page.locator(refund)).to_be_disabled()
    page.click(".back label:has-text('清炒菠菜')")
    page.click(".back label:has-text('米饭')")
    expect(page.locator(refund)).to_contain_text("退 ¥5.10（到会员卡）")
    opened.shot("cashier-refund")
    opened.touch(refund)
    assert sent == []
    opened.hold(refund)
    page.wait_for_selector(".desk-note[data-tone=good]")
    path, key, body = sent[0]
    assert path == "orders/o-0040/refunds"
    assert body["line_nos"] == [2, 3]
    assert body["reason"] == "菜不对"
    assert body["refund_id"] != key
    assert len(sent) == 1


def test_a_void_names_its_consequence(desk):
    opened, page, sent = desk
    page.click(".orders-list button:has-text('o-0040')")
    page.wait_for_selector(".back")
    void = ".back .hold.danger"
    expect(page.locator(void)).to_contain_text("退 ¥15.30")
    expect(page.locator(void)).to_contain_text("恢复可售")
    opened.hold(void)
    page.wait_for_selector(".desk-note[data-tone=good]")
    assert [path for path, _, _ in sent] == ["orders/o-0040/void"]


def test_a_hold_works_from_the_keyboard(desk):
    opened, page, sent = desk
    page.click(".orders-list button:has-text('o-0040')")
    page.wait_for_selector(".back")
    opened.hold(".back .hold.danger", key="Enter")
    page.wait_for_selector(".desk-note[data-tone=good]")
    assert len(sent) == 1


def test_a_top_up_reads_the_purse_first_and_is_never_done_twice(desk):
    """The answer is lost and the page reloaded: the same command goes out again, not a second one."""
    opened, page, sent = desk
    top_up = ".topup .hold"
    expect(page.locator(top_up)).to_be_disabled()
    page.fill(".topup input", "m001")
    page.click(".topup button:has-text('查余额')")
    page.wait_for_selector("text=m001 余额 ¥")
    page.click(".topup button:has-text('¥50.00')")
    page.route("**/top-ups", lambda route: route.abort())
    opened.hold(top_up)
    page.wait_for_selector("text=正在用同一单号再问")
    page.reload()
    page.wait_for_selector(".desk-note[data-tone=busy]")
    page.unroute("**/top-ups")
    page.wait_for_selector(".desk-note[data-tone=good]")
    assert {json.dumps(one) for one in sent} == {json.dumps(sent[0])}
    assert sent[0][0] == "members/m001/top-ups"
    assert sent[0][2] == {"fen": 5000, "method": "cash"}
    assert len(sent) >= 3


def test_a_top_up_booked_before_the_shift_changed_is_not_called_undone(desk, logins):
    """Its answer was lost and the next cashier logs in at the same desk. "Nothing was done" would have the money of one
    note put into the purse twice."""
    _, page, sent = desk
    page.fill(".topup input", "m001")
    page.click(".topup button:has-text('查余额')")
    page.wait_for_selector("text=m001 余额 ¥")

    def lose(route):
        route.fetch()
        route.abort()

    page.route("**/top-ups", lose)
    page.focus(".topup .hold")
    page.keyboard.down("Enter")
    page.wait_for_selector("text=正在用同一单号再问")
    page.keyboard.up("Enter")
    page.context.add_cookies(logins("cashier"))
    page.unroute("**/top-ups")
    page.reload()
    page.wait_for_selector(".desk-note[data-tone=look]")
    words = page.inner_text(".desk-note")
    assert "已在另一个登录下处理过" in words
    assert "可能已经入账" in words
    assert len({key for _, key, _ in sent}) == 1


def test_a_late_answer_never_puts_another_members_purse_before_the_desk(desk):
    """The purse of who was looked up first comes last: the money would go to the wrong member."""
    opened, page, _ = desk
    held = []
    page.route("**/members/m001/purse*", lambda route: held.append(route))  # noqa: PLW0108 - a function it must be
    page.fill(".topup input", "m001")
    page.click(".topup button:has-text('查余额')")
    opened.eventually(lambda: held, "the first purse was asked for")
    page.fill(".topup input", "m002")
    page.click(".topup button:has-text('查余额')")
    page.wait_for_selector("text=m002 余额 ¥")
    with page.expect_response("**/members/m001/purse*"):
        held[0].continue_()
    opened.rest()
    expect(page.locator(".topup-balance")).to_contain_text("m002 余额")


def test_the_order_chosen_last_is_the_one_shown(desk):
    opened, page, _ = desk
    held = []
    page.route("**/orders/o-0040", lambda route: held.append(route))  # noqa: PLW0108 - a function it must be
    page.click(".orders-list button:has-text('o-0040')")
    opened.eventually(lambda: held, "the first order was asked for")
    page.click(".orders-list button:has-text('o-0039')")
    page.wait_for_selector(".order h2:has-text('o-0039')")
    with page.expect_response("**/orders/o-0040"):
        held[0].continue_()
    opened.rest()
    expect(page.locator(".order h2")).to_contain_text("o-0039")


def test_an_unknown_member_is_said(desk):
    _, page, _ = desk
    page.fill(".topup input", "nobody")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=没有这个会员")
    expect(page.locator(".topup .hold")).to_be_disabled()


def test_an_unreadable_plate_is_keyed_in_for_the_tray_shown(desk, preview):
    _, page, sent = desk
    preview.phase("1", "ask")
    page.wait_for_selector(".desk-lane:nth-child(1) .desk-say[data-tone=look]")
    page.fill(".desk-lane:nth-child(1) .desk-key input", "A-017")
    page.keyboard.press("Enter")
    other = page.locator(".desk-lane:nth-child(2) .desk-key input")
    preview.phase("2", "offline")
    expect(other).to_be_disabled()
    preview.phase("2", "empty")  # the one chip that lies there may be dead
    other.fill("A-018")
    # The field is emptied once the box has answered.
    expect(page.locator(".desk-lane:nth-child(1) .desk-key input")).to_have_value("")
    other.press("Enter")
    expect(other).to_have_value("")
    assert [(path, body) for path, _, body in sent] == [
        ("lanes/1/key-plate", {"tray_id": "t-1", "label": "A-017"}),
        ("lanes/2/key-plate", {"tray_id": "", "label": "A-018"}),
    ]
