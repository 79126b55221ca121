"""The floor with its people against a canteen of dicts behind real HTTP: trays are paid as they lie there, and the
user's tray takes precedence."""

from __future__ import annotations

import asyncio
import json
import selectors
import time

import pytest

from firmware_sim import canteenapi, kitchen
from firmware_sim.floor import Floor
from firmware_sim.floorconfig import load

MEMBERS = [{"token": f"m-{i}", "card": f"C{i}", "label": {"zh": f"会员{i}", "en": f"Member {i}"}} for i in range(4)]


def settings(folder, **changes):
    plates = [{"uid": f"e0040100{i:08x}", "label": f"A{i:03d}"} for i in range(60)]
    plates += [{"uid": f"e2800000000000000000{i:04x}", "label": f"B{i:03d}"} for i in range(60)]
    return {
        "control": str(folder / "floor.sock"),
        "api": "http://127.0.0.1:1",
        "tokens": {"kitchen": "kitchen", "cashier": "cashier", "terminal": {"1": "t1", "2": "t2"}},
        "lanes": [
            {"lane": "1", "protocol": "feig", "link": str(folder / "r1"), "baud": 115200},
            {"lane": "2", "protocol": "magicrf", "link": str(folder / "r2")},
        ],
        "dishes": [{"dish_id": f"d{i:03d}"} for i in range(8)] + [{"dish_id": "w001", "weight": 200}],
        "plates": plates,
        "members": MEMBERS,
        "per_minute": 60,
        "pace": 0.02,
        "diners": False,
        "physics": {"wrong_plate_p": 0.0, "dead_p": 0.0},
        **changes,
    }


