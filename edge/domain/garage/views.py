"""What panels see of zones, ports and the whole garage: complete states with their age.

A view is shown when something in it changed, and once a second while a zone is not NORMAL, so that clocks on the page
run. What follows a person's act waits for the disk; what follows a device's word does not. A user would notice a
mistake as a tile that says "normal" while the zone burns.
"""

from __future__ import annotations

from edge.domain.garage import access, port_kernel
from edge.domain.garage.access_state import Door
from edge.domain.garage.access_views import DoorView, LockState
from edge.domain.garage.calm import POWER_EVERY_NS
from edge.domain.garage.cut import Switch
from edge.domain.garage.evidence import blocks_reset, clear_left_ns, unproven
from edge.domain.garage.interlock import ORDERS, SHOWN, Mode
from edge.domain.garage.messages import (
    CutState,
    GarageView,
    OutputView,
    PortView,
    SourceView,
    ZoneView,
)
from edge.domain.garage.settings import PortSettings
from edge.domain.garage.signals import NS_PER_S
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World, Zone, is_armed
from edge.domain.kernel import Effects, Show, Stamp
from edge.domain.words import Text

SHOW_EVERY_NS = NS_PER_S
_GRAVITY = (CutState.NONE, CutState.PROVEN, CutState.COMMANDED, CutState.UNPROVEN, CutState.WELDED)


def shows(turn: Turn) -> Effects:
    """The views of all that this turn touched and that look different now."""
    effects: Effects = []
    world, changed = turn.world, False
    measured = dict.fromkeys(world.ports[name].zone for name in turn.ports if name in world.ports)
    for name in {**turn.touched, **measured}:
        zone = world.zones[name]
        due = turn.now_ns - zone.shown_ns >= (POWER_EVERY_NS if zone.mode is Mode.NORMAL else SHOW_EVERY_NS)
        if not due and name not in turn.touched:
            continue
        key = _key(world, zone, turn.now_ns)
        if key != zone.shown_key or due:
            changed = changed or key != zone.shown_key or zone.mode is Mode.NORMAL
            zone.shown_key, zone.shown_ns = key, turn.now_ns
            effects.append(Show(f"zone/{name}", zone_view(world, zone, turn.stamp), turn.view_class))
    for name in turn.ports:
        port = world.ports.get(name)
        if port is not None:
            effects.append(Show(f"port/{name}", port_view(world, port, turn.stamp), turn.view_class))
    if changed:
        effects.append(Show("garage", garage_view(world, turn.stamp), turn.view_class))
    return effects


def _key(world: World, zone: Zone, now_ns: int) -> tuple[str, ...]:
    """All that a person would call a change; ages and counting clocks are not."""
    sources = [world.sources[name] for name in zone.sources]
    switches = [world.outputs[name].switch for name in _outputs(zone)]
    return (
        zone.mode, zone_cut(world, zone), str(zone.silenced), str(zone.test_end_ns > now_ns), str(zone.water_asked),
        str(zone.clear_ns is None), *zone.causes, *[source.state for source in sources],
        *[str(source.battery_low) for source in sources],
        *[f"{switch.wanted}{switch.on}{switch.cut}{switch.fault}{switch.bad}" for switch in switches],
        *(unproven(world, zone) if ORDERS[zone.mode].latched else ()),
        *[f"{door.unlocked_until_ns}{door.opened_ns}{door.forced}{door.held}{door.last_card_ns}{door.events}"
          for door in _doors(world, zone)],
    )  # fmt: skip


def zone_cut(world: World, zone: Zone) -> CutState:
    """How far the cut of the whole zone has come: NONE where none was ordered."""
    if not ORDERS[zone.mode].cut:
        return max((world.ports[name].cut for name in zone.ports if world.ports[name].bad), key=_GRAVITY.index,
                   default=CutState.NONE)  # fmt: skip
    if not unproven(world, zone):
        return CutState.PROVEN
    switches = [*(world.ports[name] for name in zone.ports), *(world.outputs[name].switch for name in zone.contactors)]
    return max((switch.cut for switch in switches), key=_GRAVITY.index, default=CutState.NONE)


def _outputs(zone: Zone) -> tuple[str, ...]:
    return (*zone.contactors, *zone.feeds, *zone.sirens, *zone.doors, *zone.waters)


