"""A whole gym in processes, for the scenes of this folder: broker, simulated machines on their wires, the daemon.

Everything is asked of the outside only: the daemon's views on its socket, the rows in its store, and the simulator's
word on what people really did. One gym serves all scenes; each leaves it empty and mended.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from _programs import ROOT, SCENE_S, RunningSite, play, run_site, write_site

from edge.demo_garage import prepare
from edge.demo_gym import demo_gym, gym_settings, open_all_day, prepare_gym
from edge.demo_site import read_example
from edge.domain.actors import Role
from edge.domain.gym.messages import Command, SetPerson
from edge.site import load_site

#: Shorter than a gym's, so that a scene is one: what is short here only decides when, never what.
QUICK = {"end_s": 20, "lost_s": 3, "least_s": 3, "warm_s": 1}
QUICK_LIMITS = {"warn_s": 2, "alarm_s": 4, "max_s": 3, "clear_s": 3}


class Gym(RunningSite):
    """The example's gym at simulated wires, open all day, with short times."""

    vertical, alarm_view, role = "gym", "gym-alarms", Role.COACH

    def __init__(self, root):
        super().__init__(root)
        self.command_type = Command
        shutil.copytree(ROOT / "config", self.site_dir, ignore=shutil.ignore_patterns("data"))
        rules = self.site_dir / "gym" / "rules.toml"
        text = re.sub(r"(?m)^end_s.*\n", "", rules.read_text(encoding="utf-8"))
        for section, values in (("[session]", QUICK), ("[limits]", QUICK_LIMITS)):
            lines = "\n".join(f"{name} = {value}" for name, value in values.items())
            text = text.replace(section, f"{section}\n{lines}")
        rules.write_text(text, encoding="utf-8")
        example = read_example(self.site_dir)
        self.wires = prepare(root, {"devices": []})
        folder = prepare_gym(root, example["gym"], self.wires)
        self.control, self.settings = folder.control, folder.settings
        values = {**example, "run_dir": str(root / "run"), "gym": demo_gym(example["gym"], folder)}
        write_site(self.site_dir, values)
        open_all_day(self.site_dir, values["gym"])
        self.site = load_site(self.site_dir, date(2026, 11, 22))
        settings = {**gym_settings(self.site, folder, "", people=False), "seed": 7}
        self.persons = settings["persons"]
        self.settings.write_text(json.dumps(settings), encoding="utf-8")

    async def start(self):
        await super().start()
        await self.until(lambda: self.view("gym"))
        await self.until(lambda: all(self.asset(name)["use"] == "free" for name in self.speaking()))
        for person in self.persons:
            facts = {name: value for name, value in person.items() if name not in {"person", "card"}}
            await self.command(SetPerson(person=person["person"], cards=(person["card"],), **facts))
            assert self.answer.code == "ok", self.answer

    # --- what the box says, and what is true ---

    def asset(self, name):
        return self.view(f"asset/{name}")

    def speaking(self):
        """Machines that tell where they stand without being used."""
        return [name for name, told in self.truth().items() if "state" in told]

    def causes(self):
        return {alarm["cause"] for alarm in self.alarms() if alarm["active"]}

    def truth(self):
        return self.sim("state")["machines"]

    def done_m(self, name):
        """What was really done at a machine since its console last began anew."""
        return self.truth()[name]["distance_m"]

    def told_m(self, name):
        """What the box knows of it."""
        return self.asset(name)["totals"]["distance_m"]

    def picture(self):
        books = [(row["asset"], row["state"], row["reason"], row["active_ms"]) for row in self.rows("workout")]
        if self.processes["floor"].broke():
            return books
        return [(name, self.asset(name)) for name, told in self.truth().items() if told["who"]], books

    # --- stories that many scenes tell ---

    async def trains(self, name, *, metres=8, **how):
        """Somebody trains, and the box has seen ``metres`` of it, and what is no passer-by. The id of the workout."""
        self.sim("train", asset=name, ready=True, **how)
        await self.sees("active", lambda: self.asset(name)["phase"])
        await self.until(lambda: self.told_m(name) >= metres)
        await self.until(lambda: self.asset(name)["totals"]["active_s"] > QUICK["least_s"])
        return await self.until(lambda: self.asset(name)["workout_id"])

    async def ends(self, name, workout_id, near_m, before_m=(0.0, 0.0)):
        """Whoever is there stands still until the box knows of every metre but ``near_m`` (a console shows only for
        some seconds how it ended, which a busy machine may hold up), and leaves: so says the workout's row, too.
        ``before_m``: what was done before the console began anew, at least and at most. The row."""
        self.sim("pause", asset=name)
        done_m = self.done_m(name)
        least_m, most_m = (done_m + before_m[0] - near_m, done_m + before_m[1] + near_m)

        def written():
            return self.rows("workout", workout_id=workout_id, standing=0)

        await self.until(lambda: written() or least_m <= self.told_m(name) <= most_m)
        self.sim("leave", asset=name)
        (row,) = await self.until(written)
        assert least_m <= row["distance_m"] <= most_m, (row, least_m, most_m)
        return row

    async def recover(self):
        """Everybody leaves, all is mended, no alarm and no workout is left."""
        for name, process in self.processes.items():
            if process.process.poll() is not None:
                process.start()
                assert name != "floor", "the simulation never ends by itself"
        self.sim("mend")
        for name in self.truth():
            self.sim("leave", asset=name)
        await self.links_are_up()
        await self.until(lambda: all(self.asset(name)["phase"] == "idle" for name in self.speaking()))
        await self.forget_alarms()
        await self.until(lambda: all(self.asset(name)["use"] == "free" for name in self.speaking()))


@pytest.fixture(scope="package")
def loop():
    runner = asyncio.new_event_loop()
    yield runner
    runner.close()


@pytest.fixture(scope="package")
def started(loop):
    with tempfile.TemporaryDirectory(prefix="ky-", dir="/tmp") as folder:
        yield from run_site(loop, Gym(Path(folder)))


@pytest.fixture
def scene(started, loop):
    """Run a scene on the gym, then bring it back."""
    return lambda story: play(loop, started, story)


@pytest.fixture(scope="package")
def together(started, loop):
    """Play stories that each have machines of their own at the same time, once, and tell what became of ``story``.
    Most of a scene is waiting for a workout to end by itself, which the machines can do side by side."""
    told = {}

    def tell(stories, story):
        async def whole():
            try:
                return await asyncio.gather(*(each(started) for each in stories), return_exceptions=True)
            finally:
                await started.recover()

        if stories not in told:
            told[stories] = loop.run_until_complete(asyncio.wait_for(whole(), SCENE_S))
        broken = told[stories][stories.index(story)]
        if broken is not None:
            raise broken

    return tell
