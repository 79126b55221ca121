"""The explorer: every reachable state of a bounded garage, and every event from each, by the production ``handle``.

A world is cloned, one event is given to ``GarageKernel.handle`` (or the world is thrown away and loaded from its rows),
the result is checked against the invariants and brought to a canonical key in which absolute times are remaining ticks.
Views and the book of alarms are switched off meanwhile: nothing decides by them (they have their own tests).

What the key leaves out, and why that hides nothing: ages below the next limit are one class (no event of the model is
shorter than a tick, and silence is an event of its own); a source that is active forgets all else (only a good clear
word leads out, and it sets all else anew); the quarter second in which a repeated cut is not repeated again.
"""

from __future__ import annotations

import gc
import importlib.util
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from edge.domain.actors import Actor, Role
from edge.domain.alarm_commands import AckAlarm, ShelveAlarm
from edge.domain.answered import ConfigRow
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import (
    MeterReading,
    OutputReading,
    PointHealth,
    Quality,
    SignalKind,
    SignalReading,
)
from edge.domain.garage import cut, kernel, port_kernel, switching, zones
from edge.domain.garage.interlock import ORDERS, Mode
from edge.domain.garage.kernel import GarageKernel
from edge.domain.garage.messages import (
    Command,
    CutState,
    CutZone,
    RearmPort,
    ResetZone,
    SilenceZone,
    StartSession,
    StopSession,
    TestZone,
    Timer,
)
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
from edge.domain.garage.signals import vouches
from edge.domain.garage.world import World
from edge.domain.garage.zone_rows import CauseRow, SwitchRow, ZoneRow
from edge.domain.kernel import Stamp
from edge.domain.outcome import Outcome, refused
from edge.domain.places import Place
from edge.domain.words import Text

S = 1_000_000_000
WALL = 1_795_320_000_000_000_000
BEGIN_NS = 1_000_000 * S
SUPERVISION_S = 3600
NAME = Text(zh="x", en="x")
TARIFF = TariffSettings(
    version="t",
    bands=(TariffBand(start_min=0, end_min=1440, energy_fen_per_kwh=60, service_fen_per_kwh=40),),
)
DETECTORS = {SignalKind.SMOKE, SignalKind.HEAT, SignalKind.GAS}
CUT_RANK = {Mode.FIRE: 2, Mode.LATCHED_FIRE: 2, Mode.RESETTABLE_FIRE: 2,
            Mode.PRE_ALARM: 1, Mode.LATCHED: 1, Mode.RESETTABLE: 1}  # fmt: skip


class Event(NamedTuple):
    """``kind`` says what the ghost makes of it; ``name`` the source or switch; ``item`` the input (None: made by the
    explorer); ``value`` what was said."""

    label: str
    kind: str
    name: str
    item: Any
    value: Any = None


class Ghost(NamedTuple):
    """What the explorer itself knows of a source, from events alone: evidence 0-2, good and clear now, heard good
    since the start; whether its alarm was said in a walk test, and whether it fell silent since."""

    weight: int = 0
    good: bool = False
    seen: bool = False
    tried: bool = False
    gone: bool = False

    @property
    def vouches(self) -> bool:
        """Whether it may bring water."""
        return self.weight == 2 and not self.tried and not self.gone


class State(NamedTuple):
    world: World
    now_ns: int
    ghosts: dict[str, Ghost]


@dataclass
class Found:
    """The result of an exploration."""

    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    modes: dict[str, int] = field(default_factory=dict)
    broken: str = ""
    trace: tuple[str, ...] = ()
    complete: bool = False


# --- models -----------------------------------------------------------------------------------------------------------


def signal(source: SourceSettings, active: bool | None, **facts: Any) -> DeviceReading:
    reading = SignalReading(point=source.at.point, kind=source.kind, active=active, **facts)
    return DeviceReading(source.at.device, 1, reading)


def source(name: str, kind: SignalKind, zone: str = "Z", **facts: Any) -> SourceSettings:
    return SourceSettings(source=name, zone=zone, kind=kind, at=Place("f", name), name=NAME,
                          supervision_s=SUPERVISION_S, **facts)  # fmt: skip


def output(name: str, kind: OutputKind, zone: str = "Z", **facts: Any) -> OutputSettings:
    return OutputSettings(output=name, zone=zone, kind=kind, at=Place("b", name), name=NAME, **facts)