def zone_view(world: World, zone: Zone, stamp: Stamp) -> ZoneView:
    """All of one zone."""
    now_ns = stamp.mono_ns
    left_ns = clear_left_ns(zone, now_ns) if ORDERS[zone.mode].latched else None
    ports = [world.ports[name] for name in zone.ports]
    return ZoneView(
        zone=zone.settings.zone,
        name=zone.settings.name,
        state=SHOWN[zone.mode],
        reasons=tuple(zone.causes),
        blocks_reset=blocks_reset(world, zone, now_ns),
        clear_in_s=None if left_ns is None else -(-left_ns // NS_PER_S),
        cut=zone_cut(world, zone),
        silenced=zone.silenced,
        test_left_s=max(0, -(-(zone.test_end_ns - now_ns) // NS_PER_S)) if zone.test_end_ns else 0,
        water_asked=zone.water_asked,
        doors_released=ORDERS[zone.mode].doors,
        sources=tuple(_source_view(world, name, now_ns) for name in zone.sources),
        outputs=tuple(_output_view(world, name) for name in _outputs(zone)),
        doors=tuple(_door_view(world, door, now_ns) for door in _doors(world, zone)),
        ports=zone.ports,
        power_w=round(sum(port.power_w or 0.0 for port in ports)),
        limit_w=zone.settings.limit_w,
        since_wall_ns=zone.since_ns,
        at_wall_ns=stamp.wall_ns,
        clock_trusted=stamp.wall_trusted,
    )


def _source_view(world: World, name: str, now_ns: int) -> SourceView:
    source = world.sources[name]
    return SourceView(
        source=name,
        kind=source.kind,
        name=source.name,
        state=source.state,
        heard_ago_s=None if source.heard_ns is None else (now_ns - source.heard_ns) // NS_PER_S,
        battery_low=source.battery_low,
        detail=source.detail,
    )


def _output_view(world: World, name: str) -> OutputView:
    output = world.outputs[name]
    switch = output.switch
    return OutputView(
        output=name,
        kind=output.kind,
        name=output.settings.name,
        wanted=switch.wanted,
        on=switch.on,
        cut=switch.cut,
        fault=switch.bad or switch.fault,
    )


def _doors(world: World, zone: Zone) -> list[Door]:
    return [door for door in world.doors.values() if door.settings.zone == zone.settings.zone]


def _door_view(world: World, door: Door, now_ns: int) -> DoorView:
    contact = world.sources.get(door.settings.contact)
    released = access.is_released(world, door)
    lock = LockState.RELEASED if released else LockState.GRANTED if door.unlocked_until_ns else LockState.LOCKED
    return DoorView(
        door=door.settings.door,
        name=door.settings.name,
        lock=lock,
        open=None if contact is None else contact.said,
        trouble="forced" if door.forced else "held" if door.held else "",
        last=door.last_answer,
        last_ago_s=(now_ns - door.last_card_ns) // NS_PER_S if door.last_answer else None,
        events=door.events,
    )


def port_view(world: World, port: Switch, stamp: Stamp) -> PortView:
    """All of one charger."""
    settings = port_settings(world, port.name)
    facts = port_kernel.facts(world, port)
    return PortView(
        port=port.name,
        zone=port.zone,
        name=settings.name if settings is not None else Text(port.name, port.name),
        phase=facts.phase,
        armed=port.armed,
        wanted=port.wanted,
        on=port.on,
        cut=port.cut,
        reason=port.reason,
        fault=port.bad or port.fault,
        power_w=port.power_w,
        current_a=port.current_a,
        temperature_c=port.temperature_c,
        measured_ago_s=None if port.metered_ns is None else (stamp.mono_ns - port.metered_ns) // NS_PER_S,
        session_id=facts.session_id,
        member=facts.member,
        energy_wh=facts.energy_wh,
        cost_fen=facts.cost_fen,
        charging_s=facts.charging_s,
        remaining_min=facts.remaining_min,
        queue=facts.queue,
        at_wall_ns=stamp.wall_ns,
    )


def port_settings(world: World, name: str) -> PortSettings | None:
    """The settings of a port."""
    return world.port_settings.get(name)


def garage_view(world: World, stamp: Stamp) -> GarageView:
    """The whole garage."""
    site = world.config.site if world.config is not None else Text("", "")
    return GarageView(
        site=site,
        armed=is_armed(world),
        problems=world.problems,
        zones=tuple((name, SHOWN[zone.mode], zone_cut(world, zone)) for name, zone in world.zones.items()),
        sessions=sum(port.wanted for port in world.ports.values()),
        power_w=round(sum(port.power_w or 0.0 for port in world.ports.values())),
        set_aside=world.set_aside,
        business_day=world.day,
        at_wall_ns=stamp.wall_ns,
    )
