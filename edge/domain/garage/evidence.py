"""What all sources of a zone say together: the level of evidence that the table is asked with.

Two witnesses must be two things: sources in one housing (``unit``) count once, and a panel's fire is what others saw.
Within one latch a witness stays one, also when the smoke has thinned there before the second head notices it. Water is
more costly: there both must still hold. A user would notice a mistake as a sprinkler that one dusty head let loose.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.domain.field_devices import SignalKind
from edge.domain.garage.interlock import ORDERS, Evidence
from edge.domain.garage.messages import CutState, SourceState
from edge.domain.garage.signals import FIELD_KINDS, NS_PER_S, Source, Weight, state_of, vouches
from edge.domain.garage.world import World, Zone

_CONFIRMED = (SignalKind.CALL_POINT, SignalKind.PANEL_FIRE)
_CLEAR, _ACTIVE = SourceState.CLEAR, SourceState.ACTIVE


class Finding(NamedTuple):
    """``active``: the zone's own sources that are active. ``water``: two independent field devices agree."""

    evidence: Evidence
    active: tuple[Source, ...]
    water: bool


def weigh(world: World, zone: Zone, now_ns: int) -> Finding:
    """Bring the states of the zone's sources and its timers up to date, and judge."""
    active, healthy, seen, doubt = _levels(world, zone, now_ns)
    burning = bool(zone.fed_by) and any(is_burning(world.zones[name]) for name in zone.fed_by)
    if zone.test_end_ns and (burning or any(not source.detector for source in active)):
        # Somebody pressed a button, the panel speaks, or it burns next door: this is no test any more.
        zone.test_end_ns = 0
        active, healthy, seen, doubt = _levels(world, zone, now_ns)
    zone.own_active = bool(active)
    zone.blind_ns = None if healthy else now_ns if zone.blind_ns is None else zone.blind_ns
    all_good = not (active or burning or doubt) and healthy and seen
    zone.clear_ns = (now_ns if zone.clear_ns is None else zone.clear_ns) if all_good else None
    if active:
        evidence = Evidence.FIRE if _is_fire(world, zone, active) else Evidence.ONE
        return Finding(evidence, tuple(active), _is_water([one for one in active if vouches(one, now_ns)]))
    if burning:
        return Finding(Evidence.ONE, (), water=False)
    return Finding(_without_alarm(world, zone, now_ns, good=all_good, seen=seen), (), water=False)


def is_burning(zone: Zone) -> bool:
    """A fire that lasts: what has ended there no longer holds its neighbours (two zones would hold each other)."""
    return zone.own_active and ORDERS[zone.mode].doors


def _levels(world: World, zone: Zone, now_ns: int) -> tuple[list[Source], bool, bool, bool]:
    """(active sources, some detector is healthy, every detector was heard good since the start, some source is not as
    it should be)."""
    testing = zone.test_end_ns > now_ns
    active: list[Source] = []
    healthy, seen, doubt = False, True, False
    sources = world.sources
    for name in zone.sources:
        source = sources[name]
        state = source.state = state_of(source, now_ns, testing=testing)
        if not source.fire:
            continue
        if state is _ACTIVE:
            active.append(source)
        elif state is not _CLEAR:
            doubt = True
            if source.detector and not source.seen:
                seen = False
            continue
        if source.detector:
            healthy = True
            seen = seen and source.seen
    return active, healthy, seen, doubt


def _is_fire(world: World, zone: Zone, active: list[Source]) -> bool:
    full = [source for source in active if source.weight is Weight.FULL]
    if not full:
        return False
    for source in full:
        if source.kind in _CONFIRMED:
            return True
    units = {source.unit for source in active}
    for cause in zone.causes.values():
        witness = world.sources.get(cause.ref)
        if witness is not None and witness.kind == cause.what:
            units.add(witness.unit)
    return len(units) > 1


def _is_water(vouching: list[Source]) -> bool:
    """Two field devices in two housings, at least one of them a detector."""
    if len(vouching) < 2:
        return False
    sure = [source for source in vouching if source.kind in FIELD_KINDS]
    detectors = {source.unit for source in sure if source.detector}
    return bool(detectors) and len({source.unit for source in sure}) > 1


def _without_alarm(world: World, zone: Zone, now_ns: int, *, good: bool, seen: bool) -> Evidence:
    if good:
        return Evidence.QUIET if is_quiet(world, zone, now_ns) else Evidence.CLEAR
    if zone.blind_ns is not None and now_ns - zone.blind_ns >= zone.settings.no_detector_s * NS_PER_S:
        return Evidence.DARK
    return Evidence.BLIND if zone.blind_ns is not None or not seen else Evidence.DOUBT


def is_quiet(world: World, zone: Zone, now_ns: int) -> bool:
    """All has been clear for ``clear_s`` and every cut is proven. Only a latched zone has to know."""
    if not ORDERS[zone.mode].latched or zone.clear_ns is None:
        return False
    return now_ns - zone.clear_ns >= zone.settings.clear_s * NS_PER_S and not unproven(world, zone)


def unproven(world: World, zone: Zone) -> list[str]:
    """The switches whose cut a reset still waits for. Behind a contactor that is proven open, all is cut."""
    contactors = [world.outputs[name].switch for name in zone.contactors]
    waits = [switch.name for switch in contactors if switch.cut not in {CutState.NONE, CutState.PROVEN}]
    if not waits and contactors and all(switch.cut is CutState.PROVEN for switch in contactors):
        return []
    waits += [name for name in zone.ports if world.ports[name].cut is not CutState.PROVEN]
    return waits


def blocks_reset(world: World, zone: Zone, now_ns: int) -> tuple[str, ...]:
    """What a reset still waits for, as stable codes; empty when it is allowed or when there is nothing to reset."""
    if not ORDERS[zone.mode].latched:
        return ()
    blocks = [
        f"signal:{name}:{source.state.value}"
        for name in zone.sources
        if (source := world.sources[name]).fire and (source.state is not SourceState.CLEAR or not source.seen)
    ]
    blocks += [f"latched_neighbour:{name}" for name in zone.fed_by if is_burning(world.zones[name])]
    if clear_left_ns(zone, now_ns):
        blocks.append("clear_for")
    blocks += [f"cut:{name}" for name in unproven(world, zone)]
    return tuple(blocks)


def clear_left_ns(zone: Zone, now_ns: int) -> int | None:
    """How long all must still stay clear; None while something is not."""
    if zone.clear_ns is None:
        return None
    return max(0, zone.clear_ns + zone.settings.clear_s * NS_PER_S - now_ns)
