"""The development preview: every state of a lane can be shown, and none of it is part of a real app."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

from edge.api import preview_world as world
from edge.api.app import create_app
from edge.api.context import ApiConfig
from edge.api.preview import Script, preview_router
from edge.api.preview_fakes import MemoryBooks, MemoryDemo, MemoryGateway
from edge.api.preview_gym import DAYS_BEFORE, GymScript
from edge.api.preview_gym_scenes import SCENES
from edge.api.preview_rows import MemoryRows
from edge.api.roles import ROLES
from edge.domain.canteen.messages import Phase
from edge.domain.gym.messages import LeaveAsset, LockOut, ReportFault
from edge.domain.gym.rows import UseRow, WorkoutRow

DOCUMENT = json.loads((Path(__file__).parents[2] / "edge" / "api" / "openapi.json").read_bytes())
STATES = (
    [(phase, "") for phase in Phase]
    + [(Phase.BLOCKED, problem) for problem in world.BLOCKING]
    + [
        (Phase.ASK, "count_differs"),
        (Phase.FIRM, "purse_short"),
    ]
)


@pytest.mark.parametrize(("phase", "problem"), STATES)
@pytest.mark.parametrize("diner", [world.ELDER, world.GUEST], ids=["elder", "guest"])
def test_every_state_is_a_lane_view_whose_numbers_add_up(phase, problem, diner):
    view = world.lane_view("1", phase, problem, diner=diner)
    schema = {"$ref": "#/components/schemas/LaneView", "components": DOCUMENT["components"]}
    plain = json.loads(msgspec.json.encode(view))
    assert [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(plain)] == []
    assert sum(step.fen for step in view.steps) == view.payable_fen
    for step in view.steps:
        assert sum(step.allocation) == step.fen
    priced = [plate for plate in view.plates if plate.price_fen is not None]
    assert view.list_fen == sum(plate.price_fen for plate in priced)
    assert any(plate.blocks for plate in view.plates) == (view.problem in world.BLOCKING)


def test_the_app_has_no_preview_routes(shared_api):
    assert not [route for route in shared_api.routes() if "preview" in route.path]
    assert not [operation for operation in ROLES if "preview" in operation]
    assert shared_api.post("/api/v1/preview/links").status_code == 404


def test_the_preview_steers_lanes_daemon_and_logins(api):
    script = Script()
    config = ApiConfig(
        site=world.SITE, version="x", verticals=("canteen",), canteen=world.CONFIG, allowed_hosts=(), demo=True,
        pages=api.folder / "dist",
    )  # fmt: skip
    app = create_app(config, script.gateway, MemoryBooks(), api.accounts, MemoryDemo(), [preview_router(script)])
    api.app, api.context = app, app.state.context
    token = api.post("/api/v1/preview/links?role=manager").json()["token"]
    cookie = api.post("/api/v1/auth/link", {"token": token}).cookies["kangle_session"]
    headers = {"Cookie": f"kangle_session={cookie}"}

    def lane():
        return api.get("/api/v1/canteen/lanes/1", headers=headers).json()

    for phase in Phase:
        assert api.post(f"/api/v1/preview/1/{phase}").status_code == 200
        assert lane()["phase"] == phase
    api.post("/api/v1/preview/1/blocked?problem=plate_sold&guest=true")
    assert (lane()["problem"], lane()["diner"]["category"]) == ("plate_sold", "guest")
    api.post("/api/v1/preview/1/firm")
    shown = lane()
    paid = api.post(
        "/api/v1/canteen/lanes/1/pay",
        {"order_id": "o-1", "tray_id": shown["tray_id"], "tray_version": shown["tray_version"],
         "payable_fen": shown["payable_fen"], "method": "purse"},
        headers=headers,
    ).json()  # fmt: skip
    assert (paid["code"], paid["paid_fen"], lane()["phase"]) == ("ok", shown["payable_fen"], "paid")
    api.post("/api/v1/preview/daemon/dead")
    assert api.post("/api/v1/canteen/lanes/1/call-staff", {}, headers=headers).json()["code"] == "daemon_away"
    assert api.post("/api/v1/preview/9/firm").status_code == 404


def test_lanes_walk_through_the_script_unless_pinned(monkeypatch):
    monkeypatch.setattr("edge.api.preview.DWELL_S", 0.001)
    script = Script()
    script.pin("2", Phase.PAID, "", guest=False)
    seen = {"lane/1": set(), "lane/2": set()}
    script.gateway.listen(lambda view: seen[view.key].add(json.loads(view.json)["phase"]))

    async def walk():
        task = asyncio.create_task(script.walk())
        async with asyncio.timeout(60):
            while len(seen["lane/1"]) < len(Phase):
                await asyncio.sleep(0.002)
        task.cancel()

    asyncio.run(walk())
    assert seen == {"lane/1": {phase.value for phase in Phase}, "lane/2": set()}


@pytest.mark.parametrize("scene", sorted(SCENES.keys() - DAYS_BEFORE))
def test_a_scene_of_the_gym_begins_the_same_each_time_and_forgets_what_was_done(scene):
    def shown(gateway):
        return {view.key: view.json for view in gateway.present()}

    def stands(script):
        worlds = msgspec.msgpack.encode(script.world)
        return worlds, list(script.rows.all(WorkoutRow)), dict(script.playing), script.wall_ns, shown(script.gateway)

    first = GymScript(MemoryGateway())
    first.play(scene)
    before = stands(first)
    first.order(ReportFault(asset="tm-6", what="noise"))
    first.order(LockOut(asset="tm-6", note="belt"))
    first.move("tm-2", 6.0, 104)
    first.run(20)
    first.order(LeaveAsset(asset="tm-2"))
    assert stands(first)[:2] != before[:2]
    first.play(scene)
    other = GymScript(MemoryGateway())
    other.play(scene)
    assert stands(first) == stands(other) == before


def test_rows_are_found_by_what_they_hold_now_as_a_scan_would_find_them():
    """Indexes are made between the changes, rows move from one value to another, and a copy goes its own way."""
    rng, rows = random.Random(8), MemoryRows()
    asked = [{}, {"waits": 1}, {"zone": "hall", "waits": 0}, {"day": "d1", "zone": "hall"}, {"waits": 9}]

    def scan(of, where):
        return [row for row in of.all(UseRow) if all(getattr(row, name) == value for name, value in where.items())]

    def change(of):
        of.put(UseRow(day=f"d{rng.randrange(3)}", hour=rng.randrange(4), zone=rng.choice(["hall", "park"]), kind="bike",
                      waits=rng.randrange(3), **dict.fromkeys(NUMBERS, 0)))  # fmt: skip

    for _ in range(200):
        change(rows)
        where = rng.choice(asked)
        assert rows.where(UseRow, where) == scan(rows, where)
    before, copy = rows.where(UseRow, asked[1]), rows.copy()
    for _ in range(20):
        change(copy)
    assert rows.where(UseRow, asked[1]) == before
    assert [copy.where(UseRow, where) for where in asked] == [scan(copy, where) for where in asked]
    assert scan(rows, {}) == sorted(scan(rows, {}), key=lambda row: (row.day, row.hour, row.zone, row.kind))


NUMBERS = ("busy_ms", "workouts", "turned_away", "wait_ms", "longest_wait_ms", "no_shows")
