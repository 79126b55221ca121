"""The access door of a whole garage: an OSDP reader on its wire, cards, a fire, a crowbar."""

from __future__ import annotations

import asyncio


def door_of(garage):
    (door,) = garage.zone("b1-east")["doors"]
    return door


def test_a_card_that_may_opens_the_door_and_one_that_may_not_does_not(scene):
    async def story(garage):
        assert door_of(garage)["lock"] == "locked"
        told = await asyncio.to_thread(garage.sim, "card", door="b1e-gate", card="110:29001")
        assert told["opened"] is True
        await garage.until(lambda: door_of(garage)["last"] == "granted" and door_of(garage)["open"] is True)
        await garage.until(lambda: door_of(garage)["open"] is False and door_of(garage)["lock"] == "locked")
        await garage.until(lambda: garage.truth()["doors"]["b1e-gate"] == {"locked": True, "open": False})
        for card, why in (("110:20003", "expired"), ("7:7", "unknown_card")):
            told = await asyncio.to_thread(garage.sim, "card", door="b1e-gate", card=card)
            assert told["opened"] is False
            await garage.until(lambda why=why: door_of(garage)["last"] == why)
        assert not {"door_forced", "door_held"} & garage.causes()

    scene(story)


def test_a_fire_releases_the_door_for_everybody_and_that_is_no_break_in(scene):
    async def story(garage):
        garage.sim("call", zone="b1-east")
        await garage.until(lambda: door_of(garage)["lock"] == "released")
        await garage.until(lambda: not garage.truth()["doors"]["b1e-gate"]["locked"])
        garage.sim("force", door="b1e-gate")  # somebody runs out
        await garage.until(lambda: door_of(garage)["open"] is True)
        assert "door_forced" not in garage.causes()
        await garage.until(lambda: garage.output("b1e-gate-lock")["on"] is True)

    scene(story)


def test_a_door_that_is_broken_open_is_an_alarm_until_it_is_shut(scene):
    async def story(garage):
        garage.sim("force", door="b1e-gate")
        await garage.until(lambda: "door_forced" in garage.causes() and door_of(garage)["trouble"] == "forced")
        (alarm,) = [each for each in garage.view("alarms")["alarms"] if each["cause"] == "door_forced"]
        assert (alarm["zone"], alarm["details"]) == ("b1-east", ["b1e-gate"])
        assert garage.zone("b1-east")["state"] == "normal", "an open door is no fire"
        garage.sim("shut", door="b1e-gate")
        await garage.until(lambda: door_of(garage)["trouble"] == "" and door_of(garage)["open"] is False)

    scene(story)


def test_a_door_with_a_wedge_below_it_is_held_open(scene):
    async def story(garage):
        told = await asyncio.to_thread(garage.sim, "card", door="b1e-gate", card="110:29001", prop=True)
        assert told["opened"] is True
        await garage.until(lambda: "door_held" in garage.causes())
        garage.sim("shut", door="b1e-gate")
        await garage.until(lambda: door_of(garage)["trouble"] == "")

    scene(story)


def test_a_cut_reader_is_an_alarm_of_its_own_and_cuts_no_charger(scene):
    async def story(garage):
        await garage.charge()
        garage.sim("cable", wire="doors", on=False)
        await garage.until(lambda: "device_lost" in garage.causes())
        assert garage.zone("b1-east")["state"] == "normal"
        assert garage.truth()["flows_w"] > 20
        garage.sim("cable", wire="doors", on=True)
        await garage.until(lambda: "device_lost" not in garage.causes() or not active(garage, "device_lost"))
        told = await asyncio.to_thread(garage.sim, "card", door="b1e-gate", card="110:29001")
        assert told["opened"] is True, "the channel is set up anew"
        await garage.until(lambda: door_of(garage)["open"] is False)

    scene(story)


def active(garage, cause):
    return [each for each in garage.view("alarms")["alarms"] if each["cause"] == cause and each["active"]]
