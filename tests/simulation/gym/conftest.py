"""A whole gym in processes, for the scenes of this folder: broker, simulated machines on their wires, the daemon.

Everything is asked of the outside only: the daemon's views on its socket, the rows in its store, and the simulator's
word on what people really did. One gym serves all scenes; each leaves it empty and mended.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import date
from pathlib import Path

import pytest

from edge.demo_control import GYM, ask_simulator
from edge.demo_garage import prepare
from edge.demo_gym import demo_gym, gym_settings, open_all_day, prepare_gym
from edge.demo_site import inline_toml, read_example
from edge.domain.actors import Actor, Role
from edge.domain.alarm_commands import AckAlarm, ResetAlarm
from edge.domain.gym.messages import Command, SetPerson
from edge.runtime.ipc import IpcClient
from edge.site import load_site

ROOT = Path(__file__).parents[3]
LIMIT_S = 60
PYTHON = (sys.executable, "-P", "-m")
#: Shorter than a gym's, so that a scene is one: what is short here only decides when, never what.
QUICK = {"end_s": 10, "lost_s": 3, "least_s": 3, "warm_s": 1}
QUICK_LIMITS = {"warn_s": 2, "alarm_s": 4, "max_s": 3, "clear_s": 3}


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


class Gym:
    """The example's gym at simulated wires, open all day, with short times."""

    def __init__(self, root):
        self.root, self.site_dir = root, root / "site"
        shutil.copytree(ROOT / "config", self.site_dir, ignore=shutil.ignore_patterns("data"))
        rules = self.site_dir / "gym" / "rules.toml"
        text = re.sub(r"(?m)^end_s.*\n", "", rules.read_text(encoding="utf-8"))
        for section, values in (("[session]", QUICK), ("[limits]", QUICK_LIMITS)):
            lines = "\n".join(f"{name} = {value}" for name, value in values.items())
            text = text.replace(section, f"{section}\n{lines}")
        rules.write_text(text, encoding="utf-8")
        example = read_example(self.site_dir)
        self.wires = prepare(root, {"devices": []})
        self.folder = prepare_gym(root, example["gym"], self.wires)
        values = {**example, "run_dir": str(root / "run"), "gym": demo_gym(example["gym"], self.folder)}
        lines = [f"{json.dumps(key)} = {inline_toml(value)}" for key, value in values.items()]
        (self.site_dir / "site.toml").write_text("\n".join(lines), encoding="utf-8")
        open_all_day(self.site_dir, values["gym"])
        self.site = load_site(self.site_dir, date(2026, 11, 22))
        settings = {**gym_settings(self.site, self.folder, "", people=False), "seed": 7}
        self.persons = settings["persons"]
        self.folder.settings.write_text(json.dumps(settings), encoding="utf-8")
        self.client = None
        self.processes = {}
        self.answer = None

    async def start(self):
        words = {
            "broker": self.broker(),
            "floor": [*PYTHON, "firmware_sim.gym", "--config", str(self.folder.settings)],
            "gym": [*PYTHON, "edge.cli", "run", "gym", "--site", str(self.site_dir)],
        }
        self.processes = {name: Process(self.root / f"{name}.log", *each) for name, each in words.items()}
        self.client = IpcClient(self.root / "run" / "gym.sock", "test")
        await self.client.start()
        await self.until(lambda: self.client.status().alive and self.view("gym"))
        await self.until(lambda: all(self.asset(name)["use"] == "free" for name in self.speaking()))
        for person in self.persons:
            facts = {name: value for name, value in person.items() if name not in {"person", "card"}}
            await self.command(SetPerson(person=person["person"], cards=(person["card"],), **facts))
            assert self.answer.code == "ok", self.answer

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

    # --- what the box says ---

    def view(self, key):
        update = self.client.views.get(key)
        return View(json.loads(update.json) if update is not None else {})

    def asset(self, name):
        return self.view(f"asset/{name}")

    def speaking(self):
        """Machines that tell where they stand without being used."""
        return [name for name, told in self.truth().items() if "state" in told]

    def alarms(self):
        return self.view("gym-alarms").get("alarms", ())

    def causes(self):
        return {alarm["cause"] for alarm in self.alarms() if alarm["active"]}

    def rows(self, table, **where):
        """Committed rows of the daemon's store, as dictionaries in the order of writing."""
        file = self.site.data_dir / "gym" / "facts.db"
        if not file.exists():
            return []
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
            store.row_factory = sqlite3.Row
            found = [dict(row) for row in store.execute(f"SELECT * FROM {table}")]
        store.close()
        found.sort(key=lambda row: row["at_ns"])
        return [row for row in found if all(row[name] == value for name, value in where.items())]

    # --- what is true ---

    def sim(self, operation, **fields):
        return ask_simulator(GYM, self.folder.control, {"op": operation, **fields})

    def truth(self):
        return self.sim("state")["machines"]

    async def until(self, condition, seconds=LIMIT_S):
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            if time.monotonic() >= deadline or any(each.broke() for each in self.processes.values()):
                pytest.fail(self.last_words(), pytrace=False)
            await asyncio.sleep(0.05)
        return found

    def last_words(self):
        logs = {path.name: path.read_text(errors="replace")[-1500:] for path in self.root.glob("*.log")}
        broken = [name for name, each in self.processes.items() if each.broke()]
        machines = {} if "floor" in broken else self.truth()
        views = [(name, self.asset(name)) for name, told in machines.items() if told["who"]]
        books = [(row["asset"], row["state"], row["reason"], row["active_ms"]) for row in self.rows("workout")]
        return f"it did not come to pass: {broken} ended; {views} {self.causes()} {books} {logs}"

    async def command(self, body, role=Role.COACH):
        """The answer's code; what it said more is kept for ``last_words``."""
        self.answer = await self.client.submit(
            Command(command_id=uuid.uuid4().hex, actor=Actor(role=role, user="coach-1"), body=body)
        )
        return self.answer.code

    # --- stories that many scenes tell ---

    async def trains(self, name, *, metres=12, **how):
        """Somebody trains, and the box has seen ``metres`` of it. The id of the workout."""
        self.sim("train", asset=name, ready=True, **how)
        await self.until(lambda: self.asset(name)["phase"] == "active")
        await self.until(lambda: self.asset(name)["totals"]["distance_m"] >= metres)
        return self.asset(name)["workout_id"]

    async def ends(self, name, workout_id):
        """Whoever is there leaves; the workout's row, and what was really done."""
        self.sim("leave", asset=name)
        row = await self.until(lambda: self.rows("workout", workout_id=workout_id, standing=0))
        return row[0], self.truth()[name]["distance_m"]

    async def recover(self):
        """Everybody leaves, all is mended, no alarm and no workout is left."""
        for name, process in self.processes.items():
            if process.process.poll() is not None:
                process.start()
                assert name != "floor", "the simulation never ends by itself"
        self.sim("mend")
        for name in self.truth():
            self.sim("leave", asset=name)
        await self.until(lambda: self.client.status().alive)
        await self.until(lambda: all(self.asset(name)["phase"] == "idle" for name in self.speaking()))
        for alarm in self.alarms():
            await self.command(AckAlarm(alarm_id=alarm["alarm_id"]))
            await self.command(ResetAlarm(alarm_id=alarm["alarm_id"]))
        await self.until(lambda: all(self.asset(name)["use"] == "free" for name in self.speaking()))


