"""A photo of a fault, from the phone at the machine to the list of those who mend it; one of an outdoor inspection."""

from __future__ import annotations

import base64
import importlib.util
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

TABLET = (1180, 820)
PHONE = (390, 844)
SPEC = importlib.util.spec_from_file_location("kangle_jpegs", Path(__file__).parents[1] / "gym" / "_jpegs.py")
jpegs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(jpegs)
#: As large as a phone's, too fine to be saved small at full size: a torn belt before a floor.
DRAW = """() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2400, 1600];
  const pen = canvas.getContext("2d");
  const sky = pen.createLinearGradient(0, 0, 2400, 1600);
  sky.addColorStop(0, "#8aa"); sky.addColorStop(1, "#c96");
  pen.fillStyle = sky; pen.fillRect(0, 0, 2400, 1600);
  for (let i = 0; i < 4000; i += 1) {
    pen.fillStyle = `hsl(${(i * 7) % 360} 30% ${30 + (i * 13) % 50}%)`;
    pen.fillRect((i * 977) % 2400, (i * 613) % 1600, 9, 6);
  }
  pen.fillStyle = "#222"; pen.fillRect(500, 300, 1400, 1000);
  pen.strokeStyle = "#e33"; pen.lineWidth = 24; pen.beginPath();
  pen.moveTo(700, 500); pen.lineTo(1200, 760); pen.lineTo(1050, 900); pen.lineTo(1700, 1150); pen.stroke();
  return canvas.toDataURL("image/jpeg", 0.95);
}"""
#: A picture of its own size, shown.
SEEN = "image => image.complete && image.naturalWidth > 0 && [image.naturalWidth, image.naturalHeight]"


@pytest.fixture
def gym(preview):
    """Plays scenes; afterwards the gym is quiet again."""
    yield lambda scene: preview.post(f"gym/{scene}")
    preview.post("gym/quiet")


#: What was drawn, once: it takes a page half a second.
DRAWN = []


def phone_photo(page):
    """A picture on its side, with the place where it was taken."""
    if not DRAWN:
        DRAWN.append(base64.b64decode(page.evaluate(DRAW).partition(",")[2]))
    data = DRAWN[0][:2] + jpegs.exif(6) + DRAWN[0][2:]
    assert len(data) > 200_000
    return {"name": "IMG_0417.jpg", "mimeType": "image/jpeg", "buffer": data}


def choose(page, file, within=".photo-pick"):
    page.locator(f"{within} input[type=file]").first.set_input_files(file)


def show(page, selector):
    """Into the middle of the window, for whoever looks at the picture of it."""
    page.eval_on_selector(selector, "one => one.scrollIntoView({block: 'center'})")


def seen(page, selector):
    """Width and height of the picture once it is there."""
    handle = page.wait_for_selector(selector)
    return page.wait_for_function(SEEN, arg=handle).json_value()


def test_a_fault_is_reported_with_a_photo_and_mended_with_it(gym, open_page):
    gym("quiet")
    opened = open_page(*PHONE, role="member")
    page = opened.goto("/machine/tm-3", ".report .photo-way")
    page.wait_for_selector(".report input[capture=environment]")
    show(page, ".report .photo-pick")
    opened.shot("gym-photo-none")
    choose(page, phone_photo(page), ".report")
    assert seen(page, ".photo-pick[data-at=chosen] img") == [853, 1280], "smaller, and the right way up"
    for look in opened.looks():
        show(page, ".report .photo-along")
        opened.shot(f"gym-photo-chosen-{look}")
        assert opened.audit(font=14) == []
        opened.fits(PHONE[0])
    assert opened.axe() == []
    page.locator(".report .choices button").first.click()
    page.wait_for_selector(".report .said >> nth=1")
    page.wait_for_selector(".photo-pick[data-at=idle]")
    show(page, ".report .said >> nth=1")
    opened.shot("gym-photo-sent")
    maintain(open_page)


