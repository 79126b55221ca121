"""A whole garage in processes, for the scenes of this folder: broker, simulated devices on their wires, the daemon.

Everything is asked of the outside only: the daemon's views on its socket, and the simulator's word on what really
flows. One garage serves all scenes; each leaves it reset and mended.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import date
from pathlib import Path

import pytest

from edge.demo_control import ask_garage
from edge.demo_garage import demo_garage, garage_settings, prepare
from edge.demo_site import inline_toml, read_example
from edge.domain.actors import Actor, Role
from edge.domain.alarm_commands import AckAlarm, ResetAlarm
from edge.domain.garage.messages import Command, PurseCopy, RearmPort, ResetZone, StartSession, StopSession
from edge.runtime.ipc import IpcClient
from edge.site import load_site

ROOT = Path(__file__).parents[3]
LIMIT_S = 60
TRY_S = 6
PYTHON = (sys.executable, "-P", "-m")
PORT = "b1e-02"
FAILED_CUTS = {"cut_not_confirmed", "contact_welded", "water_unconfirmed"}


class View(dict):
    """What the box shows; of a view that has not come yet, or not again, everything is None."""

    def __missing__(self, name):
        return None


class Process:
    """A program of ours that ends with the test; its words go to a file."""

    def __init__(self, log, *words):
        self.words, self.log = words, log
        self.start()

    def start(self):
        self.told_to_end = False
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(self.words, cwd=ROOT, stdout=file, stderr=file)

    def broke(self):
        """It ended by itself: nothing that is waited for will come."""
        return not self.told_to_end and self.process.poll() is not None

    def end(self, number=signal.SIGTERM):
        self.told_to_end = True
        self.process.send_signal(number)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(60)


class Garage:
    """The example's garage at simulated wires; with a reset after one second, and time for proof on a busy machine."""

    def __init__(self, root):
        self.root, self.site_dir = root, root / "site"
        shutil.copytree(ROOT / "config", self.site_dir, ignore=shutil.ignore_patterns("data"))
        zones = self.site_dir / "garage" / "zones.toml"
        text = re.sub(r"(?m)^prove_s.*\n", "", zones.read_text(encoding="utf-8"))
        zones.write_text(
            re.sub(r"(?m)^limit_w", "clear_s = 1\nprove_s = 8\nlimit_w", text).replace("held_s = 30", "held_s = 2"),
            encoding="utf-8",
        )
        example = read_example(self.site_dir)
        self.wires = prepare(root, example["garage"])
        values = {**example, "run_dir": str(root / "run"), "garage": demo_garage(example["garage"], self.wires)}
        lines = [f"{json.dumps(key)} = {inline_toml(value)}" for key, value in values.items()]
        (self.site_dir / "site.toml").write_text("\n".join(lines), encoding="utf-8")
        self.site = load_site(self.site_dir, date(2026, 11, 22))
        settings = {**garage_settings(self.site, self.wires, "", people=False), "seed": 7, "report_s": 1.0}
        self.wires.settings.write_text(json.dumps(settings), encoding="utf-8")
        self.client = None
        self.processes = {}
        self.cards = set()
        self.answer = None

    async def start(self):
        broker = self.broker()
        words = {
            "broker": broker,
            "floor": [*PYTHON, "firmware_sim.garage", "--config", str(self.wires.settings)],
            "garage": [*PYTHON, "edge.cli", "run", "garage", "--site", str(self.site_dir)],
        }
        self.processes = {name: Process(self.root / f"{name}.log", *each) for name, each in words.items()}
        self.client = IpcClient(self.root / "run" / "garage.sock", "test")
        await self.client.start()
        await self.until(lambda: self.client.status().alive and self.zone("b1-east"))
        await self.until(lambda: all(zone["state"] == "normal" for zone in self.zones()))

    def broker(self):
        """Mosquitto, as a site has it; without it the embedded one of the demo."""
        found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if found is None:
            _, _, *words = self.wires.broker()
            return [*PYTHON, *words]
        settings = self.root / "mosquitto.conf"
        lines = [f"listener {self.wires.ports['broker']} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true"]
        settings.write_text("\n".join([*lines, "persistence false"]), encoding="utf-8")
        return [found, "-c", str(settings)]

    async def stop(self):
        await self.client.close()
        for process in reversed(self.processes.values()):
            process.end()

    def view(self, key):
        update = self.client.views.get(key)
        return View(json.loads(update.json) if update is not None else {})

    def zone(self, name):
        return self.view(f"zone/{name}")

    def zones(self):
        return [self.zone(zone.zone) for zone in self.site.garage.zones]

    def port(self, name=PORT):
        return self.view(f"port/{name}")

    def output(self, name):
        zone = next(each.zone for each in self.site.garage.outputs if each.output == name)
        return next(each for each in self.zone(zone)["outputs"] if each["output"] == name)

    def causes(self):
        return {alarm["cause"] for alarm in self.view("alarms").get("alarms", ())}

    def sim(self, operation, **fields):
        return ask_garage(self.wires.control, {"op": operation, **fields})

    def truth(self, zone="b1-east"):
        return self.sim("state")["zones"][zone]

    async def until(self, condition, seconds=LIMIT_S):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= deadline or any(each.broke() for each in self.processes.values()):
                pytest.fail(self.last_words(), pytrace=False)
            await asyncio.sleep(0.05)

    def last_words(self):
        logs = {path.name: path.read_text(errors="replace")[-1500:] for path in self.root.glob("*.log")}
        zones = {zone.get("zone"): (zone.get("state"), zone.get("blocks_reset")) for zone in self.zones()}
        alarms = [(alarm["cause"], alarm["zone"], alarm["state"]) for alarm in self.view("alarms").get("alarms", ())]
        broken = [name for name, each in self.processes.items() if each.broke()]
        return f"it did not come to pass: {broken} ended; {zones} {alarms} {self.port()} {logs}"

    async def command(self, body, role=Role.ADMIN):
        """The answer's code; what it said more is kept for ``last_words``."""
        actor = Actor(role=role, user="test")
        self.answer = await self.client.submit(Command(command_id=uuid.uuid4().hex, actor=actor, body=body))
        return self.answer.code

    async def charge(self, port=PORT):
        """A bike is plugged in and charges, by the meter's truth; its owner has money in the canteen's purse."""
        self.sim("plug", port=port, start=False)
        members = self.site.canteen.members
        card = next(member.card for member in members if member.card not in self.cards)
        self.cards.add(card)
        purses = tuple((member.token, member.card, 10_000) for member in members)
        copy = PurseCopy(as_of_wall_ns=time.time_ns(), purses=purses)
        assert await self.command(copy, Role.DEVICE) == "ok"
        zone = next(each.zone for each in self.site.garage.ports if each.port == port)
        flows = lambda: self.truth(zone)["ports"][port]["flows_w"] > 20  # noqa: E731
        for _ in range(LIMIT_S // TRY_S):
            session = uuid.uuid4().hex
            begun = await self.command(StartSession(session_id=session, port=port, card=card))
            assert begun == "ok", self.answer
            deadline = time.monotonic() + TRY_S
            while time.monotonic() < deadline:
                if flows():
                    return
                await asyncio.sleep(0.05)
            # "On" is said once; a plug that was just given its mains back was not there to hear it. Press again.
            assert await self.command(StopSession(port=port)) == "ok"
            await self.until(lambda: self.port(port)["session_id"] == "")
        pytest.fail(self.last_words(), pytrace=False)

    async def recover(self):
        """Mend everything, reset every zone on site, re-arm every port, take the bikes away."""
        self.sim("mend")
        for port in self.site.garage.ports:
            self.sim("unplug", port=port.port)
            await self.command(StopSession(port=port.port))
        await self.until(lambda: all(zone["state"] in {"normal", "resettable"} for zone in self.zones()))
        for zone in self.site.garage.zones:
            if self.zone(zone.zone)["state"] != "normal":
                body = ResetZone(zone=zone.zone, panel=zone.panels[0], person="tester")
                assert await self.command(body, Role.PANEL) == "ok"
        feeds = [each.output for each in self.site.garage.outputs if each.kind == "feed"]
        await self.until(lambda: not any(self.output(name)["wanted"] or self.output(name)["on"] for name in feeds))
        self.sim("mend")  # a person closes the breakers: one that is asked to trip would trip again
        contactors = [each.output for each in self.site.garage.outputs if each.kind == "contactor"]
        for name in (*contactors, *(port.port for port in self.site.garage.ports)):
            await self.command(RearmPort(port=name))
        for zone in self.site.garage.zones:
            await self._close(zone.zone)
        plugs = [port.port for port in self.site.garage.ports if port.at.device != "meters-west"]
        await self.until(lambda: all(self.port(name)["on"] is False for name in plugs))  # back, and heard
        await self._forget_alarms()

    async def _forget_alarms(self):
        """What one scene rang and is over is gone for the next; a sensor that has not spoken again yet is not over."""
        for alarm in self.view("alarms").get("alarms", ()):
            await self.command(AckAlarm(alarm_id=alarm["alarm_id"]))
            await self.command(ResetAlarm(alarm_id=alarm["alarm_id"]))
        await self.until(lambda: not self.causes() & FAILED_CUTS)

    async def _close(self, zone):
        """A contactor that its dead-man let fall while the daemon was away closes with the first charge."""
        port = next(each.port for each in self.site.garage.ports if each.zone == zone)
        if not self.truth(zone)["live"]:
            begun = await self.command(StartSession(session_id=uuid.uuid4().hex, port=port))
            assert begun == "ok", self.answer
            await self.until(lambda: self.truth(zone)["live"])
            await self.command(StopSession(port=port))


@pytest.fixture(scope="package")
def loop():
    runner = asyncio.new_event_loop()
    yield runner
    runner.close()


@pytest.fixture(scope="package")
def started(loop):
    with tempfile.TemporaryDirectory(prefix="kg-", dir="/tmp") as folder:
        garage = Garage(Path(folder))
        try:
            loop.run_until_complete(garage.start())
            yield garage
        finally:
            loop.run_until_complete(garage.stop())


@pytest.fixture
def scene(started, loop):
    """Run a scene on the garage, then bring it back."""

    def play(story):
        async def whole():
            try:
                await story(started)
            finally:
                await started.recover()

        loop.run_until_complete(asyncio.wait_for(whole(), 120))

    return play
