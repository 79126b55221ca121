"""The virtual queue: called in order, held for a while, never two for one."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.gym.messages import ClaimAsset, ClaimWorkout, JoinQueue, LeaveAsset, LeaveQueue
from edge.domain.gym.rows import QueueRow
from edge.domain.gym.settings import AssetKind


@pytest.fixture
def full(gym):
    """Four treadmills, all in use; anna, bo and cai have cards."""
    for person, card in (("anna", "c1"), ("bo", "c2"), ("cai", "c3")):
        gym.person(person, card)
    for name in ("t1", "t2", "t3", "t4"):
        gym.stand(name)
    gym.run(20, each=lambda: [gym.walk(name) for name in ("t1", "t2", "t3", "t4")])
    return gym


def wait(gym, person):
    body = JoinQueue(zone="hall", kind=AssetKind.TREADMILL, person=person)
    return gym.command(body, role=Role.MEMBER, user=person)


def go_on(gym, *names):
    return lambda: [gym.walk(name) for name in names]


def test_the_first_in_line_is_called_and_nobody_else_may_take_it(full):
    assert [wait(full, person).body["place"] for person in ("anna", "bo")] == [1, 2]
    full.command(LeaveAsset(asset="t2"))
    full.run(1, each=go_on(full, "t1", "t3", "t4"))
    queue = full.shown["gym"].queue
    assert [(one.person, one.called_asset) for one in queue] == [("anna", "t2"), ("bo", "")]
    assert full.command(ClaimAsset(asset="t2", card="c2")).code == "asset_held"
    assert full.command(ClaimAsset(asset="t2", card="c1")).code == "ok"
    full.run(5, each=lambda: [full.walk(name) for name in ("t1", "t2", "t3", "t4")])
    assert [one.person for one in full.shown["gym"].queue] == ["bo"]


def test_who_does_not_come_loses_the_place(full):
    wait(full, "anna")
    wait(full, "bo")
    full.command(LeaveAsset(asset="t2"))
    full.run(121, each=go_on(full, "t1", "t3", "t4"))
    assert [(one.person, one.called_asset) for one in full.shown["gym"].queue] == [("bo", "t2")]


def test_one_place_a_person(full):
    assert wait(full, "anna").body["entry"] == wait(full, "anna").body["entry"]
    assert full.command(JoinQueue(zone="hall", kind=AssetKind.BIKE, person="anna")).code == "already_waiting"
    assert full.command(LeaveQueue(person="anna")).code == "ok"
    assert full.command(LeaveQueue(person="anna")).code == "not_waiting"


def test_a_queue_survives_a_restart(full):
    wait(full, "anna")
    wait(full, "bo")
    full.restart()
    assert [one.row.person for one in full.world.queue] == ["anna", "bo"]


@pytest.mark.parametrize("late", [False, True])
def test_who_steps_on_first_and_shows_the_card_then_waits_no_more(full, late):
    """Or says so on the page of the workout."""
    wait(full, "bo")
    full.run(100, each=lambda: [full.stand("t1"), *go_on(full, "t2", "t3", "t4")()])
    assert [(one.row.person, one.row.asset) for one in full.world.queue] == [("bo", "t1")]
    full.run(20, each=go_on(full, "t1", "t2", "t3", "t4"))
    if late:
        workout = full.asset("t1").workout.workout_id
        assert full.command(ClaimWorkout(workout_id=workout, person="bo"), role=Role.MEMBER, user="bo").code == "ok"
    else:
        full.card("t1", "c2")
    assert full.asset("t1").workout.person == "bo"
    assert full.world.queue == []
    assert [row.state for row in full.rows.all(QueueRow)] == ["served"]


def test_a_clock_that_was_set_back_moves_nobody_up_at_a_start(full):
    wait(full, "anna")
    full.wall_ns -= 3600 * 10**9
    wait(full, "bo")
    full.restart()
    assert [one.row.person for one in full.world.queue] == ["anna", "bo"]


def test_no_queue_where_there_is_none(full):
    body = JoinQueue(zone="elders", kind=AssetKind.TREADMILL, person="anna")
    assert full.command(body).body["problem"] == "no_queue"
