"""A gym in a test: the real kernel, rows kept in memory, machines played by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from edge.domain.actors import Actor, Role
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState
from edge.domain.field_devices import CardReading
from edge.domain.gym.kernel import GymKernel
from edge.domain.gym.messages import Command, ConfigApplied, DayOpened, SetPerson, Timer
from edge.domain.gym.settings import (
    AssetKind,
    AssetSettings,
    GateSettings,
    GymConfig,
    KioskSettings,
    TrailSettings,
    WearSettings,
    ZoneSettings,
)
from edge.domain.kernel import Effects, Put, Reply, Row, Send, Show, Stamp
from edge.domain.machine_readings import (
    BloodPressureReading,
    GateReading,
    HeartContact,
    HeartRateReading,
    MachineHealthReading,
    MachineReading,
)
from edge.domain.places import Place
from edge.domain.words import Text

DAY = "2026-11-22"
NOON_NS = 1_795_320_000_000_000_000
NS_PER_S = 1_000_000_000
ROW = "row"
BELT = "belt"


def text(word: str) -> Text:
    return Text(zh=word, en=word)


def asset(name: str, kind: AssetKind = AssetKind.TREADMILL, zone: str = "hall", **facts: Any) -> AssetSettings:
    return AssetSettings(
        asset=name, zone=zone, kind=kind, name=text(name), at=(Place(ROW, name),), reader=Place("cards", name),
        heart=(Place(BELT, name),), **{"model": "T1", **facts},
    )  # fmt: skip


def make_config(**changes: Any) -> GymConfig:
    base = GymConfig(
        version="y1",
        site=text("gym"),
        zones=(
            ZoneSettings(zone="hall", name=text("hall"), queue=True, open_min=0),
            ZoneSettings(zone="elders", name=text("elders"), limits=True, buzzer=Place("io", "buzzer"), open_min=0),
        ),
        assets=(
            *(asset(f"t{number}") for number in range(1, 5)),
            asset("b1", AssetKind.BIKE),
            asset("e1", zone="elders"),
            asset("o1", AssetKind.OUTDOOR),
        ),
        wear=(WearSettings(kind=AssetKind.TREADMILL, service_hours=100, service_days=180),),
        kiosks=(KioskSettings(kiosk="k1", zone="elders", name=text("k1"), reader=Place("cards", "k1"),
                              cuff=Place("cuff", "k1"), scale=Place("scale", "k1")),),
        trails=(
            TrailSettings(
                trail="loop", zone="hall", name=text("loop"), length_m=900,
                gates=tuple(GateSettings(gate=f"g{n}", name=text(f"g{n}"), at=Place("gates", f"g{n}"), at_m=300 * n)
                            for n in range(3)),
            ),
        ),
        inspection=(("frame", text("frame")), ("bolts", text("bolts"))),
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


class MemoryRows:
    """Rows as the store would give them back: by table and primary key, in key order."""

    def __init__(self) -> None:
        self.tables: dict[type[Row], dict[tuple[Any, ...], Row]] = {}

    def put(self, row: Row) -> None:
        key = tuple(getattr(row, name) for name in type(row).KEY)  # type: ignore[attr-defined]
        self.tables.setdefault(type(row), {})[key] = row

    def all(self, kind: type[Row]) -> Any:
        return iter([row for _, row in sorted(self.tables.get(kind, {}).items())])

    def since(self, kind: type[Row], column: str, value: str | int) -> Any:
        return iter([row for row in self.all(kind) if getattr(row, column) >= value])

    def where(self, kind: type[Row], where: Mapping[str, str | int]) -> Any:
        return iter([row for row in self.all(kind) if where.items() <= msgspec.structs.asdict(row).items()])


@dataclass
class Gym:
    config: GymConfig = field(default_factory=make_config)
    kernel: GymKernel = field(default_factory=GymKernel)
    rows: MemoryRows = field(default_factory=MemoryRows)
    seq: int = 0
    boot: int = 1
    mono_ns: int = 1_000 * NS_PER_S
    wall_ns: int = NOON_NS
    shown: dict[str, Any] = field(default_factory=dict)
    sent: list[Send] = field(default_factory=list)
    metres: dict[str, float] = field(default_factory=dict)
    elapsed: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = self.kernel.load(self.rows)
        self.take(self.kernel.resume(self.world, self.stamp()))
        self.give(ConfigApplied(self.config))
        self.give(DayOpened(DAY))

    # --- time and inputs ---

    def stamp(self) -> Stamp:
        self.seq += 1
        return Stamp(self.seq, f"boot-{self.boot}", self.mono_ns, self.wall_ns, True)

    def give(self, item: Any) -> Effects:
        effects = self.kernel.handle(self.world, item, self.stamp())
        self.take(effects)
        return effects

    def take(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Put(row=row):
                    self.rows.put(row)
                case Show(key=key, view=view):
                    self.shown[key] = view
                case Send():
                    self.sent.append(effect)
                case _:
                    pass

    def elapse(self, seconds: float) -> None:
        self.mono_ns += round(seconds * NS_PER_S)
        self.wall_ns += round(seconds * NS_PER_S)

    def run(self, seconds: float, *, each: Any = None) -> None:
        """Let time pass a second at a time, with the timers that the kernel wants."""
        for _ in range(round(seconds)):
            self.elapse(1)
            due = self.kernel.deadline(self.world)
            if due is not None and due <= self.mono_ns:
                self.give(Timer())
            if each is not None:
                each()

    def restart(self, *, down_s: float = 2.0, at_ns: int = 50 * NS_PER_S) -> None:
        """As after kill -9 or a power cut: a new world from the rows that were written. ``at_ns``: monotonic."""
        self.boot += 1
        self.wall_ns += round(down_s * NS_PER_S)
        self.mono_ns = at_ns
        self.world = self.kernel.load(self.rows)
        self.take(self.kernel.resume(self.world, self.stamp()))
        self.give(ConfigApplied(self.config))

    # --- devices ---

    def says(self, name: str, **facts: Any) -> Effects:
        return self.give(DeviceReading(ROW, 1, MachineReading(point=name, **facts)))

    def walk(self, name: str, km_h: float = 6.0, seconds: float = 1.0, **facts: Any) -> None:
        """One word of a machine on which somebody walked for ``seconds``."""
        self.metres[name] = self.metres.get(name, 0.0) + km_h / 3.6 * seconds
        self.elapsed[name] = self.elapsed.get(name, 0.0) + seconds
        self.says(name, distance_m=round(self.metres[name], 2), elapsed_s=self.elapsed[name], speed_km_h=km_h, **facts)

    def stand(self, name: str, **facts: Any) -> None:
        """A machine that speaks and does not move."""
        self.says(name, distance_m=round(self.metres.get(name, 0.0), 2), speed_km_h=0.0, **facts)

    def train(self, name: str, seconds: int, km_h: float = 6.0, bpm: int | None = None, **facts: Any) -> None:
        def each() -> None:
            self.walk(name, km_h, **facts)
            if bpm is not None:
                self.beats(name, bpm)

        self.run(seconds, each=each)

    def beats(self, name: str, bpm: int | None, contact: HeartContact = HeartContact.DETECTED) -> Effects:
        reading = HeartRateReading(point=name, heart_rate_bpm=bpm, contact=contact)
        return self.give(DeviceReading(BELT, 1, reading))

    def card(self, point: str, card: str) -> Effects:
        return self.give(DeviceReading("cards", 1, CardReading(point=point, card=card)))

    def cuff(self, systolic: int, diastolic: int = 80, pulse: int = 70, **facts: Any) -> Effects:
        reading = BloodPressureReading(
            point="k1", systolic_mmhg=systolic, diastolic_mmhg=diastolic, pulse_bpm=pulse, **facts
        )
        return self.give(DeviceReading("cuff", 1, reading))

    def gate(self, number: int, tag: str = "aa01", **facts: Any) -> Effects:
        return self.give(DeviceReading("gates", 1, GateReading(point=f"g{number}", tag=tag, **facts)))

    def health(self, name: str, **facts: Any) -> Effects:
        return self.give(DeviceReading(ROW, 1, MachineHealthReading(point=name, **facts)))

    def link(self, device: str, state: DeviceState) -> Effects:
        return self.give(DeviceReading(device, 1, DeviceHealth(state=state)))

    # --- people ---

    def command(self, body: Any, *, role: Role = Role.COACH, user: str = "coach-1", command_id: str = "") -> Reply:
        effects = self.give(Command(command_id or f"cmd-{self.seq}", Actor(role, user), body))
        return next(effect for effect in effects if isinstance(effect, Reply))

    def person(self, person: str, card: str, **facts: Any) -> None:
        assert self.command(SetPerson(person=person, cards=(card,), **facts)).code == "ok"

    # --- looking ---

    def asset(self, name: str) -> Any:
        return self.world.assets[name]

    def workouts(self) -> list[Any]:
        return [row for kind, rows in self.rows.tables.items() if kind.__name__ == "WorkoutRow"
                for row in rows.values()]  # fmt: skip

    def causes(self) -> list[str]:
        return [one.cause for one in self.shown["gym-alarms"].alarms] if "gym-alarms" in self.shown else []


@pytest.fixture
def gym() -> Gym:
    return Gym()


@pytest.fixture(scope="session")
def kit() -> Any:
    class Kit:
        config = staticmethod(make_config)
        asset = staticmethod(asset)
        new = Gym
        s = NS_PER_S
        day = DAY

    return Kit
