"""Fire in a whole garage: what is cut, what is released, what is proven, and what is not asked for."""

from __future__ import annotations

from edge.domain.actors import Role
from edge.domain.garage.messages import ResetZone, StartSession

PORT = "b1e-02"


def test_smoke_cuts_at_once_is_proven_and_latches(scene):
    async def story(garage):
        await garage.charge()
        garage.sim("smoke", zone="b1-east", one=True)
        await garage.state("b1-east", "pre_alarm")
        await garage.sees(0, lambda: garage.truth()["flows_w"])
        await garage.sees("proven", lambda: garage.zone("b1-east")["cut"])
        await garage.sees(["smoke:b1e-smoke-1"], lambda: garage.zone("b1-east")["reasons"])
        await garage.sees(True, lambda: garage.output("b1e-siren")["on"])
        await garage.sees(False, lambda: garage.output("b1e-door")["wanted"], "one signal opens no door")
        copper = garage.truth()["outputs"]["b1e-contactor"]
        assert copper, "it needs no contactor while the plugs prove their cut"
        garage.sim("clear", zone="b1-east")
        await garage.state("b1-east", "resettable")
        assert await garage.command(StartSession(session_id="x", port=PORT, card="C")) == "not_now"
        assert await garage.command(ResetZone(zone="b1-east", panel="b1-west-panel", person="t"), Role.PANEL) != "ok"
        assert garage.truth()["flows_w"] == 0

    scene(story)


def test_two_heads_are_a_fire_doors_contactor_neighbour_and_water_with_feedback(scene):
    async def story(garage):
        await garage.charge()
        await garage.charge("b1w-02")
        garage.sim("smoke", zone="b1-east")
        await garage.state("b1-east", "fire")
        await garage.sees(True, lambda: garage.output("b1e-door")["on"])
        await garage.sees(["proven"] * 2, lambda: [garage.zone(name)["cut"] for name in ("b1-east", "b1-west")])
        await garage.sees(False, lambda: garage.truth()["live"])
        await garage.sees(0, lambda: garage.truth("b1-west")["flows_w"])
        await garage.sees("normal", lambda: garage.zone("stair-3")["state"])
        await garage.sees(True, lambda: garage.zone("b1-east")["water_asked"])
        await garage.sees(True, lambda: garage.truth()["heads"]["b1e-flow"])
        assert "cut_not_confirmed" not in garage.causes(), "the contactor's proof is that of the dark plugs behind it"

    scene(story)


def test_the_panel_alone_releases_doors_and_never_asks_for_water(scene):
    async def story(garage):
        garage.sim("panel", zone="b1-east")
        await garage.state("b1-east", "fire")
        await garage.sees(True, lambda: garage.output("b1e-door")["on"])
        await garage.sees("proven", lambda: garage.zone("b1-east")["cut"])
        await garage.sees(False, lambda: garage.zone("b1-east")["water_asked"])
        assert not garage.truth()["outputs"]["b1e-valve"]

    scene(story)
