"""A payment is made once: its ids are on disk before the first send and repeated unchanged until the box answers."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

PAY = "**/api/v1/canteen/lanes/1/pay"


@pytest.fixture
def lane(preview, open_page):
    """Lane 1 with a priced tray of a member, and every payment request that leaves it."""
    preview.phase("1", "firm")
    opened = open_page()
    opened.tolerate = ("Failed to load resource", "net::ERR_FAILED")
    page = opened.goto("/lane/1")
    page.wait_for_selector(".lane[data-mode=firm]")
    requests = []
    opened.on(
        "request",
        lambda r: (
            requests.append((r.headers.get("idempotency-key"), r.post_data_json)) if r.url.endswith("/pay") else None
        ),
    )
    return opened, page, requests


def pending(page):
    return json.loads(page.evaluate("localStorage.getItem('kangle.pay.1')") or "null")


def test_paying_sends_the_tray_as_shown_and_shows_paid(lane):
    _, page, requests = lane
    page.dblclick(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert len({key for key, _ in requests}) == 1
    key, body = requests[0]
    assert {name: body[name] for name in body if name != "order_id"} == {
        "tray_id": "t-1",
        "tray_version": 1,
        "payable_fen": 1530,
        "method": "purse",
        "tendered_fen": 0,
    }
    assert len(key) == len(body["order_id"]) == 26
    assert key != body["order_id"]
    assert pending(page) is None


def test_the_second_tap_on_another_button_pays_nothing(lane, preview):
    """ "These are all plates" gives way to "pay" in the same place, quicker than an unsteady hand's second tap."""
    opened, page, requests = lane
    preview.phase("1", "ask")
    page.wait_for_selector(".lane[data-mode=ask]")

    def confirmed(route):
        preview.phase("1", "firm")
        route.fulfill(json={"code": "ok"})

    page.route("**/lanes/1/confirm-plates", confirmed)
    opened.rest()
    box = page.locator(".actions .primary").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*middle)
    page.wait_for_selector(".lane[data-mode=firm]")
    page.wait_for_selector(".actions .primary:has-text('¥15.30')")
    page.mouse.click(*middle)
    opened.rest()
    assert requests == []
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert len(requests) == 1


def test_the_ids_are_on_disk_before_the_first_send(lane):
    _, page, requests = lane
    kept = []

    def hold(route):
        kept.append(pending(page))
        route.continue_()

    page.route(PAY, hold)
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert (kept[0]["key"], kept[0]["body"]) == requests[0]


def test_a_lost_answer_is_asked_for_again_under_the_same_ids(lane):
    """The box books the first request, its answer is lost; nothing is ever paid twice or shown as unpaid."""
    _, page, requests = lane
    answers = []

    def lose_two(route):
        if len(answers) < 2:
            answers.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route(PAY, lose_two)
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert answers[0] == 200
    assert len({json.dumps(one, sort_keys=True) for one in requests}) == 1


def test_a_payment_outlives_a_reload(lane):
    opened, page, requests = lane
    page.route(PAY, lambda route: route.abort())
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paying]")
    opened.until("document.querySelector('.prompt').textContent.includes('同一单号')")
    opened.shot("payment-no-answer")
    before = pending(page)
    page.reload()
    page.wait_for_selector(".lane[data-mode=paying]")
    expect(page.locator(".actions .primary")).to_be_disabled()
    assert pending(page) == before
    page.unroute(PAY)
    page.wait_for_selector(".lane[data-mode=paid]")
    assert {key for key, _ in requests} == {before["key"]}
    assert {body["order_id"] for _, body in requests} == {before["body"]["order_id"]}
    assert pending(page) is None


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_answers_that_decide_nothing_keep_the_payment(lane, status):
    _, page, requests = lane
    page.route(PAY, lambda route: problem(route, status, "busy") if len(requests) < 2 else route.continue_())
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert len({key for key, _ in requests}) == 1
    assert len(requests) >= 2


