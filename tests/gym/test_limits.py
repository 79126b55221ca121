"""Heart-rate limits, the entry gate and the buzzer (gym-domain.md 8)."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.field_devices import Operate
from edge.domain.gym.gate import Vitals, decide
from edge.domain.gym.limits import Level, Prescription, Watch, beat, ceiling_of, judge
from edge.domain.gym.messages import ClaimAsset, GiveStopReason, LeaveAsset, SetPerson
from edge.domain.gym.rows import HeartAlarmRow
from edge.domain.gym.settings import LimitSettings
from edge.domain.machine_readings import HeartContact, StopMachine

S = 1_000_000_000
LIMITS = LimitSettings()


@pytest.fixture
def elder(gym):
    """Anna, ceiling 110, trains on e1."""
    gym.person("anna", "c1", birth_year=1951, ceiling_bpm=110, max_bpm=140)
    gym.card("k1", "c1")
    gym.cuff(130)
    gym.cuff(128)
    gym.stand("e1")
    gym.card("e1", "c1")
    gym.train("e1", 30, bpm=95)
    assert gym.shown["asset/e1"].heart.level == "ok"
    return gym


def test_what_staff_set_wins_over_every_table():
    person = Prescription(birth_year=1951, ceiling_bpm=100, max_bpm=120)
    assert ceiling_of(person, 2026, LIMITS) == msgspec.convert(
        ("personal", 100, 120), type(ceiling_of(None, 0, LIMITS))
    )
    table = ceiling_of(Prescription(birth_year=1951), 2026, LIMITS)
    assert (table.source, table.max_bpm, table.ceiling_bpm) == ("table", 145, 115)  # 220-75 < 208-52.5; 70+60%*75
    assert not ceiling_of(Prescription(birth_year=1951, beta_blocker=True, ceiling_bpm=100), 2026, LIMITS).applies
    assert not ceiling_of(None, 2026, LIMITS).applies


def test_a_warning_needs_ten_seconds_and_an_alarm_twenty(elder):
    elder.train("e1", 10, bpm=112)
    assert elder.shown["asset/e1"].heart.level == "ok"
    elder.train("e1", 2, bpm=112)
    assert elder.shown["asset/e1"].heart.level == "warn"
    assert "heart_high" in elder.causes()
    elder.train("e1", 21, bpm=118)
    assert elder.shown["asset/e1"].heart.level == "alarm"
    assert "heart_alarm" in elder.causes()
    row = next(row for row in elder.rows.all(HeartAlarmRow) if row.level == "alarm")
    assert (row.person, row.ceiling_bpm, row.source) == ("anna", 110, "personal")
    assert [bpm for _, bpm in msgspec.msgpack.decode(row.samples)][-20:] == [118] * 20


def test_above_the_maximum_five_seconds_are_enough(elder):
    elder.train("e1", 7, bpm=141)
    assert elder.shown["asset/e1"].heart.level == "alarm"


def test_it_clears_well_below_and_after_a_while(elder):
    elder.train("e1", 15, bpm=112)
    elder.train("e1", 60, bpm=108)
    assert elder.shown["asset/e1"].heart.level == "warn"
    elder.train("e1", 32, bpm=104)
    assert elder.shown["asset/e1"].heart.level == "ok"


def test_silence_is_stale_then_unknown_and_never_normal(elder):
    elder.train("e1", 6)
    assert (elder.shown["asset/e1"].heart.level, elder.shown["asset/e1"].heart.bpm) == ("stale", None)
    elder.train("e1", 12)
    assert elder.shown["asset/e1"].heart.level == "unknown"


def test_an_alarm_stands_when_the_strap_falls_off(elder):
    elder.train("e1", 30, bpm=125)
    elder.train("e1", 30)
    assert elder.shown["asset/e1"].heart.level == "unknown"
    assert "heart_alarm" in elder.causes()


def test_the_room_buzzes_until_somebody_has_seen_it(elder):
    def last():
        sent = [one.command for one in elder.sent if isinstance(one.command, Operate)]
        return sent[-1].on if sent else None

    assert last() is not True
    elder.train("e1", 30, bpm=125)
    assert last() is True
    alarm = next(one for one in elder.shown["gym-alarms"].alarms if one.cause == "heart_alarm")
    from edge.domain.alarm_commands import AckAlarm

    assert elder.command(AckAlarm(alarm_id=alarm.alarm_id)).code == "ok"
    assert last() is False


def test_nothing_is_written_to_a_machine_unless_the_site_allows_it(elder, kit):
    elder.train("e1", 60, bpm=135)
    assert not any(isinstance(one.command, StopMachine) for one in elder.sent)
    gym = kit.new(kit.config(assets=(kit.asset("e1", zone="elders", stop=True),)))
    gym.person("anna", "c1", ceiling_bpm=110)
    gym.card("k1", "c1")
    gym.cuff(130)
    gym.stand("e1")
    gym.card("e1", "c1")
    gym.train("e1", 60, bpm=135)
    assert [one.command.point for one in gym.sent if isinstance(one.command, StopMachine)] == ["e1"]


def test_no_contact_is_no_pulse_and_a_leap_no_heart(elder):
    elder.run(3, each=lambda: elder.beats("e1", 200, HeartContact.NOT_DETECTED))
    watch = elder.world.watches["e1"]
    assert watch.samples[-1][1] == 95
    elder.beats("e1", 95)
    elder.elapse(1)
    elder.beats("e1", 180)
    assert watch.samples[-1][1] == 95
    assert watch.rejected == 4


def test_a_leap_that_stays_is_believed_in_the_end():
    watch = Watch()
    for second in range(10):
        beat(watch, 80, contact=True, cadence=None, now_ns=second * S, settings=LIMITS)
    for second in range(10, 14):
        beat(watch, 140, contact=True, cadence=None, now_ns=second * S, settings=LIMITS)
    assert watch.samples[-1][1] == 140


def test_a_pulse_that_equals_the_cadence_is_doubtful():
    watch, limit = Watch(), ceiling_of(Prescription(ceiling_bpm=150, max_bpm=170), 2026, LIMITS)
    for second in range(20):
        beat(watch, 120, contact=True, cadence=121.0, now_ns=second * S, settings=LIMITS)
        level = judge(watch, limit, second * S, LIMITS, fresh=True)
    assert level is Level.DOUBTFUL


def test_the_next_person_starts_with_a_clean_slate(elder):
    elder.train("e1", 30, bpm=125)
    elder.command(LeaveAsset(asset="e1"))
    assert "heart_alarm" not in [one.cause for one in elder.shown["gym-alarms"].alarms if one.state == "unacknowledged"]
    elder.train("e1", 10, bpm=125)
    assert elder.shown["asset/e1"].heart.level in {"off", "unknown"}


def test_a_grave_reason_calls_a_coach(elder):
    elder.train("e1", 30, bpm=95)
    elder.command(LeaveAsset(asset="e1"))
    workout = next(row.workout_id for row in elder.workouts())
    reply = elder.command(GiveStopReason(workout_id=workout, reason="chest_pain"), role=Role.MEMBER, user="anna")
    assert reply.code == "ok"
    assert "felt_chest_pain" in elder.causes()


def test_the_recovery_is_noted_a_minute_after(elder):
    elder.train("e1", 30, bpm=105)
    elder.command(LeaveAsset(asset="e1"))
    elder.run(75, each=lambda: elder.beats("e1", 80))
    assert next(iter(elder.workouts())).recovery_bpm == 25


# --- the entry gate ---


def readings(*values, start=1_000_000 * S, apart_s=120):
    return [Vitals(start + number * apart_s * S, *value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "apart_s", "decision"),
    [
        ((), 0, "measure"),
        (((130, 80, 70),), 0, "admit"),
        (((190, 80, 70),), 0, "rest"),
        (((190, 80, 70), (150, 80, 70)), 60, "admit"),
        (((190, 80, 70), (185, 80, 70)), 60, "rest"),
        (((190, 80, 70), (185, 80, 70)), 400, "hold"),
        (((205, 80, 70),), 0, "refer"),
        (((150, 80, 70), (150, 80, 70), (205, 80, 70)), 60, "refer"),
        (((150, 112, 70), (150, 112, 70)), 400, "refer"),
        (((150, 112, 70),), 0, "rest"),
        (((150, 90, 101),), 0, "rest"),
        (((150, 90, None),), 0, "measure"),
    ],
)
def test_the_gate(values, apart_s, decision):
    found = readings(*values, apart_s=apart_s)
    now = found[-1].at_wall_ns + S if found else S
    assert decide(found, now, LIMITS).decision == decision


def test_old_readings_and_readings_from_the_future_do_not_count():
    found = readings((130, 80, 70))
    assert decide(found, found[0].at_wall_ns + 61 * 60 * S, LIMITS).decision == "measure"
    assert decide(found, found[0].at_wall_ns - S, LIMITS).decision == "measure"


def test_without_a_measurement_no_machine_of_the_elders(gym):
    gym.person("anna", "c1")
    gym.stand("e1")
    reply = gym.command(ClaimAsset(asset="e1", card="c1"))
    assert (reply.code, reply.body["problem"]) == ("not_now", "gate_measure")
    gym.card("e1", "c1")
    assert "gate_measure" in gym.causes()
    gym.cuff(130)  # the cuff first, the card after it
    gym.card("k1", "c1")
    assert gym.shown["kiosk/k1"].decision == "admit"
    assert gym.command(ClaimAsset(asset="e1", card="c1")).code == "ok"


def test_a_reading_is_never_the_next_persons(gym):
    gym.person("anna", "c1")
    gym.person("bo", "c2")
    gym.card("k1", "c1")
    gym.cuff(190)
    gym.card("k1", "c2")
    assert (gym.shown["kiosk/k1"].person, gym.shown["kiosk/k1"].decision) == ("bo", "measure")
    gym.run(601)
    gym.cuff(130)
    assert "bo" not in gym.world.vitals


def test_only_staff_set_a_ceiling(gym):
    reply = gym.command(SetPerson(person="anna", ceiling_bpm=200), role=Role.MEMBER, user="anna")
    assert reply.code == "forbidden"


# --- found in review ---


def told(gym):
    return [one.command.on for one in gym.sent if isinstance(one.command, Operate)]


def test_the_buzzer_is_told_again_before_its_hold_runs_out(elder):
    elder.train("e1", 30, bpm=125)
    before = len(told(elder))
    elder.train("e1", 120, bpm=125)
    again = told(elder)[before:]
    assert all(again)
    assert len(again) >= 5


def test_a_strap_that_nobody_wears_does_not_hide_the_grips(elder):
    elder.run(6, each=lambda: (elder.beats("e1", None), elder.walk("e1", heart_rate_bpm=97)))
    assert elder.shown["asset/e1"].heart.bpm == 97


def test_a_pulse_ages_also_where_there_are_no_limits(gym):
    gym.stand("t1")
    gym.train("t1", 20, bpm=110)
    gym.train("t1", 60)
    assert gym.shown["asset/t1"].heart.bpm is None
    assert gym.asset("t1").workout.totals.heart_ms < 30_000


def test_a_beat_that_was_held_back_is_no_pulse_of_now(elder):
    from edge.domain.devices import DeviceReading
    from edge.domain.machine_readings import HeartRateReading

    body = HeartRateReading(point="e1", heart_rate_bpm=170, contact=HeartContact.DETECTED, delay_ms=60_000)
    elder.run(8, each=lambda: (elder.give(DeviceReading("belt", 1, body)), elder.beats("e1", 95)))
    assert elder.shown["asset/e1"].heart.level == "ok"


def test_four_beats_a_second_still_carry_a_minute(elder):
    elder.run(70, each=lambda: (elder.walk("e1"), [elder.beats("e1", 100) for _ in range(4)]))
    samples = elder.world.watches["e1"].samples
    assert samples[-1][0] - samples[0][0] >= 60 * S
    elder.run(300, each=lambda: [elder.beats("e1", 100) for _ in range(4)])
    assert len(elder.world.watches["e1"].samples) <= 600


def test_odd_beats_between_two_real_ones_are_left_out():
    watch = Watch()
    for at, bpm in enumerate((80, 80, 200, 40, 150, 150, 150, 150)):
        beat(watch, bpm, contact=True, cadence=None, now_ns=at * S, settings=LIMITS)
    assert (watch.samples[2][1], len(watch.odd)) != (200, 4)
    assert watch.samples[-1][1] == 150


def test_an_old_cadence_locks_no_pulse(elder):
    elder.walk("e1", cadence_rpm=100.0)
    elder.train("e1", 40, bpm=100)
    assert elder.shown["asset/e1"].heart.level == "ok"


def test_a_table_never_cuts_below_what_staff_set():
    found = ceiling_of(Prescription(birth_year=1926, ceiling_bpm=130), 2026, LIMITS)
    assert found.ceiling_bpm == 130
    assert found.max_bpm >= 130


def test_a_doubtful_pulse_stops_no_machine(kit):
    gym = kit.new(kit.config(assets=(kit.asset("e1", zone="elders", stop=True),)))
    gym.person("anna", "c1", ceiling_bpm=110)
    gym.card("k1", "c1")
    gym.cuff(130)
    gym.stand("e1")
    gym.card("e1", "c1")
    gym.train("e1", 20, bpm=100)
    gym.train("e1", 20, bpm=105, cadence_rpm=105.0)
    gym.train("e1", 40, bpm=125, cadence_rpm=125.0)
    assert gym.shown["asset/e1"].heart.level == "doubtful"
    assert not any(isinstance(one.command, StopMachine) for one in gym.sent)
