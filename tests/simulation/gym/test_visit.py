"""A visit from the measuring desk to the book: card, workout, a racing heart, the buzzer, the end."""

from __future__ import annotations

import msgspec
import pytest

from edge.demo_control import RefusedError
from edge.domain.alarm_commands import AckAlarm

#: What the counters of a machine may lag behind the person: the whole metres of a word, and the word under way.
NEAR_M = 6


def measured(gym, **values):
    """Whether the desk was free for it."""
    try:
        return gym.sim("measure", **values)
    except RefusedError:
        return None


async def an_elder_is_measured_trains_and_is_watched(gym):
    def who(name):
        return gym.asset(name)["phase"], gym.asset(name)["person"], gym.asset(name)["identity"]

    def level():
        return gym.asset("etm-1")["heart"]["level"]

    anna = gym.persons[0]
    name, ceiling = anna["person"], anna["ceiling_bpm"]
    gym.sim("card", name="etm-1", who=name)
    await gym.until(lambda: "gate_measure" in {alarm["cause"] for alarm in gym.alarms()})
    await gym.sees("idle", lambda: gym.asset("etm-1")["phase"], "nobody trains here who was not measured")

    await gym.until(lambda: measured(gym, who=name, systolic=132, diastolic=81, pulse=71))
    # The desk still shows whoever another scene measured last, until this person's first reading.
    desk = lambda: gym.view("kiosk/elders-desk")  # noqa: E731
    await gym.sees((name, 2, "admit"), lambda: (desk()["person"], desk()["readings"], desk()["decision"]))
    gym.sim("card", name="etm-1", who=name)
    await gym.sees(("armed", name, "card"), lambda: who("etm-1"))

    workout = await gym.trains("etm-1", who=name)
    await gym.sees("ok", level)
    await gym.sees(ceiling, lambda: gym.asset("etm-1")["heart"]["ceiling_bpm"])
    high = ceiling + 8
    gym.sim("pulse", asset="etm-1", bpm=high)
    await gym.sees("alarm", level)
    await gym.sees(["gym-cards/1"], lambda: gym.sim("state")["buzzing"])
    alarm = await gym.until(lambda: next(one for one in gym.alarms() if one["cause"] == "heart_alarm"))
    assert await gym.command(AckAlarm(alarm_id=alarm["alarm_id"])) == "ok"
    await gym.sees([], lambda: gym.sim("state")["buzzing"])
    await gym.sees("alarm", level, "seen is not over")
    gym.sim("pulse", asset="etm-1", bpm=0)
    await gym.sees("ok", level)

    row = await gym.ends("etm-1", workout, NEAR_M)
    assert (row["state"], row["person"], row["identity"]) == ("ended", name, "card")
    assert row["peak_bpm"] == high
    beats = [one for one in gym.rows("heart_alarm", workout_id=workout) if one["level"] == "alarm"]
    assert (beats[0]["person"], beats[0]["ceiling_bpm"]) == (name, ceiling)
    samples = msgspec.msgpack.decode(beats[0]["samples"])
    assert samples[-1][1] > ceiling
    assert [age for age, _ in samples] == sorted((age for age, _ in samples), reverse=True)
    assert len(gym.rows("vitals", person=name)) == 2


async def a_card_at_a_wired_console_and_one_person_on_one_machine(gym):
    ben = gym.persons[1]["person"]
    gym.sim("card", name="tm-1", who=ben)
    await gym.sees("armed", lambda: gym.asset("tm-1")["phase"])
    workout = await gym.trains("tm-1", who=ben, percent=60)
    await gym.sees(ben, lambda: gym.asset("tm-1")["person"])
    await gym.sees("off", lambda: gym.asset("tm-1")["heart"]["level"], "no limits are watched in the hall")
    await gym.until(lambda: gym.asset("tm-1")["hours_h"] > 4000)
    row = await gym.ends("tm-1", workout, NEAR_M)
    assert (row["state"], row["person"], row["kind"]) == ("ended", ben, "treadmill")


@pytest.mark.full
def test_an_elliptical_that_says_speed_0_for_ever_has_a_workout_and_a_speed(scene):
    async def story(gym):
        workout = await gym.trains("el-1", percent=70)
        await gym.until(lambda: gym.asset("el-1")["speed_km_h"] > 4)
        row = await gym.ends("el-1", workout, NEAR_M)
        assert (row["state"], row["person"], row["identity"]) == ("ended", "", "none")

    scene(story)


async def a_course_and_sets_without_metres(gym):
    gym.sim("train", asset="circ-1", ready=True)
    gym.sim("train", asset="iso-1", ready=True)
    await gym.sees("active", lambda: gym.asset("circ-1")["phase"])
    await gym.until(lambda: gym.asset("iso-1")["totals"]["reps"] >= 3)
    gym.sim("leave", asset="circ-1")
    gym.sim("leave", asset="iso-1")
    ended = await gym.until(lambda: gym.rows("workout", asset="iso-1", state="ended"))
    assert ended[0]["reps"] >= 3
    assert ended[0]["peak_torque_nm"] > 40
    assert (await gym.until(lambda: gym.rows("workout", asset="circ-1", state="ended")))[0]["active_ms"] > 0


#: Each on machines of its own.
TOGETHER = (
    an_elder_is_measured_trains_and_is_watched,
    a_card_at_a_wired_console_and_one_person_on_one_machine,
    a_course_and_sets_without_metres,
)


@pytest.mark.parametrize("story", TOGETHER, ids=lambda story: story.__name__)
def test_a_visit_from_the_door_to_the_book(together, story):
    together(TOGETHER, story)
