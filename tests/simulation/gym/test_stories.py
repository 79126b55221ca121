"""Stories of one machine each, told at the same time: visits from the measuring desk to the book, with card, workout,
a racing heart, the buzzer, the end; and faults that stay those of their machine. It stays one workout, and no metre is
lost or made up."""

from __future__ import annotations

import time

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


async def the_cable_of_a_console_is_pulled_and_put_back(gym):
    workout = await gym.trains("tm-2", percent=100)
    gym.sim("cable", wire="console-tm-2", on=False)
    row = await gym.lost_and_found("tm-2", workout, lambda: gym.sim("cable", wire="console-tm-2", on=True))
    assert row["filled_ms"] > 0


async def a_console_that_begins_anew_loses_nothing(gym):
    """What it had not told when it was switched off nobody can know: the box knows at least what it was told."""
    workout = await gym.trains("tm-1", percent=100)
    least_m = await gym.until(lambda: gym.told_m("tm-1"))
    begun_s, before = time.monotonic(), gym.truth()["tm-1"]
    gym.sim("reset", asset="tm-1")
    most_m = before["distance_m"] + before["speed_km_h"] / 3.6 * (time.monotonic() - begun_s)
    await gym.until(lambda: gym.told_m("tm-1") > most_m + 6)
    await gym.ends("tm-1", workout, 2, before_m=(least_m, most_m))


async def a_strap_that_slips_off_is_unknown_and_never_normal(gym):
    def heart():
        seen = gym.asset("ebike-1")["heart"]
        return seen["level"], seen["bpm"]

    clara = gym.persons[3]["person"]
    gym.sim("train", asset="ebike-1", who=clara)
    await gym.until(lambda: heart()[0] == "ok")
    gym.sim("strap", asset="ebike-1", on=False)
    await gym.sees(("unknown", None), heart)
    await gym.sees("active", lambda: gym.asset("ebike-1")["phase"], "the workout goes on")
    gym.sim("strap", asset="ebike-1", on=True)
    await gym.until(lambda: heart()[0] == "ok")


#: Those of one row are on the same machine, and told one after the other.
TOGETHER = (
    (an_elder_is_measured_trains_and_is_watched,),
    (a_console_that_begins_anew_loses_nothing, a_card_at_a_wired_console_and_one_person_on_one_machine),
    (a_course_and_sets_without_metres,),
    (the_cable_of_a_console_is_pulled_and_put_back,),
    (a_strap_that_slips_off_is_unknown_and_never_normal,),
)


@pytest.mark.parametrize("story", [story for row in TOGETHER for story in row], ids=lambda story: story.__name__)
def test_every_machine_has_its_own_story(together, story):
    together(TOGETHER, story)


@pytest.mark.full
def test_an_elliptical_that_says_speed_0_for_ever_has_a_workout_and_a_speed(scene):
    async def story(gym):
        workout = await gym.trains("el-1", percent=70)
        await gym.until(lambda: gym.asset("el-1")["speed_km_h"] > 4)
        row = await gym.ends("el-1", workout, NEAR_M)
        assert (row["state"], row["person"], row["identity"]) == ("ended", "", "none")

    scene(story)
