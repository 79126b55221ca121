"""The checkout terminal in every phase, language and size: readable from 1.5 m, touchable, nothing cut off."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

PHASES = ["offline", "empty", "reading", "firm", "ask", "paid", "blocked"]
PROBLEMS = [
    "plate_unknown",
    "plate_unbound",
    "plate_not_today",
    "plate_sold",
    "plate_doubtful",
    "plate_other_lane",
    "plate_retired",
    "count_differs",
]
STATES = [(phase, "") for phase in PHASES[:-1]] + [("blocked", problem) for problem in PROBLEMS]
FORMS = {"landscape": (1280, 800), "portrait": (800, 1280)}
#: An elder page: body text 18 px and more, contrast 7, targets 60 px, the main button 96 px.
ELDER = {"contrast": 7.0, "font": 18, "target": 60, "primary": 96}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("states", [STATES[:6], STATES[6:]], ids=["phases", "problems"])
def test_every_phase_is_readable_and_touchable(preview, open_page, form, states):
    """In both languages and sizes: no overflow, nothing cut off or too small, enough contrast and room."""
    opened = open_page(*FORMS[form])
    page = opened.goto("/lane/1")
    faults = {}
    for look in opened.looks():
        for phase, problem in states:
            preview.phase("1", phase, problem)
            page.wait_for_selector(f".lane[data-mode={phase}]")
            if problem:
                words = FIRST_WORDS[problem][look.startswith("en")]
                page.wait_for_selector(f".prompt h2:text-is({json.dumps(words, ensure_ascii=False)})")
            name = f"lane-{form}-{look}-{problem or phase}"
            if form == "landscape" or not problem:
                opened.shot(name)
            if found := opened.audit(**ELDER):
                faults[name] = found
    assert faults == {}


FIRST_WORDS = {
    "plate_unknown": ("有一个盘子不认识", "One plate is unknown"),
    "plate_unbound": ("有一个盘子还没有登记菜", "One plate has no dish"),
    "plate_not_today": ("有一盘不是今天的菜", "One plate is not from today's menu"),
    "plate_sold": ("有一盘已经付过款", "One plate has been paid already"),
    "plate_doubtful": ("有一盘分不清是哪一台的", "One plate could be the other lane's"),
    "plate_other_lane": ("有一盘在 2 号台上", "One plate lies on lane 2"),
    "plate_retired": ("有一个盘子已经停用", "One plate is out of use"),
    "count_differs": ("盘数对不上", "The number of plates differs"),
}

#: Pane: the button that opens it, and the one that leads back.
PANES = {
    "receipt": (".lane-explain", ".lane-explain"),
    "certainty": (".certainty button", ".certainty button"),
    "card": (".actions .primary", ".actions .secondary"),
    "cash": (".actions .secondary", ".actions .secondary"),
}


@pytest.mark.parametrize("form", FORMS)
def test_panes_explain_in_place(preview, open_page, form):
    """Receipt, certainty, card and cash take the list's place; the total stays where it is."""
    opened = open_page(*FORMS[form])
    preview.phase("1", "firm", guest=True)
    page = opened.goto("/lane/1")
    page.wait_for_selector(".lane[data-mode=firm]")
    faults = {}
    for look in opened.looks():
        opened.rest()
        place = page.locator(".total-digits").bounding_box()
        for name, (there, back) in PANES.items():
            page.click(there)
            page.wait_for_selector(".lane .pane")
            opened.shot(f"lane-{form}-{look}-{name}")
            if found := opened.audit(**ELDER):
                faults[f"{look}-{name}"] = found
            assert page.locator(".total-digits").bounding_box() == place, name
            page.click(back)
            page.wait_for_selector(".plates")
    assert faults == {}


def test_the_total_is_the_largest_thing(preview, open_page):
    opened = open_page()
    preview.phase("1", "firm")
    page = opened.goto("/lane/1")
    page.wait_for_selector(".lane[data-mode=firm]")
    sizes = page.evaluate(
        "() => [...document.querySelectorAll('body *')]"
        ".filter((e) => e.childElementCount === 0 && e.textContent.trim())"
        ".map((e) => [parseFloat(getComputedStyle(e).fontSize), e.textContent])"
    )
    largest = max(sizes)
    assert largest[1] == "15.30"
    assert largest[0] >= 96


