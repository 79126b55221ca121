"""Machines that say one thing at a time (CSAFE), late, twice or in the wrong order."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.gym.counters import Counter, Moved, advance
from edge.domain.gym.messages import LeaveAsset
from edge.domain.gym.settings import AssetKind
from edge.domain.machine_readings import MachineState

S = 1_000_000_000


def only(gym):
    rows = gym.workouts()
    assert len(rows) == 1
    return rows[0]


class Csafe:
    """A console that is asked for one quantity after the other, and tells its state with each."""

    def __init__(self, gym, name="t1"):
        self.gym, self.name = gym, name
        self.metres = self.kcal = self.seconds = 0.0

    def round(self, m_per_s=2.0):
        self.metres += m_per_s
        self.seconds += 1.0
        self.kcal += 0.1
        facts = ({"distance_m": float(int(self.metres))}, {"energy_kcal": float(int(self.kcal))},
                 {"elapsed_s": self.seconds}, {"speed_km_h": 7.2}, {})  # fmt: skip
        for fact in facts:
            self.gym.says(self.name, state=MachineState.IN_USE, **fact)


def test_energy_that_comes_in_a_word_of_its_own_counts(gym):
    csafe = Csafe(gym)
    gym.run(121, each=csafe.round)
    gym.command(LeaveAsset(asset="t1"))
    assert only(gym).energy_kcal == pytest.approx(12, abs=1)
    assert only(gym).distance_m == pytest.approx(240, abs=4)


def test_what_was_lost_is_filled_also_when_the_first_word_is_a_bare_state(gym):
    csafe = Csafe(gym)
    gym.run(60, each=csafe.round)
    gym.run(40)
    assert gym.asset("t1").phase == "lost"
    csafe.metres += 80
    csafe.seconds += 40
    gym.says("t1", state=MachineState.IN_USE)
    gym.run(20, each=csafe.round)
    gym.command(LeaveAsset(asset="t1"))
    assert only(gym).active_ms == pytest.approx(119_000, abs=2_500)
    assert only(gym).distance_m == pytest.approx(238, abs=5)


def half_heard(gym, seconds, walked=1.0, name="t1"):
    """Half of its answers go under: calories and state come, metres and clock do not. ``walked``: seconds a second."""

    def each():
        gym.metres[name] += 6.0 / 3.6 * walked
        gym.elapsed[name] += walked
        gym.says(name, state=MachineState.IN_USE, energy_kcal=1.0)

    gym.run(seconds, each=each)


@pytest.mark.parametrize("silent_s", [0, 20])
@pytest.mark.parametrize("half_s", [4, 8, 30])
def test_what_words_without_progress_hid_is_filled_from_the_last_one_that_told(gym, half_s, silent_s):
    gym.train("t1", 60)
    half_heard(gym, half_s)
    gym.run(silent_s)
    gym.metres["t1"] += 6.0 / 3.6 * silent_s
    gym.elapsed["t1"] += silent_s
    gym.train("t1", 20)
    gym.command(LeaveAsset(asset="t1"))
    done_s = 60 + half_s + silent_s + 20
    assert only(gym).active_ms == pytest.approx(done_s * 1000, abs=2_000)
    assert only(gym).distance_m == pytest.approx(done_s * 6.0 / 3.6, abs=4)
    breaks = msgspec.msgpack.decode(only(gym).breaks)
    assert [kind for kind, _, _ in breaks] == (["lost"] if silent_s else []), breaks


@pytest.mark.parametrize("silent_s", [0, 20])
def test_a_rest_that_words_without_progress_hid_is_not_filled(gym, silent_s):
    gym.train("t1", 60)
    half_heard(gym, 30, walked=0.0)
    gym.run(silent_s)
    gym.train("t1", 20)
    gym.command(LeaveAsset(asset="t1"))
    assert only(gym).active_ms == pytest.approx(80_000, abs=2_500)


def test_a_rest_that_was_told_stays_one_whatever_is_hidden_after_it(gym):
    gym.train("t1", 60)
    gym.run(12, each=lambda: gym.walk("t1", seconds=0.0))
    half_heard(gym, 8)
    gym.run(20)
    gym.metres["t1"] += 6.0 / 3.6 * 20
    gym.elapsed["t1"] += 20
    gym.train("t1", 20)
    gym.command(LeaveAsset(asset="t1"))
    assert only(gym).active_ms == pytest.approx(108_000, abs=2_500)
    assert [kind for kind, _, _ in msgspec.msgpack.decode(only(gym).breaks)] == ["pause", "lost"]


def test_a_clock_that_is_first_heard_after_a_loss_takes_no_time_away(gym):
    def each():
        gym.metres["t1"] = gym.metres.get("t1", 0.0) + 6.0 / 3.6
        gym.says("t1", distance_m=round(gym.metres["t1"], 2))

    gym.run(60, each=each)
    gym.run(30)
    gym.metres["t1"] += 6.0 / 3.6 * 29
    gym.elapsed["t1"] = 89.0
    gym.train("t1", 20)
    gym.command(LeaveAsset(asset="t1"))
    assert only(gym).active_ms == pytest.approx(110_000, abs=2_000)
    assert only(gym).filled_ms == pytest.approx(30_000, abs=2_000)


def test_a_gap_that_no_counter_vouches_for_is_not_filled(gym):
    gym.run(30, each=lambda: gym.says("b1", power_w=90.0))
    gym.run(60)
    assert gym.asset("b1").phase == "lost"
    gym.run(30, each=lambda: gym.says("b1", power_w=90.0))
    gym.command(LeaveAsset(asset="b1"))
    assert only(gym).filled_ms == 0
    assert only(gym).active_ms == pytest.approx(58_000, abs=3_000)


def test_what_is_counted_in_the_word_that_ends_it_counts(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.run(3)
    gym.walk("t1", seconds=3.0, state=MachineState.FINISHED)
    assert only(gym).reason == "finished"
    assert only(gym).distance_m == pytest.approx(105, abs=2.5)
    assert only(gym).active_ms == pytest.approx(62_000, abs=1_500)


def test_a_state_that_stays_finished_ends_one_workout_not_the_next(gym):
    gym.stand("t1")
    gym.train("t1", 60)
    gym.train("t1", 60, state=MachineState.FINISHED)
    assert len(gym.workouts()) <= 2


def test_a_word_that_comes_late_adds_nothing_and_is_no_reset():
    counter = Counter()
    told = [advance(counter, value, at * S, rate_per_s=3.0) for at, value in enumerate((28.0, 30.0, 29.0, 32.0))]
    assert [moved for moved, _ in told] == [Moved.FIRST, Moved.ON, Moved.BACK, Moved.ON]
    assert sum(added for _, added in told) == pytest.approx(4.0)


def test_a_counter_that_stays_back_has_begun_anew():
    counter, said = Counter(), (8.0, 10.0, 6.0, 7.0, 8.0, 9.0, 10.0)
    told = [advance(counter, value, at * S, rate_per_s=3.0) for at, value in enumerate(said)]
    assert [moved for moved, _ in told[2:5]] == [Moved.BACK] * 3
    assert told[-2][0] is Moved.RESET
    assert told[-1] == (Moved.ON, 1.0)


@pytest.mark.parametrize("again", [2, 5, 10])
def test_words_that_a_broker_says_again_walk_nobody_twice(gym, again):
    """It was away before they were acknowledged: they come once more, in order, all at once. No word has a time."""
    gym.stand("t1")
    for _ in range(6):
        gym.train("t1", 20)
        for behind in reversed(range(again)):
            gym.says("t1", distance_m=gym.metres["t1"] - behind * 6.0 / 3.6, elapsed_s=gym.elapsed["t1"] - behind)
    assert gym.asset("t1").workout.totals.distance_m == pytest.approx(120 * 6.0 / 3.6, abs=4)


def test_two_words_in_the_wrong_order_after_a_loss_do_not_end_it(gym):
    gym.stand("t1")
    gym.train("t1", 30)
    gym.run(20)
    gym.metres["t1"] -= 1.0
    gym.says("t1", distance_m=gym.metres["t1"])
    gym.metres["t1"] += 35.0
    gym.train("t1", 10)
    assert [row.state for row in gym.workouts()] == ["open"]


def test_a_gateway_that_says_again_what_was_heard_before_the_loss_walks_nobody_twice(gym):
    """Its broker was killed before it acknowledged: all that was under way comes once more, from the beginning."""
    begun_ns = 1_000 * gym.mono_ns  # its clock is wrong, and goes
    gym.stand("t1")
    gym.run(60, each=lambda: gym.walk("t1", source_wall_ns=begun_ns + round((gym.elapsed.get("t1", 0) + 1) * 1e9)))
    heard = [(round(second * 6.0 / 3.6, 2), float(second)) for second in range(1, 61)]
    gym.run(20)
    for metres, second in heard:
        gym.says(
            "t1", distance_m=metres, elapsed_s=second, speed_km_h=6.0, source_wall_ns=begun_ns + round(second * 1e9)
        )
    gym.train("t1", 30)
    (workout,) = [row for row in gym.workouts() if row.state == "open"]
    assert gym.asset("t1").workout.totals.distance_m == pytest.approx(90 * 6.0 / 3.6, abs=4)
    assert gym.asset("t1").workout.leaps == 0
    assert workout.state == "open"


def test_a_console_that_began_anew_unheard_and_is_told_of_late_counts_on(gym):
    """What the gateway kept goes forward in time: the step back in it is the console's."""
    gym.stand("t1")
    gym.run(60, each=lambda: gym.walk("t1", source_wall_ns=gym.wall_ns))
    gym.run(40)
    for second in range(1, 31):
        gym.says("t1", distance_m=second * 2.0, elapsed_s=float(second), speed_km_h=6.0,
                 source_wall_ns=gym.wall_ns - (31 - second) * 1_000_000_000)  # fmt: skip
    gym.metres["t1"], gym.elapsed["t1"] = 60.0, 30.0
    gym.run(120, each=lambda: gym.walk("t1", source_wall_ns=gym.wall_ns))
    assert gym.asset("t1").counters["distance_m"].last == pytest.approx(60 + 120 * 6.0 / 3.6, abs=0.1)
    assert gym.asset("t1").workout.totals.distance_m == pytest.approx(120 * 6.0 / 3.6, abs=65)


