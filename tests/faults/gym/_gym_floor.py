"""A gym in simulated time whose machines are the truth: what people really did, whatever anybody heard of it.

Machines, straps, gateways and consoles are those of ``firmware_sim`` on their wire formats; box, drivers and store are
the product's. Every second somebody trains is written down beside the faults that were under way (``Visit``,
``Floor.deaf``), and ``_gym_truth`` compares that with the rows afterwards.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _gym_box import GymBox
from _trace import Trace

from edge.domain.actors import Actor, Role
from edge.domain.gym.messages import ClaimAsset, Command, RecordVitals, SetPerson
from edge.domain.gym.settings import AssetKind, AssetSettings, GymConfig, ZoneSettings
from edge.domain.places import Place
from edge.domain.words import Text
from edge.runtime.clock import ManualClock
from edge.site_model import DeviceSettings
from firmware_sim.ble_gateway import BleGateway
from firmware_sim.csafe import Console, CsafePort
from firmware_sim.exercise import Exercise
from firmware_sim.ftms import FtmsMachine
from firmware_sim.heart_rate import Strap
from firmware_sim.mqttdevice import MqttDevice
from firmware_sim.strength import StrengthMachine

S = 1_000_000_000
WIRED, HELD, STRENGTH = ("t1", "t2"), ("b1", "e1"), "k1"
MACHINES = (*WIRED, *HELD, STRENGTH)
PEOPLE = ("anna", "bo", "cai", "dan", "eve", "fan")
CEILING_BPM, MAX_BPM, CALM_BPM, HIGH_BPM = 110, 130, 90, 136


@dataclass
class Visit:
    """What somebody really did at one machine. ``track``: (ns, metres) each second. ``high``: when the pulse was above
    the alarm's limit. ``resets``: when the console began anew, ``jumps``: when its distance leapt. ``reps`` done.
    ``person`` "": came without a card."""

    asset: str
    person: str
    from_ns: int
    to_ns: int = 0
    track: list[tuple[int, float]] = field(default_factory=list)
    high: tuple[int, int] | None = None
    resets: list[int] = field(default_factory=list)
    jumps: list[int] = field(default_factory=list)
    reps: int = 0
    claimed_ns: int = 0

    def metres(self, from_ns: int, to_ns: int) -> float:
        """Done between two moments."""
        inside = [metres for at_ns, metres in self.track if from_ns <= at_ns <= to_ns]
        return inside[-1] - inside[0] if inside else 0.0


def _words(word: str) -> Text:
    return Text(zh=word, en=word)


def gym_config() -> GymConfig:
    """Two wired treadmills, a bike and an elders' treadmill with straps at gateways, a strength machine."""

    def asset(name: str, kind: AssetKind, zone: str, at: Place, *heart: Place) -> AssetSettings:
        return AssetSettings(asset=name, zone=zone, kind=kind, name=_words(name), at=(at,), heart=heart)

    treadmill, hall, elders = AssetKind.TREADMILL, "hall", "elders"
    return GymConfig(
        version="faults",
        site=_words("gym"),
        zones=(
            ZoneSettings(zone=hall, name=_words(hall), open_min=0),
            ZoneSettings(zone=elders, name=_words(elders), open_min=0, limits=True),
        ),
        assets=(
            *(asset(name, treadmill, hall, Place(f"console-{name}", "machine")) for name in WIRED),
            asset("b1", AssetKind.BIKE, elders, Place("ble", "hall/b1"), Place("ble", "hall/b1-hr")),
            asset("e1", treadmill, elders, Place("ble", "elders/e1"), Place("ble", "elders/e1-hr")),
            asset(STRENGTH, AssetKind.STRENGTH, hall, Place("strength", f"hall/{STRENGTH}")),
        ),
    )


DEVICES = (
    DeviceSettings(device="ble", protocol="ble_gateway", link="mqtt://x"),
    DeviceSettings(device="strength", protocol="strength", link="mqtt://x"),
    *(DeviceSettings(device=f"console-{name}", protocol="csafe", link="tcp://x", options={"kind": "treadmill"})
      for name in WIRED),
)  # fmt: skip