def test_a_price_that_is_not_firm_says_so(preview, open_page):
    opened = open_page()
    page = opened.goto("/lane/1")
    for phase, words in (("reading", "读取中，价格未定"), ("ask", "价格未定，还不能付款"), ("firm", "")):
        preview.phase("1", phase)
        page.wait_for_selector(f".lane[data-mode={phase}]")
        expect(page.locator(".total-note")).to_have_text(words)
        expect(page.locator(".total")).to_have_attribute("data-firm", str(phase == "firm").lower())


def test_nothing_jumps_between_phases(preview, open_page):
    """The total, the main button and the nutrition keep their places from reading over firm to paid."""
    opened = open_page()
    page = opened.goto("/lane/1")
    places = []
    for phase in ("reading", "firm", "paid"):
        preview.phase("1", phase)
        page.wait_for_selector(f".lane[data-mode={phase}]")
        opened.rest()
        boxes = [page.locator(part).bounding_box() for part in (".total-pay", ".actions", ".nutrition", ".prompt")]
        places.append([(box["x"], box["y"], box["width"]) for box in boxes if box])
    assert places[0] == places[1] == places[2]
    assert len(places[0]) == 4


def test_the_receipt_adds_up(preview, open_page):
    opened = open_page()
    preview.phase("1", "firm")
    page = opened.goto("/lane/1", ".lane[data-mode=firm]")
    page.click(".lane-explain")
    page.wait_for_selector(".receipt-steps .receipt-fen")
    page.wait_for_selector(".receipt-lines .receipt-fen")
    fens = [cents(text) for text in page.locator(".receipt-steps .receipt-fen").all_inner_texts()]
    lines = [cents(text) for text in page.locator(".receipt-lines .receipt-fen").all_inner_texts()]
    assert sum(fens[:-1]) == fens[-1] == sum(lines) == 1530
    assert "xuhui-70" in page.locator(".receipt-steps").inner_text()


def cents(text: str) -> int:
    sign = -1 if "\u2212" in text else 1
    return sign * round(float(text.replace("\u2212", "").replace("¥", "")) * 100)


#: The timer of ``CALM_MS`` (edge/web/src/lane/calm.ts) is the test's: ``calm()`` says how many run, ``calm(true)``
#: lets them end.
CALM = """
window.modes = [];
const wait = window.setTimeout, stop = window.clearTimeout, calming = new Map();
let calmId = 0;
window.setTimeout = (act, ms, ...rest) => (ms === 250 ? (calming.set(--calmId, act), calmId) : wait(act, ms, ...rest));
window.clearTimeout = (id) => calming.delete(id) || stop(id);
window.calm = (end) => {
  if (end) for (const [id, act] of calming) { calming.delete(id); act(); }
  return calming.size;
};
"""
WATCH_MODES = """() => {
  const lane = document.querySelector('.lane');
  new MutationObserver(() => window.modes.push(lane.dataset.mode))
    .observe(lane, {attributes: true, attributeFilter: ['data-mode']});
}"""


def test_bad_news_that_does_not_last_is_not_shown(preview, open_page):
    """A cross-read of a tenth of a second must not flash amber; one that lasts a quarter of a second must be shown."""
    opened = open_page()
    opened.before(CALM)
    preview.phase("1", "firm")
    page = opened.goto("/lane/1", ".lane[data-mode=firm]")
    page.evaluate(WATCH_MODES)
    preview.phase("1", "blocked", "plate_doubtful")
    opened.until("calm() === 1")
    preview.phase("1", "firm")
    opened.until("calm() === 0")
    opened.rest()
    assert page.evaluate("window.modes") == []
    preview.phase("1", "blocked", "plate_doubtful")
    opened.until("calm() === 1")
    opened.rest()
    assert page.evaluate("window.modes") == []
    page.evaluate("calm(true)")
    page.wait_for_selector(".lane[data-mode=blocked]")
    assert page.evaluate("window.modes") == ["blocked"]


