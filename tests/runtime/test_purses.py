"""The garage's line to the canteen's purses: every charge arrives, repeats are harmless, absence costs nothing."""

from __future__ import annotations

import asyncio

import pytest

from edge.domain.canteen.messages import ChargeSession, ReadPurses
from edge.domain.canteen.messages import Command as CanteenCommand
from edge.domain.garage.messages import ChargeDue, ChargePosted, PurseCopy
from edge.runtime import purses
from edge.runtime.ipc_messages import PROTOCOL_VERSION, Welcome
from edge.runtime.ipc_server import IpcServer

DUE = ChargeDue(session_id="s1", member="m1", fen=120)
PAGES = {"": [["m1", "c1", 500], ["m2", "c2", 0]], "m2": [["m3", "c3", 7]]}


class Canteen:
    """A socket that answers like the canteen; ``codes`` are what charges get, in turn, then ok."""

    def __init__(self, path):
        self.codes, self.asked = [], []
        self.server = IpcServer(path, Welcome(PROTOCOL_VERSION, "canteen", "t", "b"), CanteenCommand, self.take)

    def take(self, command):
        self.asked.append(command)
        asyncio.get_running_loop().call_soon(self.answer, command)

    def answer(self, command):
        match command.body:
            case ChargeSession():
                code = self.codes.pop(0) if self.codes else "ok"
                self.server.reply(command.command_id, code, {})
            case ReadPurses(after=after):
                body = {"as_of_wall_ns": 5 if not after else 9, "purses": PAGES[after], "next": "" if after else "m2"}
                self.server.reply(command.command_id, "ok", body)

    def charges(self):
        return [command for command in self.asked if isinstance(command.body, ChargeSession)]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(purses, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(purses, "RETRY_MAX_S", 0.05)


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def play(tmp_path, scene, *, post=None):
    told = []

    async def main():
        canteen = Canteen(tmp_path / "c.sock")
        bridge = purses.PurseBridge(tmp_path / "c.sock", post or told.append)
        try:
            await scene(canteen, bridge, told)
        finally:
            await bridge.stop()
            await canteen.server.close("end")

    asyncio.run(main())


def bodies(told, kind):
    return [command.body for command in told if isinstance(command.body, kind)]


def test_a_charge_is_posted_and_answered(tmp_path, quick):
    async def scene(canteen, bridge, told):
        await canteen.server.start()
        await bridge.start()
        assert bridge.charge(DUE)
        await until(lambda: bodies(told, ChargePosted))
        assert bodies(told, ChargePosted) == [ChargePosted(session_id="s1", code="ok")]
        assert bridge.waiting == 0
        assert canteen.charges()[0].body == ChargeSession(session_id="s1", member="m1", fen=120)

    play(tmp_path, scene)


def test_a_charge_waits_for_the_canteen_and_for_its_disk(tmp_path, quick):
    async def scene(canteen, bridge, told):
        canteen.codes = ["storage", "busy", "blocked"]
        await bridge.start()
        bridge.charge(DUE)
        await asyncio.sleep(0.1)
        assert bridge.waiting == 1
        await canteen.server.start()
        await until(lambda: bodies(told, ChargePosted))
        ids = [command.command_id for command in canteen.charges()]
        assert len(ids) == len(set(ids)) == 4
        assert {command.body.session_id for command in canteen.charges()} == {"s1"}

    play(tmp_path, scene)


def test_a_refusal_is_told_and_not_asked_again(tmp_path, quick):
    async def scene(canteen, bridge, told):
        canteen.codes = ["purse_short"]
        await canteen.server.start()
        await bridge.start()
        bridge.charge(DUE)
        await until(lambda: bodies(told, ChargePosted))
        assert bodies(told, ChargePosted)[0].code == "purse_short"
        await asyncio.sleep(0.1)
        assert len(canteen.charges()) == 1

    play(tmp_path, scene)


def test_a_busy_garage_hears_of_it_later(tmp_path, quick):
    refusals = ["busy", "busy"]
    told = []

    def post(command):
        if isinstance(command.body, ChargePosted) and refusals:
            return refusals.pop()
        told.append(command)
        return None

    async def scene(canteen, bridge, _told):
        await canteen.server.start()
        await bridge.start()
        bridge.charge(DUE)
        await until(lambda: bodies(told, ChargePosted))
        assert bridge.waiting == 0

    play(tmp_path, scene, post=post)


def test_a_copy_of_the_purses_has_all_pages_and_the_first_date(tmp_path, quick):
    async def scene(canteen, bridge, told):
        await canteen.server.start()
        await bridge.start()
        await until(lambda: bodies(told, PurseCopy))
        copy = bodies(told, PurseCopy)[0]
        assert copy == PurseCopy(as_of_wall_ns=5, purses=(("m1", "c1", 500), ("m2", "c2", 0), ("m3", "c3", 7)))

    play(tmp_path, scene)


def test_a_copy_that_says_nothing_new_is_not_told_again(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(purses, "COPY_EVERY_S", 0.01)

    async def scene(canteen, bridge, told):
        await canteen.server.start()
        await bridge.start()
        await until(lambda: len([c for c in canteen.asked if isinstance(c.body, ReadPurses)]) >= 8)
        assert len(bodies(told, PurseCopy)) == 1
        monkeypatch.setitem(PAGES, "m2", [["m3", "c3", 8]])
        await until(lambda: len(bodies(told, PurseCopy)) == 2)
        monkeypatch.setattr(purses, "SAME_COPY_S", 0.0)
        await until(lambda: len(bodies(told, PurseCopy)) > 3)

    play(tmp_path, scene)


@pytest.mark.parametrize(("code", "again"), [("purse_short", True), ("unknown_card", True), ("ok", False)])
def test_who_is_refused_by_an_old_copy_brings_a_new_one(tmp_path, quick, monkeypatch, code, again):
    monkeypatch.setattr(purses, "HURRIED_S", 0.01)

    async def scene(canteen, bridge, told):
        await canteen.server.start()
        await bridge.start()
        await until(lambda: bodies(told, PurseCopy))
        monkeypatch.setitem(PAGES, "m2", [["m3", "c3", 900]])
        bridge.refused(code)
        if again:
            await until(lambda: len(bodies(told, PurseCopy)) == 2)
            assert ("m3", "c3", 900) in bodies(told, PurseCopy)[1].purses
        else:
            await asyncio.sleep(0.1)
            assert len(bodies(told, PurseCopy)) == 1, "nothing was refused: the next copy comes in its time"

    play(tmp_path, scene)


def test_what_waits_is_bounded(tmp_path, quick, monkeypatch):
    monkeypatch.setattr(purses, "WAITING_MAX", 2)

    async def scene(_canteen, bridge, _told):
        taken = [bridge.charge(ChargeDue(session_id=f"s{i}", member="m", fen=1)) for i in (1, 2, 3, 1)]
        assert taken == [True, True, False, True]
        assert bridge.counters["charges_dropped"] == 1

    play(tmp_path, scene)
