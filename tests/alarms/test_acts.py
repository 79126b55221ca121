"""Acknowledge, silence, shelve and reset are four different acts."""

from __future__ import annotations

import pytest

from edge.domain.alarm_commands import AckAlarm, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm, act
from edge.domain.alarm_rows import AlarmEventRow, AlarmRow
from edge.domain.alarm_states import Priority
from edge.domain.alarms import (
    acknowledge,
    next_due,
    reset_alarm,
    reset_key,
    restore,
    shelve,
    silence,
    suppress,
    take_out_of_service,
    unshelve,
    unsuppress,
)

FIRE = Priority.FIRE


def test_a_level_told_again_is_free(desk):
    desk.raise_("stale:s1", "s1")
    assert desk.changed
    for _ in range(5):
        desk.wait(0.1)
        desk.raise_("stale:s1", "s1")
        assert desk.changed == []
    desk.clear("unknown:x")
    assert desk.changed == []


def test_acknowledge_stops_the_sound_and_ends_nothing(desk):
    alarm_id = desk.raise_("stale:s1")
    assert desk.now().sounding
    desk.do(acknowledge, alarm_id, "panel:p1")
    assert desk.result == "ok"
    assert desk.state("stale:s1") == "acknowledged"
    assert not desk.now().sounding
    assert desk.one("stale:s1").acknowledged_by == "panel:p1"
    desk.do(acknowledge, alarm_id, "panel:p2")
    assert desk.result == "ok"
    assert desk.one("stale:s1").acknowledged_by == "panel:p1"
    desk.clear("stale:s1")
    assert desk.state("stale:s1") == "normal"


def test_what_went_unseen_waits_for_a_look(desk):
    alarm_id = desk.raise_("stale:s1")
    desk.clear("stale:s1")
    assert desk.state("stale:s1") == "returned_unacknowledged"
    assert not desk.now().sounding
    assert desk.now().unacknowledged == 1
    desk.do(acknowledge, alarm_id, "u")
    assert desk.now().alarms == ()


def test_silence_stops_the_sound_only_and_a_new_alarm_sounds_again(desk):
    desk.raise_("fire:B1", "smoke-1", FIRE)
    desk.do(silence, zone="B1")
    assert not desk.now().sounding
    assert desk.state("fire:B1") == "unacknowledged"
    assert desk.one("fire:B1").silenced
    desk.raise_("stale:s2")
    assert desk.now().sounding


def test_a_second_detector_in_a_silenced_fire_sounds_again(desk):
    alarm_id = desk.raise_("fire:B1", "smoke-1", FIRE)
    desk.do(silence)
    desk.raise_("fire:B1", "port:P1 cut", FIRE)
    assert not desk.now().sounding, "what the fire caused is no news"
    desk.do(acknowledge, alarm_id, "u")
    desk.raise_("fire:B1", "smoke-2", FIRE, reannounce=True)
    assert desk.now().sounding
    assert desk.state("fire:B1") == "unacknowledged"
    desk.do(acknowledge, alarm_id, "u")
    desk.raise_("fire:B1", "smoke-2", FIRE, reannounce=True)
    assert not desk.now().sounding, "the same word twice is no news"


def test_silence_of_one_zone_leaves_the_others(desk):
    desk.raise_("fire:B1", "", FIRE)
    desk.raise_("fire:B2", "", FIRE, zone="B2")
    desk.do(silence, zone="B2")
    assert desk.now().sounding
    assert not desk.one("fire:B1").silenced


def test_fire_is_never_put_aside(desk):
    alarm_id = desk.raise_("fire:B1", "smoke-1", FIRE, shelvable=True)
    for refused in (
        lambda: desk.do(shelve, alarm_id, 5, "u"),
        lambda: desk.do(take_out_of_service, alarm_id, "u"),
    ):
        refused()
        assert desk.result == "not_shelvable"
    desk.do(suppress, "fire:B1", "walk test")
    assert desk.result is False
    assert desk.state("fire:B1") == "unacknowledged"
    assert desk.now().sounding


@pytest.mark.parametrize("put_aside", ["shelve", "suppress", "out"])
def test_what_becomes_a_fire_comes_back_from_anywhere(desk, put_aside):
    alarm_id = desk.raise_("zone:B1", "smoke-1", Priority.HIGH)
    match put_aside:
        case "shelve":
            desk.do(shelve, alarm_id, 30, "u")
        case "suppress":
            desk.do(suppress, "zone:B1", "walk test")
        case "out":
            desk.do(take_out_of_service, alarm_id, "u")
    assert not desk.now().sounding
    desk.raise_("zone:B1", "smoke-2", FIRE)
    assert desk.state("zone:B1") == "unacknowledged"
    assert desk.now().sounding
    assert desk.one("zone:B1").priority == "fire"
    desk.tick(3600)
    assert desk.state("zone:B1") == "unacknowledged"


def test_a_suppression_by_design_does_not_hide_a_fire_that_comes(desk):
    desk.do(suppress, "fire:B1", "walk test")
    desk.raise_("fire:B1", "", FIRE)
    assert desk.now().sounding


def test_a_shelf_ends_by_itself_and_what_lasts_sounds(desk):
    alarm_id = desk.raise_("stale:s1")
    desk.do(acknowledge, alarm_id, "u")
    desk.do(shelve, alarm_id, 10, "u", reason="repair")
    assert desk.result == "ok"
    assert desk.one("stale:s1").shelved_left_s == 600
    assert next_due(desk.book) == desk.mono_ns + 600 * 10**9
    desk.tick(599)
    assert desk.state("stale:s1") == "shelved"
    desk.tick(1)
    assert desk.state("stale:s1") == "unacknowledged"
    assert desk.now().sounding