def test_a_gateway_that_holds_every_word_back_for_ten_seconds_loses_nobody(gym):
    gym.stand("t1", delay_ms=10_000)
    gym.train("t1", 120, delay_ms=10_000)
    assert gym.asset("t1").phase == "active"
    assert gym.asset("t1").workout.breaks == []
    assert gym.asset("t1").workout.totals.active_ms == pytest.approx(119_000, abs=2_000)


@pytest.mark.parametrize("delay_ms", [-5_000, -(10**12)])
def test_a_word_from_the_future_is_of_now(gym, delay_ms):
    gym.stand("t1")
    gym.train("t1", 30, delay_ms=delay_ms)
    assert gym.asset("t1").heard_ns == gym.mono_ns


def test_a_set_that_is_told_when_it_is_done_is_a_workout(kit):
    from edge.domain.devices import DeviceReading
    from edge.domain.machine_readings import StrengthSetReading

    gym = kit.new(kit.config(assets=(kit.asset("s1", AssetKind.STRENGTH),)))
    for number in (1, 2):
        body = StrengthSetReading(point="s1", set_number=number, rep_count=10, duration_s=40.0, finished=True)
        gym.give(DeviceReading("row", 1, body))
        gym.run(45)
    gym.command(LeaveAsset(asset="s1"))
    assert (only(gym).state, only(gym).sets, only(gym).reps) == ("ended", 2, 20)


def test_repetitions_and_the_set_that_sums_them_up_are_counted_once(kit):
    from edge.domain.devices import DeviceReading
    from edge.domain.machine_readings import RepReading, StrengthSetReading

    gym = kit.new(kit.config(assets=(kit.asset("s1", AssetKind.STRENGTH),)))
    for rep in range(1, 11):
        gym.elapse(3)
        gym.give(DeviceReading("row", 1, RepReading(point="s1", set_number=1, rep=rep, work_j=50.0)))
    body = StrengthSetReading(point="s1", set_number=1, rep_count=10, duration_s=30.0, finished=True)
    gym.give(DeviceReading("row", 1, body))
    gym.command(LeaveAsset(asset="s1"))
    assert (only(gym).sets, only(gym).reps, only(gym).work_j) == (1, 10, 500.0)
