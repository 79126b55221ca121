"""Strength machines speak when something is done: a set's time is the whole set, however slow it was pulled."""

from __future__ import annotations

import pytest

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import LAST_WILL, PointHealth
from edge.domain.gym.settings import AssetKind
from edge.domain.machine_readings import MachineReading, MachineState, RepReading, StrengthSetReading


@pytest.fixture
def knee(kit):
    """A gym with one strength machine."""
    return kit.new(kit.config(assets=(kit.asset("k1", AssetKind.STRENGTH),)))


def say(gym, body):
    gym.give(DeviceReading("row", 1, body))


def told(gym, number, reps, seconds, state, *, finished=False, minutes=True):
    body = StrengthSetReading(
        point="k1", set_number=number, rep_count=reps, duration_s=float(seconds) if minutes else None,
        state=MachineState(state), finished=finished,
    )  # fmt: skip
    say(gym, body)
    say(gym, MachineReading(point="k1", state=MachineState(state)))


def pull(gym, number, *, reps, rep_s, last=False, minutes=True):
    """A set as the profile has it: a word at its start, one at each repetition's end, one at its end."""
    told(gym, number, 0, 0, "in_use", minutes=minutes)
    for rep in range(1, reps + 1):
        gym.run(rep_s)
        say(gym, RepReading(point="k1", set_number=number, rep=rep, peak_torque_nm=60.0))
    told(gym, number, reps, reps * rep_s, "finished" if last else "paused", finished=True, minutes=minutes)


@pytest.mark.parametrize("rep_s", [2, 4, 7, 12])
@pytest.mark.parametrize("rest_s", [3, 20, 60])
@pytest.mark.parametrize("minutes", [True, False])
def test_active_time_is_the_sets_without_the_rests(knee, rep_s, rest_s, minutes):
    pull(knee, 1, reps=8, rep_s=rep_s, minutes=minutes)
    knee.run(rest_s)
    pull(knee, 2, reps=6, rep_s=rep_s, last=True, minutes=minutes)
    row = next(iter(knee.workouts()))
    assert (row.state, row.reason, row.reps, row.sets) == ("ended", "finished", 14, 2)
    assert row.active_ms == 14 * rep_s * 1000
    assert (row.ended_ns - row.began_ns) // 10**9 == 14 * rep_s + rest_s


def test_repetitions_that_were_lost_on_the_way_are_still_time_of_the_set(knee):
    told(knee, 1, 0, 0, "in_use")
    for rep, waited_s in ((4, 20), (5, 5), (12, 35)):
        knee.run(waited_s)
        say(knee, RepReading(point="k1", set_number=1, rep=rep))
    told(knee, 1, 12, 60, "finished", finished=True)
    row = next(iter(knee.workouts()))
    assert (row.reps, row.active_ms) == (12, 60_000)


def test_a_set_is_never_longer_than_the_time_since_the_one_before(knee):
    pull(knee, 1, reps=5, rep_s=4)
    knee.run(20)
    told(knee, 2, 0, 0, "in_use")
    knee.run(10)
    say(knee, RepReading(point="k1", set_number=2, rep=1))
    told(knee, 2, 1, 3600, "finished", finished=True)
    row = next(iter(knee.workouts()))
    assert row.active_ms <= 20_000 + 30_000
    assert row.active_ms <= (row.ended_ns - row.began_ns) // 10**6


def test_a_slow_pull_is_neither_pause_nor_loss(knee):
    told(knee, 1, 0, 0, "in_use")
    for rep in range(1, 4):
        knee.run(10)
        say(knee, RepReading(point="k1", set_number=1, rep=rep))
    knee.run(10)
    assert knee.asset("k1").phase == "active"
    assert knee.asset("k1").workout.breaks == []
    knee.run(10)
    assert knee.asset("k1").phase == "paused"


def test_one_that_said_that_it_has_gone_is_lost(knee):
    told(knee, 1, 0, 0, "in_use")
    knee.run(3)
    say(knee, RepReading(point="k1", set_number=1, rep=1))
    say(knee, PointHealth(point="k1", online=False, detail=LAST_WILL))
    knee.run(16)
    assert knee.asset("k1").phase == "lost"


def test_a_restart_within_a_set_keeps_what_the_sets_before_counted(knee):
    pull(knee, 1, reps=8, rep_s=4)
    knee.run(40)
    told(knee, 2, 0, 0, "in_use")
    knee.run(4)
    say(knee, RepReading(point="k1", set_number=2, rep=1))
    knee.run(70)  # a minute: it is written down
    knee.restart(down_s=2)
    say(knee, RepReading(point="k1", set_number=2, rep=2))
    knee.run(4)
    told(knee, 2, 3, 80, "finished", finished=True)
    row = next(iter(knee.workouts()))
    assert (row.reps, row.sets) == (11, 2)
    assert 32_000 + 60_000 <= row.active_ms <= 32_000 + 80_000
