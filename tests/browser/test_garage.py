"""The garage's pages: in both languages and sizes at wall, tablet and phone; what they say when something is wrong, or
when nobody says anything any more; four acts that stay four; whose session is whose."""

from __future__ import annotations

import json

import pytest

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
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], look
    assert faults == {}
    assert opened.axe() == []
    page.set_viewport_size({"width": 320, "height": 640})
    opened.shot(f"garage-{name}-reflow")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("how", ["cut", "hang"])
def test_a_wall_whose_line_is_dead_says_so_within_five_seconds_and_recovers_alone(preview, open_page, line, how):
    opened = open_page(*WALL, base=line.base)
    opened.tolerate = ("net::ERR",)
    page = opened.goto("/garage", ".all-quiet[data-well=true]")
    getattr(line, how)()
    page.wait_for_selector(".zone-tile[data-stale=true]", timeout=5000)
    assert page.locator(".zone-tile[data-stale=false]").count() == 0
    assert page.locator(".all-quiet[data-well=true]").count() == 0, "nobody knows whether all is quiet"
    assert "秒前" in page.locator(".zone-heard").first.inner_text()
    first = page.locator(".zone-heard").first.inner_text()
    opened.until(f"document.querySelector('.zone-heard').innerText !== {json.dumps(first)}")
    opened.shot(f"garage-wall-stale-{how}")
    line.mend()
    page.wait_for_selector(".all-quiet[data-well=true]")
    assert page.locator(".zone-tile[data-stale=true]").count() == 0


def test_a_wall_whose_daemon_is_dead_names_it(preview, open_page):
    opened = open_page(*WALL, lang="en")
    page = opened.goto("/garage", ".all-quiet[data-well=true]")
    preview.scene("fire")
    page.wait_for_selector(".zone-tile[data-state=fire]")
    preview.post("daemon/dead")
    page.wait_for_selector(".zone-tile[data-stale=true]", timeout=5000)
    hatched = "(list) => list.every((one) => getComputedStyle(one).backgroundImage.startsWith('repeating'))"
    assert page.locator(".zone-tile > a, .wall-alarms .alarm-card").evaluate_all(hatched), "a fire that is old too"
    assert "The garage program does not answer" in page.locator(".notice").inner_text()
    preview.post("daemon/alive")
    page.wait_for_selector(".zone-tile[data-stale=false]")


def test_the_worst_zone_is_first_and_says_what_is_proven(preview, open_page):
    opened = open_page(*WALL)
    page = opened.goto("/garage", ".zone-tile")
    assert page.locator(".zone-tile h2").all_inner_texts() == ["地下车库东区", "地下车库西区", "3 号楼楼道"]
    preview.scene("watch")
    page.wait_for_selector(".zone-tile[data-state=watch]")
    assert page.locator(".zone-tile h2").first.inner_text() == "地下车库西区"
    preview.scene("fire")
    page.wait_for_selector(".zone-tile[data-state=fire]")
    first = page.locator(".zone-tile").first.inner_text()
    assert "火警" in first
    assert "烟感 3" in first
    assert "已证实" in first
    assert page.locator(".notice[data-level=fire]").inner_text().startswith("火警")
    preview.scene("unproven")
    page.wait_for_selector(".zone-done[data-bad=true]")
    assert "请到现场" in page.locator(".zone-done[data-bad=true]").inner_text()


def test_a_dead_gateway_is_one_alarm_and_each_zone_says_which_heads_are_gone(preview, open_page):
    preview.scene("gateway")
    page = open_page(*WALL).goto("/garage", ".alarm-card")
    assert page.locator(".alarm-card").count() == 1
    west = page.locator(".zone-tile", has_text="地下车库西区").inner_text()
    assert "探测器离线 · 烟感 1" in west
    assert "还有 2 个" in west
    assert page.locator(".all-quiet").count() == 0


def test_what_is_put_aside_says_why_and_does_not_shout(preview, open_page):
    preview.scene("aside")
    page = open_page(*TABLET, role="maintenance").goto("/garage/alarms", ".alarm-card")
    assert page.locator(".notice[data-level=quiet]").inner_text() == "没有要处理的报警，2 条已放到一边。"
    hidden = page.locator(".alarm-card[data-state=suppressed]")
    assert "按设计抑制：本区正在巡检测试" in hidden.inner_text()
    assert hidden.locator(".act").count() == 0, "nothing that would be refused is offered"
    preview.scene("unproven")
    page.goto(page.url.replace("/garage/alarms", "/garage/zone/B1"))
    page.wait_for_selector(".zone-head[data-level=act]")
    assert page.locator(".zone-head h1").inner_text() == "已锁定，切断未证实", "never 'off' while current flows"
    assert "触点粘连" in page.locator(".zone-list li[data-level=act]").first.inner_text()


def test_every_garage_page_says_what_it_is_not(preview, open_page):
    opened = open_page(*TABLET, lang="en")
    for path in ("/garage", "/garage/zone/B1", "/garage/alarms", "/garage/sessions"):
        page = opened.goto(path)
        said = page.locator(".not-the-panel").inner_text()
        assert "beside the certified fire panel" in said
        assert "never resets it" in said


