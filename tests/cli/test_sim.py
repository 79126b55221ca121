"""``kangle sim`` against the simulated garage's own control socket: it finds it, obeys, and says plainly when it
cannot."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import tempfile
import threading
from datetime import date
from pathlib import Path

import pytest

from edge.cli_sim import sim
from edge.demo_garage import garage_settings, prepare
from edge.demo_site import read_example
from firmware_sim.control import serve
from firmware_sim.garage.charge import Fleet
from firmware_sim.garage.config import parse
from firmware_sim.garage.devices import build
from firmware_sim.garage.orders import Orders
from firmware_sim.garage.people import People
from firmware_sim.gym.orders import NAMES as GYM_WORDS


class Floor:
    """The garage of the example site without wires and broker, answering at ``control`` from a thread of its own."""

    def __init__(self, example, root, read):
        root.mkdir()
        site = read(example, date(2026, 11, 22))
        wires = prepare(root, read_example(example)["garage"])
        self.config = parse(garage_settings(site, wires, "", people=False))
        self.control = wires.control
        self.devices = build(self.config)
        self.orders = Orders(self.config, self.devices, People(self.config, self.devices.building, Fleet(3)))
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.ready.wait(60)

    def _run(self):
        async def serving():
            server = await serve(self.control, self.orders.operations())
            self.stop = asyncio.Event()
            self.ready.set()
            await self.stop.wait()
            server.close()
            await server.wait_closed()

        self.loop.run_until_complete(serving())
        self.loop.close()

    def end(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(60)


@pytest.fixture
def temporary(monkeypatch):
    """A folder that stands for the system's temporary one, with names short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="ks-", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.fixture
def floor(temporary, example, read):
    running = Floor(example, temporary / "kangle-demo-one", read)
    yield running
    running.end()


def test_without_a_demo_it_says_how_to_start_one(command, temporary, monkeypatch):
    monkeypatch.setattr("edge.demo_control.demo_sockets", lambda _simulator: [])
    ran = command("sim", "smoke", "b1-east")
    assert (ran.status, ran.out) == (4, "")
    assert "kangle demo" in ran.err


def test_a_socket_that_was_named_must_answer(command, temporary):
    ran = command("sim", "--socket", str(temporary / "none.sock"), "list")
    assert (ran.status, ran.out) == (4, "")
    assert "Is the demo running?" in ran.err


def test_every_operation_of_the_simulator_has_its_command_with_help(command, floor):
    assert set(sim.commands) == {*floor.orders.operations(), *GYM_WORDS} - {"state"} | {"list"}
    whole = command("sim", "--help")
    assert whole.status == 0
    for name, each in sim.commands.items():
        assert each.help, name
        assert name in whole.out


def test_it_finds_the_newest_demo_that_lives(command, floor, temporary):
    dead = temporary / "kangle-demo-two"
    dead.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(dead / "garage.sock"))
    os.utime(dead / "garage.sock", (2_000_000_000, 2_000_000_000))
    ran = command("sim", "smoke", "B1-EAST")
    assert (ran.status, ran.out) == (0, "")
    assert "smoke in b1-east" in ran.err
    assert floor.devices.building.zones["b1-east"].burning
    assert command("sim", "clear", "b1-e").status == 0
    assert not floor.devices.building.zones["b1-east"].burning


def test_one_head_is_one_head(command, floor):
    assert command("sim", "smoke", "stair", "--one").status == 0
    assert floor.devices.building.zones["stair-3"].most < 1


def test_data_goes_to_stdout_only_when_asked_for(command, floor):
    ran = command("sim", "--socket", str(floor.control), "--json", "plug", "b1w-03", "--no-start")
    assert json.loads(ran.out) == {"port": "b1w-03", "start": ""}
    assert ran.err == ""
    after = command("sim", "--socket", str(floor.control), "unplug", "b1w-03", "--json")
    assert json.loads(after.out)["port"] == "b1w-03"
    assert after.err == ""
    assert command("sim", "--socket", str(floor.control), "plug", "b1w-03", "--no-start").out == ""
    again = command("sim", "--socket", str(floor.control), "plug", "b1w-03")
    assert (again.status, again.out) == (1, "")
    assert "is taken" in again.err


def test_the_list_shows_what_is_true(command, floor):
    for words in (
        ("plug", "b1e-01", "--no-start"),
        ("weld", "b1e-01"),
        ("cable", "board-east", "off"),
        ("jam", "s3-gas-1"),
    ):
        assert command("sim", "--socket", str(floor.control), *words).status == 0
    floor.devices.building.step(0.1)
    ran = command("sim", "--socket", str(floor.control), "list")
    assert ran.status == 0
    lines = {line.split()[0].rstrip(":"): line for line in ran.out.splitlines()}
    assert "mains on" in lines["b1-east"]
    assert "closed" in lines["b1e-01"]
    assert lines["b1e-01"].endswith("welded")
    assert "empty" in lines["b1e-02"]
    assert "s3-gas-1 ALARM" in ran.out
    assert "board-east CUT" in lines["wires"]


def test_an_unknown_name_is_answered_with_those_that_there_are(command, floor):
    ran = command("sim", "--socket", str(floor.control), "smoke", "b2")
    assert (ran.status, ran.out) == (1, "")
    assert "b1-east, b1-west, stair-3" in ran.err
    assert command("sim", "--socket", str(floor.control), "speed", "0").status == 2
    assert command("sim", "blow-up").status == 2