def model_zone(zone: str = "Z", **facts: Any) -> ZoneSettings:
    base = {"panels": (f"panel-{zone}",), "clear_s": 2, "prove_s": 2, "prove_hold_s": 1}
    return ZoneSettings(zone=zone, name=NAME, **{**base, **facts})


def model_config(
    zone_list: tuple[ZoneSettings, ...],
    sources: tuple[SourceSettings, ...],
    outputs: tuple[OutputSettings, ...] = (),
    ports: tuple[PortSettings, ...] = (),
) -> GarageConfig:
    return GarageConfig(version="m", site=NAME, utc_offset_min=480, zones=zone_list, sources=sources, outputs=outputs,
                        ports=ports, tariff=TARIFF)  # fmt: skip


def port(name: str, zone: str = "Z", **facts: Any) -> PortSettings:
    return PortSettings(port=name, zone=zone, at=Place("p", name), name=NAME,
                        **{"hold_s": 0, "meter_silent_s": 1, **facts})  # fmt: skip


def words(one: SourceSettings, *, rich: bool) -> list[Event]:
    """What a source may say. Rich: also a faulty head, an absent one, a stored word, a word out of order."""
    name = one.source
    events = [
        Event(f"{name}=true", "word", name, signal(one, True), 2),
        Event(f"{name}=false", "word", name, signal(one, False), 0),
    ]
    if rich:
        events += [
            Event(f"{name}=fault", "fault", name, signal(one, None, quality=Quality.FAULT)),
            Event(f"{name}=retained true", "word", name, signal(one, True, retained=True), 1),
            Event(f"{name}=retained false", "nothing", name, signal(one, False, retained=True)),
            Event(f"{name}=old false", "nothing", name, signal(one, False, delay_ms=86_400_000)),
            Event(f"{name} offline", "offline", name,
                  DeviceReading("f", 1, PointHealth(point=one.at.point, online=False))),
            Event(f"{name} silent", "silent", name, None),
        ]  # fmt: skip
    return events


def switch_words(name: str, device: str, meter: str | None = None) -> list[Event]:
    """What a switch and its meter may say, true or not."""
    point = meter or name
    return [
        Event(f"{name} flows", "switch", name, DeviceReading(device, 1, MeterReading(point=point, power_w=200.0))),
        Event(f"{name} dead", "switch", name, DeviceReading(device, 1, MeterReading(point=point, power_w=0.0))),
        Event(f"{name} says on", "switch", name, DeviceReading(device, 1, OutputReading(point=name, on=True))),
        Event(f"{name} says off", "switch", name, DeviceReading(device, 1, OutputReading(point=name, on=False))),
    ]


def command(label: str, body: Any, role: Role = Role.PANEL) -> Event:
    return Event(label, "command", type(body).__name__, (role, body))


TICK = Event("1 s", "tick", "", None, 1)
DARK = Event("11 min", "tick", "", None, 660)
RESTART = Event("restart", "restart", "", None)


def people(zone: str = "Z") -> list[Event]:
    """What people do to a zone, on site and from elsewhere."""
    return [
        command(f"reset {zone}", ResetZone(zone=zone, panel=f"panel-{zone}", person="li")),
        command(f"reset {zone} elsewhere", ResetZone(zone=zone, panel="panel-far", person="li")),
        command(f"silence {zone}", SilenceZone(zone=zone)),
        command(f"cut {zone}", CutZone(zone=zone)),
    ]


# --- the explorer -----------------------------------------------------------------------------------------------------


def clone(world: World) -> World:
    """A copy that shares what no input changes. By the structs' own ``__copy__``: ``copy.copy`` takes twice as long to
    find it, a million times."""
    new = world.__copy__()
    new.sources = {name: one.__copy__() for name, one in world.sources.items()}
    new.ports = {name: one.__copy__() for name, one in world.ports.items()}
    new.outputs, new.zones = outputs, zones_ = {}, {}
    for name, output in world.outputs.items():
        outputs[name] = one = output.__copy__()
        one.switch = output.switch.__copy__()
    for name, zone in world.zones.items():
        zones_[name] = one = zone.__copy__()
        one.causes = zone.causes.copy()
    new.switch_rows, new.replies = world.switch_rows.copy(), {}
    return new


