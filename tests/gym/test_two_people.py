"""Two people and one machine, one cuff, one queue: nothing of the one becomes the other's."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.devices import DeviceReading
from edge.domain.gym.messages import (
    ClaimAsset,
    ClaimWorkout,
    DayOpened,
    ForgetPerson,
    GiveStopReason,
    JoinQueue,
    LeaveAsset,
    RecordVitals,
    SetPerson,
)
from edge.domain.gym.rows import VitalsRow
from edge.domain.gym.settings import AssetKind
from edge.domain.machine_readings import WeightReading


@pytest.fixture
def two(gym):
    gym.person("anna", "c1")
    gym.person("bo", "c2")
    return gym


def test_a_card_that_is_read_again_and_again_is_one_tap(two):
    two.stand("t1")
    two.train("t1", 60)
    for _ in range(4):
        two.card("t1", "c1")
        two.elapse(0.4)
    assert two.asset("t1").workout.person == "anna"
    two.run(10, each=lambda: two.walk("t1"))
    two.card("t1", "c1")
    assert two.asset("t1").workout is None


def test_a_claim_that_is_fresh_is_nobody_elses(two):
    two.stand("t1")
    two.card("t1", "c1")
    assert two.command(ClaimAsset(asset="t1", card="c2")).code == "asset_busy"
    assert two.asset("t1").armed_for == "anna"
    two.elapse(5)
    assert two.command(ClaimAsset(asset="t1", card="c1")).body["done"] is True
    assert two.asset("t1").phase == "idle"


def test_who_trains_here_does_not_train_there_too(two):
    """A stranger's workout under way is not taken by page either: it would be a second one of the same person."""
    two.stand("t2")
    two.card("t1", "c1")
    two.run(40, each=lambda: (two.walk("t1"), two.walk("t2")))
    workout = two.asset("t2").workout.workout_id
    reply = two.command(ClaimWorkout(workout_id=workout, person="anna"), role=Role.MEMBER, user="anna")
    assert reply.body["problem"] == "busy_elsewhere"
    two.run(20, each=lambda: (two.stand("t1"), two.walk("t2")))
    reply = two.command(ClaimWorkout(workout_id=workout, person="anna"), role=Role.MEMBER, user="anna")
    assert reply.code == "ok"
    assert two.asset("t1").workout is None, "she has left it"


def test_a_machine_that_is_out_of_hearing_is_nobody_elses(two):
    two.stand("t1")
    two.card("t1", "c1")
    two.train("t1", 60)
    two.run(20)
    assert two.asset("t1").phase == "lost"
    assert two.command(ClaimAsset(asset="t1", card="c2")).code == "asset_busy"
    two.walk("t1", seconds=20)
    assert two.asset("t1").workout.person == "anna"


def test_chest_pain_is_heard_while_the_machine_still_counts_down(two):
    two.stand("t1")
    two.card("t1", "c1")
    two.train("t1", 60)
    workout = two.asset("t1").workout.workout_id
    reply = two.command(GiveStopReason(workout_id=workout, reason="chest_pain"), role=Role.PANEL, user="kiosk")
    assert reply.code == "ok"
    assert "felt_chest_pain" in two.causes()
    row = two.workouts()[0]
    assert (row.state, row.stop_reason) == ("ended", "chest_pain")


def test_a_weight_taken_by_hand_does_not_undo_the_measurement(two):
    two.command(RecordVitals(person="anna", systolic_mmhg=130, diastolic_mmhg=80, pulse_bpm=70))
    two.elapse(30)
    reply = two.command(RecordVitals(person="anna", weight_kg=61.5))
    assert reply.body["decision"] == "admit"


def test_a_pressure_without_its_lower_value_admits_nobody(two):
    assert two.command(RecordVitals(person="anna", systolic_mmhg=130, pulse_bpm=70)).body["decision"] == "measure"


def test_a_strangers_weight_is_not_kept_for_the_next(two):
    two.card("k1", "c1")
    two.cuff(130)
    two.run(700)
    two.give(DeviceReading("scale", 1, WeightReading(point="k1", weight_kg=99.0)))
    two.card("k1", "c1")
    two.cuff(130)
    assert [row.weight_kg for row in two.rows.all(VitalsRow)] == [None, None]


def test_a_stranger_who_measures_long_after_anna_is_not_anna(two):
    two.card("k1", "c1")
    two.cuff(130)
    two.run(400)
    two.cuff(195)
    assert [row.systolic_mmhg for row in two.rows.all(VitalsRow) if row.person == "anna"] == [130]


def test_measurements_of_yesterday_are_forgotten(two):
    two.command(RecordVitals(person="anna", systolic_mmhg=130, diastolic_mmhg=80, pulse_bpm=70))
    two.elapse(86_400)
    two.give(DayOpened("2026-11-23"))
    assert two.world.vitals == {}


