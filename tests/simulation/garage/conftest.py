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
import sys
import tempfile
import time
import uuid
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from _programs import LIMIT_S, LOOK_S, ROOT, RunningSite, View, play, run_site, write_site

from edge.demo_garage import demo_garage, garage_settings, prepare
from edge.demo_site import read_example
from edge.domain.actors import Role
from edge.domain.garage.messages import Command, PurseCopy, RearmPort, ResetZone, StartSession, StopSession
from edge.site import load_site

TODAY = date(2026, 11, 22)
TRY_S = 6
PORT = "b1e-02"
FAILED_CUTS = {"cut_not_confirmed", "contact_welded", "water_unconfirmed"}
#: Time for a proof: more than a busy machine holds the simulated meters up. Scenes in which no proof can come wait for
#: the end of it, and ask for less (``proves_in``).
PROVE_S = 45
#: A contactor falls when it has not been told so long that it may stay: more than the daemon takes to start anew.
HOLD_S = 120
ZONE = f"clear_s = 1\nprove_hold_s = 1\nprove_s = {PROVE_S}\nlimit_w"


class Garage(RunningSite):
    """The example's garage at simulated wires; with a reset after one second."""

    vertical = "garage"

    def __init__(self, root):
        super().__init__(root)
        self.command_type = Command
        shutil.copytree(ROOT / "config", self.site_dir, ignore=shutil.ignore_patterns("data"))
        self.zones_file = self.site_dir / "garage" / "zones.toml"
        text = re.sub(r"(?m)^prove_s.*\n", "", self.zones_file.read_text(encoding="utf-8"))
        text = re.sub(r"(?m)^limit_w", ZONE, text).replace("held_s = 30", "held_s = 1")
        text = text.replace("unlock_s = 5", "unlock_s = 3").replace("hold_s = 15", f"hold_s = {HOLD_S}")
        self.zones_file.write_text(text, encoding="utf-8")
        example = read_example(self.site_dir)
        self.wires = prepare(root, example["garage"])
        self.control, self.settings = self.wires.control, self.wires.settings
        garage = demo_garage(example["garage"], self.wires)
        write_site(self.site_dir, {**example, "run_dir": str(root / "run"), "garage": garage})
        self.site = load_site(self.site_dir, TODAY)
        settings = {**garage_settings(self.site, self.wires, "", people=False), "seed": 7, "report_s": 0.5}
        self.settings.write_text(json.dumps(settings), encoding="utf-8")
        self.cards = set()

    async def start(self):
        await super().start()
        await self.until(lambda: all(zone["state"] == "normal" for zone in self.zones()))

    async def proves_in(self, seconds):
        """Another time for proof, in force when this returns."""
        text = self.zones_file.read_text(encoding="utf-8")
        self.zones_file.write_text(re.sub(r"(?m)^prove_s = .*$", f"prove_s = {seconds}", text), encoding="utf-8")
        self.site = load_site(self.site_dir, TODAY)
        self.processes["garage"].process.send_signal(signal.SIGHUP)
        await self.until(lambda: self.rows("config", kind="garage", version=self.site.garage.version))

    # --- what the box says, and what is true ---

    def zone(self, name):
        return self.view(f"zone/{name}")

    def zones(self):
        return [self.zone(zone.zone) for zone in self.site.garage.zones]

    def port(self, name=PORT):
        return self.view(f"port/{name}")

    def output(self, name):
        zone = next(each.zone for each in self.site.garage.outputs if each.output == name)
        return next((each for each in self.zone(zone)["outputs"] or () if each["output"] == name), View())

    def causes(self):
        return {alarm["cause"] for alarm in self.alarms()}

    def truth(self, zone="b1-east"):
        return self.sim("state")["zones"][zone]

    def picture(self):
        zones = {zone.get("zone"): (zone["state"], zone["cut"], zone["blocks_reset"]) for zone in self.zones()}
        return f"{zones} {self.port()}"

    # --- stories that many scenes tell ---

    async def state(self, zone, *states):
        """The zone comes into one of ``states``."""
        await self.until(lambda: self.zone(zone)["state"] in states)

    async def obeyed(self, body, *, resets=False):
        """Ask until it is done: a device or head that is held up forbids for a while what will be allowed. ``resets``:
        a zone may be latched anew meanwhile by what a head said before."""
        deadline = time.monotonic() + LIMIT_S
        while await self.command(body) != "ok":
            if time.monotonic() > deadline:
                pytest.fail(f"{body} is refused: {self.last_words()}", pytrace=False)
            if resets:
                await self._reset()
            await asyncio.sleep(LOOK_S)

    async def charge(self, port=PORT):
        """A bike is plugged in and charges, by the meter's truth; its owner has money in the canteen's purse."""
        self.sim("plug", port=port, start=False)
        members = self.site.canteen.members
        card = next(member.card for member in members if member.card not in self.cards)
        self.cards.add(card)
        purses = tuple((member.token, member.card, 10_000) for member in members)
        assert await self.command(PurseCopy(as_of_wall_ns=time.time_ns(), purses=purses), Role.DEVICE) == "ok"
        zone = next(each.zone for each in self.site.garage.ports if each.port == port)
        for _ in range(LIMIT_S // TRY_S):
            await self.obeyed(StartSession(session_id=uuid.uuid4().hex, port=port, card=card))
            deadline = time.monotonic() + TRY_S
            while time.monotonic() < deadline:
                if self.truth(zone)["ports"][port]["flows_w"] > 20:
                    return
                await asyncio.sleep(LOOK_S)
            # "On" is said once; a plug that was just given its mains back was not there to hear it. Press again.
            await self.obeyed(StopSession(port=port))
            await self.until(lambda: self.port(port)["session_id"] == "")
        pytest.fail(self.last_words(), pytrace=False)

    async def recover(self):
        """Mend everything, reset every zone on site, re-arm every port, take the bikes away."""
        self.sim("mend")
        for port in self.site.garage.ports:
            self.sim("unplug", port=port.port)
            if self.port(port.port)["session_id"] != "":
                await self.command(StopSession(port=port.port))
        await self._reset()
        feeds = [each.output for each in self.site.garage.outputs if each.kind == "feed"]
        for word in ("wanted", "on"):
            await self.sees([False] * len(feeds), lambda word=word: [self.output(name)[word] for name in feeds])
        self.sim("mend")  # a person closes the breakers: one that is asked to trip would trip again
        contactors = [each.output for each in self.site.garage.outputs if each.kind == "contactor"]
        for name in (*contactors, *(port.port for port in self.site.garage.ports)):
            await self.obeyed(RearmPort(port=name), resets=True)
        for zone in self.site.garage.zones:
            await self._close(zone.zone)
        plugs = [port.port for port in self.site.garage.ports if port.at.device != "meters-west"]
        await self.until(lambda: all(self.port(name)["on"] is False for name in plugs))  # back, and heard
        await self.until(lambda: all(self.port(port.port)["session_id"] == "" for port in self.site.garage.ports))
        await self.links_are_up()
        await self.forget_alarms()
        await self.until(lambda: not self.causes() & FAILED_CUTS)

    async def _reset(self):
        """Until every zone is normal: a word that was on its way may latch one anew."""
        zones = {zone.zone: zone for zone in self.site.garage.zones}

        async def look():
            for name, zone in zones.items():
                if self.zone(name)["state"] == "resettable":
                    await self.command(ResetZone(zone=name, panel=zone.panels[0], person="tester"), Role.PANEL)
            return all(self.zone(name)["state"] == "normal" for name in zones)

        deadline = time.monotonic() + LIMIT_S
        while not await look():
            if time.monotonic() > deadline:
                pytest.fail(f"it cannot be reset: {self.last_words()}", pytrace=False)
            await asyncio.sleep(LOOK_S)

    async def _close(self, zone):
        """A contactor that its dead-man let fall while the daemon was away closes with the first charge."""
        port = next(each.port for each in self.site.garage.ports if each.zone == zone)
        if not self.truth(zone)["live"]:
            await self.obeyed(StartSession(session_id=uuid.uuid4().hex, port=port), resets=True)
            await self.until(lambda: self.truth(zone)["live"])
            await self.obeyed(StopSession(port=port))


@pytest.fixture(scope="package")
def loop():
    runner = asyncio.new_event_loop()
    yield runner
    runner.close()


@pytest.fixture(scope="package")
def started(loop):
    with tempfile.TemporaryDirectory(prefix="kg-", dir="/tmp") as folder:
        yield from run_site(loop, Garage(Path(folder)))


@pytest.fixture
def scene(started, loop):
    """Run a scene on the garage, then bring it back."""
    return lambda story: play(loop, started, story)
