"""The table is total, and says what ISA-18.2 and our own rules ask of it."""

from __future__ import annotations

import itertools

import pytest

from edge.domain.alarm_states import TABLE, AlarmEvent, AlarmState, Priority, following

A, E = AlarmState, AlarmEvent
HIDDEN = (A.SHELVED, A.SUPPRESSED, A.OUT_OF_SERVICE)


def test_every_state_meets_every_event():
    assert set(TABLE) == set(itertools.product(A, E))
    assert len(TABLE) == 77


@pytest.mark.parametrize("state", A)
def test_nothing_but_its_end_makes_a_live_alarm_normal(state):
    for event in E:
        after = TABLE[state, event].live
        if after is A.NORMAL:
            assert (state, event) == (A.NORMAL, E.CLEAR)


@pytest.mark.parametrize("state", HIDDEN)
def test_what_is_hidden_stays_hidden_whatever_its_condition_does(state):
    for event in (E.RAISE, E.REANNOUNCE, E.CLEAR):
        assert TABLE[state, event].live is state
    assert TABLE[state, E.CLEAR].gone is state
    assert following(state, E.ACKNOWLEDGE, live=True) is None


@pytest.mark.parametrize(
    ("state", "event"), [(A.SHELVED, E.UNSHELVE), (A.SUPPRESSED, E.UNSUPPRESS), (A.OUT_OF_SERVICE, E.RESTORE)]
)
def test_what_comes_back_sounds_if_it_lasts(state, event):
    assert TABLE[state, event] == (A.UNACKNOWLEDGED, A.NORMAL)
    for other in set(A) - {state}:
        assert TABLE[other, event] == (None, None)


@pytest.mark.parametrize("state", A)
def test_a_reset_is_refused_while_the_alarm_lives(state):
    assert following(state, E.RESET, live=True) is None


def test_a_life_as_the_standard_draws_it():
    assert following(A.NORMAL, E.RAISE, live=True) is A.UNACKNOWLEDGED
    assert following(A.UNACKNOWLEDGED, E.ACKNOWLEDGE, live=True) is A.ACKNOWLEDGED
    assert following(A.ACKNOWLEDGED, E.CLEAR, live=False) is A.NORMAL
    assert following(A.UNACKNOWLEDGED, E.CLEAR, live=False) is A.RETURNED_UNACKNOWLEDGED
    assert following(A.RETURNED_UNACKNOWLEDGED, E.ACKNOWLEDGE, live=False) is A.NORMAL
    assert following(A.RETURNED_UNACKNOWLEDGED, E.RAISE, live=True) is A.UNACKNOWLEDGED


def test_from_every_state_there_is_a_way_to_normal():
    """No alarm is stuck: with its condition gone, some row of acts ends it."""
    reached = {A.NORMAL}
    while True:
        more = {
            state
            for state, event in TABLE
            if TABLE[state, event].gone in reached and event not in {E.RAISE, E.REANNOUNCE}
        }
        if more <= reached:
            break
        reached |= more
    assert reached == set(A)


def test_fire_stands_above_all():
    assert min(Priority, key=lambda priority: priority.rank) is Priority.FIRE
    assert len({priority.rank for priority in Priority}) == 4
