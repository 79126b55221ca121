"""A whole garage whose parts fail in a fire: contacts that weld, a killed daemon, a broker that dies or lies."""

from __future__ import annotations

import pytest

PORT = "b1e-02"
#: In which no proof can come: what waits for its end.
HOPELESS_S = 4


@pytest.fixture
def hopeless(scene):
    """A scene with little time for proof; the next one has its time again."""

    def play(story):
        async def hurried(garage):
            patient_s = garage.site.garage.zones[0].prove_s
            await garage.proves_in(HOPELESS_S)
            try:
                await story(garage)
            finally:
                await garage.recover()
                await garage.proves_in(patient_s)

        scene(hurried)

    return play


def test_killed_in_the_middle_it_comes_back_latched_and_the_chargers_stay_off(scene):
    async def story(garage):
        async def clear():
            garage.sim("clear", zone="b1-east")

        await garage.charge()
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.state("b1-east", "pre_alarm")
        await garage.killed("garage", clear)
        await garage.state("b1-east", "latched", "resettable")
        await garage.sees(["smoke:b1e-smoke-1"], lambda: garage.zone("b1-east")["reasons"])
        await garage.sees("proven", lambda: garage.zone("b1-east")["cut"])
        await garage.sees(0, lambda: garage.truth()["flows_w"])

    scene(story)


def test_stored_smoke_at_the_broker_cuts_until_a_person_looks(scene):
    async def story(garage):
        async def stale():
            garage.sim("stale", head="s3-smoke-2")

        await garage.charge("s3-02")
        garage.sim("dead", head="s3-smoke-2")
        await garage.state("stair-3", "watch")
        await garage.killed("garage", stale)
        await garage.state("stair-3", "pre_alarm")
        await garage.sees(0, lambda: garage.truth("stair-3")["flows_w"])
        await garage.sees(False, lambda: garage.output("s3-door")["wanted"], "a stored word is no proof of a fire")

    scene(story)


def test_a_lost_radio_network_is_an_alarm_of_its_own_and_charging_goes_on(scene):
    async def story(garage):
        def state(name):
            return next(each["state"] for each in garage.zone("b1-east")["sources"] if each["source"] == name)

        await garage.charge()
        garage.sim("gateway", on=False)
        await garage.until(lambda: "device_lost" in garage.causes())
        await garage.sees("absent", lambda: state("b1e-smoke-1"))
        await garage.sees("clear", lambda: state("b1e-panel-smoke"))
        await garage.state("b1-east", "watch")
        assert garage.truth()["flows_w"] > 20
        garage.sim("gateway", on=True)
        await garage.state("b1-east", "normal")

    scene(story)


def test_the_broker_dies_in_a_fire_and_the_latch_holds(scene):
    async def story(garage):
        async def wires_need_no_broker():
            await garage.sees("proven", lambda: garage.zone("b1-west")["cut"])
            await garage.sees(0, lambda: garage.truth("b1-west")["flows_w"])

        await garage.charge("b1w-02")
        garage.sim("call", zone="b1-west")
        await garage.state("b1-west", "fire")
        await garage.killed("broker", wires_need_no_broker)
        await garage.sees(True, lambda: garage.output("b1w-siren")["on"])
        await garage.sees("fire", lambda: garage.zone("b1-west")["state"])

    scene(story)


def test_a_welded_outlet_opens_the_contactor(hopeless):
    async def story(garage):
        await garage.charge()
        garage.sim("weld", name=PORT)
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.sees(False, lambda: garage.truth()["outputs"]["b1e-contactor"])
        await garage.sees(0, lambda: garage.truth()["flows_w"])
        await garage.until(lambda: garage.zone("b1-east")["cut"] == "proven" or garage.output("b1e-feed")["wanted"])

    hopeless(story)


def test_a_welded_contactor_asks_the_building_and_says_that_the_cut_is_not_confirmed(hopeless):
    async def story(garage):
        await garage.charge()
        garage.sim("weld", name=PORT)
        garage.sim("weld", name="b1-east")
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.sees(True, lambda: garage.output("b1e-feed")["on"])
        await garage.sees(0, lambda: garage.truth()["flows_w"])
        await garage.until(lambda: garage.causes() & {"cut_not_confirmed", "contact_welded"})
        await garage.sees("smoke:b1e-smoke-1", lambda: garage.zone("b1-east")["reasons"][0])
        reasons = lambda: garage.zone("b1-east")["reasons"][1:]  # noqa: E731
        await garage.until(lambda: any(reason.startswith("cut_unconfirmed:") for reason in reasons()))
        assert garage.truth()["outputs"]["b1e-contactor"], "its copper still hangs together"
        await garage.sees(False, lambda: garage.output("b1w-feed")["wanted"], "only this zone's feed")
        await garage.sees(False, lambda: garage.zone("b1-east")["water_asked"])

    hopeless(story)
