"""A whole garage whose parts fail in a fire: contacts that weld, a killed daemon, a broker that dies or lies."""

from __future__ import annotations

import signal

PORT = "b1e-02"


def test_killed_in_the_middle_it_comes_back_latched_and_the_chargers_stay_off(scene):
    async def story(garage):
        await garage.charge()
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.until(lambda: garage.zone("b1-east")["state"] == "pre_alarm")
        daemon = garage.processes["garage"]
        boot = garage.client.status().boot_id
        daemon.end(signal.SIGKILL)
        garage.sim("clear", zone="b1-east")
        daemon.start()
        await garage.until(lambda: garage.client.status().alive and garage.client.status().boot_id != boot)
        await garage.until(lambda: garage.zone("b1-east")["state"] in {"latched", "resettable"})
        assert garage.zone("b1-east")["reasons"] == ["smoke:b1e-smoke-1"]
        await garage.until(lambda: garage.zone("b1-east")["cut"] == "proven")
        assert garage.truth()["flows_w"] == 0

    scene(story)


def test_stored_smoke_at_the_broker_cuts_until_a_person_looks(scene):
    async def story(garage):
        await garage.charge("s3-02")
        garage.sim("dead", head="s3-smoke-2")
        await garage.until(lambda: garage.zone("stair-3")["state"] == "watch")
        daemon = garage.processes["garage"]
        daemon.end(signal.SIGKILL)
        garage.sim("stale", head="s3-smoke-2")
        daemon.start()
        await garage.until(lambda: garage.zone("stair-3").get("state") == "pre_alarm")
        await garage.until(lambda: garage.truth("stair-3")["flows_w"] == 0)
        assert not garage.output("s3-door")["wanted"], "a stored word is never the proof of a fire"

    scene(story)


def test_a_lost_radio_network_is_an_alarm_of_its_own_and_charging_goes_on(scene):
    async def story(garage):
        await garage.charge()
        garage.sim("gateway", on=False)
        await garage.until(lambda: "device_lost" in garage.causes())
        state = lambda name: next(s["state"] for s in garage.zone("b1-east")["sources"] if s["source"] == name)  # noqa: E731
        await garage.until(lambda: state("b1e-smoke-1") == "absent")
        assert state("b1e-panel-smoke") == "clear"
        await garage.until(lambda: garage.zone("b1-east")["state"] == "watch")
        assert garage.truth()["flows_w"] > 20
        garage.sim("gateway", on=True)
        await garage.until(lambda: garage.zone("b1-east")["state"] == "normal")

    scene(story)


def test_the_broker_dies_in_a_fire_and_the_latch_holds(scene):
    async def story(garage):
        await garage.charge("b1w-02")
        garage.sim("call", zone="b1-west")
        await garage.until(lambda: garage.zone("b1-west")["state"] == "fire")
        garage.processes["broker"].end(signal.SIGKILL)
        await garage.until(lambda: garage.zone("b1-west")["cut"] == "proven")
        assert garage.truth("b1-west")["flows_w"] == 0, "wires need no broker"
        garage.processes["broker"].start()
        await garage.until(lambda: garage.output("b1w-siren")["on"])
        assert garage.zone("b1-west")["state"] == "fire"

    scene(story)


def test_a_welded_outlet_opens_the_contactor(scene):
    async def story(garage):
        await garage.charge()
        garage.sim("weld", name=PORT)
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.until(lambda: garage.truth()["flows_w"] == 0)
        await garage.until(lambda: garage.zone("b1-east")["cut"] == "proven")

    scene(story)


def test_a_welded_contactor_asks_the_building_and_says_that_the_cut_is_not_confirmed(scene):
    async def story(garage):
        await garage.charge()
        garage.sim("weld", name=PORT)
        garage.sim("weld", name="b1-east")
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.until(lambda: garage.output("b1e-feed")["on"])
        await garage.until(lambda: garage.truth()["flows_w"] == 0)
        await garage.until(lambda: garage.causes() & {"cut_not_confirmed", "contact_welded"})
        reasons = garage.zone("b1-east")["reasons"]
        assert reasons[0] == "smoke:b1e-smoke-1"
        assert any(reason.startswith("cut_unconfirmed:") for reason in reasons[1:])
        assert garage.truth()["outputs"]["b1e-contactor"], "its copper still hangs together"
        assert not garage.output("b1w-feed")["wanted"], "only this zone's feed"
        assert not garage.zone("b1-east")["water_asked"]

    scene(story)
