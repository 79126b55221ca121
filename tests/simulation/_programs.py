"""A site in processes: broker, simulated devices on their wires, a daemon. What the scenes of garage and gym share.

Everything is asked of the outside only. The hard part is a slow machine: a program may be held up for seconds, so that
an answer is late, the daemon's socket is dialled anew and its views come again. Whatever must come about is waited for
(``until``, ``sees``), a command is repeated under its own id, and nothing is concluded from one look.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

from edge import demo_control
from edge.demo_site import inline_toml
from edge.domain.actors import Actor, Role
from edge.domain.alarm_commands import AckAlarm, ResetAlarm
from edge.runtime.ipc import AnswerUnknownError, DaemonUnreachableError, IpcClient

ROOT = Path(__file__).parents[2]
LIMIT_S = 60
#: Three programs import all that they need at once.
START_S = 150
SCENE_S = 280
#: Between two looks at something that is waited for: at first, and when it takes long. A look is an answer of the
#: simulator or a read of the store, and costs what those who are waited for need.
LOOK_S, LOOK_SELDOM_S = 0.02, 0.1
PYTHON = (sys.executable, "-P", "-m")
#: What a look at something that is not (yet) shown ends in.
NOT_SHOWN = (LookupError, TypeError, ValueError, StopIteration, sqlite3.OperationalError)


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


def mosquitto(folder, port):
    """The command line of a Mosquitto, as a site has it; None where there is none."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if found is None:
        return None
    settings = folder / "mosquitto.conf"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", "set_tcp_nodelay true", "persistence false"]
    settings.write_text("\n".join(lines), encoding="utf-8")
    return [found, "-c", str(settings)]


def write_site(folder, values):
    lines = [f"{json.dumps(key)} = {inline_toml(value)}" for key, value in values.items()]
    (folder / "site.toml").write_text("\n".join(lines), encoding="utf-8")


