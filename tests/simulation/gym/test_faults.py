"""A workout in which something fails: broker, daemon, cable, gateway, console. It stays one workout, and no metre is
lost or made up."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from _gym import NEAR_M, UNHEARD_M


def test_the_broker_restarts_in_a_workout_and_the_gateway_tells_what_it_kept(scene):
    async def story(gym):
        told = []

        async def unheard():
            told.append(await gym.stays_lost("bike-1"))

        async def known(_name):
            return told[0]

        workout = await gym.trains("bike-1", percent=50)
        await gym.killed("broker", unheard)
        await gym.lost_and_found("bike-1", workout, lambda: None, known)

    scene(story)


def test_killed_in_a_workout_it_goes_on_as_one(scene):
    async def story(gym):
        async def unheard():
            before_m = gym.done_m("bike-2")
            await gym.until(lambda: gym.done_m("bike-2") > before_m + UNHEARD_M)

        wired, held = await asyncio.gather(gym.trains("tm-2", percent=100), gym.trains("bike-2", percent=60))
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


@pytest.mark.full
def test_a_gateway_without_power_remembers_nothing_and_the_counters_fill_the_gap(scene):
    async def story(gym):
        workout = await gym.trains("bike-1", percent=50)
        gym.sim("bluetooth", room="hall", on=False)
        row = await gym.lost_and_found("bike-1", workout, lambda: gym.sim("bluetooth", room="hall", on=True))
        assert row["filled_ms"] > 0

    scene(story)


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
