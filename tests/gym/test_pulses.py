"""The pulse of a workout in its own rows: what is kept, what a power cut costs, and whose beats it never holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.gym.messages import LeaveAsset
from edge.domain.gym.pulses import PART_S, PulseRow, cut, part_of, record, samples_of
from edge.domain.gym.workout_state import Identity, Workout

S = 1_000_000_000
BEGAN = 1_795_320_000 * S


def parts(gym):
    return list(gym.rows.all(PulseRow))


def beats(gym):
    """Known seconds of the only workout: {second: bpm}."""
    (row,) = [one for one in gym.workouts() if one.state != "dropped"]
    until = row.ended_ns or row.at_ns
    return {(at - row.began_ns) // S: bpm for at, bpm in samples_of(parts(gym), row.began_ns, until)}


def test_every_second_of_a_workout_has_its_pulse(gym):
    gym.stand("t1")
    gym.train("t1", 90, bpm=100)
    gym.train("t1", 30, bpm=110)
    gym.command(LeaveAsset(asset="t1"))
    known = beats(gym)
    assert set(range(119)) <= set(known), "the first seconds too, in which motion was not yet believed"
    assert (known[0], known[50], known[118]) == (100, 100, 110)


def test_the_part_is_written_with_the_workout_once_a_minute(gym):
    gym.stand("t1")
    gym.train("t1", 59, bpm=100)
    assert parts(gym) == []
    gym.train("t1", 8, bpm=100)
    (row,) = parts(gym)
    assert 58 <= len(row.bpm) <= 64
    gym.train("t1", 40, bpm=100)
    assert parts(gym) == [row], "not every second"


def test_a_long_workout_has_several_parts_without_a_hole(gym):
    gym.stand("t1")
    gym.train("t1", 2 * PART_S + 40, bpm=120)
    gym.command(LeaveAsset(asset="t1"))
    rows = parts(gym)
    assert [row.from_s for row in rows] == [0, PART_S, 2 * PART_S]
    assert [len(row.bpm) for row in rows[:2]] == [PART_S, PART_S]
    assert set(range(2 * PART_S + 38)) <= set(beats(gym))


@pytest.mark.parametrize("down_s", [4, 100])
def test_a_power_cut_costs_at_most_the_last_minute_and_begins_a_new_part(gym, down_s):
    gym.stand("t1")
    gym.train("t1", 170, bpm=100)
    gym.restart(down_s=down_s)
    gym.walk("t1", seconds=down_s)
    gym.train("t1", 40, bpm=130)
    gym.command(LeaveAsset(asset="t1"))
    first, second = parts(gym)
    known = beats(gym)
    assert len(first.bpm) >= 170 - 61
    assert second.from_s >= len(first.bpm), "no second twice"
    assert [known[at] for at in range(len(first.bpm))] == [100] * len(first.bpm)
    assert known[170 + down_s + 20] == 130
    assert all(at > 172 for at, bpm in known.items() if bpm == 130)


def test_a_cut_after_a_cut_loses_no_part(gym):
    gym.stand("t1")
    for bpm in (100, 110, 120):
        gym.train("t1", 130, bpm=bpm)
        gym.restart(down_s=3)
        gym.walk("t1", seconds=3)
    gym.train("t1", 40, bpm=130)
    gym.command(LeaveAsset(asset="t1"))
    known = list(beats(gym).values())
    assert all(known.count(bpm) >= 65 for bpm in (100, 110, 120))
    assert known.count(130) >= 37


def test_whoever_stands_there_in_a_pause_is_no_part_of_it(gym):
    gym.person("anna", "c1")
    gym.person("bo", "c2")
    gym.card("t1", "c1")
    gym.train("t1", 100, bpm=100)
    gym.run(30, each=lambda: (gym.stand("t1"), gym.beats("t1", 77)))
    gym.card("t1", "c2")
    gym.train("t1", 100, bpm=88)
    gym.command(LeaveAsset(asset="t1"))
    mine, his = sorted(gym.workouts(), key=lambda row: row.began_ns)
    assert (mine.person, his.person) == ("anna", "bo")
    for row, own in ((mine, 100), (his, 88)):
        of_row = [one for one in parts(gym) if one.workout_id == row.workout_id]
        assert {byte for one in of_row for byte in one.bpm} == {own}


def test_what_is_no_workout_leaves_no_pulse(gym):
    gym.stand("t1")
    gym.train("t1", 20, bpm=100)
    gym.run(100, each=lambda: (gym.stand("t1"), gym.beats("t1", 100)))
    assert [row.state for row in gym.workouts()] == ["dropped"]
    assert parts(gym) == []


def test_what_is_no_workout_leaves_no_pulse_however_long_it_lasts(gym):
    gym.stand("t1")
    for _ in range(6):
        gym.train("t1", 4, bpm=100)
        gym.run(70, each=lambda: (gym.stand("t1"), gym.beats("t1", 100)))
    gym.run(60, each=lambda: gym.stand("t1"))
    (row,) = gym.workouts()
    assert (row.state, row.ended_ns - row.began_ns > PART_S * S) == ("dropped", True)
    assert parts(gym) == []


def test_a_silent_strap_is_unknown_and_not_its_last_beat(gym):
    gym.stand("t1")
    gym.train("t1", 60, bpm=100)
    gym.train("t1", 20)
    gym.train("t1", 30, bpm=120)
    gym.command(LeaveAsset(asset="t1"))
    known = beats(gym)
    assert not set(range(61, 79)) & set(known)
    assert known[90] == 120


def test_a_strap_that_speaks_every_other_second_leaves_no_holes(gym):
    gym.stand("t1")

    def each():
        gym.walk("t1")
        if gym.seq % 2:
            gym.beats("t1", 104)

    gym.run(80, each=each)
    gym.command(LeaveAsset(asset="t1"))
    assert set(range(3, 77)) <= set(beats(gym))


def test_a_beat_that_is_not_believed_is_not_kept(gym):
    gym.stand("t1")
    gym.train("t1", 60, bpm=100)
    gym.beats("t1", 190)
    gym.train("t1", 20, bpm=100)
    gym.command(LeaveAsset(asset="t1"))
    assert set(beats(gym).values()) == {100}


# --- the bytes themselves ---


def workout():
    return Workout(workout_id="w", asset="t1", person="", identity=Identity.NONE, began_ns=5 * S, began_wall_ns=BEGAN,
                   clock_trusted=True)  # fmt: skip


@given(st.lists(st.tuples(st.integers(-20_000, 2_000_000), st.integers(-5, 400)), max_size=60))
def test_any_beats_in_any_order_make_parts_that_do_not_overlap(said):
    one, kept = workout(), {}
    for ms, bpm in said:
        full = record(one, bpm, one.began_ns + ms * 1_000_000)
        if full is not None:
            kept[full.from_s] = full
        part = part_of(one) if ms % 3 == 0 else None
        if part is not None:
            kept[part.from_s] = part
    if (part := part_of(one)) is not None:
        kept[part.from_s] = part
    rows, told = list(kept.values()), {(ms // 1000, bpm) for ms, bpm in said}
    taken = [second for row in rows for second in range(row.from_s, row.from_s + len(row.bpm))]
    assert len(taken) == len(set(taken))
    assert all(1 <= len(row.bpm) <= PART_S for row in rows)
    for at_ns, bpm in samples_of(rows, BEGAN, BEGAN + 10**13):
        second = (at_ns - BEGAN) // S
        assert any((second - ago, bpm) in told for ago in range(5)), "only what was said, for five seconds at most"


def test_what_came_after_the_end_is_cut_and_written_again():
    one = workout()
    for second in range(10):
        record(one, 100, one.began_ns + second * S)
    assert len(part_of(one).bpm) == 10
    cut(one, one.began_ns + 6 * S)
    assert part_of(one).bpm == bytes([100] * 7)
    assert part_of(one) is None
    assert samples_of([PulseRow(workout_id="w", from_s=0, bpm=bytes([100] * 10))], BEGAN, BEGAN + 3 * S)[-1][0] == (
        BEGAN + 3 * S
    )


def test_of_two_parts_that_overlap_the_later_counts():
    rows = [PulseRow(workout_id="w", from_s=2, bpm=b"\x70\0\x72"), PulseRow(workout_id="w", from_s=0, bpm=b"dddd")]
    assert [bpm for _, bpm in samples_of(rows, BEGAN, BEGAN + 60 * S)] == [100, 100, 112, 100, 114]


def test_the_pulse_of_who_comes_next_is_nobodys_recovery(gym):
    """Bo shows his card half a minute after Anna has left, with his strap on, and ties his shoes."""
    gym.person("anna", "c1")
    gym.person("bo", "c2")
    gym.stand("t1")
    gym.card("t1", "c1")
    gym.train("t1", 60, bpm=130)
    gym.command(LeaveAsset(asset="t1"))
    gym.run(30, each=lambda: gym.stand("t1"))
    gym.card("t1", "c2")
    gym.run(50, each=lambda: gym.beats("t1", 65))
    (row,) = gym.workouts()
    assert (row.person, row.recovery_bpm) == ("anna", None)
