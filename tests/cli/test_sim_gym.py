"""``kangle sim`` and the simulated gym: its own words, and those that garage and gym share."""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
import time
from datetime import date
from pathlib import Path

import pytest

from edge.demo_garage import prepare
from edge.demo_gym import gym_settings, prepare_gym
from edge.demo_site import read_example
from firmware_sim.control import serve
from firmware_sim.gym.config import parse
from firmware_sim.gym.hall import build
from firmware_sim.gym.orders import Orders
from firmware_sim.gym.visitors import Visitors


class Floor:
    """The gym of the example site without wires and broker, answering at ``control`` from a thread of its own."""

    def __init__(self, example, root, read):
        root.mkdir()
        site, data = read(example, date(2026, 11, 22)), read_example(example)
        folder = prepare_gym(root, data["gym"], prepare(root, data["garage"]))
        config = parse(gym_settings(site, folder, "", people=False))
        self.control = folder.control
        self.hall = build(config)
        self.visitors = Visitors(config, self.hall)
        self.orders = Orders(config, self.hall, self.visitors)
        self.garage = {}
        self.ready, self.thread = threading.Event(), threading.Thread(target=self._run)
        self.loop = asyncio.new_event_loop()

    def start(self, **garage):
        """``garage``: operations of a garage beside it."""
        self.garage = garage
        self.thread.start()
        assert self.ready.wait(60)

    def _run(self):
        async def serving():
            servers = [await serve(self.control, self.orders.operations())]
            if self.garage:
                servers.append(await serve(self.control.with_name("garage.sock"), self.garage))
            self.stop = asyncio.Event()
            self.ready.set()
            await self.stop.wait()
            for server in servers:
                server.close()
                await server.wait_closed()

        self.loop.run_until_complete(serving())
        self.loop.close()

    def end(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(60)


@pytest.fixture
def floor(example, read, monkeypatch):
    """Ready to start, in a folder that stands for the system's temporary one."""
    with tempfile.TemporaryDirectory(prefix="ks-", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        monkeypatch.setenv("COLUMNS", "200")
        running = Floor(example, Path(folder) / "kangle-demo-one", read)
        yield running
        if running.thread.is_alive():
            running.end()


@pytest.fixture
def gym(floor, command):
    """Say a word to the gym alone; its answer."""
    floor.start()

    def ask(*words):
        ran = command("sim", "--socket", str(floor.control), "--json", *words)
        assert ran.status == 0, ran.err
        return json.loads(ran.out)

    return ask


def test_a_pulse_brings_somebody_and_moves_as_a_heart_does(gym, floor):
    person = gym("pulse", "ETM-1", "150")["who"]
    assert person in floor.visitors.persons
    station = floor.hall.stations["etm-1"]
    floor.hall.step(1.0)
    first = station.bpm
    assert 72 < first < 90, "no heart leaps"
    for _ in range(20):
        floor.hall.step(1.0)
    assert station.bpm == 150
    assert gym("list")["gym"]["machines"]["etm-1"]["bpm"] == 150
    assert gym("leave", "etm-1")["who"] == person
    assert station.bpm is None


def test_what_breaks_is_listed_and_mended(gym, floor):
    gym("train", "tm-3")
    gym("silence", "tm-3")
    gym("fault", "tm-2", "17")
    gym("belt", "tm-1")
    gym("lie", "bike-1")
    gym("strap", "etm-1", "off")
    gym("bluetooth", "elders", "off")
    gym("cable", "gym-cards", "off")
    machines = gym("list")["gym"]["machines"]
    wrong = {name: told["wrong"] for name, told in machines.items() if told["wrong"]}
    assert wrong == {
        "tm-1": ["belt drags"],
        "tm-2": ["error 17"],
        "tm-3": ["silent"],
        "bike-1": ["lies"],
        "etm-1": ["strap off"],
    }
    assert machines["tm-3"]["in_use"], "silent, and at work"
    assert gym("list")["gym"]["gateways"] == {"hall": True, "elders": False}
    assert gym("mend") == {"mended": "all"}
    state = gym("list")["gym"]
    assert not any(told["wrong"] for told in state["machines"].values())
    assert state["gateways"]["elders"]
    assert not state["wires"]["gym-cards"]["dead"]
    assert floor.hall.stations["el-1"].exercise.lies, "that machine came so from its maker"


def test_a_reset_begins_the_counters_anew_and_a_person_goes_on(gym, floor):
    gym("train", "bike-2", "--percent", "60")
    exercise = floor.hall.stations["bike-2"].exercise
    exercise.run(time.monotonic_ns() + 5_000_000_000)
    assert exercise.distance_m > 20
    gym("reset", "bike-2")
    assert exercise.distance_m < 1
    assert exercise.moving
    gym("pause", "bike-2")
    assert exercise.state == "paused"
    gym("resume", "bike-2")
    assert gym("effort", "bike-2", "90") == {"asset": "bike-2"}
    assert (exercise.state, exercise.effort) == ("in_use", 0.9)


def test_shared_words_go_to_whoever_knows_the_name(floor, command):
    async def card(request):
        from firmware_sim.control import ControlError

        if request["door"] != "b1-door":
            raise ControlError(f"there is no door {request['door']!r}: give one of b1-door")
        return {"door": "b1-door", "card": "12:1", "opened": True}

    async def people(request):
        return {"people": request["on"]}

    floor.start(card=card, people=people)
    person = next(iter(floor.visitors.persons.values()))
    ran = command("sim", "card", "b1-door")
    assert "walks in" in ran.err
    ran = command("sim", "card", "tm-1", person.person)
    assert (ran.status, ran.err.strip()) == (0, f"{person.person} shows card {person.card} at tm-1")
    ran = command("sim", "card", "nowhere", person.person)
    assert ran.status == 1
    assert "b1-door" in ran.err
    assert "elders-desk" in ran.err
    command("sim", "people", "on")
    assert floor.visitors.on


def test_the_list_is_a_table_for_people(floor, command):
    floor.start()
    command("sim", "--socket", str(floor.control), "train", "row-1")
    ran = command("sim", "--socket", str(floor.control), "list")
    lines = {line.split()[0].rstrip(":"): line for line in ran.out.splitlines()}
    assert lines["hall"] == "hall: 7 machines, gateway on"
    assert "guest" in lines["row-1"]
    assert "in use" in lines["row-1"]
    assert "free" in lines["tm-1"]
    assert "buzzers silent" in lines["wires"]


def test_what_a_machine_cannot_do_is_said(floor, command):
    floor.start()
    for words, told in (
        (("pulse", "tm-2", "150"), "etm-1"),
        (("fault", "etm-1", "3"), "CSAFE"),
        (("belt", "bike-1"), "CSAFE"),
        (("trip", "tm-1"), "train"),
        (("leave", "tm-9"), "tm-1, tm-2"),
        (("measure", "nobody"), "there is no person"),
    ):
        ran = command("sim", "--socket", str(floor.control), *words)
        assert (ran.status, ran.out) == (1, ""), words
        assert told in ran.err
