"""Fire in a whole garage: what is cut, what is released, what is proven, and what is not asked for."""

from __future__ import annotations

from edge.domain.actors import Role
from edge.domain.garage.messages import ResetZone, StartSession

PORT = "b1e-02"


def test_smoke_cuts_at_once_is_proven_and_latches(scene):
    async def story(garage):
        await garage.charge()
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.until(lambda: garage.zone("b1-east")["state"] == "pre_alarm")
        await garage.until(lambda: garage.truth()["flows_w"] == 0 and garage.zone("b1-east")["cut"] == "proven")
        assert garage.zone("b1-east")["reasons"] == ["smoke:b1e-smoke-1"]
        assert garage.output("b1e-siren")["on"]
        assert not garage.output("b1e-door")["wanted"], "one signal opens no door"
        assert garage.truth()["outputs"]["b1e-contactor"], "and needs no contactor while the plugs prove their cut"
        garage.sim("clear", zone="b1-east")
        await garage.until(lambda: garage.zone("b1-east")["state"] == "resettable")
        assert await garage.command(StartSession(session_id="x", port=PORT, card="C")) == "not_now"
        assert await garage.command(ResetZone(zone="b1-east", panel="b1-west-panel", person="t"), Role.PANEL) != "ok"
        assert garage.truth()["flows_w"] == 0

    scene(story)


def test_two_heads_are_a_fire_doors_contactor_neighbour_and_water_with_feedback(scene):
    async def story(garage):
        await garage.charge()
        await garage.charge("b1w-02")
        garage.sim("smoke", zone="b1-east")
        await garage.until(lambda: garage.zone("b1-east")["state"] == "fire")
        await garage.until(lambda: garage.output("b1e-door")["on"])
        await garage.until(lambda: garage.zone("b1-east")["cut"] == "proven")
        await garage.until(lambda: garage.zone("b1-west")["cut"] == "proven")
        assert not garage.truth()["live"]
        assert garage.truth("b1-west")["flows_w"] == 0
        assert garage.zone("stair-3")["state"] == "normal"
        await garage.until(lambda: garage.zone("b1-east")["water_asked"] and garage.truth()["heads"]["b1e-flow"])
        assert "water_unconfirmed" not in garage.causes()
        assert "cut_not_confirmed" not in garage.causes(), "the contactor's proof is that of the dark plugs behind it"

    scene(story)


def test_the_panel_alone_releases_doors_and_never_asks_for_water(scene):
    async def story(garage):
        garage.sim("panel", zone="b1-east")
        await garage.until(lambda: garage.zone("b1-east")["state"] == "fire" and garage.output("b1e-door")["on"])
        await garage.until(lambda: garage.zone("b1-east")["cut"] == "proven")
        assert not garage.zone("b1-east")["water_asked"]
        assert not garage.truth()["outputs"]["b1e-valve"]

    scene(story)
