"""The access door of a whole garage: an OSDP reader on its wire, cards, a fire, a crowbar."""

from __future__ import annotations

import asyncio
import time

from _programs import LIMIT_S

GATE, KNOWN = "b1e-gate", "110:29001"


def door_of(garage):
    (door,) = garage.zone("b1-east")["doors"]
    return door


async def enters(garage, **how):
    """Shows a card that may enter, and again where the lock let go when nobody pulled any more."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        told = await asyncio.to_thread(garage.sim, "card", door=GATE, card=KNOWN, **how)
        if told["opened"]:
            return
        assert time.monotonic() < deadline, garage.last_words()


async def is_refused(garage, card, why):
    told = asyncio.create_task(asyncio.to_thread(garage.sim, "card", door=GATE, card=card))
    await garage.sees(why, lambda: door_of(garage)["last"])
    return told


def test_a_card_that_may_opens_the_door_and_one_that_may_not_does_not(scene):
    async def story(garage):
        await garage.sees("locked", lambda: door_of(garage)["lock"])
        await enters(garage, prop=True)
        await garage.sees("granted", lambda: door_of(garage)["last"])
        await garage.sees(True, lambda: door_of(garage)["open"])
        garage.sim("shut", door=GATE)
        await garage.sees((False, "locked"), lambda: (door_of(garage)["open"], door_of(garage)["lock"]))
        await garage.sees({"locked": True, "open": False}, lambda: garage.truth()["doors"][GATE])
        refusals = [await is_refused(garage, *each) for each in (("110:20003", "expired"), ("7:7", "unknown_card"))]
        assert not any(told["opened"] for told in await asyncio.gather(*refusals))
        assert "door_forced" not in garage.causes()

    scene(story)


def test_a_fire_releases_the_door_for_everybody_and_that_is_no_break_in(scene):
    async def story(garage):
        garage.sim("call", zone="b1-east")
        await garage.sees("released", lambda: door_of(garage)["lock"])
        await garage.sees(False, lambda: garage.truth()["doors"][GATE]["locked"])
        garage.sim("force", door=GATE)  # somebody runs out
        await garage.sees(True, lambda: door_of(garage)["open"])
        assert "door_forced" not in garage.causes()
        await garage.sees(True, lambda: garage.output("b1e-gate-lock")["on"])

    scene(story)


def test_a_door_that_is_broken_open_is_an_alarm_until_it_is_shut(scene):
    async def story(garage):
        garage.sim("force", door=GATE)
        await garage.until(lambda: "door_forced" in garage.causes())
        await garage.sees("forced", lambda: door_of(garage)["trouble"])
        (alarm,) = [each for each in garage.alarms() if each["cause"] == "door_forced"]
        assert (alarm["zone"], alarm["details"]) == ("b1-east", [GATE])
        await garage.sees("normal", lambda: garage.zone("b1-east")["state"], "an open door is no fire")
        garage.sim("shut", door=GATE)
        await garage.sees(("", False), lambda: (door_of(garage)["trouble"], door_of(garage)["open"]))

    scene(story)


def test_a_door_with_a_wedge_below_it_is_held_open(scene):
    async def story(garage):
        await enters(garage, prop=True)
        await garage.until(lambda: "door_held" in garage.causes())
        garage.sim("shut", door=GATE)
        await garage.sees("", lambda: door_of(garage)["trouble"])

    scene(story)


def test_a_cut_reader_is_an_alarm_of_its_own_and_cuts_no_charger(scene):
    async def story(garage):
        def lost():
            return [each for each in garage.alarms() if each["cause"] == "device_lost" and each["active"]]

        await garage.charge()
        garage.sim("cable", wire="doors", on=False)
        await garage.until(lost)
        await garage.sees("normal", lambda: garage.zone("b1-east")["state"])
        assert garage.truth()["flows_w"] > 20
        garage.sim("cable", wire="doors", on=True)
        await garage.sees([], lost)
        await enters(garage)  # the channel is set up anew
        await garage.sees(False, lambda: garage.truth()["doors"][GATE]["open"])

    scene(story)