class Floor:
    """``run(seconds)`` lets time pass. ``deaf``: (machine or "*", from_ns, to_ns) in which the box may not have heard
    it; ``kills`` the moments of death."""

    def __init__(self, folder: Path, seed: int, trace: Trace) -> None:
        self.rng, self.trace = random.Random(seed), trace
        self.clock = ManualClock(mono_ns=1_000 * S, wall_ns=1_795_320_000 * S)
        now_ns, unix_ms = self.clock.now_mono_ns, self.clock.now_wall_ns // 1_000_000
        self.exercises = {name: Exercise("bike" if name == "b1" else "treadmill") for name in (*WIRED, *HELD)}
        self.straps = {name: Strap(self.exercises[name], worn=False) for name in HELD}
        held = {name: FtmsMachine(self.exercises[name]) for name in HELD}
        self.gateways = {
            name: BleGateway(
                {f"{room}/{name}": held[name], f"{room}/{name}-hr": self.straps[name]},
                seed=seed * 10 + number, unix_ms=unix_ms,
            )
            for number, (room, name) in enumerate((("hall", "b1"), ("elders", "e1")))
        }  # fmt: skip
        self.strength = StrengthMachine(f"hall/{STRENGTH}", sets=2, reps=8, seed=seed)
        self.wires = {f"console-{name}": CsafePort(Console(self.exercises[name]), seed=seed) for name in WIRED}
        self.retained: dict[str, str] = {}
        self.broker_up = True
        self.visits: list[Visit] = []
        self.deaf: list[tuple[str, int, int]] = []
        self.kills: list[int] = []
        self.heard_reps: list[int] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self.box = GymBox(folder / "gym", gym_config(), DEVICES, self.clock, self._to_wire)
        for device in self.mqtt:
            device.begin(now_ns)
            device.connected(now_ns)
        for wire in self.wires.values():
            wire.begin(now_ns)
        self.box.start()
        for number, person in enumerate(PEOPLE):
            body = SetPerson(person=person, ceiling_bpm=CEILING_BPM, max_bpm=MAX_BPM, cards=(f"c{number}",))
            assert self.command(body) == "ok"
        self.run(15)

    @property
    def mqtt(self) -> list[MqttDevice]:
        return [*self.gateways.values(), self.strength]

    # --- time ---------------------------------------------------------------------------------------------------------

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.clock.now_mono_ns + round(seconds * S), next(self._count), act))

    def run(self, seconds: float) -> None:
        end_ns = self.clock.now_mono_ns + round(seconds * S)
        things, box_ns = (*self.mqtt, *self.wires.values()), self.box.due_ns()
        while True:
            dues = [each.deadline() for each in things] + [self._due[0][0] if self._due else None, box_ns]
            at_ns = max(self.clock.now_mono_ns, min([due for due in dues if due is not None], default=end_ns))
            if at_ns >= end_ns:
                self.clock.advance(end_ns - self.clock.now_mono_ns)
                return
            self.clock.advance(at_ns - self.clock.now_mono_ns)
            self._pass(at_ns)
            box_ns = self.box.due_ns()
            if box_ns == at_ns:  # it wants the very same moment again: time must go on
                self.clock.advance(1_000_000)

    def _pass(self, now_ns: int) -> None:
        while self._due and self._due[0][0] <= now_ns:
            heapq.heappop(self._due)[2]()
        for device in self.mqtt:
            device.tick(now_ns)
            for topic, payload, retain, _ in device.take(now_ns):
                self._published(topic, payload, retain=retain)
        for name, wire in self.wires.items():
            data = wire.take(now_ns)
            if data:
                self.box.heard(name, data)
        due_ns = self.box.due_ns()
        if due_ns is not None and due_ns <= now_ns:
            self.box.wake()

    def _published(self, topic: str, payload: str, *, retain: bool) -> None:
        if retain:
            self.retained[topic] = payload
        if not self.broker_up:
            return
        if self.box.alive and '"rep":' in payload:
            self.heard_reps.append(self.clock.now_mono_ns)
        self.box.deliver(topic, payload)

    def _to_wire(self, device: str, data: bytes) -> None:
        self.wires[device].receive(data, self.clock.now_mono_ns)

    # --- people -------------------------------------------------------------------------------------------------------

    def command(self, body: Any) -> str:
        """The code of the answer, "" from a box that is down."""
        before = len(self.box.replies)
        self.box.give(Command(f"c{next(self._count)}", Actor(Role.COACH, "coach"), body))
        return str(self.box.replies[-1][1]) if len(self.box.replies) > before else ""

    def visit(self, asset: str, seconds: float, *, person: str = "", high_s: float = 0.0, effort: float = 0.5) -> Visit:
        """Somebody comes, shows who it is until the box has heard it, and trains for ``seconds``; the pulse is above
        the ceiling for ``high_s`` of them, from 40 s on."""
        visit = Visit(asset, person, 0)
        self.visits.append(visit)

        def come() -> None:
            if person:
                self.command(RecordVitals(person=person, systolic_mmhg=128, diastolic_mmhg=80, pulse_bpm=70))
                if self.command(ClaimAsset(asset=asset, person=person)) != "ok":
                    self.later(2, come)
                    return
            visit.claimed_ns = self.clock.now_mono_ns
            self.later(3, begin)

        def begin() -> None:
            visit.from_ns = self.clock.now_mono_ns
            self.trace.event(visit.from_ns, "begins", asset=asset, person=person, seconds=seconds)
            if asset == STRENGTH:
                self._lift(visit)
                return
            self.exercises[asset].effort = effort
            self.exercises[asset].start(visit.from_ns)
            if asset in self.straps:
                self._wear(visit, high_s)
            self._sample(visit, seconds)

        come()
        return visit

    def _lift(self, visit: Visit) -> None:
        machine, before = self.strength, len(self.strength.told_reps)
        machine.now_ns = max(machine.now_ns, self.clock.now_mono_ns)
        machine.begin_session()

        def done() -> None:
            visit.to_ns, visit.reps = self.clock.now_mono_ns, len(machine.told_reps) - before

        self.later(machine.session_s + 0.5, done)

    def _sample(self, visit: Visit, seconds: float) -> None:
        exercise, now_ns = self.exercises[visit.asset], self.clock.now_mono_ns
        exercise.run(now_ns)
        visit.track.append((now_ns, exercise.life_km * 1000))
        if now_ns - visit.from_ns < seconds * S:
            self.later(1, lambda: self._sample(visit, seconds))
            return
        exercise.stop(now_ns)
        visit.to_ns = now_ns
        strap = self.straps.get(visit.asset)
        if strap is not None:
            strap.worn, strap.forced_bpm = False, None

    def _wear(self, visit: Visit, high_s: float) -> None:
        strap = self.straps[visit.asset]
        strap.worn, strap.forced_bpm = True, CALM_BPM
        if not high_s:
            return
        climb_s = (HIGH_BPM - CALM_BPM) / 5
        for second in range(int(climb_s) + 1):
            self.later(40 + second, lambda to=CALM_BPM + 5 * second: self._beat(strap, min(HIGH_BPM, to)))
            self.later(40 + climb_s + high_s + second, lambda to=HIGH_BPM - 5 * second: self._beat(strap, to))
        self.later(40 + climb_s + high_s + climb_s, lambda: self._beat(strap, CALM_BPM))
        from_ns = self.clock.now_mono_ns + round((40 + climb_s) * S)
        visit.high = (from_ns, from_ns + round(high_s * S))

    @staticmethod
    def _beat(strap: Strap, bpm: int) -> None:
        if strap.worn:
            strap.forced_bpm = max(CALM_BPM, bpm)

    def close(self) -> None:
        """The box ends in order: what it decided is on disk."""
        if self.box.alive:
            self.box.stop()
