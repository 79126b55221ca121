"""A workout in which something fails: broker, daemon, cable, gateway, console. It stays one workout, and no metre is
lost or made up."""

from __future__ import annotations

import time

import msgspec
import pytest
from _programs import LIMIT_S

NEAR_M = 8
UNHEARD_M = 12


async def stays_lost(gym, name):
    """The machine is lost, not paused, and nothing is guessed of what is done meanwhile. Gives what the box knows. A
    word that was on its way when the link went may come yet: then it is looked at again."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        await gym.sees("lost", lambda: gym.asset(name)["phase"])
        before_m, real_m = await gym.until(lambda: (gym.told_m(name), gym.done_m(name)))
        await gym.until(lambda real_m=real_m: gym.done_m(name) > real_m + UNHEARD_M)
        if (gym.asset(name)["phase"], gym.told_m(name)) == ("lost", before_m):
            return before_m
        assert time.monotonic() < deadline, f"it is guessed: {before_m} {gym.last_words()}"


async def lost_and_found(gym, name, workout, mend, unheard=None):
    """What a lost machine did is there after ``mend``, in the same workout."""
    before_m = await (unheard or stays_lost)(gym, name)
    mend()
    await gym.sees("active", lambda: gym.asset(name)["phase"])
    await gym.until(lambda: gym.told_m(name) > before_m + UNHEARD_M)
    await gym.sees(workout, lambda: gym.asset(name)["workout_id"])
    row = await gym.ends(name, workout, NEAR_M)
    assert row["state"] == "ended"
    return row


def test_the_broker_restarts_in_a_workout_and_the_gateway_tells_what_it_kept(scene):
    async def story(gym):
        told = []

        async def unheard():
            told.append(await stays_lost(gym, "bike-1"))

        async def known(_gym, _name):
            return told[0]

        workout = await gym.trains("bike-1", percent=50)
        await gym.killed("broker", unheard)
        await lost_and_found(gym, "bike-1", workout, lambda: None, known)

    scene(story)


def test_killed_in_a_workout_it_goes_on_as_one(scene):
    async def story(gym):
        async def unheard():
            before_m = gym.done_m("bike-2")
            await gym.until(lambda: gym.done_m("bike-2") > before_m + UNHEARD_M)

        wired, held = await gym.trains("tm-2", percent=100), await gym.trains("bike-2", percent=60)
        for workout in (wired, held):  # what began in the last second before a kill may be lost
            await gym.until(lambda workout=workout: gym.rows("workout", workout_id=workout))
        await gym.killed("gym", unheard)
        for name, workout in (("tm-2", wired), ("bike-2", held)):
            await gym.sees(
                ("active", workout), lambda name=name: (gym.asset(name)["phase"], gym.asset(name)["workout_id"])
            )
            row = await gym.ends(name, workout, NEAR_M)
            # Of the cable nobody kept a word; the held one's may all have waited at the broker.
            assert row["filled_ms"] > 0 or name == "bike-2", (row, msgspec.msgpack.decode(row["breaks"]))
            ended = [one["workout_id"] for one in gym.rows("workout", asset=name, state="ended")]
            assert len(ended) == len(set(ended))

    scene(story)


async def the_cable_of_a_console_is_pulled_and_put_back(gym):
    workout = await gym.trains("tm-2", percent=100)
    gym.sim("cable", wire="console-tm-2", on=False)
    row = await lost_and_found(gym, "tm-2", workout, lambda: gym.sim("cable", wire="console-tm-2", on=True))
    assert row["filled_ms"] > 0


@pytest.mark.full
def test_a_gateway_without_power_remembers_nothing_and_the_counters_fill_the_gap(scene):
    async def story(gym):
        workout = await gym.trains("bike-1", percent=50)
        gym.sim("bluetooth", room="hall", on=False)
        row = await lost_and_found(gym, "bike-1", workout, lambda: gym.sim("bluetooth", room="hall", on=True))
        assert row["filled_ms"] > 0

    scene(story)


async def a_console_that_begins_anew_loses_nothing(gym):
    """What it had not told when it was switched off nobody can know: the box knows at least what it was told."""
    workout = await gym.trains("tm-1", percent=100)
    least_m = await gym.until(lambda: gym.told_m("tm-1"))
    begun_s, before = time.monotonic(), gym.truth()["tm-1"]
    gym.sim("reset", asset="tm-1")
    most_m = before["distance_m"] + before["speed_km_h"] / 3.6 * (time.monotonic() - begun_s)
    await gym.until(lambda: gym.told_m("tm-1") > most_m + 6)
    await gym.ends("tm-1", workout, 2, before_m=(least_m, most_m))


@pytest.mark.full
def test_an_error_code_takes_the_machine_out_until_it_is_gone(scene):
    async def story(gym):
        gym.sim("fault", asset="tm-2", code=17)
        await gym.sees(("fault", "error_17"), lambda: (gym.asset("tm-2")["use"], gym.asset("tm-2")["fault"]))
        await gym.until(lambda: any(order["asset"] == "tm-2" and order["cause"] != "days_due"
                                    for order in gym.view("maintenance")["orders"]))  # fmt: skip
        gym.sim("fault", asset="tm-2", code=0)
        await gym.sees("free", lambda: gym.asset("tm-2")["use"])

    scene(story)


@pytest.mark.full
def test_a_belt_that_drags_is_an_alarm_with_the_motor_s_current(scene):
    async def story(gym):
        await gym.trains("tm-1", percent=90)
        gym.sim("belt", asset="tm-1")
        await gym.until(lambda: "motor_current" in gym.causes())

    scene(story)


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


#: Each on machines of its own.
TOGETHER = (
    the_cable_of_a_console_is_pulled_and_put_back,
    a_console_that_begins_anew_loses_nothing,
    a_strap_that_slips_off_is_unknown_and_never_normal,
)


@pytest.mark.parametrize("story", TOGETHER, ids=lambda story: story.__name__)
def test_a_fault_of_one_machine_stays_its_own(together, story):
    together(TOGETHER, story)