class WorldRows:
    """The rows that a world believes to be on disk."""

    def __init__(self, world: World, config_row: ConfigRow) -> None:
        self._tables: dict[type, list[Any]] = {
            ConfigRow: [config_row],
            ZoneRow: [zone.row for zone in world.zones.values() if zone.row is not None],
            CauseRow: [cause for zone in world.zones.values() for cause in zone.causes.values()],
            SwitchRow: list(world.switch_rows.values()),
        }

    def told(self) -> tuple[Any, ...]:
        """All of it, to the last value, to be compared."""
        return tuple(row for kind in (ZoneRow, CauseRow, SwitchRow) for row in self._tables[kind])

    def all(self, kind: type) -> Any:
        return iter(self._tables.get(kind, ()))

    def since(self, kind: type, column: str, value: Any) -> Any:
        return (row for row in self.all(kind) if getattr(row, column) >= value)


#: Kinds of sources by number, for the key.
KINDS = {kind: number for number, kind in enumerate(SignalKind)}


class Shape(NamedTuple):
    """What never changes of a zone, found once for a million keys: its sources with the number of their kind, and the
    rest by name."""

    zone: str
    settings: ZoneSettings
    sources: tuple[tuple[str, int], ...]
    ports: tuple[str, ...]
    contactors: tuple[str, ...]


def shapes_of(world: World) -> tuple[Shape, ...]:
    return tuple(
        Shape(name, zone.settings, tuple((one, KINDS[world.sources[one].kind] << 6) for one in zone.sources),
              zone.ports, zone.contactors)
        for name, zone in world.zones.items()
    )  # fmt: skip


class GhostKeys(dict[Ghost, int]):
    """What of a ghost still decides something, as a number; each is found once. ``latched``: the zone is.
    ``asked``: water was asked for."""

    def __init__(self, *, latched: bool, asked: bool) -> None:
        self.latched, self.asked = latched, asked

    def __missing__(self, ghost: Ghost) -> int:
        seen = ghost.seen and not (ghost.weight and self.latched)
        sure = ghost.weight == 2 and not self.asked  # what weighs less brings no water
        bits = (ghost.good, seen, sure and ghost.tried, sure and ghost.gone)
        self[ghost] = key = (ghost.weight << 4 | sum(bit << place for place, bit in enumerate(bits))) << 10
        return key


GHOST_KEYS = {(latched, asked): GhostKeys(latched=latched, asked=asked)
              for latched in (False, True) for asked in (False, True)}  # fmt: skip


def source_key(one: Any, now_ns: int, zone: Any, fine: bool, latched: bool) -> int:
    """Below 32. Fine: every quality is its own class. Else all that is neither active nor clear is one, for nothing
    but a word leads out of it. A source that is active forgets the rest but whether it may bring water, and that too
    once water was asked for: only a good clear word ends it, and sets all anew."""
    if one.weight:
        seen = 0 if latched or not one.seen else 1
        if one.weight < 2:
            return 1 + seen
        if zone.water_asked:
            return 3 + seen
        return 20 + seen + (2 if one.tried else 0) + (4 if vouches(one, now_ns) else 0)
    heard_ns = one.begun_ns if one.heard_ns is None else one.heard_ns
    stale = now_ns - heard_ns > one.stale_ns
    if not (one.absent or stale or one.said is None or one.quality == "fault"):
        return 0
    if not one.detector:
        return 7
    seen = 1 if one.seen else 0
    if not fine:
        return 8 + seen
    return (10 if one.absent else 12 if stale else 14 if one.said is None else 16) + seen