#: Collects the tones; ``soundOn`` once a touch has let the page sound.
TONES = """
window.tones = [];
window.soundOn = false;
const create = AudioContext.prototype.createOscillator, resume = AudioContext.prototype.resume;
AudioContext.prototype.createOscillator = function () {
  const tone = create.call(this);
  window.tones.push(() => tone.frequency.value);
  return tone;
};
AudioContext.prototype.resume = function () {
  const done = resume.call(this);
  void done.then(() => { window.soundOn = this.state === "running"; });
  return done;
};
"""


def test_sound_waits_for_the_first_touch(preview, open_page):
    opened = open_page(own=True)  # a page that was never touched
    opened.before(TONES)
    page = opened.goto("/lane/1")
    preview.phase("1", "paid")
    page.wait_for_selector(".lane[data-mode=paid]")
    assert page.evaluate("window.tones.length") == 0
    page.mouse.click(400, 20)
    opened.until("window.soundOn")
    preview.phase("1", "empty")
    page.wait_for_selector(".lane[data-mode=empty]")
    preview.phase("1", "paid")
    opened.until("window.tones.length === 2")
    chime = page.evaluate("window.tones.map((tone) => tone())")
    assert chime[0] < chime[1]
    preview.phase("1", "blocked", "plate_sold")
    opened.until("window.tones.length === 4")
    wrong = page.evaluate("window.tones.slice(2).map((tone) => tone())")
    assert max(wrong) < min(chime)


def test_a_keyboard_wedge_reads_cards_and_leaves_people_alone(preview, open_page):
    opened = open_page()
    preview.phase("1", "firm", guest=True)
    page = opened.goto("/lane/1")
    page.wait_for_selector("text=散客")
    sent = []
    opened.on("request", lambda r: sent.append(r.post_data_json) if r.url.endswith("/identify") else None)
    page.evaluate(TYPE, ["1234", 80])
    page.evaluate(TYPE, ["A0000001", 5])
    page.wait_for_selector("text=72 岁会员")
    assert sent == [{"card": "A0000001"}], "slow keys are a person's"


#: Types keys and Enter, so many milliseconds apart however busy the machine is.
TYPE = """([keys, apart_ms]) => {
  [...keys, 'Enter'].forEach((key, i) => {
    const event = new KeyboardEvent('keydown', {key});
    Object.defineProperty(event, 'timeStamp', {value: (window.typedMs ?? 1000) + apart_ms});
    window.typedMs = event.timeStamp;
    window.dispatchEvent(event);
  });
}"""


def test_language_and_size_are_kept_per_lane(preview, open_page):
    opened = open_page()
    opened.page.evaluate("localStorage.clear()")
    page = opened.goto("/lane/1")
    page.click("text=English")
    page.click("button:has-text('Large text')")
    page.reload()
    page.wait_for_selector("text=Put your tray on the grey area")
    expect(page.locator("html")).to_have_attribute("data-size", "elder")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title(re.compile("^Checkout"))
    page.goto(f"{opened.base}/lane/2")
    page.wait_for_selector("text=请把餐盘放在灰色区域")


def test_calling_staff_is_told_when_it_is_known(preview, open_page):
    """The button says "sent" until the box answered, and never "called" before."""
    opened = open_page()
    page = opened.goto("/lane/1")
    held = []
    page.route("**/call-staff", lambda route: held.append(route))  # noqa: PLW0108 - Playwright needs a function
    page.click(".strip-help")
    expect(page.locator(".strip-help")).to_have_text("已发出……")
    expect(page.locator(".strip-help")).to_be_disabled()
    opened.eventually(lambda: held, "the call was sent")
    held[0].continue_()
    expect(page.locator(".strip-help")).to_have_text("叫工作人员")
    assert len(held) == 1


def test_reduced_motion_stands_still(preview, open_page):
    opened = open_page(reduced_motion="reduce")
    preview.phase("1", "reading")
    page = opened.goto("/lane/1")
    page.wait_for_selector(".lane[data-mode=reading]")
    moving = (
        "() => [...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).animationName !== 'none').length"
    )
    assert page.evaluate(moving) == 0
