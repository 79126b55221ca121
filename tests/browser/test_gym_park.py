"""Maintenance of a park with 232 outdoor points in 63 compounds: as the person who walks round and inspects them."""

from __future__ import annotations

import importlib.util
import json
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from playwright.sync_api import expect

ROOT = Path(__file__).parents[2]
DESK, PHONE, WALL, WALL_4K = (1280, 800), (390, 844), (1920, 1080), (3840, 2160)
POINTS, COMPOUNDS, MACHINES = 232, 63, 200
START_S = 120


def site_maker():
    """``tests/bench/_gym_site.py``."""
    name = "kangle_gym_site"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "tests" / "bench" / "_gym_site.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="module")
def base(dist, free_port, tmp_path_factory):
    """The preview with the park instead of the made-up gym. Its base address."""
    folder, port = tmp_path_factory.mktemp("park"), free_port()
    site_maker().write_site(folder / "site", site_maker().Layout())
    words = ["--port", str(port), "--pages", str(dist), "--site", str(folder / "site")]
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "edge.api.preview", *words]
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        try:
            until = time.monotonic() + START_S
            while not alive(port):
                assert child.poll() is None, "the preview ended"
                assert time.monotonic() < until, "the preview did not start"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(60)


def alive(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/livez", timeout=10):
            return True
    except OSError:
        return False


def post(base, path, body):
    headers = {"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)}
    request = urllib.request.Request(f"{base}/api/v1/{path}", data=json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer), answer.headers


@pytest.fixture(scope="module")
def cookies(base):
    link, _ = post(base, "preview/links?role=maintenance", {})
    _, headers = post(base, "auth/link", {"token": link["token"]})
    found = SimpleCookie(headers["Set-Cookie"]).values()
    kept = {"domain": "127.0.0.1", "path": "/", "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Strict"}
    return [{"name": one.key, "value": one.value, **kept} for one in found]


@pytest.fixture
def upkeep(base, cookies, open_page):
    """Opens the maintenance page on a tab."""
    post(base, "preview/gym/park", {})

    def open_tab(size, tab):
        opened = open_page(*size, base=base, cookies=cookies)
        page = opened.goto("/gym/maintenance", ".upkeep > .tabs button >> nth=3")
        page.wait_for_selector(".upkeep[data-stale=false]")
        page.locator(".upkeep > .tabs button").nth(tab).click()
        return opened, page

    return open_tab


ORDERS, DUE, REGISTER, LABELS = range(4)


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_the_register_of_a_park_is_walked_compound_by_compound(upkeep, size):
    opened, page = upkeep(size, REGISTER)
    expect(page.locator(".places .place")).to_have_count(COMPOUNDS)
    expect(page.locator(".chips button").first).to_contain_text(str(POINTS))
    assert page.locator(".register .rows li").count() == 0, "nobody scrolls through 232 pieces"
    page.locator(".place-head").nth(1).click()
    expect(page.locator(".register .rows li")).to_have_count(4)
    for look in opened.looks():
        opened.shot(f"gym-park-register-{size[0]}-{look}")
        assert opened.audit(font=14) == []
        opened.fits(size[0])
    assert opened.axe() == []


def test_what_has_to_be_done_is_picked_out_and_found(upkeep):
    opened, page = upkeep(PHONE, REGISTER)
    expect(page.locator(".places .place")).to_have_count(COMPOUNDS)
    locked = page.locator(".chips button").nth(3)
    locked.click()
    expect(page.locator(".register .rows li")).to_have_count(int(locked.locator("strong").inner_text()))
    opened.shot("gym-park-locked-390")
    page.locator(".chips button").first.click()
    page.fill(".find input", "虹旭二村")
    expect(page.locator(".places .place")).to_have_count(1)
    expect(page.locator(".register .rows li")).to_have_count(4)
    opened.shot("gym-park-found-390")
    page.fill(".find input", "nothing of the kind")
    expect(page.locator(".register .empty")).to_be_visible()


def test_an_inspection_leads_back_to_the_list_which_knows_of_it(upkeep):
    _, page = upkeep(PHONE, REGISTER)
    due = page.locator(".chips button").nth(1)
    due.click()
    before = int(due.locator("strong").inner_text())
    page.locator(".place-head").first.click()
    page.locator(".register .rows li button").first.click()
    page.wait_for_selector(".machine-upkeep")
    expect(page.locator(".register")).to_be_hidden()
    page.locator(".inspect summary").click()
    for line in page.locator(".inspect-line").all():
        line.locator("button").first.click()
    with page.expect_response(lambda answer: answer.url.endswith("/inspect")) as found:
        page.locator(".inspect form button.primary").click()
    assert found.value.status == 200
    page.locator(".back").click()
    expect(page.locator(".register")).to_be_visible()
    expect(due.locator("strong")).to_have_text(str(before - 1))
    expect(due).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_four_hundred_orders_hide_no_defect(upkeep, size):
    opened, page = upkeep(size, ORDERS)
    asked = []
    opened.on("request", lambda request: asked.append(request.url) if request.url.endswith("/steps") else None)
    expect(page.locator(".chips button").first).to_have_attribute("aria-pressed", "true")
    total = int(page.locator(".chips button").last.locator("strong").inner_text())
    defects = int(page.locator(".chips button").first.locator("strong").inner_text())
    assert total > 200
    assert 0 < defects < 40
    assert asked == [], "no order is read before somebody looks at it"
    page.locator(".place-head").first.click()
    page.wait_for_selector(".order-card")
    opened.rest()
    opened.shot(f"gym-park-orders-{size[0]}")
    assert opened.audit(font=14, scope=".chips, .place-head") == []
    opened.fits(size[0])


def test_labels_are_printed_by_place_and_machines_chosen_by_place(upkeep):
    opened, page = upkeep(DESK, LABELS)
    page.wait_for_selector(".labels select")
    assert page.locator(".labels .qr").count() == 0, "432 codes are no page"
    page.select_option(".labels select", "c02")
    expect(page.locator(".labels .qr")).to_have_count(4)
    opened.shot("gym-park-labels")
    page.locator(".upkeep > .tabs button").nth(DUE).click()
    page.wait_for_selector(".choose optgroup", state="attached")
    assert page.locator(".choose optgroup").count() == COMPOUNDS + 2
    opened.shot("gym-park-due")


@pytest.fixture
def wall(base, cookies, open_page):
    """Opens the wall on a screen, in a time that passes at ``speed``: 0.01 turns no page while somebody looks."""
    post(base, "preview/gym/park", {})

    def open_wall(size=WALL, speed=0.01, **options):
        opened = open_page(*size, base=base, cookies=cookies, **options)
        opened.before(f"pace({speed})")
        page = opened.goto("/gym", ".page-gym[data-wall=true] .machine")
        page.wait_for_selector(".gym-wall[data-stale=false]")
        opened.until("document.querySelectorAll('.turner button:not(.turner-hold)').length > 1")
        return opened, page

    return open_wall


NUMBERS = ".turner button:not(.turner-hold)"
#: What is cut off or hangs out of its tile, its page or the screen.
OUT_OF_PLACE = """() => {
  const found = [];
  const rooms = document.querySelector(".gym-rooms").getBoundingClientRect();
  for (const tile of document.querySelectorAll(".machine")) {
    const box = tile.getBoundingClientRect();
    if (box.bottom > rooms.bottom + 1 || box.right > rooms.right + 1) found.push(`off the page: ${tile.textContent}`);
    for (const word of tile.querySelectorAll("h3, .machine-use, .machine-more, .machine-place > *")) {
      const inner = word.getBoundingClientRect();
      if (word.scrollWidth > word.clientWidth + 1 || inner.bottom > box.bottom + 1 || inner.top < box.top - 1)
        found.push(`cut off: ${word.textContent}`);
    }
  }
  const busy = document.querySelector(".wall-busy:not([hidden])")?.getBoundingClientRect();
  for (const room of busy === undefined ? [] : document.querySelectorAll(".room"))
    if (room.getBoundingClientRect().bottom > busy.top + 1) found.push(`covered: ${room.ariaLabel}`);
  for (const part of [document.scrollingElement, document.querySelector(".gym-side")])
    if (part.scrollHeight > part.clientHeight + 1) found.push(`scrolls: ${part.className || "page"}`);
  return found;
}"""


def names_on(page):
    return page.locator(".gym-rooms .machine h3").all_inner_texts()


def steady_pages(opened, page):
    """How many pages there are, once two looks say the same: a change of language or size lays them out anew."""
    counts = [-1]

    def same():
        opened.rest()
        counts.append(page.locator(NUMBERS).count())
        return counts[-1] == counts[-2]

    opened.eventually(same, "a number of pages that stays")
    return counts[-1]


@pytest.mark.parametrize("size", [WALL, WALL_4K])
def test_a_wall_shows_all_200_machines_page_by_page(wall, size):
    opened, page = wall(size)
    for look in opened.looks():
        seen, pages = [], steady_pages(opened, page)
        for number in range(pages):
            page.locator(NUMBERS).nth(number).click()
            expect(page.locator(NUMBERS).nth(number)).to_have_attribute("aria-pressed", "true")
            opened.rest()
            seen += names_on(page)
            opened.shot(f"gym-park-wall-{size[0]}-{look}-{number + 1}")
            assert page.evaluate(OUT_OF_PLACE) == []
            opened.fits(size[0])
            if number in {0, pages - 1}:
                assert opened.audit(font=18) == []
        assert len(seen) == len(set(seen)) == MACHINES, "each machine once"
        expect(page.locator(".busy")).to_be_visible()
        assert pages <= 9, "a round takes a minute and a half at most"
    assert opened.axe() == []


def test_pages_turn_by_themselves_and_tell_where_they_are(wall):
    opened, page = wall(speed=40)
    pages = steady_pages(opened, page)
    opened.until("document.querySelector('.wall-pages p').textContent.includes('2')")
    told = "document.querySelector('.wall-pages p').textContent"
    for number in (*range(3, pages + 1), 1):
        opened.until(f"{told} === '第 {number} 页，共 {pages} 页'")
        expect(page.locator(NUMBERS + "[aria-pressed=true]")).to_have_count(1)


def test_who_reads_stops_the_pages_and_lets_them_turn_again(wall):
    opened, page = wall(speed=40)
    hold = page.locator(".turner-hold")
    hold.click()
    expect(hold).to_have_attribute("aria-pressed", "true")
    stands = page.locator(".wall-pages p").inner_text()
    before = page.evaluate("performance.now()")
    opened.until(f"performance.now() > {before} + 60000")  # of the page's own time: six turns
    assert page.locator(".wall-pages p").inner_text() == stands
    hold.click()
    opened.until(f"document.querySelector('.wall-pages p').textContent !== {json.dumps(stands)}")


def test_nothing_moves_where_the_system_says_so(wall):
    _, page = wall(reduced_motion="reduce")
    moves = "getComputedStyle(document.querySelector('.gym-rooms')).animationName"
    assert page.evaluate(moves) == "none"
    _, page = wall(reduced_motion="no-preference")
    assert page.evaluate(moves) == "page-comes"


def test_a_desk_has_all_on_one_page_that_scrolls(base, cookies, open_page):
    post(base, "preview/gym/park", {})
    opened = open_page(*DESK, base=base, cookies=cookies)
    page = opened.goto("/gym", ".machine")
    expect(page.locator(".gym-rooms .machine h3")).to_have_count(MACHINES)
    expect(page.locator(".turner")).to_have_count(0)
    expect(page.locator(".busy")).to_be_visible()
    opened.fits(DESK[0])


def test_the_wall_sums_up_what_stands_in_63_compounds(wall):
    opened, page = wall()
    page.locator(NUMBERS).last.click()
    last = page.locator(".gym-rooms .room").last
    expect(last).to_contain_text(str(POINTS))
    expect(last.locator(".machine-place")).to_have_count(1)
    assert opened.audit(font=18, scope=".room:last-child") == []
