"""What somebody must hear: a grave word and a pulse too high reach a person, whatever came in between."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.alarm_book import MAX_ALARMS
from edge.domain.alarm_commands import AckAlarm
from edge.domain.alarm_states import Priority
from edge.domain.alarms import raise_alarm
from edge.domain.field_devices import Operate
from edge.domain.gym.messages import AckOrder, GiveStopReason, LeaveAsset, ReportFault, ReturnTest


@pytest.fixture
def elder(gym):
    """Anna, ceiling 110, trains on e1."""
    gym.person("anna", "c1", birth_year=1951, ceiling_bpm=110, max_bpm=140)
    gym.card("k1", "c1")
    gym.cuff(120)
    gym.stand("e1")
    gym.card("e1", "c1")
    gym.train("e1", 30, bpm=95)
    return gym


def seen(gym):
    """A coach acknowledges whatever is new."""
    for alarm in list(gym.world.alarms.alarms.values()):
        if alarm.state.endswith("unacknowledged"):
            assert gym.command(AckAlarm(alarm_id=alarm.alarm_id)).code == "ok"


def buzzes(gym):
    """What the room's buzzer was last told."""
    return [one.command.on for one in gym.sent if isinstance(one.command, Operate)][-1]


@pytest.mark.parametrize("left", [False, True])
def test_chest_pain_after_twenty_seconds_calls_a_coach_too(elder, left):
    """So short a use is no workout and is kept nowhere; what was felt on it is heard."""
    elder.command(LeaveAsset(asset="e1"))
    elder.card("e1", "c1")
    elder.train("e1", 20)
    workout = elder.asset("e1").workout.workout_id
    if left:
        elder.command(LeaveAsset(asset="e1"))
        tired = elder.command(GiveStopReason(workout_id=workout, reason="tired"), role=Role.MEMBER, user="anna")
        assert tired.code == "unknown_workout"
    reply = elder.command(GiveStopReason(workout_id=workout, reason="chest_pain"), role=Role.MEMBER, user="anna")
    assert reply.code == "ok"
    assert "felt_chest_pain" in elder.causes()


def test_a_pulse_that_flapped_does_not_hide_the_next_persons(elder):
    """Anna's alarm came and went three times, was seen each time, and was being held until calm."""
    for _ in range(3):
        elder.train("e1", 30, bpm=125)
        seen(elder)
        elder.train("e1", 40, bpm=95)
    elder.command(LeaveAsset(asset="e1"))
    elder.person("bo", "c2", ceiling_bpm=110, max_bpm=150)
    elder.card("k1", "c2")
    elder.cuff(120)
    elder.card("e1", "c2")
    elder.train("e1", 10, bpm=100)
    assert not buzzes(elder)
    elder.train("e1", 60, bpm=130)
    assert elder.asset("e1").workout.person == "bo"
    assert buzzes(elder)


def test_an_alarm_is_heard_also_while_a_warning_is_held_until_calm(elder):
    for _ in range(3):
        elder.train("e1", 15, bpm=113)
        seen(elder)
        elder.train("e1", 40, bpm=95)
    elder.train("e1", 9, bpm=145)  # above the maximum: no warning comes first
    assert elder.shown["asset/e1"].heart.level == "alarm"
    assert buzzes(elder)


@pytest.mark.parametrize("bpm", [122, 112, 107])
def test_a_start_takes_no_alarm_back_while_the_pulse_is_not_well_below(elder, bpm):
    """By the same rule as without a start: it goes after 30 s at or below the ceiling - 5."""
    elder.train("e1", 30, bpm=122)
    elder.restart()
    elder.train("e1", 60, bpm=bpm)
    alarm = elder.world.alarms.alarms["heart:e1"]
    assert (alarm.cause, alarm.state, alarm.active) == ("heart_alarm", "unacknowledged", True)
    assert buzzes(elder)
    elder.train("e1", 40, bpm=100)
    assert not alarm.active


def test_a_warning_from_before_a_start_still_becomes_an_alarm(elder):
    elder.train("e1", 15, bpm=112)
    elder.restart()
    elder.train("e1", 30, bpm=122)
    assert elder.world.alarms.alarms["heart:e1"].cause == "heart_alarm"
    assert buzzes(elder)


@pytest.mark.parametrize("what", ["falls", "stands", "silent"])
def test_the_buzzer_sounds_until_somebody_has_seen_it(elder, what):
    """Who falls beside the machine moves no more, and the workout ends by itself."""
    elder.train("e1", 30, bpm=125)
    if what == "falls":
        elder.train("e1", 60, bpm=90)
    elder.run(300, each=(lambda: elder.stand("e1")) if what == "stands" else None)
    assert elder.asset("e1").workout is None
    assert not elder.world.alarms.alarms["heart:e1"].active
    assert buzzes(elder)
    elder.restart()
    elder.sent.clear()
    elder.run(30)
    assert buzzes(elder)
    seen(elder)
    assert not buzzes(elder)


def test_a_book_full_of_old_words_hides_no_heart(elder):
    """A year of small alarms that nobody has acknowledged."""
    for number in range(MAX_ALARMS + 20):
        raise_alarm(
            elder.world.alarms, f"old:{number}", cause="device_lost", zone="", priority=Priority.LOW, detail="",
            stamp=elder.stamp(),
        )  # fmt: skip
    elder.train("e1", 40, bpm=125)
    assert elder.world.alarms.alarms["heart:e1"].cause == "heart_alarm"
    assert buzzes(elder)


def test_an_order_that_is_seen_to_leaves_no_alarm_behind(elder):
    for number in range(3):
        elder.command(ReportFault(asset="t1", what="noise", note=str(number)))
        if number:
            elder.command(AckOrder(order_id=next(iter(elder.world.orders))))
        assert elder.command(ReturnTest(asset="t1", passed=True), role=Role.MAINTENANCE).code == "ok"
    assert not any(key.startswith("order:") for key in elder.world.alarms.alarms)
