"""Alarms survive a restart as their rows tell them; what cannot be known falls to the safe side."""

from __future__ import annotations

import pytest

from edge.domain.alarm_book import Step
from edge.domain.alarm_states import Priority
from edge.domain.alarms import acknowledge, next_due, reset_alarm, shelve, silence, suppress, take_out_of_service
from edge.domain.notices import Channel

FIRE = Priority.FIRE


def test_a_fire_is_there_again_with_all_its_details(desk):
    alarm_id = desk.raise_("fire:B1", "smoke-1", FIRE, latched=True)
    desk.raise_("fire:B1", "port P1 cut", FIRE, latched=True)
    before = desk.now().alarms
    desk.restart()
    assert desk.now().alarms == before
    assert desk.now().sounding
    desk.raise_("fire:B1", "smoke-1", FIRE, latched=True)
    assert desk.book.alarms["fire:B1"].alarm_id == alarm_id
    desk.clear("fire:B1")
    desk.restart()
    assert desk.one("fire:B1").latched
    desk.do(acknowledge, alarm_id, "u")
    desk.restart()
    assert desk.state("fire:B1") == "acknowledged"
    desk.do(reset_alarm, alarm_id, "u")
    desk.restart()
    assert desk.now().alarms == ()


def test_downtime_counts_toward_a_shelf(desk):
    alarm_id = desk.raise_("stale:s1")
    desk.do(shelve, alarm_id, 10, "u")
    desk.wait(100)
    desk.restart(200)
    assert desk.one("stale:s1").shelved_left_s == 300
    desk.restart(301)
    assert desk.state("stale:s1") == "unacknowledged"


@pytest.mark.parametrize(("trusted", "step"), [(False, 0), (True, -3600)])
def test_a_shelf_ends_when_the_downtime_cannot_be_known(desk, trusted, step):
    alarm_id = desk.raise_("stale:s1")
    desk.do(shelve, alarm_id, 480, "u")
    desk.restart(5, trusted=trusted, wall_step_s=step)
    assert desk.state("stale:s1") == "unacknowledged"


def test_a_clock_step_within_a_run_changes_no_shelf(desk):
    alarm_id = desk.raise_("stale:s1")
    desk.do(shelve, alarm_id, 10, "u")
    for step_s in (86_400, -2 * 86_400, 400 * 86_400):
        desk.wall_ns += step_s * 10**9
        desk.tick(100)
        assert desk.state("stale:s1") == "shelved"
    desk.tick(300)
    assert desk.state("stale:s1") == "unacknowledged"


def test_silence_suppression_and_service_are_kept(desk):
    desk.raise_("fire:B1", "", FIRE)
    desk.do(silence)
    desk.raise_("door:d1")
    desk.do(suppress, "door:d1", "walk test")
    out = desk.raise_("stale:s1")
    desk.do(take_out_of_service, out, "u")
    desk.raise_("silent:gw", priority=Priority.HIGH)
    desk.raise_("silent:s0", parent="silent:gw")
    before = desk.now()
    desk.restart()
    after = desk.now()
    assert after.alarms == before.alarms
    assert after.hidden == before.hidden == 1
    assert desk.book.by_design == {"door:d1": "walk test"}


def test_a_notice_without_proof_is_sent_again_under_its_id(desk_with):
    desk = desk_with(Step(priority=FIRE, channel=Channel.WEBHOOK, target="u"))
    desk.raise_("fire:B1", "", FIRE)
    desk.restart(60)
    assert [n.attempt for n in desk.sent] == [1, 2]
    assert len({n.notice_id for n in desk.sent}) == 1
    desk.restart(1, trusted=False)
    assert [n.attempt for n in desk.sent] == [1, 2, 3]


def test_the_next_step_of_an_escalation_survives(desk_with):
    desk = desk_with(Step(priority=FIRE, channel=Channel.WEBHOOK, target="u", after_s=300))
    desk.raise_("fire:B1", "", FIRE)
    desk.wait(100)
    desk.restart(100)
    assert next_due(desk.book) == desk.mono_ns + 100 * 10**9
    desk.tick(100)
    assert [n.what for n in desk.sent] == ["escalated"]


def test_children_that_were_to_be_released_are_released(desk):
    desk.raise_("silent:gw", priority=Priority.HIGH)
    desk.raise_("silent:s0", "s0", parent="silent:gw")
    desk.clear("silent:gw")
    desk.restart(31)
    assert desk.state("silent:s0") == "unacknowledged"


def test_the_hours_are_kept(desk):
    for number in range(7):
        desk.raise_(f"stale:s{number}")
    hours = desk.book.hours
    desk.restart()
    assert desk.book.hours == hours
