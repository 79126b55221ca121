"""From a configuration to zones, sources and switches; what is known of a thing that stays is carried over.

The hard part is a reload: a detector that stays keeps its last word, a port that left is told off before it is
forgotten. A user would notice a mistake as a garage that is blind for an hour because somebody corrected a name.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.answered import ConfigRow
from edge.domain.garage import port_kernel
from edge.domain.garage.access import by_card, new_doors
from edge.domain.garage.arming import mistakes, sound_part
from edge.domain.garage.charging_alarms import port_of
from edge.domain.garage.cut import NS_PER_S, Switch, forget_figures, operate, order_off
from edge.domain.garage.interlock import Mode
from edge.domain.garage.messages import CutState
from edge.domain.garage.settings import GarageConfig, OutputKind, OutputSettings, PortSettings, ZoneSettings
from edge.domain.garage.signals import Source, Weight, new_source
from edge.domain.garage.switching import keep_switch
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import Output, World, Zone, is_armed
from edge.domain.garage.zone_alarms import end_orphans
from edge.domain.garage.zones import evaluate
from edge.domain.kernel import EffectClass
from edge.domain.places import place_key
from edge.domain.words import Text

PORT = "port"
#: The row of a makeshift description; it counts only where no whole one was ever taken.
MAKESHIFT = "makeshift"
#: Mistakes of a refused description that its alarm names; `config check` names all.
MAX_TOLD = 8


def apply_config(turn: Turn, config: GarageConfig, kind: str) -> None:
    """Take a configuration, or refuse it and say why (``World.problems``); what was in force stays so then."""
    world = turn.world
    world.problems = (
        ()
        if world.config == config
        else tuple(f"{text.zh} / {text.en}" for text in (*_not_now(world), *mistakes(config)))
    )
    world.starting = False
    _tell_refused(turn)
    makeshift = bool(world.problems)
    if makeshift:
        # Nothing was in force before: what makes sense of it is heard and cut all the same, but never switched on.
        part = None if is_armed(world) or _not_now(world) else sound_part(config)
        if part is None or part == world.config:
            return
        config = part
    elif world.config == config:
        return
    world.makeshift = makeshift
    _let_go(turn, config)
    build(world, config)
    end_orphans(turn)
    turn.review.intersection_update(world.zones)  # every zone that is left is evaluated below
    for source in world.sources.values():
        source.begun_ns = source.begun_ns or turn.now_ns
    kind = MAKESHIFT if makeshift else kind
    turn.put(ConfigRow(kind=kind, version=config.version, body=msgspec.msgpack.encode(config)))
    for zone in world.zones.values():
        evaluate(turn, zone)


def _let_go(turn: Turn, config: GarageConfig) -> None:
    """Ports that are no longer there, or elsewhere: their sessions end, and what is on is told off."""
    world = turn.world
    kept = {port.port: (port.at, port.zone) for port in config.ports}
    leaving = [port for port in world.ports.values() if kept.get(port.name) != (port.at, port.zone)]
    port_kernel.removed(turn, leaving)
    for port in leaving:
        if port.wanted:
            order_off(port, turn.now_ns, reason="removed", urgent=False)
            seq, now_ns = turn.stamp.seq, turn.now_ns
            turn.send([operate(port, on=False, seq=seq, now_ns=now_ns, effect_class=EffectClass.SAFETY)])
            keep_switch(turn, port)


def _tell_refused(turn: Turn) -> None:
    """An alarm while a description is refused: what keeps watch is not what somebody wrote, or nothing does."""
    world, key = turn.world, "config"
    if not world.problems:
        clear_alarm(world.alarms, key, turn.stamp)
    for problem in world.problems[:MAX_TOLD]:
        armed = is_armed(world)
        cause, priority = ("config_refused", Priority.MEDIUM) if armed else ("not_armed", Priority.HIGH)
        raise_alarm(
            world.alarms, key, cause=cause, zone="", priority=priority, detail=problem, stamp=turn.stamp,
            shelvable=armed,
        )  # fmt: skip


def _not_now(world: World) -> tuple[Text, ...]:
    """A reload waits until every zone is NORMAL; at a start, until nothing is latched."""
    unlatched = world.starting or world.makeshift
    allowed = {Mode.NORMAL, Mode.WATCH, Mode.BLIND, Mode.DARK} if unlatched else {Mode.NORMAL}
    return tuple(
        Text(
            f"分区 {name} 处于 {zone.mode.value}：所有分区都正常时才接受新配置",
            f"zone {name} is {zone.mode.value}: a configuration is taken when every zone is normal",
        )
        for name, zone in world.zones.items()
        if zone.mode not in allowed
    )


def build(world: World, config: GarageConfig) -> None:
    """Make zones, sources, ports and outputs of ``config``, keeping what is known of those that stay."""
    world.config = config
    world.alarms.steps, world.alarms.stirred = config.escalation, True
    world.charging.moved = True
    world.sources = {settings.source: _source(world, new_source(settings)) for settings in config.sources}
    world.port_settings = {settings.port: settings for settings in config.ports}
    ports = _switches(world, {port.name: port for port in world.ports.values()}, map(_port, config.ports))
    before = {output.switch.name: output.switch for output in world.outputs.values()}
    switches = _switches(world, before, map(_output, config.outputs))
    world.ports = ports
    world.outputs = {each.output: Output(settings=each, switch=switches[each.output]) for each in config.outputs}
    world.zones = {settings.zone: _zone(world, settings) for settings in config.zones}
    world.doors = new_doors(config.doors, world.doors)
    world.credentials = by_card(config.credentials)
    _index(world, config)


def _source(world: World, new: Source) -> Source:
    old = world.sources.get(new.source)
    if old is None or (old.zone, old.kind, old.device, old.point) != (new.zone, new.kind, new.device, new.point):
        return new
    old.name, old.unit, old.stale_ns, old.known_until = new.name, new.unit, new.stale_ns, new.known_until
    return old


def _port(settings: PortSettings) -> Switch:
    return Switch(
        role=PORT,
        name=settings.port,
        zone=settings.zone,
        at=settings.at,
        meter=settings.meter or settings.at,
        hold_ns=settings.hold_s * NS_PER_S,
        silent_ns=settings.meter_silent_s * NS_PER_S,
    )


def _output(settings: OutputSettings) -> Switch:
    """A contactor is taken to be closed until it is opened; everything else is off until it is asked for."""
    return Switch(
        role=settings.kind.value,
        name=settings.output,
        zone=settings.zone,
        at=settings.at,
        meter=settings.meter or settings.at,
        hold_ns=settings.hold_s * NS_PER_S,
        wanted=settings.kind is OutputKind.CONTACTOR,
    )


def _switches(world: World, before: dict[str, Switch], described: Iterable[Switch]) -> dict[str, Switch]:
    """The switches of a description by name, each as far as it was known ``before``."""
    there = {(switch.role, switch.at): switch for switch in before.values()}
    found = {new.name: _kept(before.get(new.name), new, there.get((new.role, new.at))) for new in described}
    for name, switch in found.items():
        row, old = world.switch_rows.get(name), before.get(name)
        if row is None or old is switch:
            continue
        if old is None and (row.role, row.zone) == (switch.role, switch.zone):
            switch.armed, switch.bad = row.armed, row.bad  # it was taken away and is put back
        if before:
            del world.switch_rows[name]  # what it says else is of another thing or time: it is written anew
    return found


def _kept(old: Switch | None, new: Switch, there: Switch | None) -> Switch:
    """The switch as it was known, or the new one. What stood at its place under another name or in another zone is the
    same thing: a contactor that was opened stays open, and what only a person may lift is not lifted."""
    stays = old is not None and (old.role, old.zone, old.at) == (new.role, new.zone, new.at)
    known = old if stays else there
    if known is None:
        return new
    if not stays:
        known = msgspec.structs.replace(known, name=new.name, zone=new.zone)
    if known.meter != new.meter:
        forget_figures(known)
    known.meter, known.hold_ns, known.silent_ns = new.meter, new.hold_ns, new.silent_ns
    return known


def _zone(world: World, settings: ZoneSettings) -> Zone:
    config, name = world.config, settings.zone
    assert config is not None, "built from a configuration"

    def outputs(kind: OutputKind) -> tuple[str, ...]:
        return tuple(output.output for output in config.outputs if output.zone == name and output.kind is kind)

    new = Zone(
        settings=settings,
        sources=tuple(source.source for source in config.sources if source.zone == name),
        ports=tuple(port.port for port in config.ports if port.zone == name),
        contactors=outputs(OutputKind.CONTACTOR),
        feeds=outputs(OutputKind.FEED),
        sirens=outputs(OutputKind.SIREN),
        doors=outputs(OutputKind.DOOR),
        waters=outputs(OutputKind.WATER),
        fed_by=tuple(zone.zone for zone in config.zones if name in zone.neighbours),
    )
    old = world.zones.get(name)
    if old is None:
        return new
    for field in ("settings", "sources", "ports", "contactors", "feeds", "sirens", "doors", "waters", "fed_by"):
        setattr(old, field, getattr(new, field))
    return old


def _index(world: World, config: GarageConfig) -> None:
    sources, ports, meters, outputs = _Names(), _Names(), _Names(), _Names()
    for source in config.sources:
        sources.add(f"{place_key(source.at.device, source.at.point)}\n{source.kind.value}", source.source)
    for port in config.ports:
        meter = port.meter or port.at
        ports.add(place_key(port.at.device, port.at.point), port.port)
        meters.add(place_key(meter.device, meter.point), port.port)
    for output in config.outputs:
        outputs.add(place_key(output.at.device, output.at.point), output.output)
        if output.meter is not None:
            meters.add(place_key(output.meter.device, output.meter.point), output.output)
    world.sources_at, world.ports_at = sources.at, ports.at
    world.meters_at, world.outputs_at = meters.at, outputs.at


class _Names:
    """Names by place; several may share one."""

    def __init__(self) -> None:
        self.at: dict[str, tuple[str, ...]] = {}

    def add(self, place: str, name: str) -> None:
        self.at[place] = (*self.at.get(place, ()), name)


def apply_rows(world: World) -> None:
    """What the disk remembers of zones, causes and switches, laid over a world that was just built."""
    for name, zone in world.zones.items():
        row = world.zone_rows.get(name)
        if row is None:
            continue
        zone.row, zone.mode, zone.trips, zone.since_ns = row, Mode(row.mode), row.trips, row.since_ns
        zone.silenced, zone.water_asked, zone.feed_asked = row.silenced, row.water_asked, row.feed_asked
        for cause in sorted(world.cause_rows.get(name, ()), key=lambda cause: cause.n):
            zone.causes[f"{cause.what}:{cause.ref}"] = cause
            source = world.sources.get(cause.ref)
            if source is not None and cause.active:
                source.weight = Weight(cause.weight)
    for switch in (*world.ports.values(), *(output.switch for output in world.outputs.values())):
        kept = world.switch_rows.get(switch.name)
        if kept is not None and (kept.role, kept.zone) == (switch.role, switch.zone):
            switch.wanted, switch.armed, switch.cut = kept.wanted, kept.armed, CutState(kept.cut)
            switch.urgent, switch.reason, switch.bad = kept.urgent, kept.reason, kept.bad
    for alarm in world.alarms.alarms.values():
        known = world.zones.get(alarm.zone)
        if known is not None and alarm.active and port_of(alarm.key) not in world.ports:
            known.alarms[alarm.key] = ""  # ends unless the zone says otherwise; an outlet's own ends with its session
    world.zone_rows, world.cause_rows = {}, {}