def test_the_journal_of_the_doors_is_for_staff_by_door_and_live(preview, open_page):
    opened = open_page(*TABLET, role="maintenance")
    page = opened.goto("/garage/access", ".access-journal li")
    assert page.locator(".access-journal li").count() == 25
    page.get_by_role("button", name="更早的").click()
    opened.until("document.querySelectorAll('.access-journal li').length === 41")
    assert page.locator(".access-journal li[data-what=forced]").inner_text().split("\n")[1:] == [
        "强行打开",
        "西区楼梯门",
    ]
    preview.scene("fire")
    page.wait_for_selector(".access-journal li:first-child[data-what=released]")
    assert page.locator(".access-journal li").count() == 42, "what was paged back to stays"
    assert "已释放" in page.locator(".door-tiles button").nth(1).inner_text()
    page.locator(".door-tiles button", has_text="西区楼梯门").click()
    opened.until("document.querySelectorAll('.access-journal li').length === 5")
    text = page.locator(".access-journal").inner_text()
    assert all(word in text for word in ("不在有效期", "没有登记的卡", "不能开这扇门", "9:41"))
    assert "充电区入口" not in text
    wall = open_page(*WALL, role="read-only").goto("/garage", ".zone-tile")
    assert wall.locator("a[href='/garage/access']").count() == 0
    wall.goto(f"{opened.base}/garage/access")
    wall.wait_for_selector(".fault")
    assert wall.locator(".access-journal").count() == 0


def test_an_unarmed_garage_says_why(preview, open_page):
    preview.scene("unarmed")
    opened = open_page(*WALL)
    page = opened.goto("/garage", ".notice[data-level=alarm]")
    assert "zone_without_contactor:S3" in page.locator(".notice").inner_text()
    assert page.locator(".all-quiet[data-well=true]").count() == 0


def test_four_acts_are_four_acts(preview, open_page):
    preview.scene("unproven")
    opened = open_page(*TABLET)
    page = opened.goto("/garage/alarms", ".alarm-card")
    fire, cut = page.locator(".alarm-card").nth(0), page.locator(".alarm-card").nth(1)
    assert fire.get_by_role("button", name="屏蔽").is_disabled(), "a fire is never shelved"
    fire.get_by_role("button", name="静音").click()
    page.wait_for_selector(".act-line[data-at=done]")
    assert "已静音" in fire.inner_text()
    assert "未确认" in fire.inner_text(), "silence acknowledges nothing"
    cut.get_by_role("button", name="屏蔽").click()
    cut.get_by_role("button", name="60 分钟").click()
    page.wait_for_selector(".alarm-card[data-state=shelved]")
    assert "60 分钟" in page.locator(".alarm-card[data-state=shelved]").inner_text()
    fire.get_by_role("button", name="确认").click()
    page.wait_for_selector(".alarm-card[data-priority=fire][data-state=acknowledged]")
    page.goto(f"{opened.base}/garage/zone/B1")
    page.wait_for_selector(".zone-head[data-level=act]")
    assert "断开" in page.locator(".port").first.inner_text(), "none of it gives current back"


def test_a_zone_is_reset_only_at_its_panel_with_a_personal_pin(preview, open_page):
    preview.scene("resettable")
    away = open_page(*TABLET, role="admin").goto("/garage/zone/B1", ".on-site")
    assert away.locator(".reset-form").count() == 0
    bound = preview.post("panels/B1-door")
    opened = open_page(*TABLET, role="")
    opened.tolerate = ("401", "403")
    page = opened.goto(f"/garage/zone/B1#terminal={bound['token']}", ".reset-form")
    assert bound["token"] not in page.url

    def enter(pin):
        page.locator(".reset-form input").nth(0).fill(bound["person"])
        page.locator(".reset-form input").nth(1).fill(pin)
        opened.hold(".reset-form .hold")

    enter("918273")
    page.wait_for_selector(".act-line[data-at=refused]")
    assert "密码不对" in page.locator(".act-line[data-at=refused]").inner_text()
    assert page.locator(".zone-head[data-level=act]").count() == 1
    enter(bound["pin"])
    page.wait_for_selector(".zone-head[data-level=quiet]")


def test_a_resident_starts_and_stops_the_own_session_and_sees_nobody_elses(preview, open_page):
    opened = open_page(*PHONE, role="resident")
    page = opened.goto("/port/B1-P02", ".port-press.primary")
    page.click(".port-press.primary")
    page.wait_for_selector(".port-mine")
    assert "190 分钟" in page.locator(".port-left").inner_text()
    assert "¥" in page.locator(".port-mine").inner_text()
    page.wait_for_selector(".plot-box canvas")
    opened.shot("garage-port-mine")
    page.locator(".port-press.hold").click()
    page.wait_for_timeout(300)
    assert page.locator(".port-mine").count() == 1, "a mere touch stops nothing"
    opened.hold(".port-press.hold")
    page.wait_for_selector(".port-press.primary")
    page.goto(f"{opened.base}/port/B1-P03")
    page.wait_for_selector(".port-word")
    assert page.locator(".port-word").inner_text() == "有人在用"
    assert page.locator(".port-mine, .port-press").count() == 0
    assert page.locator(".session-rows small").count() == 0


def test_an_unknown_outlet_is_named_so(preview, open_page):
    opened = open_page(*PHONE, role="resident")
    opened.tolerate = ("404",)
    page = opened.goto("/port/X9-P99", ".fault")
    assert "没有这个充电口" in page.locator(".fault").inner_text()


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
"""


def test_fire_sounds_until_it_is_silenced_and_a_new_alarm_sounds_again(preview, open_page):
    opened = open_page(*TABLET, own=True)
    opened.context.add_init_script(TONES)
    page = opened.goto("/garage/zone/B1", ".sound[data-ready=false]")
    page.click(".sound")
    page.wait_for_selector(".sound[data-ready=true]")
    assert page.evaluate("tones.length") == 0, "quiet is silent"
    preview.scene("pre_alarm")
    opened.until("tones.includes('square')")
    page.locator(".zone-acts").get_by_role("button", name="静音").click()
    page.wait_for_selector(".zone-acts .act-line[data-at=done]")
    page.evaluate("tones.length = 0")
    page.wait_for_timeout(3000)
    assert page.evaluate("tones.length") == 0
    preview.scene("fire")
    opened.until("tones.includes('square')")