def test_a_word_of_endless_length_is_refused(two):
    assert two.command(SetPerson(person="x" * 10_000)).code == "bad_value"
    assert two.command(ClaimAsset(asset="t1", person="x" * 10_000)).code == "bad_value"


# --- the queue ---


@pytest.fixture
def line(two):
    """All four treadmills in use; anna waits, then bo."""
    for name in ("t1", "t2", "t3", "t4"):
        two.stand(name)
    two.run(20, each=lambda: [two.walk(name) for name in ("t1", "t2", "t3", "t4")])
    for person in ("anna", "bo"):
        two.command(JoinQueue(zone="hall", kind=AssetKind.TREADMILL, person=person), role=Role.MEMBER, user=person)
    return two


def test_each_kind_has_a_line_of_its_own(line):
    line.stand("b1")
    line.train("b1", 5)
    reply = line.command(JoinQueue(zone="hall", kind=AssetKind.BIKE, person="cai"))
    assert reply.body["place"] == 1
    line.run(1)
    assert {one.person: one.place for one in line.shown["gym"].queue} == {"anna": 1, "bo": 2, "cai": 1}


def test_who_is_called_and_finds_the_machine_taken_keeps_the_place(line):
    line.command(LeaveAsset(asset="t2"))  # and somebody else steps on without a card
    line.run(130, each=lambda: [line.walk(name) for name in ("t1", "t2", "t3", "t4")])
    assert [one.person for one in line.shown["gym"].queue] == ["anna", "bo"]


def test_who_came_and_stands_ready_is_no_no_show(line):
    line.command(LeaveAsset(asset="t2"))
    line.run(100, each=lambda: [line.walk(name) for name in ("t1", "t3", "t4")])
    assert line.command(ClaimAsset(asset="t2", card="c1")).code == "ok"
    line.run(40, each=lambda: [line.walk(name) for name in ("t1", "t3", "t4")])
    states = {row.person: row.state for rows in line.rows.tables.values() for row in rows.values()
              if type(row).__name__ == "QueueRow"}  # fmt: skip
    assert states["anna"] == "served"


def test_nobody_waits_over_night(line):
    line.elapse(3600)
    line.give(DayOpened("2026-11-23"))
    assert line.world.queue == []
    line.restart()
    assert line.world.queue == []


def test_a_long_use_is_told_while_others_wait(line):
    names = ("t1", "t2", "t3", "t4")
    line.run(1830, each=lambda: [line.walk(name) for name in names])
    assert "queue_cap" in line.causes()
    line.command(LeaveAsset(asset="t1"))
    assert line.world.alarms.alarms["cap:t2"].active
    assert "cap:t1" not in line.world.alarms.alarms or not line.world.alarms.alarms["cap:t1"].active


def test_a_long_use_is_nobodys_business_when_nobody_waits(two):
    two.stand("t1")
    two.train("t1", 1900)
    assert "queue_cap" not in two.causes()


def test_a_forgotten_person_waits_for_nothing(line):
    from edge.domain.gym.messages import ForgetPerson

    assert line.command(ForgetPerson(person="anna"), role=Role.MANAGER).code == "ok"
    assert [place.row.person for place in line.world.queue] == ["bo"]


def test_a_forgotten_person_is_measured_no_more(two):
    two.card("k1", "c1")
    assert two.command(ForgetPerson(person="anna"), role=Role.MANAGER).code == "ok"
    two.cuff(150)
    assert two.world.vitals == {}
    assert list(two.rows.all(VitalsRow)) == []


def test_a_start_keeps_the_newest_workouts_for_a_late_claim(two):
    from edge.domain.gym import world as limits

    two.stand("t1")
    two.train("t1", 40)
    two.command(LeaveAsset(asset="t1"))
    first = two.workouts()[0]
    for number in range(limits.MAX_ENDED + 20):
        two.rows.put(msgspec.structs.replace(first, workout_id=f"zz-{number:04}", ended_ns=first.ended_ns - 1 - number))
    two.restart()
    assert len(two.world.ended) == limits.MAX_ENDED
    assert first.workout_id in two.world.ended


def test_busy_time_is_of_the_hour_in_which_it_passed(gym):
    """Half an hour before and a quarter after the full hour, with nothing written in between."""
    gym.stand("t1")
    gym.train("t1", 10)
    past_s = (gym.wall_ns // 1_000_000_000 + 8 * 3600) % 3600
    gym.elapse(3600 - past_s - 1800)
    gym.world.assets["t1"].busy_ns = gym.mono_ns
    gym.elapse(1800 + 900)
    gym.give(DayOpened("2026-11-23"))
    busy = {row.hour: row.busy_ms for rows in gym.rows.tables.values() for row in rows.values()
            if type(row).__name__ == "UseRow"}  # fmt: skip
    first = (gym.wall_ns // 1_000_000_000 + 8 * 3600) // 3600 % 24
    assert busy[first] == pytest.approx(900_000, abs=1000)
    assert busy[(first - 1) % 24] == pytest.approx(1_800_000, abs=11_000)
