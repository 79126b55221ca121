"""The garage's pages: in both languages and sizes at wall, tablet and phone; what they say when something is wrong, or
when nobody says anything any more; four acts that stay four; whose session is whose."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

WALL = (1920, 1080)
TABLET = (1180, 820)
PHONE = (390, 844)
#: name: path, role, scene, size, what shows that it is ready.
PAGES = {
    "wall-quiet": ("/garage", "admin", "quiet", WALL, ".all-quiet[data-well=true]"),
    "wall-fire": ("/garage", "admin", "fire", WALL, ".zone-tile[data-state=fire]"),
    "wall-unproven": ("/garage", "maintenance", "unproven", TABLET, ".zone-done[data-bad=true]"),
    "wall-phone": ("/garage", "maintenance", "watch", PHONE, ".zone-tile[data-state=watch]"),
    "zone-fire": ("/garage/zone/B1", "maintenance", "fire", TABLET, ".alarm-card"),
    "zone-wall": ("/garage/zone/B1", "admin", "quiet", WALL, ".port"),
    "wall-gateway": ("/garage", "admin", "gateway", WALL, ".zone-tile[data-state=watch]"),
    "wall-aside": ("/garage", "maintenance", "aside", TABLET, ".alarm-card[data-state=suppressed]"),
    "zone-latched": ("/garage/zone/B1", "maintenance", "latched", TABLET, ".on-site"),
    "zone-phone": ("/garage/zone/B1", "maintenance", "resettable", PHONE, ".on-site"),
    "alarms": ("/garage/alarms", "admin", "unproven", TABLET, ".alarm-card .act"),
    "alarms-phone": ("/garage/alarms", "maintenance", "fire", PHONE, ".alarm-card .act"),
    "sessions": ("/garage/sessions", "manager", "quiet", TABLET, ".session-rows li"),
    "access": ("/garage/access", "manager", "watch", TABLET, ".access-journal li[data-what=forced]"),
    "access-phone": ("/garage/access", "maintenance", "fire", PHONE, ".access-journal li[data-what=released]"),
    "port-mine": ("/port/B1-P01", "resident", "quiet", PHONE, ".port-press.hold"),
    "port-free": ("/port/B1-P02", "resident", "quiet", PHONE, ".port-press.primary"),
    "port-taken": ("/port/B1-P03", "resident", "quiet", PHONE, ".port-word"),
    "port-tripped": ("/port/B1-P03", "resident", "fire", PHONE, ".port-word"),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_readable_touchable_and_sound(preview, open_page, name):
    path, role, scene, size, ready = PAGES[name]
    preview.scene(scene)
    opened = open_page(*size, role=role)
    page = opened.goto(path, ready)
    page.wait_for_selector(".strip-link[data-link=live]")
    faults = {}
    for look in opened.looks():
        opened.shot(f"garage-{name}-{look}")
        if found := opened.audit(font=14):
            faults[look] = found
        opened.fits(size[0])
    assert faults == {}
    assert opened.axe() == []
    page.set_viewport_size({"width": 320, "height": 640})
    opened.shot(f"garage-{name}-reflow")
    opened.fits(320)


@pytest.mark.parametrize("how", ["cut", "hang"])
def test_a_wall_whose_line_is_dead_says_so_within_five_seconds_and_recovers_alone(preview, open_page, line, how):
    opened = open_page(*WALL, base=line.base)
    opened.tolerate = ("net::ERR",)
    page = opened.goto("/garage", ".all-quiet[data-well=true]")
    getattr(line, how)()
    opened.falls_silent(5000)
    page.wait_for_selector(".zone-tile[data-stale=true]")
    expect(page.locator(".zone-tile[data-stale=false]")).to_have_count(0)
    expect(page.locator(".all-quiet[data-well=true]"), "nobody knows whether all is quiet").to_have_count(0)
    heard = page.locator(".zone-heard").first
    expect(heard).to_contain_text("秒前")
    first = heard.inner_text()
    opened.time_goes_on(skip_ms=3000, speed=0)
    expect(heard).not_to_have_text(first)
    opened.shot(f"garage-wall-stale-{how}")
    line.mend()
    opened.time_goes_on()
    page.wait_for_selector(".all-quiet[data-well=true]")
    expect(page.locator(".zone-tile[data-stale=true]")).to_have_count(0)


def test_a_wall_whose_daemon_is_dead_names_it(preview, open_page):
    opened = open_page(*WALL, lang="en")
    page = opened.goto("/garage", ".all-quiet[data-well=true]")
    preview.scene("fire")
    page.wait_for_selector(".zone-tile[data-state=fire]")
    page.wait_for_selector(".wall-alarms .alarm-card")
    preview.post("daemon/dead")
    page.wait_for_selector(".zone-tile[data-stale=true]")
    opened.rest()
    hatched = "(list) => list.every((one) => getComputedStyle(one).backgroundImage.startsWith('repeating'))"
    assert page.locator(".zone-tile > a, .wall-alarms .alarm-card").evaluate_all(hatched), "a fire that is old too"
    expect(page.locator(".notice")).to_contain_text("The garage program does not answer")
    preview.post("daemon/alive")
    page.wait_for_selector(".zone-tile[data-stale=false]")


def test_the_worst_zone_is_first_and_says_what_is_proven(preview, open_page):
    opened = open_page(*WALL)
    page = opened.goto("/garage", ".zone-tile")
    expect(page.locator(".zone-tile h2")).to_have_text(["地下车库东区", "地下车库西区", "3 号楼楼道"])
    preview.scene("watch")
    page.wait_for_selector(".zone-tile[data-state=watch]")
    expect(page.locator(".zone-tile h2").first).to_have_text("地下车库西区")
    preview.scene("fire")
    page.wait_for_selector(".zone-tile[data-state=fire]")
    for told in ("火警", "烟感 3", "已证实"):
        expect(page.locator(".zone-tile").first).to_contain_text(told)
    expect(page.locator(".notice[data-level=fire]")).to_have_text(re.compile("^火警"))
    preview.scene("unproven")
    expect(page.locator(".zone-done[data-bad=true]")).to_contain_text("请到现场")


def test_a_dead_gateway_is_one_alarm_and_each_zone_says_which_heads_are_gone(preview, open_page):
    preview.scene("gateway")
    page = open_page(*WALL).goto("/garage", ".alarm-card")
    expect(page.locator(".alarm-card")).to_have_count(1)
    west = page.locator(".zone-tile", has_text="地下车库西区")
    expect(west).to_contain_text("探测器离线 · 烟感 1")
    expect(west).to_contain_text("还有 2 个")
    expect(page.locator(".all-quiet")).to_have_count(0)


def test_what_is_put_aside_says_why_and_does_not_shout(preview, open_page):
    preview.scene("aside")
    page = open_page(*TABLET, role="maintenance").goto("/garage/alarms", ".alarm-card")
    expect(page.locator(".notice[data-level=quiet]")).to_have_text("没有要处理的报警，2 条已放到一边。")
    hidden = page.locator(".alarm-card[data-state=suppressed]")
    expect(hidden).to_contain_text("按设计抑制：本区正在巡检测试")
    expect(hidden.locator(".act"), "nothing that would be refused is offered").to_have_count(0)
    preview.scene("unproven")
    page.goto(page.url.replace("/garage/alarms", "/garage/zone/B1"))
    page.wait_for_selector(".zone-head[data-level=act]")
    expect(page.locator(".zone-head h1"), "never 'off' while current flows").to_have_text("已锁定，切断未证实")
    expect(page.locator(".zone-list li[data-level=act]").first).to_contain_text("触点粘连")


def test_every_garage_page_says_what_it_is_not(preview, open_page):
    opened = open_page(*TABLET, lang="en")
    for path in ("/garage", "/garage/zone/B1", "/garage/alarms", "/garage/sessions"):
        page = opened.goto(path)
        for said in ("beside the certified fire panel", "never resets it"):
            expect(page.locator(".not-the-panel")).to_contain_text(said)


def test_the_journal_of_the_doors_is_for_staff_by_door_and_live(preview, open_page):
    opened = open_page(*TABLET, role="maintenance")
    page = opened.goto("/garage/access", ".access-journal li")
    lines = page.locator(".access-journal li")
    expect(lines).to_have_count(25)
    page.get_by_role("button", name="更早的").click()
    expect(lines).to_have_count(41)
    forced = page.locator(".access-journal li[data-what=forced]")
    expect(forced).to_have_text(re.compile("强行打开西区楼梯门$"))
    preview.scene("fire")
    page.wait_for_selector(".access-journal li:first-child[data-what=released]")
    expect(lines, "what was paged back to stays").to_have_count(42)
    expect(page.locator(".door-tiles button").nth(1)).to_contain_text("已释放")
    page.locator(".door-tiles button", has_text="西区楼梯门").click()
    expect(lines).to_have_count(5)
    for word in ("不在有效期", "没有登记的卡", "不能开这扇门", "9:41"):
        expect(page.locator(".access-journal")).to_contain_text(word)
    expect(page.locator(".access-journal")).not_to_contain_text("充电区入口")


def test_a_wall_says_nothing_of_who_came(preview, open_page):
    opened = open_page(*WALL, role="read-only")
    wall = opened.goto("/garage", ".zone-tile")
    expect(wall.locator("a[href='/garage/access']")).to_have_count(0)
    wall.goto(f"{opened.base}/garage/access")
    wall.wait_for_selector(".fault")
    expect(wall.locator(".access-journal")).to_have_count(0)


@pytest.mark.parametrize("role", ["panel", "maintenance", "manager", "admin", "read-only"])
def test_the_ways_between_the_garages_pages_are_open_to_the_role(preview, open_page, role):
    """No button leads to "your account may not use this page"."""
    opened = open_page(*TABLET, role=role)
    page = opened.goto("/garage", ".zone-tile")
    ways = page.evaluate("[...document.querySelectorAll('.garage-nav a')].map((one) => one.getAttribute('href'))")
    assert {"/garage", "/garage/alarms"} <= set(ways)
    for way in ways:
        opened.goto(way, ".garage-nav")
        expect(page.locator(".fault"), f"{role} at {way}").to_have_count(0)


def test_older_lines_come_although_news_overtake_them(preview, open_page):
    """Who pages back while a door speaks gets both: neither answer drives the other away."""
    opened = open_page(*TABLET, role="maintenance")
    page = opened.goto("/garage/access", ".access-journal li")
    expect(page.locator(".access-journal li")).to_have_count(25)
    held = []
    page.route("**/access/events?*cursor=*", lambda route: held.append(route))  # noqa: PLW0108 - a function it must be
    page.get_by_role("button", name="更早的").click()
    opened.eventually(lambda: held, "older lines were asked for")
    preview.scene("fire")
    page.wait_for_selector(".access-journal li:first-child[data-what=released]")
    held[0].continue_()
    expect(page.locator(".access-journal li")).to_have_count(42)


def test_an_unarmed_garage_says_why(preview, open_page):
    preview.scene("unarmed")
    opened = open_page(*WALL)
    page = opened.goto("/garage", ".notice[data-level=alarm]")
    expect(page.locator(".notice")).to_contain_text("zone_without_contactor:S3")
    expect(page.locator(".all-quiet[data-well=true]")).to_have_count(0)


def test_four_acts_are_four_acts(preview, open_page):
    preview.scene("unproven")
    opened = open_page(*TABLET)
    page = opened.goto("/garage/alarms", ".alarm-card")
    fire, cut = page.locator(".alarm-card").nth(0), page.locator(".alarm-card").nth(1)
    expect(fire.get_by_role("button", name="屏蔽"), "a fire is never shelved").to_be_disabled()
    fire.get_by_role("button", name="静音").click()
    page.wait_for_selector(".act-line[data-at=done]")
    expect(fire).to_contain_text("已静音")
    expect(fire, "silence acknowledges nothing").to_contain_text("未确认")
    cut.get_by_role("button", name="屏蔽").click()
    cut.get_by_role("button", name="60 分钟").click()
    expect(page.locator(".alarm-card[data-state=shelved]")).to_contain_text("60 分钟")
    fire.get_by_role("button", name="确认").click()
    page.wait_for_selector(".alarm-card[data-priority=fire][data-state=acknowledged]")
    page.goto(f"{opened.base}/garage/zone/B1")
    page.wait_for_selector(".zone-head[data-level=act]")
    expect(page.locator(".port").first, "none of it gives current back").to_contain_text("断开")


def test_a_zone_is_reset_only_at_its_panel_with_a_personal_pin(preview, open_page):
    preview.scene("resettable")
    opened = open_page(*TABLET, role="admin")
    opened.tolerate = ("401", "403")
    away = opened.goto("/garage/zone/B1", ".on-site")
    expect(away.locator(".reset-form")).to_have_count(0)
    bound = preview.post("panels/B1-door")
    opened.page.context.clear_cookies()
    away.goto(f"{opened.base}/livez")  # else only what stands after "#" would change
    page = opened.goto(f"/garage/zone/B1#terminal={bound['token']}", ".reset-form")
    assert bound["token"] not in page.url

    def enter(pin):
        page.locator(".reset-form input").nth(0).fill(bound["person"])
        expect(page.locator(".reset-form label").nth(1), "not the login's 密码").to_contain_text("PIN 码")
        page.locator(".reset-form input").nth(1).fill(pin)
        opened.hold(".reset-form .hold")

    enter("918273")
    expect(page.locator(".act-line[data-at=refused]")).to_contain_text("PIN 码不对")
    expect(page.locator(".zone-head[data-level=act]")).to_have_count(1)
    enter(bound["pin"])
    page.wait_for_selector(".zone-head[data-level=quiet]")


def test_a_resident_starts_and_stops_the_own_session_and_sees_nobody_elses(preview, open_page):
    opened = open_page(*PHONE, role="resident")
    page = opened.goto("/port/B1-P02", ".port-press.primary")
    page.click(".port-press.primary")
    expect(page.locator(".port-left")).to_contain_text("190 分钟")
    expect(page.locator(".port-mine")).to_contain_text("¥")
    page.wait_for_selector(".plot-box canvas")
    opened.shot("garage-port-mine")
    opened.touch(".port-press.hold")
    expect(page.locator(".port-mine"), "a mere touch stops nothing").to_have_count(1)
    opened.hold(".port-press.hold")
    page.wait_for_selector(".port-press.primary")
    page.goto(f"{opened.base}/port/B1-P03")
    expect(page.locator(".port-word")).to_have_text("有人在用")
    expect(page.locator(".port-mine, .port-press")).to_have_count(0)
    expect(page.locator(".session-rows small")).to_have_count(0)


def test_an_unknown_outlet_is_named_so(preview, open_page):
    opened = open_page(*PHONE, role="resident")
    opened.tolerate = ("404",)
    page = opened.goto("/port/X9-P99", ".fault")
    expect(page.locator(".fault")).to_contain_text("没有这个充电口")


#: What sounds, and the repeating of tones (``REPEAT_MS`` of edge/web/src/garage/board.ts) as the test's: ``repeat()``.
TONES = """
window.tones = [];
class Param { setValueAtTime() {} linearRampToValueAtTime() {} exponentialRampToValueAtTime() {} }
class Node {
  constructor() { this.gain = new Param(); this.frequency = new Param(); }
  connect() {} start() {} stop() {}
}
window.AudioContext = class {
  state = "running"; currentTime = 0; destination = {};
  resume() { return Promise.resolve(); }
  createGain() { return new Node(); }
  createOscillator() {
    const node = new Node();
    Object.defineProperty(node, "type", { set: (shape) => window.tones.push(shape) });
    return node;
  }
};
const every = window.setInterval;
window.repeats = [];
window.setInterval = (act, ms, ...rest) => (ms === 2500 ? window.repeats.push(act) : every(act, ms, ...rest));
/** Lets the time between two tones pass; gives what sounded. */
window.repeat = () => {
  window.tones.length = 0;
  for (const act of window.repeats) act();
  return window.tones.length;
};
"""


def test_fire_sounds_until_it_is_silenced_and_a_new_alarm_sounds_again(preview, open_page):
    opened = open_page(*TABLET)
    opened.before(TONES)
    page = opened.goto("/garage/zone/B1", ".sound[data-ready=false]")
    page.click(".sound")
    page.wait_for_selector(".sound[data-ready=true]")
    page.wait_for_selector(".zone-head[data-level=quiet]")
    assert page.evaluate("repeats.length") == 1
    assert page.evaluate("repeat()") == 0, "quiet is silent"
    preview.scene("pre_alarm")
    opened.until("tones.includes('square')")
    for _ in range(3):
        assert page.evaluate("repeat()") == 4, "it goes on"
    page.locator(".zone-acts").get_by_role("button", name="静音").click()
    page.wait_for_selector(".zone-acts .act-line[data-at=done]")
    opened.until("repeat() === 0")
    for _ in range(3):
        assert page.evaluate("repeat()") == 0
    preview.scene("fire")
    opened.until("tones.includes('square')")
