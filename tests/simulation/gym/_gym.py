"""The gym of the scenes: the example's, in processes, with what many stories tell of it."""

from __future__ import annotations

import json
import re
import shutil
import time
from datetime import date

from _programs import LIMIT_S, ROOT, RunningSite, write_site

from edge.demo_garage import prepare
from edge.demo_gym import demo_gym, gym_settings, open_all_day, prepare_gym
from edge.demo_site import read_example
from edge.domain.actors import Role
from edge.domain.gym.messages import Command, SetPerson
from edge.site import load_site

#: Shorter than a gym's, so that a scene is one: what is short here only decides when, never what.
QUICK = {"end_s": 20, "lost_s": 3, "least_s": 3, "warm_s": 1}
QUICK_LIMITS = {"warn_s": 2, "alarm_s": 3, "max_s": 2, "clear_s": 2, "unknown_s": 6}
#: What the box may not know yet of what was done when somebody stops, and what is done while it hears nothing.
NEAR_M = 8
UNHEARD_M = 12


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

    async def stays_lost(self, name):
        """The machine is lost, not paused, and nothing is guessed of what is done meanwhile. Gives what the box knows.
        A word that was on its way when the link went may come yet: then it is looked at again."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            await self.sees("lost", lambda: self.asset(name)["phase"])
            before_m, real_m = await self.until(lambda: (self.told_m(name), self.done_m(name)))
            await self.until(lambda real_m=real_m: self.done_m(name) > real_m + UNHEARD_M)
            if (self.asset(name)["phase"], self.told_m(name)) == ("lost", before_m):
                return before_m
            assert time.monotonic() < deadline, f"it is guessed: {before_m} {self.last_words()}"

    async def lost_and_found(self, name, workout, mend, unheard=None):
        """What a lost machine did is there after ``mend``, in the same workout."""
        before_m = await (unheard or self.stays_lost)(name)
        mend()
        await self.sees("active", lambda: self.asset(name)["phase"])
        await self.until(lambda: self.told_m(name) > before_m + UNHEARD_M)
        await self.sees(workout, lambda: self.asset(name)["workout_id"])
        row = await self.ends(name, workout, NEAR_M)
        assert row["state"] == "ended"
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
