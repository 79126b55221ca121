"""Whom an alarm is told, how often, and until what proof."""

from __future__ import annotations

import pytest

from edge.domain.alarm_book import MAX_NOTICES, Step
from edge.domain.alarm_delivery import notified, proven
from edge.domain.alarm_rows import NotificationRow
from edge.domain.alarm_states import Priority
from edge.domain.alarms import acknowledge, next_due, shelve
from edge.domain.notices import Channel, NotifyResult

FIRE, HIGH = Priority.FIRE, Priority.HIGH
HOOK = Step(priority=FIRE, channel=Channel.WEBHOOK, target="https://district/fire")
TOPIC = Step(priority=FIRE, channel=Channel.MQTT, target="alarm")
LATER = Step(priority=FIRE, channel=Channel.WEBHOOK, target="https://duty/phone", after_s=120)
PAGE = Step(priority=FIRE, channel=Channel.PAGE, target="panel")


def ok(desk, notice, proof="204"):
    desk.do(notified, NotifyResult(notice_id=notice.notice_id, delivered=True, proof=proof))


def failed(desk, notice, *, final=False):
    desk.do(notified, NotifyResult(notice_id=notice.notice_id, delivered=False, proof="refused", final=final))


def test_told_at_once_and_again_with_growing_pauses_until_proven(desk_with):
    desk = desk_with(HOOK)
    desk.raise_("fire:B1", "smoke-1", FIRE)
    (first,) = desk.sent
    assert (first.what, first.attempt, first.details) == ("raised", 1, ("smoke-1",))
    pauses = []
    for _ in range(9):
        due_ns = next_due(desk.book)
        pauses.append((due_ns - desk.mono_ns) // 10**9)
        desk.tick((due_ns - desk.mono_ns) / 1e9)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert {notice.notice_id for notice in desk.sent} == {first.notice_id}
    ok(desk, first)
    sent = len(desk.sent)
    desk.tick(1000)
    assert len(desk.sent) == sent
    (row,) = desk.kept(NotificationRow)
    assert (row.state, row.proof, row.pending, row.tries) == ("delivered", "204", False, 10)


def test_the_next_step_only_if_nobody_acknowledged(desk_with):
    desk = desk_with(HOOK, LATER)
    alarm_id = desk.raise_("fire:B1", "", FIRE)
    ok(desk, desk.sent[0])
    assert next_due(desk.book) == desk.mono_ns + 120 * 10**9
    desk.tick(119)
    assert len(desk.sent) == 1
    desk.tick(1)
    assert [(n.target, n.what) for n in desk.sent[1:]] == [("https://duty/phone", "escalated")]
    desk.do(acknowledge, alarm_id, "u")
    desk.tick(600)
    assert len(desk.sent) == 2, "an acknowledged alarm calls nobody any more"
    assert next_due(desk.book) is None


def test_acknowledged_in_time_nobody_else_is_called(desk_with):
    desk = desk_with(LATER)
    alarm_id = desk.raise_("fire:B1", "", FIRE)
    desk.tick(60)
    desk.do(acknowledge, alarm_id, "u")
    desk.tick(600)
    assert desk.sent == []


def test_what_the_outside_must_know_is_told_even_when_acknowledged(desk_with):
    desk = desk_with(HOOK)
    alarm_id = desk.raise_("fire:B1", "", FIRE)
    desk.do(acknowledge, alarm_id, "u")
    desk.tick(5)
    assert len(desk.sent) == 2


def test_cleared_is_told_to_those_who_were_told_and_never_overtakes(desk_with):
    desk = desk_with(HOOK, TOPIC)
    desk.raise_("fire:B1", "", FIRE)
    hook, topic = desk.sent
    ok(desk, topic)
    desk.clear("fire:B1")
    assert [(n.channel, n.what) for n in desk.sent[2:]] == [(Channel.MQTT, "cleared")]
    ok(desk, hook)
    assert [(n.channel, n.what) for n in desk.sent[3:]] == [(Channel.WEBHOOK, "cleared")]


def test_a_second_alarm_of_the_key_is_told_under_an_id_of_its_own(desk_with):
    desk = desk_with(HOOK)
    for _ in range(2):
        alarm_id = desk.raise_("fire:B1", "", FIRE)
        ok(desk, desk.sent[-1])
        desk.do(acknowledge, alarm_id, "u")
        desk.clear("fire:B1")
        ok(desk, desk.sent[-1])
    assert [n.what for n in desk.sent] == ["raised", "cleared", "raised", "cleared"]
    assert len({n.notice_id for n in desk.sent}) == 4


def test_a_graver_priority_is_told_to_its_own_list(desk_with):
    desk = desk_with(Step(priority=HIGH, channel=Channel.MQTT, target="warn"), HOOK)
    desk.raise_("zone:B1", "smoke-1", HIGH)
    desk.raise_("zone:B1", "smoke-2", FIRE)
    assert [(n.target, n.priority) for n in desk.sent] == [("warn", "high"), ("https://district/fire", "fire")]


def test_a_dead_target_is_an_alarm_on_the_page_and_tells_nobody(desk_with):
    desk = desk_with(HOOK, Step(priority=Priority.MEDIUM, channel=Channel.WEBHOOK, target="https://m"))
    desk.raise_("fire:B1", "", FIRE)
    for _ in range(3):
        failed(desk, desk.sent[-1])
        desk.tick((next_due(desk.book) - desk.mono_ns) / 1e9)
    assert desk.state("notify:webhook:https://district/fire") == "unacknowledged"
    assert {n.target for n in desk.sent} == {"https://district/fire"}
    ok(desk, desk.sent[-1])
    assert desk.state("notify:webhook:https://district/fire") == "returned_unacknowledged"


def test_a_refusal_that_cannot_change_ends_the_tries(desk_with):
    desk = desk_with(HOOK)
    desk.raise_("fire:B1", "", FIRE)
    failed(desk, desk.sent[0], final=True)
    desk.tick(3600)
    assert len(desk.sent) == 1
    assert [row.state for row in desk.kept(NotificationRow)] == ["failed"]
    assert desk.one("notify:webhook:https://district/fire").details == ("refused",)


def test_given_up_after_a_day(desk_with):
    desk = desk_with(HOOK)
    desk.raise_("fire:B1", "", FIRE)
    for _ in range(400):
        due_ns = next_due(desk.book)
        if due_ns is None:
            break
        desk.tick((due_ns - desk.mono_ns) / 1e9)
    assert desk.book.notices == {}
    assert 280 < len(desk.sent) < 300
    assert [row.state for row in desk.kept(NotificationRow)] == ["failed"]


@pytest.mark.parametrize("channel", [Channel.PAGE, Channel.BUZZER])
def test_the_page_and_the_buzzer_are_proven_by_what_shows_and_sounds(desk_with, channel):
    desk = desk_with(Step(priority=FIRE, channel=channel, target="panel"))
    alarm_id = desk.raise_("fire:B1", "", FIRE)
    assert desk.sent == []
    for _ in range(3):
        desk.tick((next_due(desk.book) - desk.mono_ns) / 1e9)
    assert desk.state(f"notify:{channel}:panel") == "unacknowledged", "nobody sees it: say so"
    desk.do(proven, channel, alarm_id, "panel p1")
    assert desk.book.notices == {}
    assert desk.state(f"notify:{channel}:panel") == "returned_unacknowledged"


def test_a_shelf_ends_the_calls_but_not_the_facts(desk_with):
    steps = [
        Step(priority=HIGH, channel=Channel.WEBHOOK, target=target, after_s=s) for target, s in (("a", 0), ("b", 9))
    ]
    desk = desk_with(*steps)
    alarm_id = desk.raise_("stale:s1", "", HIGH)
    desk.tick(9)
    desk.do(shelve, alarm_id, 60, "u")
    before = len(desk.sent)
    desk.tick(100)
    assert {n.target for n in desk.sent[before:]} == {"a"}


def test_the_outbox_is_bounded_and_counts_what_it_drops(desk_with):
    desk = desk_with(Step(priority=Priority.LOW, channel=Channel.MQTT, target="low"), HOOK)
    desk.raise_("fire:B1", "", FIRE)
    for number in range(MAX_NOTICES // 2 + 10):  # each is told twice: raised and cleared
        desk.raise_(f"stale:s{number}", priority=Priority.LOW)
        desk.clear(f"stale:s{number}")
        if len(desk.book.alarms) > 20:
            for alarm in list(desk.book.alarms.values())[1:]:
                desk.do(acknowledge, alarm.alarm_id, "u")
    assert len(desk.book.notices) == MAX_NOTICES
    assert desk.book.dropped_notices > 0
    assert any(notice.cause == "fire" for notice in desk.book.notices.values()), "the gravest goes last"
    dropped = [row for row in desk.kept(NotificationRow) if row.state == "dropped"]
    assert len(dropped) == desk.book.dropped_notices


def test_an_answer_to_an_unknown_notice_changes_nothing(desk):
    desk.do(notified, NotifyResult(notice_id="9.9", delivered=True))
    assert desk.changed == []
