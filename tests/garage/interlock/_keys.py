"""The canonical key of a state, in which absolute times are remaining ticks.

What it leaves out, and why that hides nothing: ages below the next limit are one class (no event of the model is
shorter than a tick, and silence is an event of its own); a source that is active forgets all else (only a good clear
word leads out, and it sets all else anew); the quarter second in which a repeated cut is not repeated again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from _ghosts import GHOST_AT, GHOST_KEYS, State

from edge.domain.field_devices import SignalKind
from edge.domain.garage import cut
from edge.domain.garage.interlock import ORDERS
from edge.domain.garage.messages import CutState
from edge.domain.garage.settings import ZoneSettings
from edge.domain.garage.signals import vouches
from edge.domain.garage.world import World

S = 1_000_000_000
#: A source's key is one number: its own part, whether it is a witness, its kind, and its ghost above (``GHOST_AT``).
WITNESS, KIND_AT = 1 << 5, 6
KINDS = {kind: number << KIND_AT for number, kind in enumerate(SignalKind)}
assert max(KINDS.values()) < 1 << GHOST_AT


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
        Shape(name, zone.settings, tuple((one, KINDS[world.sources[one].kind]) for one in zone.sources),
              zone.ports, zone.contactors)
        for name, zone in world.zones.items()
    )  # fmt: skip


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
        + (WITNESS if name in witnesses else 0)
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