def switch_key(one: Any, zone: ZoneSettings, now_ns: int) -> tuple[Any, ...]:
    """A charger or contactor. Why a failed cut is called welded or unproven, and why a switch is bad, decides nothing
    but the words of its alarm."""
    if one.wanted:
        late = one.on is False and now_ns - one.on_ns >= cut.LAG_NS
        held = (one.live, min(one.hold_ns // 3, now_ns - one.told_ns) // S) if one.hold_ns else None
        return (True, one.armed, bool(one.bad), one.on, late, held)
    flow = cut.flows(one, zone) is True
    if one.cut is CutState.NONE or one.cut is CutState.PROVEN:
        return (False, one.armed, bool(one.bad), one.on, flow, one.urgent, one.cut)
    held = (one.metered_ns or 0) - max(one.low_ns or 0, one.began_ns)
    low = None if one.low_ns is None else min(max(0, held), zone.prove_hold_s * S) // S
    left: Any = "failed"
    if one.cut is CutState.COMMANDED:
        left = (cut.limit_ns(one, zone) - (now_ns - one.began_ns)) // S
    return (False, one.armed, bool(one.bad), one.on, flow, one.urgent, left, low)


def zone_key(state: State, shape: Shape, *, fine: bool) -> int:
    """A zone and all in it. Sources of one kind are interchangeable, so are zones that mirror each other: sorted."""
    world, now_ns, settings, ghosts = state.world, state.now_ns, shape.settings, state.ghosts
    zone, every = world.zones[shape.zone], world.sources
    orders = ORDERS[zone.mode]
    latched, clear, witnesses = orders.latched, -1, ()
    if latched:
        if zone.clear_ns is not None:
            clear = min(now_ns - zone.clear_ns, settings.clear_s * S) // S
        if not orders.doors:  # a fire stays one: who else spoke decides nothing any more
            witnesses = [one.ref for one in zone.causes.values()]
    blind = zone.blind_ns is not None and now_ns - zone.blind_ns >= settings.no_detector_s * S
    key_of = GHOST_KEYS[latched, zone.water_asked]
    sources = [
        source_key(every[name], now_ns, zone, fine, latched) + kind + key_of[ghosts[name]]
        + (32 if name in witnesses else 0)
        for name, kind in shape.sources
    ]  # fmt: skip
    sources.sort()
    switches, since = [], 0
    for name in shape.contactors:
        one = world.outputs[name].switch
        since = max(since, one.began_ns)
        switches.append(switch_key(one, settings, now_ns))
    for name in shape.ports:
        one = world.ports[name]
        switches.append(switch_key(one, settings, now_ns))
        if shape.contactors:
            switches.append((one.metered_ns or 0) > since)
    return hash((
        zone.mode, clear, zone.silenced, zone.water_asked, zone.feed_asked, zone.test_end_ns > now_ns, blind,
        *sources, *switches,
    ))  # fmt: skip


def state_key(state: State, shapes: tuple[Shape, ...], *, fine: bool) -> int:
    """Canonical, as a number: 64 bits of hash. With 10^5 states two fall together once in 10^9 runs."""
    if len(shapes) == 1:
        return zone_key(state, shapes[0], fine=fine)
    return hash(tuple(sorted(zone_key(state, shape, fine=fine) for shape in shapes)))


def plain_start(turn: Any, body: StartSession, _actor: Actor) -> Outcome:
    """A port as a plain switch: what the interlock allows, without purse, queue and battery."""
    port = turn.world.ports[body.port]
    why = "port_busy" if port.wanted else switching.blocks_on(turn.world, port)
    if why:
        return refused("not_now", problem=why)
    switching.switch_on(turn, port)
    return Outcome("ok", {})


def plain_stop(turn: Any, body: StopSession, _actor: Actor) -> Outcome:
    switching.cut_port(turn, turn.world.ports[body.port], "stopped", urgent=False)
    return Outcome("ok", {})


def quiet(monkeypatch: Any) -> None:
    """Views and alarms off, for nothing decides by them; charging is a plain switch (it has tests of its own)."""
    monkeypatch.setattr(zones, "sync_alarms", lambda turn, zone: None)
    monkeypatch.setattr(kernel, "flush", lambda book, stamp: [])
    monkeypatch.setattr(kernel, "shows", lambda turn: [])
    monkeypatch.setattr(port_kernel, "start", plain_start)
    monkeypatch.setattr(port_kernel, "stop", plain_stop)
    for name in ("metered", "reported", "spoke", "ended", "tick"):
        monkeypatch.setattr(port_kernel, name, lambda *_args: None)
    monkeypatch.setattr(port_kernel, "due_ns", lambda _world: None)


# --- the models -------------------------------------------------------------------------------------------------------


def evidence_model() -> tuple[GarageConfig, list[Event]]:
    """Two heads with all that may befall them, call point, panel; siren, door, water. No switches: what is said."""
    sources = (
        source("d1", SignalKind.SMOKE),
        source("d2", SignalKind.SMOKE),
        source("call", SignalKind.CALL_POINT),
        source("panel", SignalKind.PANEL_FIRE),
    )
    outputs = (output("siren", OutputKind.SIREN), output("door", OutputKind.DOOR), output("water", OutputKind.WATER))
    events = [*words(sources[0], rich=True), *words(sources[1], rich=True)]
    events += [*words(sources[2], rich=False), *words(sources[3], rich=False)]
    events += [TICK, DARK, RESTART, *people(), command("test", TestZone(zone="Z", minutes=120))]
    events += [command("ack", AckAlarm(alarm_id="1")), command("shelve", ShelveAlarm(alarm_id="1", minutes=5))]
    return model_config((model_zone(),), sources, outputs), events


_START = [command("start", StartSession(session_id="s", port="p")), command("rearm", RearmPort(port="p"))]


def port_model() -> tuple[GarageConfig, list[Event]]:
    """One head; a charger with all that it and its meter may say, true or not, and a contactor whose meter speaks."""
    sources = (source("d1", SignalKind.SMOKE),)
    outputs = (output("k", OutputKind.CONTACTOR, meter=Place("b", "km")), output("feed", OutputKind.FEED))
    events = [*words(sources[0], rich=False), TICK, RESTART, *people()[:1], *_START]
    events += [*switch_words("p", "p"), *switch_words("k", "b", "km")[:2]]
    events += [
        Event("p rebooted", "switch", "p", DeviceReading("p", 1, PointHealth(point="p", online=True, rebooted=True))),
        command("stop", StopSession(port="p")),
    ]
    return model_config((model_zone(),), sources, outputs, (port("p"),)), events


def contactor_model() -> tuple[GarageConfig, list[Event]]:
    """A contactor with all that it and its meter may say; a charger of which only the meter speaks. One signal
    opens this contactor."""
    sources = (source("d1", SignalKind.SMOKE),)
    outputs = (output("k", OutputKind.CONTACTOR, meter=Place("b", "km")), output("feed", OutputKind.FEED))
    events = [*words(sources[0], rich=False), TICK, RESTART, *people()[:1], *_START]
    events += [*switch_words("k", "b", "km"), *switch_words("p", "p")[:2], command("rearm k", RearmPort(port="k"))]
    zone = model_zone(contactor_first=True)
    return model_config((zone,), sources, outputs, (port("p"),)), events


def combined_model() -> tuple[GarageConfig, list[Event]]:
    """The product of garage-domain.md 7.1: two heads, call point, panel, charger, contactor, door, water, latch, start;
    qualities that lead to the same are one class (``source_key``)."""
    sources = (
        source("d1", SignalKind.SMOKE),
        source("d2", SignalKind.SMOKE),
        source("call", SignalKind.CALL_POINT),
        source("panel", SignalKind.PANEL_FIRE),
    )
    outputs = (
        output("k", OutputKind.CONTACTOR, meter=Place("b", "km")),
        *(output("feed", OutputKind.FEED), output("siren", OutputKind.SIREN), output("door", OutputKind.DOOR)),
        output("water", OutputKind.WATER),
    )
    events = [event for one in sources for event in words(one, rich=False)]
    events += [event for one in sources[:2] for event in words(one, rich=True)[2:3]]
    events += [*switch_words("p", "p")[:2], *switch_words("k", "b", "km")[:2], TICK, RESTART, *people()[:1]]
    events += [command("start", StartSession(session_id="s", port="p")), command("rearm", RearmPort(port="p"))]
    zone = model_zone(clear_s=1, prove_s=1, prove_hold_s=0)
    return model_config((zone,), sources, outputs, (port("p"),)), events


def neighbour_model() -> tuple[GarageConfig, list[Event]]:
    """Two zones that cut each other, one head and one call point each."""
    sources = tuple(
        one for zone in "AB"
        for one in (source(f"{zone}-d", SignalKind.SMOKE, zone), source(f"{zone}-call", SignalKind.CALL_POINT, zone))
    )  # fmt: skip
    outputs = tuple(output(f"{zone}-door", OutputKind.DOOR, zone) for zone in "AB")
    events = [event for one in sources for event in words(one, rich=False)]
    events += [TICK, RESTART, *people("A"), *people("B")]
    zone_list = (model_zone("A", neighbours=("B",), clear_s=1), model_zone("B", neighbours=("A",), clear_s=1))
    return model_config(zone_list, sources, outputs), events


class Faces:
    """Which state comes next when a mistake is sought: one of the face that was looked at least, the first of these.
    The very same states as breadth first, in an order in which the rare ones do not wait for thousands of alike."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, ...], deque[tuple[int, State]]] = {}
        self.looked: dict[tuple[str, ...], int] = {}

    def __len__(self) -> int:
        return len(self.waiting)

    def append(self, one: tuple[int, State]) -> None:
        world = one[1].world
        switches = [*world.ports.values(), *(output.switch for output in world.outputs.values())]
        face = (*(zone.mode for zone in world.zones.values()), *("on" if one.wanted else one.cut for one in switches))
        self.waiting.setdefault(face, deque()).append(one)

    def popleft(self) -> tuple[int, State]:
        face = min(self.waiting, key=lambda face: self.looked.get(face, 0))
        self.looked[face] = self.looked.get(face, 0) + 1
        queue = self.waiting[face]
        one = queue.popleft()
        if not queue:
            del self.waiting[face]
        return one


class Explorer:
    """Breadth first over all events. ``check`` gets (before, event, effects, after) and gives "" or what is broken."""

    def __init__(self, config: GarageConfig, events: list[Event], check: Any, *, fine: bool = True) -> None:
        self.kernel, self.config, self.events, self.check = GarageKernel(), config, events, check
        self.config_row = ConfigRow(kind="garage", version="m", body=msgspec.msgpack.encode(config))
        self.silent = {one.source for one in config.sources if one.kind in DETECTORS} & {
            event.name for event in events if event.kind == "silent"
        }
        self.settings = {one.source: one for one in config.sources}
        self.fine = fine
        self.started: dict[tuple[Any, ...], tuple[list[Any], World]] = {}
        self.commands = {event.label: Command("c", Actor(event.item[0], "u"), event.item[1])
                         for event in events if event.kind == "command"}  # fmt: skip

    def begin(self) -> State:
        world = self.kernel.load(WorldRows(World(), self.config_row))
        state = State(world, BEGIN_NS, {one.source: Ghost() for one in self.config.sources})
        self.kernel.resume(world, self.stamp(state.now_ns))
        return state

    def stamp(self, now_ns: int, boot: str = "b") -> Stamp:
        return Stamp(1, boot, now_ns, WALL, True)

    def apply(self, state: State, event: Event) -> tuple[list[Any], State]:
        world, now_ns = state.world, state.now_ns
        if event.kind == "restart":
            effects, fresh = self.restart(world)
            return effects, State(fresh, BEGIN_NS, self.haunt(state, event))
        world = clone(world)
        effects: list[Any] = []
        if event.kind == "tick":
            now_ns += event.value * S
            item: Any = Timer()
        elif event.kind == "silent":
            now_ns += SUPERVISION_S * 2 * S - S
            for name, ghost in state.ghosts.items():
                if name != event.name and ghost.good:
                    effects += self.kernel.handle(world, signal(self.settings[name], False), self.stamp(now_ns))
            now_ns += 2 * S
            item = Timer()
        elif event.kind == "command":
            item = self.commands[event.label]
        else:
            item = event.item
        effects += self.kernel.handle(world, item, self.stamp(now_ns))
        return effects, State(world, now_ns, self.haunt(state, event))

    def restart(self, world: World) -> tuple[list[Any], World]:
        """A new boot, whose clock begins anew, and all that it knows are the rows: the very same rows give the very
        same start, so each is made once, and judged anew after whatever it was that led there."""
        rows = WorldRows(world, self.config_row)
        told = rows.told()
        found = self.started.get(told)
        if found is None:
            fresh = self.kernel.load(rows)
            found = self.started[told] = (self.kernel.resume(fresh, self.stamp(BEGIN_NS)), fresh)
        return found

    def haunt(self, state: State, event: Event) -> dict[str, Ghost]:
        ghosts, kind = state.ghosts, event.kind
        if kind in {"nothing", "switch", "command", "tick"}:
            return ghosts
        if kind in {"word", "fault", "offline"}:
            old = ghosts[event.name]
            one = self.spoken(state, event, old)
            return ghosts if one == old else {**ghosts, event.name: one}
        new = dict(ghosts)
        if kind == "silent":
            for name, one in new.items():
                if name == event.name or not one.good:
                    new[name] = one._replace(good=False, gone=True)
        elif kind == "restart":
            for name, one in new.items():  # evidence in a walk test is no latch: the head has to speak again
                kept = CUT_RANK.get(state.world.zones[self.settings[name].zone].mode, 0) > 0
                weight = min(one.weight, 1) if one.tried else one.weight  # nobody knows any more that it was a test
                new[name] = Ghost(weight if kept else 0)
        return new

    def spoken(self, state: State, event: Event, old: Ghost) -> Ghost:
        """What a word, a fault or an absence makes of a source's ghost."""
        if event.kind == "offline":
            return old._replace(good=False)
        if event.kind == "fault":  # it is no longer good, but it is heard
            return old._replace(good=False, gone=False)
        full = event.value == 2
        if not event.value:
            return Ghost(0, True, True)
        settings = self.settings[event.name]
        testing = state.world.zones[settings.zone].test_end_ns > state.now_ns
        tried = settings.kind in DETECTORS and (testing or (old.tried and not full))
        return Ghost(max(old.weight, event.value), False, old.seen or full, tried, old.gone and not full)

    def run(self, *, limit_states: int = 1_000_000, limit_s: float = 110.0, hunt: bool = False) -> Found:
        """Explore until nothing is new, an invariant breaks, or a limit is reached (``complete`` tells). Meanwhile
        nobody looks for cycles of garbage: worlds have none, and each look would go through all that are kept."""
        queue = Faces() if hunt else deque()
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._run(queue, limit_states, limit_s)
        finally:
            if collects:
                gc.enable()

    def _run(self, queue: deque[Any] | Faces, limit_states: int, limit_s: float) -> Found:
        found, begun = Found(), time.process_time()
        first = self.begin()
        shapes, fine = shapes_of(first.world), self.fine
        seen = {state_key(first, shapes, fine=fine)}
        came: dict[int, tuple[int, str]] = {}
        queue.append((*seen, first))
        while queue and len(seen) <= limit_states and time.process_time() - begun <= limit_s:
            key, state = queue.popleft()
            for zone in state.world.zones.values():
                found.modes[zone.mode.value] = found.modes.get(zone.mode.value, 0) + 1
            for event in self.events:
                effects, after = self.apply(state, event)
                found.transitions += 1
                broken = self.check(self, state, event, effects, after)
                if broken:
                    found.broken, found.trace = broken, (*self.trace(came, key), event.label)
                    found.states, found.seconds = len(seen), time.process_time() - begun
                    return found
                new = state_key(after, shapes, fine=fine)
                if new not in seen:
                    seen.add(new)
                    came[new] = (key, event.label)
                    queue.append((new, after))
        found.complete = not queue
        found.states, found.seconds = len(seen), time.process_time() - begun
        return found

    @staticmethod
    def trace(came: dict[int, tuple[int, str]], key: int) -> tuple[str, ...]:
        steps: list[str] = []
        while key in came:
            key, label = came[key]
            steps.append(label)
        return tuple(reversed(steps))


def _load_invariants() -> Any:
    spec = importlib.util.spec_from_file_location("garage_invariants", Path(__file__).with_name("invariants.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


INVARIANTS = _load_invariants()


def small_model() -> tuple[GarageConfig, list[Event]]:
    """The evidence model without its rarer words: for planted mistakes."""
    config, events = evidence_model()
    left_out = ("retained", "old", "silent", "offline", "panel", "11 min", "test", "ack", "shelve")
    sources = config.sources[:3]
    kept = [event for event in events if not any(word in event.label for word in left_out)]
    return model_config((model_zone(clear_s=1),), sources, config.outputs), kept


def single_model() -> tuple[GarageConfig, list[Event]]:
    """One head with all that may befall it, and a call point."""
    config, events = evidence_model()
    sources = (config.sources[0], config.sources[2])
    kept = [event for event in events if not event.label.startswith(("d2", "panel"))]
    return model_config((model_zone(clear_s=1),), sources, config.outputs), kept


MODELS: dict[str, tuple[Any, bool]] = {
    "evidence": (evidence_model, True),
    "neighbours": (neighbour_model, True),
    "port": (port_model, True),
    "contactor": (contactor_model, True),
    "combined": (combined_model, False),
    "small": (small_model, False),
    "single": (single_model, True),
}


@pytest.fixture
def explore(monkeypatch: Any) -> Any:
    """``explore(name, **limits)`` -> Found, with views and alarms off."""
    quiet(monkeypatch)

    def run(name: str, **limits: Any) -> Found:
        model, fine = MODELS[name]
        config, events = model()
        return Explorer(config, events, INVARIANTS.check, fine=fine).run(**limits)

    return run
