"""Seconds of effort by shares of the maximum pulse, and when no zone may be told."""

from __future__ import annotations

import pytest

from edge.domain.gym.effort import Effort, borders, effort_of
from edge.domain.gym.limits import Prescription, ceiling_of
from edge.domain.gym.settings import LimitSettings

SETTINGS = LimitSettings()


def of(person):
    return borders(person, ceiling_of(person, 2026, SETTINGS), SETTINGS)


def test_the_borders_are_shares_of_the_maximum():
    # 75 years: 208 - 0.7 x 75 = 155 and 220 - 75 = 145, the lower counts; 64 % = 92.8, 77 % = 111.65.
    assert of(Prescription(birth_year=1951)) == (93, 112)
    assert of(Prescription(birth_year=1951, max_bpm=130)) == (84, 101), "what staff have set wins"


@pytest.mark.parametrize(
    "person",
    [None, Prescription(), Prescription(birth_year=1951, beta_blocker=True), Prescription(ceiling_bpm=110)],
    ids=["unknown", "empty", "beta-blocker", "only a ceiling"],
)
def test_without_a_maximum_no_zone_is_told(person):
    assert of(person) == (0, 0)
    ceiling = ceiling_of(person, 2026, SETTINGS)
    effort = effort_of([100.0, 120.0], *of(person), ceiling.ceiling_bpm)
    assert (effort.pulse_s, effort.light_s, effort.moderate_s, effort.vigorous_s) == (2, 0, 0, 0)


def test_each_second_is_in_one_zone_and_above_the_ceiling_in_any():
    effort = effort_of([80, 92, 93, 111, 112, 140], 93, 112, 110)
    assert effort == Effort(pulse_s=6, light_s=2, moderate_s=2, vigorous_s=2, over_s=3)
    assert effort.plus(Effort(1, 1)) == Effort(7, 3, 2, 2, 3)
