"""Laps from tags and gates: unread gates, short-cuts, bicycles, late words."""

from __future__ import annotations

import pytest

from edge.domain.gym.rows import ROW_TYPES

LapRow = next(kind for kind in ROW_TYPES if kind.__name__ == "LapRow")
OutingRow = next(kind for kind in ROW_TYPES if kind.__name__ == "OutingRow")


def laps(gym):
    return [(row.problem, row.ms) for row in gym.rows.all(LapRow)]


def walk(gym, *steps):
    """(gate, seconds until it)"""
    for gate, seconds in steps:
        gym.run(seconds)
        gym.gate(gate)


def test_two_laps(gym):
    walk(gym, (0, 1), (1, 200), (2, 200), (0, 200), (1, 180), (2, 180), (0, 180))
    assert laps(gym) == [("", 600_000), ("", 540_000)]
    view = gym.shown["trail/loop"]
    assert (view.laps_today, view.laps[-1].pace_s_per_km) == (2, 600)


def test_many_reads_of_one_passage_are_one(gym):
    walk(gym, (0, 1), (0, 2), (0, 3), (1, 200), (2, 200), (2, 1), (0, 200))
    assert [problem for problem, _ in laps(gym)] == [""]


def test_an_unread_gate_counts_and_says_so(gym):
    walk(gym, (0, 1), (1, 200), (0, 400))
    assert [problem for problem, _ in laps(gym)] == ["missing_gate"]
    assert gym.shown["trail/loop"].laps_today == 1


def test_a_short_cut_does_not_count(gym):
    walk(gym, (0, 1), (1, 200), (0, 150))
    assert [problem for problem, _ in laps(gym)] == ["short_cut"]
    assert (gym.shown["trail/loop"].laps_today, gym.shown["trail/loop"].laps[-1].pace_s_per_km) == (0, None)


def test_a_bicycle_holds_no_record(gym):
    walk(gym, (0, 1), (1, 25), (2, 25), (0, 25))
    assert [problem for problem, _ in laps(gym)] == ["too_fast"]


def test_lap_times_are_made_of_when_the_gate_saw_it(gym):
    gym.gate(0)
    gym.run(200)
    gym.gate(1)
    gym.run(200)
    gym.gate(2)
    gym.run(230)
    gym.gate(0, source_wall_ns=gym.wall_ns - 30_000_000_000)
    assert laps(gym) == [("", 600_000)]


@pytest.mark.parametrize("start", [1, 2])
def test_who_steps_in_half_way_begins_a_lap_at_the_start(gym, start):
    walk(gym, (start, 1), (0, 300), (1, 200), (2, 200), (0, 200))
    assert laps(gym) == [("", 600_000)]


def test_who_is_not_seen_any_more_went_home(gym):
    walk(gym, (0, 1), (1, 200))
    gym.run(901)
    assert gym.shown["trail/loop"].out == ()
    assert [row.standing for row in gym.rows.all(OutingRow)] == [False]
