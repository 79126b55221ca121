"""What somebody must hear: a grave word and a pulse too high reach a person, whatever came in between."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.gym.messages import GiveStopReason, LeaveAsset


@pytest.fixture
def elder(gym):
    """Anna, ceiling 110, trains on e1."""
    gym.person("anna", "c1", birth_year=1951, ceiling_bpm=110, max_bpm=140)
    gym.card("k1", "c1")
    gym.cuff(120)
    gym.stand("e1")
    gym.card("e1", "c1")
    gym.train("e1", 30, bpm=95)
    return gym


@pytest.mark.parametrize("left", [False, True])
def test_chest_pain_after_twenty_seconds_calls_a_coach_too(elder, left):
    """So short a use is no workout and is kept nowhere; what was felt on it is heard."""
    elder.command(LeaveAsset(asset="e1"))
    elder.card("e1", "c1")
    elder.train("e1", 20)
    workout = elder.asset("e1").workout.workout_id
    if left:
        elder.command(LeaveAsset(asset="e1"))
        tired = elder.command(GiveStopReason(workout_id=workout, reason="tired"), role=Role.MEMBER, user="anna")
        assert tired.code == "unknown_workout"
    reply = elder.command(GiveStopReason(workout_id=workout, reason="chest_pain"), role=Role.MEMBER, user="anna")
    assert reply.code == "ok"
    assert "felt_chest_pain" in elder.causes()
