"""A machine is not one person's all morning while others wait; nobody is stopped in motion."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.gym.messages import ClaimAsset, JoinQueue, LeaveAsset, LeaveQueue, Timer
from edge.domain.gym.rows import UseRow
from edge.domain.gym.settings import AssetKind, SessionSettings

TREADMILLS = ("t1", "t2", "t3", "t4")


def join(gym, person):
    return gym.command(JoinQueue(zone="hall", kind=AssetKind.TREADMILL, person=person), role=Role.MEMBER, user=person)


@pytest.fixture
def gym(kit):
    """Two minutes for everybody while others wait."""
    return kit.new(kit.config(session=SessionSettings(queue_cap_s=120)))


@pytest.fixture
def hall(gym):
    """Anna on t1, others on t2 to t4; bo and cai have cards. The two minutes are nearly over."""
    for person, card in (("anna", "c1"), ("bo", "c2"), ("cai", "c3")):
        gym.person(person, card)
    for name in TREADMILLS:
        gym.stand(name)
    gym.card("t1", "c1")
    gym.run(115, each=lambda: [gym.walk(name) for name in TREADMILLS])
    return gym


def go_on(gym, *still):
    """A second in which everybody walks on but those who stand still."""
    return lambda: [gym.stand(name) if name in still else gym.walk(name) for name in TREADMILLS]


def test_nobody_waits_nobody_minds(hall):
    hall.run(60, each=go_on(hall))
    hall.run(20, each=go_on(hall, "t1"))
    assert hall.asset("t1").phase == "paused"
    assert hall.shown["asset/t1"].cap_left_s is None


def test_the_machine_says_how_long_it_may_still_be_kept(hall):
    join(hall, "bo")
    hall.run(1, each=go_on(hall))
    assert 0 < hall.shown["asset/t1"].cap_left_s < 10
    hall.run(30, each=go_on(hall))
    assert hall.shown["asset/t1"].cap_left_s == 0
    assert hall.shown["asset/b1"].cap_left_s is None, "nobody waits for bikes"


def test_in_motion_nobody_is_stopped_and_at_a_standstill_it_goes_to_the_next(hall):
    join(hall, "bo")
    hall.run(100, each=go_on(hall))
    assert hall.asset("t1").phase == "active"
    assert "queue_cap" in hall.causes()
    hall.run(50, each=go_on(hall, "t1"))
    (row,) = [one for one in hall.workouts() if one.person == "anna"]
    assert (row.state, row.reason) == ("ended", "queue_cap")
    assert row.active_ms > 210_000, "with all that was done"
    assert [(one.person, one.called_asset) for one in hall.shown["gym"].queue] == [("bo", "t1")]


def test_it_is_seen_to_also_when_words_come_without_end(hall):
    """Machines that speak every second leave no timer of theirs to wait for."""
    join(hall, "bo")

    def second(*still):
        hall.elapse(1)
        go_on(hall, *still)()
        due = hall.kernel.deadline(hall.world)
        if due is not None and due <= hall.mono_ns:
            hall.give(Timer())

    for _ in range(20):
        second()
    assert "queue_cap" in hall.causes()
    for _ in range(20):
        second("t1")
    assert [(one.person, one.called_asset) for one in hall.shown["gym"].queue] == [("bo", "t1")]


def test_when_nobody_waits_any_more_nobody_is_told(hall):
    join(hall, "bo")
    hall.run(30, each=go_on(hall))
    assert "queue_cap" in hall.causes()
    hall.command(LeaveQueue(person="bo"))
    hall.run(10, each=go_on(hall))
    assert not any(one.active for key, one in hall.world.alarms.alarms.items() if key.startswith("cap:"))
    assert hall.world.cap_due_ns is None


def test_a_short_pause_within_the_time_takes_nothing_away(gym):
    gym.person("anna", "c1")
    gym.person("bo", "c2")
    for name in TREADMILLS:
        gym.stand(name)
    gym.card("t1", "c1")
    gym.run(30, each=go_on(gym))
    join(gym, "bo")
    gym.run(50, each=go_on(gym, "t1"))
    assert gym.asset("t1").phase == "paused"


def test_who_has_had_the_time_is_told_to_stand_in_line(hall):
    hall.run(60, each=go_on(hall))
    assert [join(hall, person).code for person in ("bo", "cai")] == ["ok", "ok"]
    hall.command(LeaveAsset(asset="t1"))
    hall.command(LeaveAsset(asset="t2"))
    for name in ("t2", "t3"):  # called to bo, and in use
        reply = hall.command(ClaimAsset(asset=name, card="c1"), role=Role.MEMBER, user="anna")
        assert (reply.code, reply.body["problem"], reply.body["waiting"]) == ("not_now", "queue_cap", 2)
    assert hall.command(ClaimAsset(asset="b1", card="c1")).code == "ok", "another kind is free to take"


def test_to_end_the_own_workout_is_never_refused(hall):
    join(hall, "bo")
    hall.run(60, each=go_on(hall))
    reply = hall.command(ClaimAsset(asset="t1", card="c1"), role=Role.MEMBER, user="anna")
    assert (reply.code, reply.body["done"]) == ("ok", True)


def test_who_has_stood_in_line_again_may_take_what_is_called(hall):
    hall.run(60, each=go_on(hall))
    hall.command(LeaveAsset(asset="t1"))
    hall.run(10, each=go_on(hall))  # t1 goes to somebody without a card
    join(hall, "anna")
    join(hall, "bo")
    hall.command(LeaveAsset(asset="t2"))
    assert hall.command(ClaimAsset(asset="t2", card="c1")).code == "ok"


def test_after_as_long_an_absence_the_time_begins_anew(hall):
    hall.run(60, each=go_on(hall))
    hall.command(LeaveAsset(asset="t1"))
    hall.run(125, each=go_on(hall))
    join(hall, "bo")
    assert hall.command(ClaimAsset(asset="t1", card="c1")).code == "ok", "nobody else has claimed what runs there"


def test_two_short_uses_are_one_long_one(hall):
    """Ending a workout and beginning the next does not begin the time anew."""
    hall.command(LeaveAsset(asset="t1"))
    assert hall.command(ClaimAsset(asset="t1", card="c1")).code == "ok"
    hall.run(60, each=go_on(hall))
    hall.command(LeaveAsset(asset="t1"))
    join(hall, "bo")
    assert hall.command(ClaimAsset(asset="t3", card="c1")).body["problem"] == "queue_cap"


def test_who_does_not_come_is_counted_also_after_a_restart(hall):
    join(hall, "bo")
    hall.command(LeaveAsset(asset="t2"))
    hall.run(200, each=lambda: [hall.walk(name) for name in ("t1", "t3", "t4")])
    assert hall.shown["gym"].no_shows_today == 1
    assert sum(row.no_shows for row in hall.rows.all(UseRow)) == 1
    hall.restart()
    hall.run(2)
    assert hall.shown["gym"].no_shows_today == 1