def test_a_shelf_over_what_went_ends_in_silence(desk):
    alarm_id = desk.raise_("stale:s1")
    desk.do(shelve, alarm_id, 10, "u")
    desk.clear("stale:s1")
    assert desk.state("stale:s1") == "shelved"
    desk.tick(600)
    assert desk.state("stale:s1") == "normal"


@pytest.mark.parametrize("minutes", [0, -1, 481])
def test_a_shelf_has_its_limits(desk, minutes):
    alarm_id = desk.raise_("stale:s1")
    desk.do(shelve, alarm_id, minutes, "u")
    assert desk.result == "bad_value"
    assert desk.state("stale:s1") == "unacknowledged"


def test_a_latched_alarm_stays_until_its_own_reset(desk):
    alarm_id = desk.raise_("weld:P1", latched=True)
    desk.do(reset_alarm, alarm_id, "u")
    assert desk.result == "bad_value", "its condition lasts"
    desk.clear("weld:P1")
    assert desk.one("weld:P1").latched
    assert desk.now().sounding, "a latch holds it live"
    desk.do(acknowledge, alarm_id, "u")
    assert desk.state("weld:P1") == "acknowledged"
    desk.do(reset_alarm, alarm_id, "u")
    assert desk.result == "ok"
    assert desk.state("weld:P1") == "normal"


def test_a_reset_without_a_look_still_asks_for_one(desk):
    alarm_id = desk.raise_("weld:P1", latched=True)
    desk.clear("weld:P1")
    desk.do(reset_key, "weld:P1", "u")
    assert desk.state("weld:P1") == "returned_unacknowledged"
    desk.do(acknowledge, alarm_id, "u")
    assert desk.state("weld:P1") == "normal"


def test_a_latched_alarm_that_comes_again_sounds_again(desk):
    alarm_id = desk.raise_("weld:P1", latched=True)
    desk.clear("weld:P1")
    desk.do(acknowledge, alarm_id, "u")
    desk.raise_("weld:P1", latched=True)
    assert desk.now().sounding
    assert desk.one("weld:P1").count == 2


def test_out_of_service_lasts_until_it_is_put_back(desk):
    alarm_id = desk.raise_("stale:s1")
    desk.do(take_out_of_service, alarm_id, "fitter", reason="head is being replaced")
    desk.clear("stale:s1")
    desk.raise_("stale:s1")
    desk.tick(10 * 86_400)
    assert desk.state("stale:s1") == "out_of_service"
    desk.do(restore, alarm_id, "fitter")
    assert desk.state("stale:s1") == "unacknowledged"
    desk.do(restore, alarm_id, "fitter")
    assert desk.result == "bad_value"


def test_suppression_by_design_covers_what_comes_later(desk):
    desk.do(suppress, "door:d1", "zone without power")
    desk.raise_("door:d1")
    assert desk.state("door:d1") == "suppressed"
    assert desk.one("door:d1").hidden_by == "design:zone without power"
    assert not desk.now().sounding
    desk.do(unsuppress, "door:d1")
    assert desk.state("door:d1") == "unacknowledged"


def test_an_act_on_an_older_occurrence_does_not_touch_the_new_one(desk):
    old = desk.raise_("stale:s1")
    desk.do(acknowledge, old, "u")
    desk.clear("stale:s1")
    new = desk.raise_("stale:s1")
    assert new != old
    for act_ in (acknowledge, unshelve, restore, reset_alarm, take_out_of_service):
        desk.do(act_, old, "u")
        assert desk.result == "unknown_alarm"
    assert desk.state("stale:s1") == "unacknowledged"


def test_the_commands_of_the_page(desk):
    alarm_id = desk.raise_("weld:P1", latched=True)

    def give(body):
        desk.do(act, body, "manager:m")
        return desk.result, desk.state("weld:P1")

    assert give(AlarmShown(alarm_id=alarm_id)) == ("ok", "unacknowledged")
    assert give(AckAlarm(alarm_id=alarm_id)) == ("ok", "acknowledged")
    assert give(ShelveAlarm(alarm_id=alarm_id, minutes=5)) == ("ok", "shelved")
    assert give(AckAlarm(alarm_id=alarm_id)) == ("bad_value", "shelved")
    assert give(ShelveAlarm(alarm_id=alarm_id, minutes=0)) == ("ok", "unacknowledged")
    assert give(ServiceAlarm(alarm_id=alarm_id, out=True)) == ("ok", "out_of_service")
    assert give(ServiceAlarm(alarm_id=alarm_id, out=False)) == ("ok", "unacknowledged")
    desk.clear("weld:P1")
    assert give(ResetAlarm(alarm_id=alarm_id)) == ("ok", "returned_unacknowledged")
    assert give(AckAlarm(alarm_id=alarm_id)) == ("ok", "normal")


def test_the_journal_names_who_did_what(desk):
    alarm_id = desk.raise_("stale:s1", "s1 silent since 9:00")
    desk.do(acknowledge, alarm_id, "panel:p1")
    desk.clear("stale:s1")
    rows = [row for row in desk.kept(AlarmEventRow) if row.alarm_id == alarm_id]
    assert [(row.event, row.state, row.by) for row in rows] == [
        ("raise", "unacknowledged", ""),
        ("acknowledge", "acknowledged", "panel:p1"),
        ("clear", "normal", ""),
    ]
    assert [row.standing for row in desk.kept(AlarmRow)] == [False]
