"""The gym's pages at wall, tablet and phone: what is unknown is called unknown, and whose pulse it is."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

WALL = (1920, 1080)
TABLET = (1180, 820)
PHONE = (390, 844)
#: name: path, role, scene, size, what shows that it is ready, looked at without ``--full``.
PAGES = {
    "wall-busy": ("/gym", "admin", "busy", WALL, ".machine[data-use=locked]", True),
    "wall-queue": ("/gym", "member", "queue", TABLET, ".gym-queue [data-called=true]", False),
    "wall-closed": ("/gym", "member", "closed", WALL, ".machine[data-use=closed]", False),
    "wall-trail": ("/gym", "member", "trail", PHONE, ".laps em", False),
    "coach-heart": ("/gym/coach", "coach", "heart", TABLET, ".beats", True),
    "coach-quiet": ("/gym/coach", "coach", "quiet", PHONE, ".coach", False),
    "machine-free": ("/machine/tm-3", "member", "quiet", PHONE, ".act.primary", False),
    "machine-mine": ("/machine/tm-1", "member", "busy", PHONE, ".totals", True),
    "machine-others": ("/machine/bk-1", "member", "busy", PHONE, ".machine-word", False),
    "workouts": ("/gym/workouts", "member", "quiet", PHONE, ".workout-rows li", False),
    "week": ("/gym/workouts", "member", "weeks", PHONE, ".day-bars canvas", True),
    "coach-capped": ("/gym/coach", "coach", "capped", TABLET, ".busy td[data-level]", False),
    "machine-capped": ("/machine/tm-1", "member", "capped", PHONE, ".machine-state .unsigned", False),
    "upkeep": ("/gym/maintenance", "maintenance", "locked", TABLET, ".order-card", True),
    "upkeep-phone": ("/gym/maintenance", "maintenance", "locked", PHONE, ".order-card", False),
}


@pytest.fixture
def gym(preview):
    """Plays scenes; afterwards the gym is quiet again."""
    yield lambda scene: preview.post(f"gym/{scene}")
    preview.post("gym/quiet")


def pytest_generate_tests(metafunc):
    """Some cells of the matrix in every change, all with ``--full``."""
    if "cell" in metafunc.fixturenames:
        everything = metafunc.config.getoption("--full")
        metafunc.parametrize("cell", [name for name, (*_, always) in PAGES.items() if always or everything])


def test_pages_are_readable_touchable_and_sound(gym, open_page, cell):
    path, role, scene, size, ready, _ = PAGES[cell]
    gym(scene)
    opened = open_page(*size, role=role)
    page = opened.goto(path, ready)
    page.wait_for_selector(".strip-link[data-link=live]")
    faults = {}
    for look in opened.looks():
        opened.shot(f"gym-{cell}-{look}")
        if found := opened.audit(font=14):
            faults[look] = found
        opened.fits(size[0])
    assert faults == {}
    assert opened.axe() == []
    page.set_viewport_size({"width": 320, "height": 640})
    opened.shot(f"gym-{cell}-reflow")
    opened.fits(320)


def test_a_coach_sees_the_worst_first_and_the_unknown_as_unknown(gym, open_page):
    gym("heart")
    opened = open_page(*TABLET, role="coach")
    page = opened.goto("/gym/coach", ".beats")
    trainees = page.locator(".trainee")
    expect(trainees.first).to_have_attribute("data-level", "alarm")
    levels = "new Set([...document.querySelectorAll('.trainee')].map((one) => one.dataset.level))"
    for level in ("alarm", "warn", "unknown", "doubtful", "off"):
        opened.until(f"{levels}.has('{level}')")
    assert page.evaluate(f"{levels}.size") == 5
    unknown = page.locator(".trainee[data-level=unknown]")
    expect(unknown).to_contain_text("心率不明")
    expect(unknown).not_to_contain_text("正常")
    expect(unknown).to_have_attribute("data-tone", "look")
    expect(page.locator(".trainee[data-level=alarm]")).to_contain_text("个人处方")
    expect(page.locator(".unsigned")).to_contain_text("没有医生签字")
    expect(page.locator(".kiosk")).to_contain_text("请休息后再测")
    card = page.locator(".alarm-card[data-cause=heart_alarm]")
    expect(card).to_contain_text("长者跑步机 1")
    expect(card.locator(".beats-line")).to_have_count(1)
    card.get_by_role("button", name="确认").click()
    page.wait_for_selector(".alarm-card[data-cause=heart_alarm][data-state=acknowledged]")


def test_a_member_takes_a_machine_and_is_done_with_it(gym, open_page):
    gym("quiet")
    page = open_page(*PHONE, role="member").goto("/machine/tm-3", ".act.primary")
    page.get_by_role("button", name="我要用这台").click()
    page.wait_for_selector(".act-line[data-at=done]")
    page.get_by_role("button", name="我用完了").click()
    page.wait_for_selector(".machine-word >> text=空闲")
    page.locator(".report").get_by_role("button", name="有异响").click()
    page.wait_for_selector(".report .said >> text=谢谢")


def test_the_gate_before_the_elders_gym_says_what_to_do(gym, open_page):
    gym("quiet")
    opened = open_page(*PHONE, role="member")
    opened.tolerate = ("409", "422")
    page = opened.goto("/machine/et-1", ".act.primary")
    page.get_by_role("button", name="我要用这台").click()
    expect(page.locator(".act-line[data-at=refused]")).to_contain_text("请先到入口测血压和心率")


def test_my_workout_has_its_curve_and_its_files(gym, open_page):
    gym("quiet")
    opened = open_page(*PHONE, role="member")
    page = opened.goto("/gym/workouts", ".workout-rows li")
    expect(page.locator(".workout-rows li"), "the own one alone").to_have_count(1)
    page.locator(".workout-rows button").click()
    page.wait_for_selector(".plot-box canvas")
    opened.shot("gym-workout")
    expect(page.locator(".files a")).to_have_text(["下载 FIT", "下载 TCX", "下载 CSV"])
    expect(page.locator(".plot")).to_contain_text("灰色是暂停")


def test_an_inspection_has_the_lines_of_the_site(gym, open_page):
    gym("quiet")
    page = open_page(*TABLET, role="maintenance").goto("/gym/maintenance", ".choose select")
    page.select_option(".choose select", "tm-3")
    page.locator("details.inspect summary").click()
    lines = page.locator(".inspect-line")
    expect(lines.first.locator("span").first).to_have_text("主体结构无变形、无裂纹")
    for number in range(lines.count()):  # the list comes as one
        lines.nth(number).get_by_role("button").first.click()
    page.locator(".inspect button[type=submit]").click()
    page.wait_for_selector(".inspect .act-line[data-at=done]")


def test_a_machine_comes_back_by_a_held_return_test(gym, open_page):
    gym("locked")
    opened = open_page(*TABLET, role="maintenance")
    page = opened.goto("/gym/maintenance", ".order-card[data-state=locked_out]")
    page.select_option(".choose select", "tm-3")
    page.wait_for_selector(".wear .beats-line")
    opened.shot("gym-wear")
    page.select_option(".choose select", "tm-6")
    opened.hold(".order-card[data-state=locked_out] .hold >> nth=0")
    page.wait_for_selector(".order-card[data-state=locked_out]", state="detached")


def test_labels_lead_to_the_machines(gym, open_page):
    gym("quiet")
    opened = open_page(*TABLET, role="admin")
    page = opened.goto("/gym/maintenance", ".tabs")
    page.get_by_role("button", name="二维码标签").click()
    page.wait_for_selector(".labels .qr")
    opened.shot("gym-labels")
    address = re.compile(re.escape(f"{opened.base}/machine/"))
    expect(page.locator(".labels .qr").first).to_have_attribute("aria-label", address)


def test_a_wall_whose_line_is_dead_says_so_and_recovers(gym, open_page, line):
    gym("busy")
    opened = open_page(*WALL, base=line.base)
    opened.tolerate = ("net::ERR",)
    page = opened.goto("/gym", ".machine")
    page.wait_for_selector(".strip-link[data-link=live]")
    line.cut()
    opened.falls_silent()
    page.wait_for_selector(".machine[data-stale=true]")
    expect(page.locator(".machine[data-stale=false]")).to_have_count(0)
    line.mend()
    opened.time_goes_on()
    page.wait_for_selector(".machine[data-stale=false]")


def test_a_late_answer_never_puts_anothers_prescription_under_the_name_typed_now(gym, open_page):
    """It would be saved for whoever is typed now: the ceiling of one pulse and the beta-blocker for another heart."""
    opened = open_page(*TABLET, role="coach")
    opened.tolerate = ("Failed to load resource",)
    page = opened.goto("/gym/coach", ".prescription")
    held = []
    page.route("**/gym/persons/m001", lambda route: held.append(route))  # noqa: PLW0108 - a function it must be
    page.fill(".prescription input", "m001")
    page.click(".prescription button[type=submit]")
    opened.eventually(lambda: held, "the prescription of the first was asked for")
    page.fill(".prescription input", "m999")
    with page.expect_response("**/gym/persons/m001"):
        held[0].continue_()
    opened.rest()
    assert page.locator(".prescription form").count() == 1, "nothing to save before m999 was looked up"
    page.click(".prescription button[type=submit]")
    page.wait_for_selector(".prescription form >> nth=1")
    assert page.locator(".prescription form >> nth=1").locator("input").nth(2).input_value() == "0"


def test_a_coach_shelves_and_resets_an_alarm_as_acts_of_their_own(gym, open_page):
    gym("capped")
    page = open_page(*TABLET, role="coach").goto("/gym/coach", ".alarm-card[data-cause=safety_key]")
    card = page.locator(".alarm-card[data-cause=safety_key]")
    card.get_by_role("button", name="屏蔽").click()
    expect(card.locator(".shelf button")).to_have_text(["15 分钟", "60 分钟", "240 分钟", "480 分钟"])
    card.locator(".shelf button").first.click()
    page.wait_for_selector(".alarm-card[data-cause=safety_key][data-state=shelved]")
    card.get_by_role("button", name="结束屏蔽").click()
    page.wait_for_selector(".alarm-card[data-cause=safety_key][data-state=unacknowledged]")
    card.get_by_role("button", name="确认").click()
    page.wait_for_selector(".alarm-card[data-cause=safety_key][data-state=acknowledged]")
    card.get_by_role("button", name="复位报警").click()
    page.wait_for_selector(".alarm-card[data-cause=safety_key]", state="detached")
    expect(page.locator(".alarm-card[data-cause=queue_cap]"), "others wait: all treadmills are told").to_have_count(6)


def test_the_week_is_told_in_bars_and_in_numbers(gym, open_page):
    gym("weeks")
    opened = open_page(*PHONE, role="member")
    page = opened.goto("/gym/workouts", ".day-bars canvas")
    expect(page.locator(".day-bars"), "minutes, effort, distance, energy").to_have_count(4)
    expect(page.locator(".day-bars [role=img]").first).to_have_attribute("aria-label", re.compile("周四 14"))
    page.locator(".week-numbers summary").click()
    rows = page.locator(".week-numbers tbody tr")
    expect(rows).to_have_count(7)
    expect(rows.nth(5)).to_have_text(
        re.compile(r"^\s*11月19日\s*14\s*3\.90\s*52\s*3\s*11\s*0\s*$"), use_inner_text=True
    )
    page.get_by_role("button", name="上一周").click()
    page.wait_for_selector(".week-nav >> text=11月13日")
    opened.until("document.querySelector('.day-bars [role=img]').getAttribute('aria-label').includes('25')")


def test_the_map_of_the_week_says_its_fields_in_words(gym, open_page):
    gym("quiet")
    page = open_page(*PHONE, role="member").goto("/gym", ".busy td[data-level]")
    expect(page.locator(".busy-best")).to_contain_text("人最少")
    page.select_option(".busy select", "elders/treadmill")
    fields = page.locator(".busy tbody tr").first.locator("td")
    expect(fields.nth(1)).to_have_text("周一 8–10 点：很忙，88%")
    expect(fields.nth(8)).to_have_text("周一 22–24 点：空，3%")
