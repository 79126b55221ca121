"""Floods and the report, by numbers counted here by hand."""

from __future__ import annotations

from edge.domain.alarm_book import MAX_HOURS
from edge.domain.alarm_metrics import kpi
from edge.domain.alarm_states import Priority
from edge.domain.alarms import acknowledge, next_due
from edge.domain.kernel import Stamp


def report(desk, **how):
    return kpi(desk.book, Stamp(desk.seq, desk.boot, desk.mono_ns, desk.wall_ns, True), **how)


def test_a_flood_starts_at_ten_in_ten_minutes(desk):
    for number in range(9):
        desk.raise_(f"a:{number}")
        desk.wait(60)
    assert not desk.now().flood
    desk.raise_("a:9")
    assert desk.now().flood
    assert desk.view.flood


def test_ten_in_eleven_minutes_are_none(desk):
    for number in range(10):
        desk.raise_(f"a:{number}")
        desk.wait(66.7)
    assert not desk.now().flood


def test_it_ends_below_five_and_its_time_is_booked(desk):
    for number in range(10):
        desk.raise_(f"a:{number}")
        desk.wait(10)
    began_ns = desk.mono_ns - 10 * 10**9
    while desk.book.flood:
        due_ns = next_due(desk.book)
        assert due_ns - desk.mono_ns <= 60 * 10**9
        desk.tick((due_ns - desk.mono_ns) / 1e9)
    # the sixth of the ten leaves the window 10 minutes after it rang; then four are left
    assert desk.mono_ns == began_ns - 90 * 10**9 + 50 * 10**9 + 600 * 10**9
    assert sum(hour.flood_ms for hour in desk.book.hours.values()) == 560_000
    assert not desk.view.flood


def test_children_of_one_cause_make_no_flood(desk):
    desk.raise_("silent:gw", priority=Priority.HIGH)
    for number in range(40):
        desk.raise_(f"silent:s{number}", parent="silent:gw")
    assert not desk.now().flood
    assert report(desk).annunciations == 1


def test_the_report(desk):
    plan = [Priority.LOW] * 16 + [Priority.MEDIUM] * 3 + [Priority.FIRE]
    for number, priority in enumerate(plan):
        alarm_id = desk.raise_(f"a:{number}", priority=priority)
        desk.wait(30)
        if number < 4:
            desk.do(acknowledge, alarm_id, "u")
        desk.wait(3570)
    assert report(desk, hours=24).annunciations == 20
    whole = report(desk, hours=24, operators=2)
    assert (whole.share_low_pct, whole.share_medium_pct, whole.share_high_pct) == (80.0, 15.0, 5.0)
    assert whole.per_hour_per_operator == round(20 / 24 / 2, 2)
    assert whole.peak_hour == 1
    assert whole.mean_ack_wait_s == 30.0
    assert whole.flood_pct == 0
    assert whole.standing == 20
    assert report(desk, hours=2).annunciations == 1


def test_stale_is_live_for_a_day(desk):
    old = desk.raise_("a:1")
    desk.wait(86_399)
    gone = desk.raise_("a:2")
    desk.clear("a:2")
    desk.tick(0)
    assert report(desk).stale == ()
    desk.tick(1)
    assert report(desk).stale == (old,)
    desk.tick(86_400)
    assert gone not in report(desk).stale


def test_an_empty_report(desk):
    empty = report(desk)
    assert (empty.annunciations, empty.share_low_pct, empty.mean_ack_wait_s) == (0, 0.0, None)


def test_a_month_is_remembered_and_no_more(desk):
    for _ in range(MAX_HOURS + 5):
        desk.raise_("a:1")
        desk.clear("a:1")
        desk.tick(3600)
    assert len(desk.book.hours) == MAX_HOURS