class Scene:
    """A running floor and its canteen; ``ask`` talks to the control socket."""

    def __init__(self, folder, canteen):
        self.folder, self.canteen = folder, canteen

    async def ask(self, **request):
        reader, writer = await asyncio.open_unix_connection(self.folder / "floor.sock", limit=1 << 20)
        writer.write(json.dumps(request).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(reader.readline(), 60))
        writer.close()
        await writer.wait_closed()
        return answer

    async def until(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come to pass"
            await asyncio.sleep(0.02)


@pytest.fixture
def play(tmp_path, fake_canteen, monkeypatch):
    """Run an async scene on a live floor. ``api`` False: the canteen is not up yet."""

    monkeypatch.setattr(canteenapi, "REPEAT_AFTER_S", (0.05, 0.1, 0.2))
    monkeypatch.setattr(kitchen, "RETRY_S", 0.1)

    def go(scene, *, api=True, **changes):
        async def main():
            canteen = fake_canteen(MEMBERS)
            await canteen.start()
            if not api:
                await canteen.stop()
            config_file = tmp_path / "floor.json"
            config_file.write_text(json.dumps(settings(tmp_path, api=f"http://127.0.0.1:{canteen.port}", **changes)))
            floor = Floor(load(config_file))
            floor._crowd.per_minute = 1200  # more than the configuration allows: tests are in a hurry
            canteen.stations = floor._stations
            task = asyncio.create_task(floor.live())
            stage = Scene(tmp_path, canteen)
            await stage.until((tmp_path / "floor.sock").exists)
            try:
                await asyncio.wait_for(scene(stage), 110)
                assert not task.done()
            finally:
                task.cancel()
                await asyncio.wait({task})
                if canteen.server.is_serving():
                    await canteen.stop()
                await asyncio.sleep(0.02)  # closed transports get their last call
            assert not (tmp_path / "r1").is_symlink()
            assert not (tmp_path / "floor.sock").exists()

        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
            runner.run(main())

    return go


def sold_uids(canteen):
    return [uid for order in canteen.orders for uid in order[3]]


def test_diners_pay_exactly_what_lies_there(play):
    async def scene(stage):
        canteen = stage.canteen
        await stage.until(lambda: len(canteen.orders) >= 8)
        assert {order[1] for order in canteen.orders} == {"1", "2"}
        assert {order[2] for order in canteen.orders} == {"purse", "cash"}
        assert all(3 <= len(order[3]) <= 5 for order in canteen.orders)
        assert canteen.purses == {
            member: 20_000
            - 700 * sum(len(o[3]) for o in canteen.orders if o[2] == "purse" and self_of(canteen, o) == member)
            for member in canteen.purses
        }

    def self_of(canteen, order):
        """Who paid: the member whose card was shown on that lane last before this order."""
        shown = None
        for method, path, body in canteen.asked:
            if method == "POST" and path == f"lanes/{order[1]}/identify":
                shown = canteen.members[body["card"]]
            if body.get("order_id") == order[0]:
                return shown
        return None

    play(scene, diners=True)


def test_wrong_plates_are_taken_off_and_dead_chips_keyed_in(play, capsys):
    async def scene(stage):
        canteen = stage.canteen
        await stage.until(lambda: len(canteen.orders) >= 5)
        posts = [path.rpartition("/")[2] for method, path, _ in canteen.asked if method == "POST"]
        assert "key-plate" in posts
        assert "confirm-plates" in posts
        on_sale = set(canteen.bound)
        assert all(uid in on_sale for uid in sold_uids(canteen))

    play(scene, diners=True, physics={"wrong_plate_p": 1.0, "dead_p": 0.2})
    assert "left without paying" not in capsys.readouterr().err


def test_when_the_screen_asks_the_diner_counts(play):
    async def scene(stage):
        canteen = stage.canteen
        canteen.always_ask = True

        def counts():
            return [body["plates"] for _, path, body in canteen.asked if path.endswith("confirm-plates")]

        await stage.until(lambda: len(counts()) >= 2)
        orders = len(canteen.orders)
        await stage.until(lambda: len(canteen.orders) > orders)
        assert all(3 <= count <= 5 for count in counts())

    play(scene, diners=True)


def test_the_users_tray_is_what_was_asked_and_goes_after_it_was_paid(play):
    async def scene(stage):
        canteen = stage.canteen
        await stage.until(lambda: len(canteen.bound) >= 40)
        odd = {"unknown": 1, "unbound": 1, "dead": 1}
        placed = await stage.ask(op="place", lane="2", dishes=["d001", "d001", "w001"], card="C2", **odd)
        assert placed["ok"]
        assert [plate["dish_id"] for plate in placed["plates"]][:3] == ["d001", "d001", "w001"]
        assert [plate["dead"] for plate in placed["plates"]] == [False, False, False, True, False, False]
        await stage.until(lambda: canteen.lane("2")["member"] == "m-2")
        state = (await stage.ask(op="state"))["lanes"]["2"]
        assert [plate["uid"] for plate in state["tray"]] == [plate["uid"] for plate in placed["plates"]]
        assert state["held_by"] == "user"
        assert canteen.view("2")["problem"] in {"plate_unbound", "plate_unknown"}
        assert await stage.ask(op="remove", lane="2") == {"ok": True}
        assert (await stage.ask(op="state"))["lanes"]["2"]["tray"] == []

        await stage.ask(op="place", lane="1", dishes=["d002", "d003"])
        await stage.until(lambda: canteen.view("1")["phase"] == "firm")
        view = canteen.view("1")
        paid = {"order_id": "o-1", "method": "cash", "tendered_fen": 9999}
        paid |= {key: view[key] for key in ("tray_id", "tray_version", "payable_fen")}
        assert canteen._pay("1", paid)[0] == 200
        await stage.until(lambda: not canteen.stations["1"].plates)
        assert canteen.stations["1"].is_free()

    play(scene)


def test_a_diner_steps_aside_for_the_user(play):
    async def scene(stage):
        canteen = stage.canteen
        await stage.until(lambda: canteen.stations["1"].held_by == "diner")
        placed = await stage.ask(op="place", lane="1", dishes=["d004"])
        assert placed["ok"]
        await stage.until(lambda: len(canteen.stations["1"].plates) == 1)
        assert canteen.stations["1"].plates[0].uid == placed["plates"][0]["uid"]
        assert canteen.stations["1"].diner is None
        await asyncio.sleep(0.8)
        assert canteen.stations["1"].held_by == "user"
        assert [plate.uid for plate in canteen.stations["1"].plates] == [placed["plates"][0]["uid"]]
        await stage.ask(op="remove", lane="1")
        await stage.until(lambda: canteen.stations["1"].held_by == "diner")

    play(scene, diners=True, pace=0.3)


def test_the_api_may_come_late_and_go_away(play, capsys):
    async def scene(stage):
        canteen = stage.canteen
        refused = await stage.ask(op="place", lane="1", dishes=["d001"])
        assert not refused["ok"]
        assert "API is away" in refused["error"]
        await canteen.start(canteen.port)
        await stage.until(lambda: len(canteen.orders) >= 1)
        await canteen.stop()
        await asyncio.sleep(0.5)
        orders = len(canteen.orders)
        await canteen.start(canteen.port)
        await stage.until(lambda: len(canteen.orders) > orders)
        ids = [order[0] for order in canteen.orders]
        assert len(set(ids)) == len(ids)

    play(scene, api=False, diners=True)
    said = capsys.readouterr().err
    assert said.count("does not answer") >= 2, "it was away at first, and once more"
    assert said.count("does not answer") - said.count("answers again") in {0, 1}, "told once each time"
    assert "answers again" in said


def test_refusals_are_told_in_one_line_with_their_code(play, capsys):
    async def scene(stage):
        canteen = stage.canteen
        canteen.refuse = {
            "identify": [(404, "unknown_card")],
            "pay": [(422, "purse_short"), (409, "tray_changed"), (503, "busy")],
            "bindings": [(404, "unknown_dish")],
        }
        await stage.until(lambda: not any(canteen.refuse.values()))
        # Each diner went on: orders come, and the dishes that were not refused are filled.
        orders = len(canteen.orders)
        await stage.until(lambda: len(canteen.orders) > orders and len(set(canteen.bound.values())) == 8)

    play(scene, diners=True)
    said = capsys.readouterr().err
    for words in ("identify refused: unknown_card", "pay refused: purse_short", "pay refused: tray_changed"):
        assert words in said
    assert "unknown_dish" in said


def test_a_wrong_token_names_the_remedy(play, capsys):
    async def scene(stage):
        refused = await stage.ask(op="place", lane="1", dishes=["d001"])
        assert "no plate can be filled" in refused["error"]

    tokens = {"kitchen": "wrong", "cashier": "cashier", "terminal": {"1": "t1", "2": "t2"}}
    play(scene, tokens=tokens)
    assert "give `tokens.kitchen` a token of role kitchen" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"op": "place", "lane": "9", "dishes": ["d001"]}, "no lane '9'; lanes are 1, 2"),
        ({"op": "place", "lane": "1", "dishes": []}, "1 to 16 plates"),
        ({"op": "place", "lane": "1", "dishes": ["d001"] * 17}, "1 to 16 plates"),
        ({"op": "place", "lane": "1", "dishes": ["nonsense"]}, "not on today's menu: nonsense"),
        ({"op": "fault", "lane": "1", "fault": "leak"}, "no neighbour whose plates it can hear (hf)"),
        ({"op": "fault", "lane": "1", "fault": "fire"}, "must be one of"),
        ({"op": "diners", "on": 1}, "true or false"),
    ],
)
def test_bad_requests_name_the_remedy(play, request_, words):
    async def scene(stage):
        answer = await stage.ask(**request_)
        assert answer["ok"] is False
        assert words in answer["error"]

    play(scene)


