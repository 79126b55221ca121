"""When a workout begins, pauses, is lost and ends, and what is added up (gym-domain.md 3)."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.gym.messages import ClaimAsset, ClaimWorkout, LeaveAsset
from edge.domain.gym.settings import QuirkSettings
from edge.domain.machine_readings import MachineState


def only(gym):
    rows = gym.workouts()
    assert len(rows) == 1
    return rows[0]


def test_motion_alone_makes_a_workout(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    assert gym.asset("t1").phase == "active"
    gym.run(100, each=lambda: gym.stand("t1"))
    row = only(gym)
    assert (row.state, row.reason, row.person) == ("ended", "idle", "")
    assert row.active_ms == pytest.approx(59_000, abs=1_100)
    assert row.distance_m == pytest.approx(100, abs=2)
    assert row.ended_ns - row.began_ns == pytest.approx(59e9, abs=1.1e9)


def test_a_speed_alone_is_no_motion(gym):
    gym.run(30, each=lambda: gym.says("t1", speed_km_h=6.0, distance_m=0.0))
    assert gym.workouts() == []


def test_a_machine_that_lies_about_its_speed_gets_one_of_its_metres(kit):
    quirks = QuirkSettings(speed_from_distance=True)
    gym = kit.new(kit.config(assets=(kit.asset("t1", quirks=quirks),)))
    gym.stand("t1")

    def each():
        gym.metres["t1"] = gym.metres.get("t1", 0.0) + 2.0
        gym.says("t1", distance_m=gym.metres["t1"], speed_km_h=0.0)

    gym.run(20, each=each)
    assert gym.asset("t1").latest.speed_km_h == pytest.approx(7.2, abs=0.1)


def test_stored_state_never_begins_a_workout(gym):
    gym.run(20, each=lambda: gym.walk("t1", retained=True))
    assert gym.workouts() == []


def test_a_pause_freezes_the_totals_whatever_drifts(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    before = gym.asset("t1").workout.totals.distance_m
    gym.run(8, each=lambda: gym.stand("t1"))
    assert gym.asset("t1").phase == "paused"
    gym.metres["t1"] += 1.0  # one click of a flywheel that runs down
    gym.run(20, each=lambda: gym.stand("t1"))
    assert gym.asset("t1").phase == "paused"
    gym.train("t1", 30)
    assert gym.asset("t1").phase == "active"
    gym.run(100, each=lambda: gym.stand("t1"))
    row = only(gym)
    assert row.active_ms == pytest.approx(88_000, abs=2_500)
    assert row.distance_m == pytest.approx(before + 50, abs=3)
    kinds = [kind for kind, _, _ in msgspec.msgpack.decode(row.breaks)]
    assert kinds == ["pause"]  # the stillness at its end is no part of it


def test_a_loss_is_no_pause_and_the_counters_fill_it(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.run(40)
    assert gym.asset("t1").phase == "lost"
    gym.walk("t1", seconds=40)
    assert gym.asset("t1").phase == "active"
    gym.train("t1", 20)
    gym.command(LeaveAsset(asset="t1"))
    row = only(gym)
    assert row.filled_ms == pytest.approx(40_000, abs=1_100)
    assert row.active_ms == pytest.approx(119_000, abs=2_000)
    assert row.distance_m == pytest.approx(200, abs=3)
    assert [kind for kind, _, _ in msgspec.msgpack.decode(row.breaks)] == ["lost"]


def test_what_was_filled_is_before_the_end_also_when_nobody_moves_any_more(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.run(40)
    gym.walk("t1", seconds=40)
    gym.run(120, each=lambda: gym.stand("t1"))
    row = only(gym)
    assert (row.state, row.reason) == ("ended", "idle")
    assert row.filled_ms == pytest.approx(40_000, abs=1_100)
    assert row.ended_ns - row.began_ns >= row.active_ms * 1_000_000


def test_a_machine_that_began_anew_while_it_was_lost_ends_the_workout(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.run(40)
    gym.metres["t1"] = gym.elapsed["t1"] = 0.0
    gym.train("t1", 60)
    rows = sorted(gym.workouts(), key=lambda row: row.began_ns)
    assert [row.reason for row in rows] == ["restarted", ""]
    assert rows[0].distance_m == pytest.approx(100, abs=2)


def test_a_long_silence_ends_it_where_it_fell_silent(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.run(200)
    row = only(gym)
    assert (row.state, row.reason) == ("ended", "signal_lost")
    assert row.ended_ns - row.began_ns == pytest.approx(59e9, abs=1.1e9)


def test_a_leap_is_not_believed(gym):
    gym.stand("t1")
    gym.train("t1", 30)
    gym.metres["t1"] += 65_000
    gym.train("t1", 30)
    assert gym.asset("t1").workout.totals.distance_m < 110
    assert gym.asset("t1").workout.leaps == 1


def test_a_short_one_is_forgotten(gym):
    gym.stand("t1")
    gym.train("t1", 10)
    gym.command(LeaveAsset(asset="t1"))
    assert only(gym).state == "dropped"
    assert gym.world.today.workouts == 0


def test_the_machines_own_end_ends_it(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.walk("t1", seconds=0.001, state=MachineState.FINISHED)
    assert only(gym).reason == "finished"


@pytest.mark.parametrize("down_s", [5, 60])
def test_a_power_cut_does_not_split_a_workout(gym, down_s):
    gym.stand("t1")
    gym.train("t1", 130)
    gym.restart(down_s=down_s)
    assert gym.asset("t1").phase == "lost"
    gym.walk("t1", seconds=down_s)
    gym.train("t1", 30)
    gym.command(LeaveAsset(asset="t1"))
    row = only(gym)
    assert row.state == "ended"
    assert row.distance_m == pytest.approx((160 + down_s) / 0.6, rel=0.03)
    assert row.active_ms == pytest.approx((159 + down_s) * 1000, abs=3_000)


# --- whose it is ---


@pytest.mark.parametrize("stepped_s", [-3600, 100, 3600])
def test_a_clock_that_was_set_makes_no_minutes_over_a_start_of_the_daemon(gym, stepped_s):
    """The box itself went on, and so did its monotonic clock. The machine tells metres and no time of its own."""
    walked = iter(range(2, 1000, 2))
    gym.says("t1", distance_m=0.0)
    gym.run(61, each=lambda: gym.says("t1", distance_m=float(next(walked))))
    gym.wall_ns += stepped_s * 10**9
    gym.boot -= 1  # ``restart`` tells of another boot
    at_ns = gym.mono_ns
    gym.restart(at_ns=at_ns + 2 * 10**9)
    gym.run(3, each=lambda: gym.says("t1", distance_m=float(next(walked))))
    workout = gym.asset("t1").workout
    assert workout.totals.active_ms == pytest.approx(65_000, abs=2_000)
    assert workout.totals.distance_m == pytest.approx(126, abs=4)


def test_a_card_before_makes_it_somebodys(gym):
    gym.person("anna", "c1")
    gym.stand("t1")
    gym.card("t1", "c1")
    assert gym.asset("t1").phase == "armed"
    gym.train("t1", 60)
    gym.card("t1", "c1")
    row = only(gym)
    assert (row.person, row.identity, row.reason) == ("anna", "card", "left")


def test_a_claim_that_is_not_used_lapses(gym):
    gym.person("anna", "c1")
    gym.card("t1", "c1")
    gym.run(61)
    assert gym.asset("t1").phase == "idle"


def test_nobody_takes_a_machine_in_motion(gym):
    gym.person("anna", "c1")
    gym.person("bo", "c2")
    gym.stand("t1")
    gym.card("t1", "c1")
    gym.train("t1", 60)
    assert gym.command(ClaimAsset(asset="t1", card="c2")).code == "asset_busy"
    gym.run(10, each=lambda: gym.stand("t1"))
    assert gym.command(ClaimAsset(asset="t1", card="c2")).code == "ok"
    assert only(gym).reason == "claimed"
    assert gym.asset("t1").armed_for == "bo"


def test_one_person_one_machine(gym):
    gym.person("anna", "c1")
    gym.stand("t1")
    gym.stand("t2")
    gym.card("t1", "c1")
    gym.train("t1", 60)
    assert gym.command(ClaimAsset(asset="t2", card="c1")).body["problem"] == "busy_elsewhere"
    gym.run(8, each=lambda: (gym.stand("t1"), gym.stand("t2")))
    assert gym.command(ClaimAsset(asset="t2", card="c1")).code == "ok"
    assert only(gym).reason == "left"


def test_an_anonymous_workout_is_claimed_late_but_not_twice(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.command(LeaveAsset(asset="t1"))
    workout = only(gym).workout_id
    assert gym.command(ClaimWorkout(workout_id=workout, person="anna")).code == "ok"
    assert (only(gym).person, only(gym).identity) == ("anna", "late")
    assert gym.command(ClaimWorkout(workout_id=workout, person="bo")).code == "workout_taken"


def test_a_late_claim_has_an_end(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.command(LeaveAsset(asset="t1"))
    gym.elapse(1801)
    assert gym.command(ClaimWorkout(workout_id=only(gym).workout_id, person="anna")).code == "unknown_workout"


def test_what_was_done_unheard_is_told_before_the_end_is(gym):
    """A console says in one word that it is over and in later ones how far it was."""
    gym.stand("t1")
    gym.train("t1", 60, km_h=7.2)
    gym.run(40)
    assert gym.asset("t1").phase == "lost"
    gym.says("t1", state=MachineState.FINISHED)
    gym.run(1)
    gym.says("t1", state=MachineState.FINISHED, elapsed_s=gym.elapsed["t1"] + 30)
    gym.run(1)
    gym.says("t1", state=MachineState.FINISHED, distance_m=round(gym.metres["t1"] + 60, 2))
    gym.run(10, each=lambda: gym.says("t1", state=MachineState.FINISHED))
    (row,) = gym.workouts()
    assert (row.state, row.reason) == ("ended", "finished")
    assert row.distance_m == pytest.approx(60 * 2 + 60, abs=4)
    assert row.active_ms == pytest.approx(90_000, abs=3_000)
    assert row.filled_ms == pytest.approx(30_000, abs=1_000)
