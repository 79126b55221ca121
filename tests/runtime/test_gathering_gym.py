"""A heart above its ceiling whose beats wait for one another: the same alarms, at most as late as the wait, and a log
that replays to the same effects."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import random
import sys
from pathlib import Path

import msgspec
import pytest

from drivers.registry import make_driver
from edge.domain.actors import Actor, Role
from edge.domain.digest import effects_digest
from edge.domain.gym.messages import ClaimAsset, Command, ConfigApplied, GymInput, RecordVitals, SetPerson, Timer
from edge.domain.gym.rows import HeartAlarmRow
from edge.domain.gym.settings import AssetKind, AssetSettings, GymConfig, ZoneSettings
from edge.domain.kernel import Put
from edge.domain.machine_readings import HeartRateReading
from edge.domain.places import Place
from edge.domain.words import Text
from edge.runtime.daemon import Daemon
from edge.runtime.device_hub import DeviceHub
from edge.runtime.gathering import Gathering
from edge.runtime.kernels import KERNELS
from edge.runtime.pump import Pump
from firmware_sim.exercise import Exercise
from firmware_sim.ftms.machine import FtmsMachine
from firmware_sim.heart_rate.strap import Strap

NAMES = ("a", "b", "c", "d")
KINDS = dict(zip(NAMES, ("treadmill", "bike", "cross_trainer", "rower"), strict=True))
CEILING_BPM, SECONDS = 120, 90
NS_PER_S = 1_000_000_000


def kit():
    """``test_gathering``: the loop that leaps, the line, the clock."""
    name = "kangle_gathering_kit"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "test_gathering.py")
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def config():
    assets = tuple(
        AssetSettings(
            asset=name, zone="hall", kind=AssetKind(KINDS[name]), name=Text(name, name),
            at=(Place("ble", f"hall/{name}"),), heart=(Place("ble", f"hall/{name}-hr"),),
        )
        for name in NAMES
    )  # fmt: skip
    zone = ZoneSettings(zone="hall", name=Text("hall", "hall"), open_min=0, limits=True)
    return GymConfig(version="1", site=Text("gym", "gym"), zones=(zone,), assets=assets)


class Hall:
    """Four people behind a gateway; ``b`` and ``d`` have a racing heart from second 20 to 60."""

    def __init__(self, store, outlets, wait_s):
        self.store, self.clock, self.line = store, kit().LoopClock(), kit().Line()
        adapter = KERNELS["gym"]()
        gathering = Gathering(wait_s) if wait_s else None
        self.hub = DeviceHub(self.clock, lambda key, view: None, gathering)
        self.daemon = Daemon(adapter, store, self.clock, outlets, self.hub)
        opener = self.line if gathering is None else gathering.over(self.line)
        self.hub.add(
            Pump("ble", opener, make_driver("ble_gateway", {}), self.daemon.post_reading, clock=self.clock,
                 rng=random.Random(1), silence_s=1e9),
            "ble_gateway",
            "played",
        )  # fmt: skip
        self.peripherals, self.straps, self.said = [], {}, 0
        for name in NAMES:
            exercise = Exercise(KINDS[name], effort=0.4)
            exercise.start(0)
            self.straps[name] = Strap(exercise=exercise, forced_bpm=90)
            self.peripherals += [(name, FtmsMachine(exercise)), (f"{name}-hr", self.straps[name])]

    def ask(self, number, body):
        assert self.daemon.post_command(Command(f"c{number}", Actor(Role.MANAGER, "test"), body)) is None

    async def evening(self):
        self.daemon.start([ConfigApplied(config())])
        self.hub.start()
        await asyncio.sleep(0.01)
        for number, name in enumerate(NAMES):
            self.ask(4 * number, SetPerson(person=name, birth_year=1950, ceiling_bpm=CEILING_BPM))
            self.ask(4 * number + 1, RecordVitals(person=name, systolic_mmhg=120, diastolic_mmhg=80, pulse_bpm=70))
            self.ask(4 * number + 2, ClaimAsset(asset=name, person=name))
        for second in range(1, SECONDS):
            for name in ("b", "d"):
                self.straps[name].forced_bpm = 150 if 20 <= second < 60 else 90
            await self.speak(second)
        await self.hub.stop()
        assert await self.daemon.stop()
        return self.store

    async def speak(self, second):
        """Every device its words, spread over the second."""
        for name, peripheral in self.peripherals:
            for value in peripheral.values(second * NS_PER_S):
                self.said += 1
                payload = {"transport": "ble", "char": value.char, "hex": value.data.hex(), "seq": self.said}
                topic = f"site/hall/{name}/raw"
                self.line.say(json.dumps({"topic": topic, "payload": json.dumps(payload), "retain": False}).encode())
            await asyncio.sleep(1 / len(self.peripherals))


@pytest.fixture
def evening(held_store):
    def play(wait_s):
        store = held_store()
        store.auto = True

        async def scenario():
            return await Hall(store, kit().NoOutlets(), wait_s).evening()

        with asyncio.Runner(loop_factory=kit().LeapingLoop) as runner:
            return runner.run(scenario())

    return play


def inputs(store):
    decode = msgspec.msgpack.Decoder(GymInput).decode
    return [(record, decode(record.input)) for record in store.records if record.input]


def alarms(store):
    """(asset, level, wall time) of each judgement of a heart, in order."""
    rows = [row for batch in store.batches for row in batch.rows if isinstance(row, HeartAlarmRow)]
    at_ns = {record.stamp.seq: record.stamp.mono_ns for record in store.records}
    return [(row.asset, row.level, at_ns[row.seq]) for row in rows]


def test_hearts_above_their_ceiling_are_told_as_before_and_hardly_later(evening):
    wait_s = KERNELS["gym"]().gather_s
    at_once, gathered = evening(0.0), evening(wait_s)
    told = alarms(at_once)
    assert {(asset, level) for asset, level, _ in told} == {("b", "alarm"), ("d", "alarm")}
    assert [one[:2] for one in sorted(alarms(gathered))] == [one[:2] for one in sorted(told)]
    for (*_, late_ns), (*_, at_ns) in zip(sorted(alarms(gathered)), sorted(told), strict=True):
        assert -1000 <= late_ns - at_ns <= wait_s * NS_PER_S + 1000
    words = [[item for _, item in inputs(store) if not isinstance(item, Timer)] for store in (at_once, gathered)]
    assert words[0] == words[1], "the same words in the same order"
    assert sum(isinstance(getattr(item, "body", None), HeartRateReading) for item in words[1]) == 4 * (SECONDS - 1)


def test_a_gathered_evening_replays_to_the_same_effects(evening, held_store):
    store = evening(KERNELS["gym"]().gather_s)
    kernel = KERNELS["gym"]().kernel
    world = kernel.load(held_store().rows())
    first, *rest = store.records
    assert effects_digest(kernel.resume(world, first.stamp)) == first.digests
    decode = msgspec.msgpack.Decoder(GymInput).decode
    put = 0
    for record in rest:
        effects = kernel.handle(world, decode(record.input), record.stamp)
        assert effects_digest(effects) == record.digests
        put += sum(isinstance(effect, Put) for effect in effects)
    assert put > 20