@pytest.fixture(scope="package")
def loop():
    runner = asyncio.new_event_loop()
    yield runner
    runner.close()


@pytest.fixture(scope="package")
def started(loop):
    with tempfile.TemporaryDirectory(prefix="ky-", dir="/tmp") as folder:
        gym = Gym(Path(folder))
        try:
            loop.run_until_complete(gym.start())
            yield gym
        finally:
            loop.run_until_complete(gym.stop())


@pytest.fixture
def scene(started, loop):
    """Run a scene on the gym, then bring it back."""

    def play(story):
        async def whole():
            try:
                await story(started)
            finally:
                await started.recover()

        loop.run_until_complete(asyncio.wait_for(whole(), 240))

    return play


@pytest.fixture(scope="package")
def together(started, loop):
    """Play stories that each have machines of their own at the same time, once, and tell what became of ``story``.
    Most of a scene is waiting for a workout to end by itself, which the machines can do side by side."""
    told = {}

    def play(stories, story):
        async def whole():
            try:
                return await asyncio.gather(*(each(started) for each in stories), return_exceptions=True)
            finally:
                await started.recover()

        if stories not in told:
            told[stories] = loop.run_until_complete(asyncio.wait_for(whole(), 240))
        broken = told[stories][stories.index(story)]
        if broken is not None:
            raise broken

    return play