def test_faults_and_diners_are_switched(play):
    async def scene(stage):
        steps = [("noise", "up"), ("unplug", "unplugged"), ("replug", "up"), ("unplug", "unplugged"), ("none", "up")]
        for fault, link in steps:
            assert await stage.ask(op="fault", lane="1", fault=fault) == {"ok": True}
            state = (await stage.ask(op="state"))["lanes"]["1"]
            assert (state["fault"], state["link"]) == ("none" if fault == "replug" else fault, link)
        assert await stage.ask(op="diners", on=True, per_minute=30) == {"ok": True, "on": True, "per_minute": 30}
        state = await stage.ask(op="state")
        assert state["diners"] == {"on": True, "per_minute": 30}
        assert state["members"][0] == {"card": "C0", "label": {"zh": "会员0", "en": "Member 0"}}

    play(scene)


def test_leak_between_two_uhf_lanes_can_be_switched(play, tmp_path):
    lanes = [
        {"lane": lane, "protocol": "magicrf", "link": str(tmp_path / f"r{lane}"), "seed": int(lane)}
        for lane in ("1", "2")
    ]

    async def scene(stage):
        station = stage.canteen.stations["1"]
        assert station.field.leaks[0].probability == 0.0
        assert await stage.ask(op="fault", lane="1", fault="leak") == {"ok": True}
        assert station.field.leaks[0].probability > 0.3
        assert stage.canteen.stations["2"].field.leaks[0].probability == 0.0
        await stage.ask(op="fault", lane="1", fault="none")
        assert station.field.leaks[0].probability == 0.0

    play(scene, lanes=lanes)
