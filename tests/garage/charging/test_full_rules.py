"""What the full rules tell apart, and that each is needed: a planted mistake must break one of the courses."""

import pytest

from edge.domain.garage import charging_swap, full, full_steps

NAMES = (
    *("goes green", "hot float", "hotter float", "two-step charger", "two-step of 36 V", "two-step beside a lithium"),
    *("stage seen from its start", "24 V charger", "slow cold taper", "splitter, the second tapers"),
    *("splitter, its rest is not small", "fan in the float", "fan on a slow taper", "stage after two minutes"),
    *("stage beside a taper", "a kink, then a low float", "a step in mid-minute", "a second lithium goes on"),
    *("every 300 s",),
)
MAY_BE_STAGE = full.may_be_stage
MUTANTS = [
    (full, "STAGE_MIN", 30),
    (full, "FALLEN_PCT", 101),
    (full, "TAIL_DWH", 99_999),
    (full, "DRIFT_FLAT_MIN", 18),
    (full, "FLAT_PCT", 30),
    (full, "FLOAT_FLAT_PCT", 20),
    (full, "may_be_stage", lambda state, now_dw: state.step_min >= 0 and MAY_BE_STAGE(state, now_dw)),
    (full, "may_be_stage", lambda state, now_dw: False),
    (full, "fell_away", lambda minutes: False),
    (full_steps, "KEPT_PCT", 300),
    (full_steps, "STAGE_LEAST_DW", 0),
    (full_steps, "FALL_LEAST_DW", 9999),
    (full_steps, "TAPER_PCT", 100),
    (full_steps, "_sinking", lambda loads: True),
    (full_steps, "_sinking", lambda loads: False),
    (full, "TAIL_BELOW_DW", 450),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_course_ends_as_its_battery_does(name, courses, play_course):
    assert play_course(courses[name]) == ""


def test_every_course_is_played(courses):
    assert set(courses) == set(NAMES)


@pytest.mark.parametrize(
    ("module", "name", "planted"), MUTANTS, ids=[f"{name}-{k}" for k, (_, name, _) in enumerate(MUTANTS)]
)
def test_a_planted_mistake_is_found(module, name, planted, courses, play_course, monkeypatch):
    monkeypatch.setattr(module, name, planted)
    assert any(play_course(course) for course in courses.values()), "no course needs this rule"


# --- what the end is called ---


@pytest.mark.parametrize(
    ("name", "last", "word"),
    [
        ("pulled out of the last taper", ((240, 170, 180), (90, 180, 60), (60, 60, 40), (40, 0, 0)), "unplugged"),
        ("pulled, the charger stays", ((240, 170, 180), (90, 180, 60), (60, 60, 36), (40, 2.5, 2.5)), "unplugged"),
        ("a lithium charger ends", ((240, 170, 180), (20, 180, 60), (12, 60, 22), (40, 2.5, 2.5)), "full"),
        ("a float, then pulled", ((240, 170, 180), (90, 180, 40), (12, 9, 9), (40, 0, 0)), "full"),
    ],
)
def test_pulled_is_told_from_full(player, name, last, word):
    assert player.play(last).reason == word, name


# --- another battery ---

TAPERED = ((200, 280, 290), (40, 290, 182))


def test_a_loose_plug_in_the_taper_is_no_swap(player):
    player.play([*TAPERED, (4, 0, 0), (20, 180, 150)])
    assert player.state.swaps == 0
    assert player.state.trend.peak_dw > 2800


def test_a_plateau_at_the_level_of_the_taper_is_a_swap_when_it_stands(player):
    player.play([*TAPERED, (4, 0, 0), (25, 168, 168)])
    assert player.state.swaps == 0
    player.play([(15, 168, 169)])
    assert player.state.swaps == 1


def test_a_swap_through_the_same_charger_that_stays_in_the_socket(player):
    player.play([(120, 180, 190), (5, 5, 5), (8, 170, 170)])
    assert player.state.swaps == 1


def test_a_full_charger_that_starts_anew_for_two_minutes_is_no_swap(player):
    player.play([(200, 180, 190), (60, 190, 70), (10, 9, 9), (2, 0, 0), (2, 120, 120), (8, 9, 9)])
    assert player.state.swaps == 0


@pytest.mark.parametrize(
    ("name", "planted", "stretches", "swaps"),
    [
        ("SAME_PCT", 0, (*TAPERED, (4, 0, 0), (20, 180, 150)), 0),
        ("STANDS_MIN", 99, (*TAPERED, (4, 0, 0), (40, 168, 169)), 1),
        ("STANDBY_W", 4.0, ((120, 180, 190), (5, 5, 5), (8, 170, 170)), 1),
        ("HELD_MIN", 2, ((200, 180, 190), (60, 190, 70), (10, 9, 9), (2, 0, 0), (2, 120, 120), (8, 9, 9)), 0),
    ],
)
def test_each_number_of_the_swap_is_needed(player, monkeypatch, name, planted, stretches, swaps):
    monkeypatch.setattr(charging_swap, name, planted)
    player.play(stretches)
    assert player.state.swaps != swaps