class RunningSite:
    """``vertical`` names daemon, socket and store, ``simulator`` whom ``sim`` asks. Set by the site: ``site``,
    ``wires`` (with the broker's port), ``control`` (the simulator's socket), ``settings`` (its file)."""

    vertical = ""
    alarm_view = "alarms"
    role = Role.ADMIN

    def __init__(self, root):
        self.root, self.site_dir = root, root / "site"
        self.client = None
        self.processes = {}
        self.answer = None
        self.command_type = None

    async def start(self):
        broker = mosquitto(self.root, self.wires.ports["broker"]) or [*PYTHON, *self.wires.broker()[2:]]
        floor = [*PYTHON, f"firmware_sim.{self.vertical}", "--config", str(self.settings)]
        daemon = [*PYTHON, "edge.cli", "run", self.vertical, "--site", str(self.site_dir)]
        words = {"broker": broker, "floor": floor, self.vertical: daemon}
        self.processes = {name: Process(self.root / f"{name}.log", *each) for name, each in words.items()}
        self.client = IpcClient(self.root / "run" / f"{self.vertical}.sock", "test")
        await self.client.start()
        await self.until(lambda: self.client.status().alive, START_S)
        await self.links_are_up()

    async def links_are_up(self):
        """The daemon speaks with all its devices: what they say once from now on is heard."""
        names = [each.device for each in self.site.devices[self.vertical]]
        await self.until(lambda: self.client.status().alive)
        await self.sees(dict.fromkeys(names, "ready"), lambda: {n: self.view(f"device/{n}")["state"] for n in names})

    async def stop(self):
        if self.client is not None:
            await self.client.close()
        for process in reversed(self.processes.values()):
            process.end()

    async def killed(self, name, *meanwhile):
        """kill -9 of a program, what is done while it is dead, and its next life."""
        boot = self.client.status().boot_id
        self.processes[name].end(signal.SIGKILL)
        for act in meanwhile:
            await act()
        self.processes[name].start()
        if name == self.vertical:
            await self.until(lambda: self.client.status().alive and self.client.status().boot_id != boot)

    # --- what the box says ---

    def view(self, key):
        update = self.client.views.get(key)
        return View(json.loads(update.json) if update is not None else {})

    def alarms(self):
        return self.view(self.alarm_view).get("alarms", ())

    def rows(self, table, **where):
        """Committed rows of the daemon's store, as dictionaries in the order of writing."""
        file = self.site.data_dir / self.vertical / "facts.db"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
            store.row_factory = sqlite3.Row
            found = [dict(row) for row in store.execute(f"SELECT * FROM {table}")]
        found.sort(key=lambda row: row.get("at_ns", 0))
        return [row for row in found if all(row[name] == value for name, value in where.items())]

    # --- what is true ---

    def sim(self, operation, **fields):
        """Ask the simulator. What only looks is asked again where no answer came in time."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                return demo_control.ask_simulator(self.vertical, self.control, {"op": operation, **fields})
            except demo_control.AwayError:
                if operation != "state" or time.monotonic() > deadline or self.processes["floor"].broke():
                    raise

    # --- waiting ---

    async def until(self, condition, seconds=LIMIT_S):
        """What ``condition`` gives once it is true."""
        begun, unseen = time.monotonic(), None
        while True:
            try:
                if found := condition():
                    return found
            except NOT_SHOWN as error:
                unseen = error
            waited_s = time.monotonic() - begun
            if waited_s >= seconds or any(each.broke() for each in self.processes.values()):
                pytest.fail(f"it did not come to pass ({unseen!r}): {self.last_words()}", pytrace=False)
            await asyncio.sleep(min(LOOK_S + waited_s / 20, LOOK_SELDOM_S))

    async def sees(self, wanted, look, why=""):
        """Wait until ``look`` gives ``wanted``."""
        seen = [None]

        def found():
            seen[0] = look()
            return seen[0] == wanted

        try:
            await self.until(found)
        except pytest.fail.Exception as error:
            pytest.fail(f"{why}: {seen[0]!r} and not {wanted!r}; {error}", pytrace=False)

    def last_words(self):
        logs = {path.name: path.read_text(errors="replace")[-1500:] for path in self.root.glob("*.log")}
        broken = [name for name, each in self.processes.items() if each.broke()]
        alarms = [(one["cause"], one["state"]) for one in self.alarms()]
        try:
            picture = self.picture()
        except (*NOT_SHOWN, demo_control.AwayError) as error:
            picture = f"no picture: {error!r}"
        return f"{broken} ended; {picture} {alarms} {self.answer} {logs}"

    # --- people ---

    async def command(self, body, role=None):
        """The answer's code. Where the answer was lost the same command is sent again, as every terminal does."""
        actor = Actor(role=role or self.role, user="test")
        command = self.command_type(command_id=uuid.uuid4().hex, actor=actor, body=body)
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                self.answer = await self.client.submit(command, timeout_s=LIMIT_S)
            except (AnswerUnknownError, DaemonUnreachableError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(LOOK_S)
            else:
                return self.answer.code

    async def forget_alarms(self):
        """What one scene rang and is over is gone for the next; a sensor that has not spoken again yet is not over."""
        for alarm in self.alarms():
            await self.command(AckAlarm(alarm_id=alarm["alarm_id"]))
            await self.command(ResetAlarm(alarm_id=alarm["alarm_id"]))


def run_site(loop, site):
    """A generator for a fixture: start ``site``, give it, stop it."""
    asking_s, demo_control.ANSWER_S = demo_control.ANSWER_S, LIMIT_S
    try:
        loop.run_until_complete(site.start())
        yield site
    finally:
        demo_control.ANSWER_S = asking_s
        loop.run_until_complete(site.stop())


def play(loop, site, story):
    """Run a scene, then bring the site back."""

    async def whole():
        try:
            await story(site)
        finally:
            await site.recover()

    loop.run_until_complete(asyncio.wait_for(whole(), SCENE_S))