@pytest.mark.parametrize(
    ("lang", "title"), [("zh", "余额不够，没有扣款"), ("en", "Balance too low, nothing was charged")]
)
def test_a_refusal_says_what_it_means_and_what_to_do(preview, open_page, lang, title):
    preview.phase("1", "firm")
    opened = open_page(lang=lang)
    opened.tolerate = ("Failed to load resource",)
    page = opened.goto("/lane/1")
    page.route(PAY, lambda route: problem(route, 422, "purse_short"))
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=refused]")
    expect(page.locator(".prompt h2")).to_have_text(title)
    assert pending(page) is None
    opened.shot(f"payment-refused-{lang}")
    assert opened.audit(contrast=7.0, font=18, target=60, primary=96) == []
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=firm]")


def test_a_second_try_after_a_refusal_is_a_new_payment(lane):
    _, page, requests = lane
    page.route(PAY, lambda route: problem(route, 409, "tray_changed") if len(requests) == 1 else route.continue_())
    page.click(".actions .primary")
    page.click(".lane[data-mode=refused] .actions .primary")
    page.click(".lane[data-mode=firm] .actions .primary")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert len({key for key, _ in requests}) == len({body["order_id"] for _, body in requests}) == 2


def test_nothing_is_shown_as_paid_before_the_answer(lane):
    """Between press and answer the page says "sent" and nothing else can be pressed."""
    opened, page, _ = lane
    held = []
    page.route(PAY, lambda route: held.append(route))  # noqa: PLW0108 - Playwright needs a function
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paying]")
    heard = page.evaluate("heard.pulse")
    opened.until(f"heard.pulse > {heard}")
    expect(page.locator(".total-label")).to_have_text("应付")
    expect(page.locator(".actions button:enabled")).to_have_count(0)
    held[-1].continue_()
    page.wait_for_selector(".lane[data-mode=paid]")
    expect(page.locator(".total-label")).to_have_text("已付")


def test_staff_may_release_a_payment_that_was_never_booked(lane):
    """After some tries without a verdict, holding the button asks for the order itself."""
    opened, page, _ = lane
    page.route(PAY, lambda route: problem(route, 503, "storage"))
    page.click(".actions .primary")
    page.wait_for_selector(".actions .hold")
    page.locator(".actions .hold").dispatch_event("pointerdown")
    page.wait_for_selector(".lane[data-mode=refused]")
    expect(page.locator(".prompt h2")).to_have_text("查过了：这一单没有入账")
    assert pending(page) is None
    opened.shot("payment-released")


def test_cash_names_the_change_before_it_is_confirmed(preview, open_page):
    preview.phase("1", "firm", guest=True)
    opened = open_page()
    page = opened.goto("/lane/1")
    requests = []
    opened.on("request", lambda r: requests.append(r.post_data_json) if r.url.endswith("/pay") else None)
    page.click(".actions .secondary")
    expect(page.locator(".cash-notes strong")).to_have_text(["¥18.00", "¥20.00", "¥50.00", "¥100.00"])
    for digit in "1", "5", "00":
        page.click(f".keypad button:text-is('{digit}')")
    expect(page.locator(".actions .primary")).to_have_text("还差 ¥3.00")
    expect(page.locator(".actions .primary")).to_be_disabled()
    page.click(".cash-notes button:has-text('¥50.00')")
    expect(page.locator(".actions .primary")).to_contain_text("找零 ¥32.00")
    page.click(".actions .primary")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert (requests[0]["method"], requests[0]["tendered_fen"]) == ("cash", 5000)
    expect(page.locator(".nutrition")).to_be_visible()


def problem(route, status, code):
    body = {"type": f"urn:kangle:problem:{code}", "title": code, "status": status, "detail": code, "code": code}
    route.fulfill(status=status, content_type="application/problem+json", body=json.dumps(body))
