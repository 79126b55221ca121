"""A whole checkout in virtual time: simulated reader -> wire bytes -> real driver -> real kernel, and back.

Nothing here sleeps: time jumps to the next thing that is due. The simulated readers share no code with the drivers.
"""

from __future__ import annotations

import importlib.util
import math
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivers.feig.driver import FeigDriver
from drivers.magicrf.driver import MagicRfDriver
from edge.domain.canteen.messages import BindPlates, LaneView
from edge.domain.devices import DeviceReading
from edge.domain.kernel import Send
from firmware_sim.chips import Chip, Field
from firmware_sim.feig import FeigReader
from firmware_sim.line import LineSettings
from firmware_sim.magicrf import MagicRfReader

NS_PER_MS = 1_000_000


def _canteen_kit() -> Any:
    path = Path(__file__).parents[1] / "canteen" / "conftest.py"
    spec = importlib.util.spec_from_file_location("canteen_kit", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["canteen_kit"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Lane:
    name: str
    field: Field
    reader: Any
    driver: Any
    epoch: int = 1
    readings: list[Any] = field(default_factory=list)


@dataclass
class Checkout:
    """Lanes on one kernel. ``run_until`` moves time; ``lane.field`` is where plates are put down."""

    canteen: Any
    lanes: list[Lane]
    now_ns: int = 5_000_000_000
    passes: int = 0

    def __post_init__(self) -> None:
        self.canteen.mono_ns = self.now_ns
        for lane in self.lanes:
            self._carry(lane, lane.driver.opened(self.now_ns))

    def view(self, lane: Lane) -> LaneView:
        return self.canteen.shown[f"lane/{lane.name}"]

    def run(self, ms: float) -> None:
        self.run_until(lambda: False, ms)

    def run_until(self, done: Any, limit_ms: float) -> bool:
        """Work off what is due, in the order of time, until ``done()`` or the limit; True when done."""
        end_ns = self.now_ns + int(limit_ms * NS_PER_MS)
        while not done():
            due_ns = min([self._due(lane) for lane in self.lanes])
            deadline = self.canteen.kernel.deadline(self.canteen.world)
            if deadline is not None and deadline < due_ns:
                due_ns = deadline
            if due_ns > end_ns:
                self._move(end_ns)
                return done()
            self._move(max(due_ns, self.now_ns))
            for lane in self.lanes:
                self._step(lane)
            if deadline is not None and deadline <= self.now_ns:
                self._effects(self.canteen.tick(0))
        return True

    def _move(self, to_ns: int) -> None:
        self.canteen.mono_ns = to_ns
        self.canteen.wall_ns += to_ns - self.now_ns
        self.now_ns = to_ns

    @staticmethod
    def _due(lane: Lane) -> float:
        reader, driver = lane.reader.deadline(), lane.driver.deadline()
        return min(math.inf if reader is None else reader, math.inf if driver is None else driver)

    def _step(self, lane: Lane) -> None:
        due = lane.reader.deadline()
        if due is not None and due <= self.now_ns:
            data = lane.reader.take(self.now_ns)
            if data:
                self._carry(lane, lane.driver.received(data, self.now_ns))
        due = lane.driver.deadline()
        if due is not None and due <= self.now_ns:
            self._carry(lane, lane.driver.tick(self.now_ns))

    def _carry(self, lane: Lane, output: Any) -> None:
        for frame in output.write:
            lane.reader.receive(frame, self.now_ns)
        for reading in output.readings:
            self.passes += 1
            lane.readings.append(reading)
            self._effects(self.canteen.give(DeviceReading(f"reader-{lane.name}", lane.epoch, reading)))

    def _effects(self, effects: Any) -> None:
        for effect in effects or []:
            if isinstance(effect, Send):
                lane = next(lane for lane in self.lanes if f"reader-{lane.name}" == effect.device)
                self._carry(lane, lane.driver.command(effect.command, self.now_ns))

    def replug(self, lane: Lane, off_ms: float) -> None:
        """Pull the plug, wait, plug in again; the link is re-opened as the pump would."""
        lane.reader.unplugged(self.now_ns)
        self._carry(lane, lane.driver.closed(self.now_ns))
        self.run(off_ms)
        lane.reader.plugged(self.now_ns)
        lane.epoch += 1
        self._carry(lane, lane.driver.opened(self.now_ns))


def make_lane(name: str, family: str, seed: int) -> Lane:
    antenna = Field(seed)
    if family == "feig":
        reader: Any = FeigReader(antenna, seed=seed, line=LineSettings(115_200, "E"))
        return Lane(name, antenna, reader, FeigDriver({}))
    reader = MagicRfReader(antenna, seed=seed, line=LineSettings(115_200))
    return Lane(name, antenna, reader, MagicRfDriver({}))


class Pile:
    """Plates that are filled anew for each tray. Read rates are drawn per plate from Beta(45, 5)."""

    def __init__(self, checkout: Checkout, kit: Any, rng: random.Random, family: str, size: int = 60) -> None:
        self.checkout, self.rng = checkout, rng
        digits = "e0040100{:08x}" if family == "feig" else "e2806894000040000000{:04x}"
        # Chips of one batch differ in their last digits, as on a real pile.
        self.uids = [digits.format(0x51A0 + 7 * i) for i in range(size)]
        from edge.domain.canteen.messages import RegisterPlates

        checkout.canteen.command(
            RegisterPlates(plates=tuple((uid, f"S-{family}-{i}", "bowl", 200) for i, uid in enumerate(self.uids)))
        )

    def tray(self, count: int, dead_rate: float = 0.0) -> list[Chip]:
        uids = self.rng.sample(self.uids, count)
        answer = self.checkout.canteen.command(BindPlates(dish_id="pork", plate_uids=tuple(uids)))
        assert answer.code == "ok", answer
        return [Chip(uid, self.rng.betavariate(45, 5), dead=self.rng.random() < dead_rate) for uid in uids]


@pytest.fixture
def wire() -> Any:
    kit = _canteen_kit()

    class Wire:
        @staticmethod
        def checkout(*families: str, seed: int = 1) -> Checkout:
            lanes = [make_lane(str(i + 1), family, seed * 100 + i) for i, family in enumerate(families)]
            config = kit.make_config()
            # Gen2 draws its slots anew each round: capture hides nobody for long.
            settings = tuple(
                msgspec.structs.replace(lane, hidden_ppm=50_000 if family == "feig" else 0)
                for lane, family in zip(config.lanes, (*families, "feig", "feig"), strict=False)
            )
            checkout = Checkout(kit.Canteen(msgspec.structs.replace(config, lanes=settings)), lanes)
            for lane in lanes:
                checkout.canteen.world.lanes[lane.name].device_ready = False
            return checkout

        @staticmethod
        def pile(checkout: Checkout, rng: random.Random, family: str) -> Pile:
            return Pile(checkout, kit, rng, family)

    return Wire