def maintain(open_page):
    """Who mends it sees the photo small, large, and takes it away."""
    opened = open_page(*PHONE, role="maintenance")
    page = opened.goto("/gym/maintenance", ".order-card .photo img")
    assert seen(page, ".order-card .photo img") == [853, 1280]
    for look in opened.looks():
        show(page, ".order-photo .photo")
        opened.shot(f"gym-photo-order-{look}")
        assert opened.audit(font=14) == []
        opened.fits(PHONE[0])
    assert opened.axe() == []
    kept = page.evaluate(
        "async () => [...new Uint8Array(await (await fetch(document.querySelector('.photo img').src)).arrayBuffer())]"
    )
    assert len(kept) <= 96 * 1024
    assert b"31.2304" not in bytes(kept)
    page.locator(".order-card .photo button").click()
    page.wait_for_selector(".photo[data-large=true]")
    show(page, ".photo[data-large=true]")
    opened.shot("gym-photo-large")
    opened.fits(PHONE[0])
    page.locator(".order-card .photo button").click()
    opened.hold(".order-card .photo-erase .hold")
    page.wait_for_selector(".order-card .photo", state="detached")
    page.wait_for_selector(".order-card .steps li >> text=Photo erased")
    page.locator(".photo-add summary").click()
    page.wait_for_selector(".photo-add .photo-way")
    show(page, ".photo-add")
    opened.shot("gym-photo-erased")


def test_what_is_no_photo_is_told_and_the_report_goes_without(gym, open_page):
    gym("quiet")
    opened = open_page(*PHONE, role="member")
    page = opened.goto("/machine/tm-3", ".report .photo-way")
    choose(page, {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"the belt is torn"}, ".report")
    page.wait_for_selector(".photo-pick[data-at=bad]")
    for look in opened.looks():
        show(page, ".photo-pick")
        opened.shot(f"gym-photo-bad-{look}")
        assert opened.audit(font=14) == []
    page.locator(".report .choices button").first.click()
    page.wait_for_selector(".report .said")
    page.wait_for_selector(".photo-left", state="detached")


def test_a_report_arrives_although_its_photo_does_not(gym, open_page):
    gym("quiet")
    opened = open_page(*PHONE, role="coach")
    opened.tolerate = ("429",)
    page = opened.goto("/machine/tm-4", ".report .photo-way")
    choose(page, phone_photo(page), ".report")
    page.wait_for_selector(".photo-pick[data-at=chosen]")
    problem = {"code": "too_many_photos", "title": "照片发得太多", "detail": "请在 60 秒后再发照片。", "status": 429}
    page.route("**/photo", lambda route: route.fulfill(status=429, body=json.dumps(problem)))
    page.locator(".report .choices button").first.click()
    page.wait_for_selector(".photo-left p >> text=照片没有收到")
    page.wait_for_selector(".photo-left p >> text=60 秒")
    page.wait_for_selector(".report .said >> text=谢谢")
    show(page, ".photo-left")
    opened.shot("gym-photo-refused")
    page.unroute("**/photo")
    page.locator(".photo-left button").click()
    page.wait_for_selector(".report .said >> text=照片已收到")


def test_an_inspection_outdoors_has_its_photo_and_the_register_shows_it(gym, open_page):
    gym("quiet")
    opened = open_page(*TABLET, role="maintenance")
    page = opened.goto("/gym/maintenance", ".choose select")
    page.select_option(".choose select", "od-1")
    page.locator("details.inspect summary").click()
    lines = page.locator(".inspect-line")
    for number in range(lines.count()):
        lines.nth(number).get_by_role("button").first.click()
    choose(page, phone_photo(page), ".inspect")
    page.wait_for_selector(".inspect .photo-pick[data-at=chosen]")
    show(page, ".inspect .photo-pick")
    opened.shot("gym-photo-inspect")
    page.locator(".inspect button[type=submit]").click()
    assert seen(page, ".machine-upkeep .rows .photo img") == [853, 1280]
    show(page, ".machine-upkeep .rows .photo")
    opened.shot("gym-photo-inspected")
    assert opened.audit(font=14) == []
    assert opened.axe() == []
    page.locator(".upkeep > .tabs button").nth(2).click()
    assert seen(page, ".register .rows .photo img") == [853, 1280]
    expect(page.locator(".register .photo")).to_have_count(1)
    opened.shot("gym-photo-register")
    assert opened.audit(font=14) == []
