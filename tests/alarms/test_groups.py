"""One cause is one alarm: parents, children, flapping, and what happens when there is too much of anything."""

from __future__ import annotations

from edge.domain.alarm_book import MAX_ALARMS, MAX_DETAILS, MAX_FLAPS
from edge.domain.alarm_states import Priority
from edge.domain.alarms import acknowledge, next_due, raise_alarm, shelve

FIRE, HIGH, LOW = Priority.FIRE, Priority.HIGH, Priority.LOW


def test_one_fire_with_forty_cut_ports_is_one_alarm(desk):
    desk.raise_("fire:B1", "smoke-1", FIRE)
    for number in range(40):
        desk.raise_("fire:B1", f"port:P{number:02} cut", FIRE)
    (only,) = desk.now().alarms
    assert len(only.details) == 41
    assert desk.now().unacknowledged == 1


def test_a_dead_gateway_takes_its_devices_with_it(desk):
    desk.raise_("silent:gw", priority=HIGH)
    for number in range(12):
        desk.raise_(f"silent:s{number}", f"s{number} silent", parent="silent:gw")
    view = desk.now()
    assert [alarm.alarm_id for alarm in view.alarms] == [desk.book.alarms["silent:gw"].alarm_id]
    assert view.alarms[0].details == tuple(f"s{number} silent" for number in range(12))
    assert view.hidden == 12
    assert view.unacknowledged == 1


def test_devices_heard_of_before_their_gateway_are_gathered(desk):
    for number in range(3):
        desk.raise_(f"silent:s{number}", f"s{number}", parent="silent:gw")
    assert desk.now().unacknowledged == 3
    desk.raise_("silent:gw", "gateway", HIGH)
    (only,) = desk.now().alarms
    assert only.details == ("gateway", "s0", "s1", "s2")


def test_what_stays_dead_when_its_gateway_is_back_sounds_after_a_while(desk):
    gateway = desk.raise_("silent:gw", priority=HIGH)
    for name in ("s0", "s1"):
        desk.raise_(f"silent:{name}", name, parent="silent:gw")
    desk.do(acknowledge, gateway, "u")
    desk.clear("silent:gw")
    assert not desk.now().sounding, "the devices have half a minute to speak"
    desk.wait(10)
    desk.clear("silent:s0")
    assert next_due(desk.book) == desk.mono_ns + 20 * 10**9
    desk.tick(20)
    assert desk.state("silent:s0") == "normal"
    assert desk.state("silent:s1") == "unacknowledged"
    assert desk.now().sounding


def test_a_gateway_that_comes_and_goes_keeps_its_devices(desk):
    gateway = desk.raise_("silent:gw", priority=HIGH)
    desk.raise_("silent:s0", "s0", parent="silent:gw")
    desk.do(acknowledge, gateway, "u")
    desk.clear("silent:gw")
    desk.wait(10)
    desk.raise_("silent:gw", priority=HIGH)
    desk.tick(60)
    assert desk.state("silent:s0") == "suppressed"


def test_a_graver_alarm_is_never_hidden_by_a_lesser(desk):
    desk.raise_("silent:gw", priority=LOW)
    desk.raise_("cut:B1", "not confirmed", HIGH, parent="silent:gw")
    desk.raise_("fire:B1", "smoke", FIRE, parent="silent:gw")
    assert desk.state("cut:B1") == "unacknowledged"
    assert desk.state("fire:B1") == "unacknowledged"
    desk.raise_("hot:P1", "61 C", LOW, parent="silent:gw")
    assert desk.state("hot:P1") == "suppressed"
    desk.raise_("hot:P1", "66 C", HIGH, parent="silent:gw")
    assert desk.state("hot:P1") == "unacknowledged"


def test_fires_are_never_children(desk):
    desk.raise_("fire:B1", "smoke", FIRE)
    desk.raise_("fire:B2", "smoke", FIRE, parent="fire:B1")
    assert [alarm.cause for alarm in desk.now().alarms] == ["fire", "fire"]


def test_the_first_fire_is_on_top_whatever_comes_later(desk):
    desk.raise_("stale:s0", priority=HIGH)
    desk.wait(1)
    first = desk.raise_("fire:B1", "smoke", FIRE)
    desk.wait(1)
    second = desk.raise_("fire:B2", "smoke", FIRE)
    desk.wait(1)
    desk.raise_("stale:s1", priority=HIGH)
    desk.do(acknowledge, first, "u")
    assert [alarm.alarm_id for alarm in desk.now().alarms][:2] == [first, second]


def test_a_flapping_alarm_is_told_thrice_and_then_held(desk):
    rings = 0
    for _ in range(20):
        alarm_id = desk.raise_("stale:s1")
        if desk.state("stale:s1") == "unacknowledged":
            rings += 1
            desk.do(acknowledge, alarm_id, "u")
        desk.wait(10)
        desk.clear("stale:s1")
        desk.wait(10)
    assert rings == 3
    assert desk.one("stale:s1").flapping
    assert desk.one("stale:s1").count == 18
    desk.tick(291)
    assert desk.state("stale:s1") == "normal"


def test_slow_changes_are_no_flapping(desk):
    for _ in range(10):
        alarm_id = desk.raise_("stale:s1")
        assert desk.state("stale:s1") == "unacknowledged"
        desk.do(acknowledge, alarm_id, "u")
        desk.wait(300)
        desk.clear("stale:s1")
        assert desk.state("stale:s1") == "normal"
        desk.wait(10)


def test_a_flapping_fire_sounds_each_time(desk):
    for _ in range(6):
        alarm_id = desk.raise_("fire:B1", "smoke", FIRE)
        assert desk.now().sounding
        desk.do(acknowledge, alarm_id, "u")
        desk.wait(5)
        desk.clear("fire:B1")
        desk.wait(5)


def test_details_are_bounded_and_the_rest_is_counted(desk):
    for number in range(MAX_DETAILS + 20):
        desk.raise_("fire:B1", f"port {number}", FIRE)
        desk.raise_("fire:B1", f"port {number}", FIRE)
        assert desk.changed == []
    view = desk.one("fire:B1")
    assert len(view.details) == MAX_DETAILS
    assert view.dropped == 20
    assert max(len(detail) for detail in view.details) <= 200


def test_a_full_book_says_so_and_still_takes_every_fire(desk):
    def power_cut(book, stamp):
        for number in range(MAX_ALARMS - 5):
            raise_alarm(book, f"stale:s{number}", cause="stale", zone="B1", priority=LOW, detail="", stamp=stamp)

    desk.do(power_cut)
    assert len(desk.now().alarms) == MAX_ALARMS - 5
    for number in range(MAX_ALARMS - 5, MAX_ALARMS + 30):
        desk.raise_(f"stale:s{number}", priority=LOW)
    assert len(desk.book.alarms) == MAX_ALARMS + 1
    overflow = desk.one("alarms:overflow")
    assert len(overflow.details) + overflow.dropped == 30
    assert overflow.priority == "high"
    desk.raise_("fire:B1", "smoke", FIRE)
    assert desk.now().alarms[0].cause == "fire"
    desk.do(shelve, overflow.alarm_id, 5, "u")
    assert desk.result == "not_shelvable"


def test_the_memory_of_flapping_is_bounded(desk):
    for number in range(MAX_FLAPS + 50):
        key = f"stale:s{number}"
        alarm_id = desk.raise_(key)
        desk.do(acknowledge, alarm_id, "u")
        desk.clear(key)
    assert len(desk.book.flaps) == MAX_FLAPS
    assert desk.book.alarms == {}
