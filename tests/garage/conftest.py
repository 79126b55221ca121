"""A garage in a test: the real kernel, rows kept in memory, devices played by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from edge.domain.actors import Actor, Role
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState
from edge.domain.field_devices import (
    MeterReading,
    Operate,
    OutputReading,
    PointHealth,
    Quality,
    SignalKind,
    SignalReading,
)
from edge.domain.garage.kernel import GarageKernel
from edge.domain.garage.messages import Command, ConfigApplied, DayOpened, ResetZone, Timer
from edge.domain.garage.settings import (
    GarageConfig,
    OutputKind,
    OutputSettings,
    PortSettings,
    SourceSettings,
    TariffBand,
    TariffSettings,
    ZoneSettings,
)
from edge.domain.kernel import EffectClass, Effects, Put, Reply, Row, Send, Show, Stamp
from edge.domain.places import Place
from edge.domain.words import Text

DAY = "2026-11-22"
NOON_NS = 1_795_320_000_000_000_000
NS_PER_S = 1_000_000_000
FIELD = "zigbee"
BUS = "bus"


def text(word: str) -> Text:
    return Text(zh=word, en=word)


def source(name: str, kind: SignalKind = SignalKind.SMOKE, zone: str = "B1", **facts: Any) -> SourceSettings:
    return SourceSettings(
        source=name, zone=zone, kind=kind, at=Place(FIELD, facts.pop("point", name)), name=text(name), **facts
    )


def output(name: str, kind: OutputKind, zone: str = "B1", **facts: Any) -> OutputSettings:
    return OutputSettings(output=name, zone=zone, kind=kind, at=Place(BUS, name), name=text(name), **facts)


def port(name: str, zone: str = "B1", **facts: Any) -> PortSettings:
    return PortSettings(port=name, zone=zone, at=Place(FIELD, name), name=text(name), **facts)


def zone_parts(zone: str) -> tuple[tuple[SourceSettings, ...], tuple[OutputSettings, ...], tuple[PortSettings, ...]]:
    """Two smoke heads, call point, panel contact, flow switch; contactor with meter, feed, siren, door, water; two
    ports."""
    sources = (
        source(f"{zone}-s1", zone=zone),
        source(f"{zone}-s2", zone=zone),
        source(f"{zone}-call", SignalKind.CALL_POINT, zone),
        source(f"{zone}-panel", SignalKind.PANEL_FIRE, zone),
        source(f"{zone}-flow", SignalKind.FLOW, zone),
    )
    outputs = (
        output(f"{zone}-k", OutputKind.CONTACTOR, zone, meter=Place(BUS, f"{zone}-km")),
        output(f"{zone}-feed", OutputKind.FEED, zone),
        output(f"{zone}-siren", OutputKind.SIREN, zone),
        output(f"{zone}-door", OutputKind.DOOR, zone),
        output(f"{zone}-water", OutputKind.WATER, zone, feedback_source=f"{zone}-flow"),
    )
    return sources, outputs, (port(f"{zone}-p1", zone), port(f"{zone}-p2", zone))


def make_config(*zones: ZoneSettings, **changes: Any) -> GarageConfig:
    zones = zones or (ZoneSettings(zone="B1", name=text("B1"), panels=("panel-B1",)),)
    parts = [zone_parts(zone.zone) for zone in zones]
    base = GarageConfig(
        version="g1",
        site=text("garage"),
        utc_offset_min=480,
        zones=zones,
        sources=tuple(one for sources, _, _ in parts for one in sources),
        outputs=tuple(one for _, outputs, _ in parts for one in outputs),
        ports=tuple(one for _, _, ports in parts for one in ports),
        tariff=TariffSettings(
            version="t1",
            bands=(TariffBand(start_min=0, end_min=1440, energy_fen_per_kwh=60, service_fen_per_kwh=40),),
        ),
    )
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

    def columns_since(self, kind: type[Row], columns: tuple[str, ...], value: str | int) -> Any:
        found = self.since(kind, columns[0], value)
        return iter(sorted(tuple(getattr(row, name) for name in columns) for row in found))


@dataclass
class Garage:
    config: GarageConfig
    kernel: GarageKernel = field(default_factory=GarageKernel)
    rows: MemoryRows = field(default_factory=MemoryRows)
    seq: int = 0
    boot: int = 1
    mono_ns: int = 1_000 * NS_PER_S
    wall_ns: int = NOON_NS
    wall_trusted: bool = True
    shown: dict[str, Any] = field(default_factory=dict)
    sent: list[tuple[str, Any, EffectClass]] = field(default_factory=list)
    commands: int = 0

    def __post_init__(self) -> None:
        self.world = self.kernel.load(self.rows)
        self.take(self.kernel.resume(self.world, self.stamp()))
        self.give(ConfigApplied(self.config))
        self.give(DayOpened(DAY))

    # --- time and inputs ---

    def stamp(self) -> Stamp:
        self.seq += 1
        return Stamp(self.seq, f"boot-{self.boot}", self.mono_ns, self.wall_ns, self.wall_trusted)

    def give(self, item: Any) -> Effects:
        effects = self.kernel.handle(self.world, item, self.stamp())
        self.take(effects)
        return effects

    def take(self, effects: Effects, *, committed: bool = True) -> None:
        for effect in effects:
            match effect:
                case Put(row=row):
                    if committed:
                        self.rows.put(row)
                case Show(key=key, view=view):
                    self.shown[key] = view
                case Send(device=device, command=command, effect_class=cls):
                    if committed or cls is EffectClass.SAFETY:
                        self.sent.append((device, command, cls))
                case _:
                    pass

    def elapse(self, seconds: float) -> None:
        self.mono_ns += round(seconds * NS_PER_S)
        self.wall_ns += round(seconds * NS_PER_S)

    def run(self, seconds: float, *, each: Any = None) -> None:
        """Let time pass in steps of 100 ms, with the timers that the kernel wants."""
        for step in range(round(seconds * 10)):
            self.elapse(0.1)
            due = self.kernel.deadline(self.world)
            if due is not None and due <= self.mono_ns:
                self.give(Timer())
            if each is not None and step % 10 == 9:
                each()

    def restart(self, *, down_s: float = 2.0) -> None:
        """As after kill -9 or a power cut: a new world from the rows that were written."""
        self.boot += 1
        self.wall_ns += round(down_s * NS_PER_S)
        self.mono_ns = 50 * NS_PER_S
        self.world = self.kernel.load(self.rows)
        self.take(self.kernel.resume(self.world, self.stamp()))
        self.give(ConfigApplied(self.config))

    def crash_after(self, item: Any) -> Effects:
        """The input is decided, its SAFETY effects leave, and the box dies before the commit."""
        effects = self.kernel.handle(self.world, item, self.stamp())
        self.take(effects, committed=False)
        self.restart()
        return effects

    # --- devices ---

    def reading(self, name: str, body: Any) -> DeviceReading:
        device = BUS if any(name in {one.output, getattr(one.meter, "point", "")} for one in self.config.outputs) \
            else FIELD  # fmt: skip
        return DeviceReading(device, 1, body)

    def signal(self, name: str, active: bool | None, **facts: Any) -> DeviceReading:
        settings = next(one for one in self.config.sources if one.source == name)
        return DeviceReading(
            settings.at.device, 1, SignalReading(point=settings.at.point, kind=settings.kind, active=active, **facts)
        )

    def says(self, name: str, active: bool | None, **facts: Any) -> Effects:
        return self.give(self.signal(name, active, **facts))

    def meter(self, name: str, power_w: float | None = None, **facts: Any) -> Effects:
        return self.give(self.reading(name, MeterReading(point=name, power_w=power_w, **facts)))

    def draws(self, name: str, power_w: float = 180.0) -> None:
        """A meter that lives: no two readings are the same."""
        self.meter(name, power_w + self.seq % 7 / 10)

    def reports(self, name: str, on: bool | None, **facts: Any) -> Effects:
        return self.give(self.reading(name, OutputReading(point=name, on=on, **facts)))

    def health(self, name: str, online: bool, **facts: Any) -> Effects:
        return self.give(self.reading(name, PointHealth(point=name, online=online, **facts)))

    def link(self, device: str, state: DeviceState) -> Effects:
        return self.give(DeviceReading(device, 1, DeviceHealth(state=state)))

    def all_clear(self, zone: str = "B1") -> None:
        """Every source of the zone says that all is well."""
        for one in self.config.sources:
            if one.zone == zone and one.kind not in {SignalKind.FLOW, SignalKind.KEY_SWITCH}:
                self.says(one.source, False)

    def all_dead(self, zone: str = "B1") -> None:
        """Every meter of the zone measures nothing, every contact says open."""
        for one in self.config.ports:
            if one.zone == zone:
                self.meter(one.port, 0.0, current_a=0.0)
                self.reports(one.port, False)
        for one in self.config.outputs:
            if one.zone == zone and one.meter is not None:
                self.meter(one.meter.point, 0.0)
                if not self.world.outputs[one.output].switch.wanted:
                    self.reports(one.output, False)

    def make_normal(self, zone: str = "B1") -> None:
        self.all_clear(zone)
        assert self.zone(zone).mode == "normal"

    def make_resettable(self, zone: str = "B1") -> None:
        """Clear, prove, and wait."""
        self.all_clear(zone)
        for _ in range(self.world.zones[zone].settings.clear_s + 4):
            self.all_dead(zone)
            self.run(1)
        self.all_clear(zone)

    # --- people ---

    def command(self, body: Any, *, role: Role = Role.PANEL, command_id: str = "", user: str = "u") -> Reply:
        self.commands += 1
        effects = self.give(Command(command_id or f"cmd-{self.commands}", Actor(role, user), body))
        return next(e for e in effects if isinstance(e, Reply))

    def reset(self, zone: str = "B1", *, panel: str = "panel-B1", person: str = "li") -> Reply:
        return self.command(ResetZone(zone=zone, panel=panel, person=person))

    # --- looking ---

    def zone(self, zone: str = "B1") -> Any:
        return self.world.zones[zone]

    def operates(self, name: str, *, on: bool | None = None, since: int = 0) -> list[tuple[Operate, EffectClass]]:
        return [
            (command, cls)
            for _, command, cls in self.sent[since:]
            if isinstance(command, Operate) and command.point == name and on in {None, command.on}
        ]


@pytest.fixture
def garage() -> Garage:
    """One zone, normal."""
    made = Garage(make_config())
    made.make_normal()
    made.sent.clear()
    return made


@pytest.fixture(scope="session")
def kit() -> Any:
    """The helpers of this file, for tests that build their own garage."""

    class Kit:
        config = staticmethod(make_config)
        new = Garage
        source = staticmethod(source)
        output = staticmethod(output)
        port = staticmethod(port)
        text = staticmethod(text)
        parts = staticmethod(zone_parts)
        rows = MemoryRows
        field = FIELD
        bus = BUS
        day = DAY
        noon_ns = NOON_NS
        s = NS_PER_S
        quality = Quality

    return Kit
