"""What people do: reset, re-arm, silence, test, cut. Four acts that sound alike and must never stand in for another.

Only a reset leads out of a latch, and only from a panel that stands in the zone, by a person, when nothing blocks it;
what blocks is told. Silence stops the sound. A re-arm allows one charger again, switches nothing on but the zone's
contactor. Nothing here speaks to the certified fire panel. A user would notice a mistake as a tired finger on
"acknowledge" that gives a burning zone its current back.
"""

from __future__ import annotations

from edge.domain.alarms import silence
from edge.domain.garage.charging_alarms import rearmed
from edge.domain.garage.cut import Switch
from edge.domain.garage.evidence import blocks_reset
from edge.domain.garage.interlock import ORDERS
from edge.domain.garage.messages import CutState, CutZone, RearmPort, ResetZone, SilenceZone, TestZone
from edge.domain.garage.signals import NS_PER_S
from edge.domain.garage.switching import close_contactor, is_fallen, keep_switch, may_close
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import Zone
from edge.domain.garage.zones import evaluate, impulse, reset
from edge.domain.outcome import Outcome, refused

MAX_TEST_MIN = 120


def reset_zone(turn: Turn, body: ResetZone) -> Outcome:
    """Release a latched zone on site."""
    zone = turn.world.zones.get(body.zone)
    if zone is None:
        return refused("unknown_zone", zone=body.zone)
    if body.panel not in zone.settings.panels:
        return refused("not_on_site", zone=body.zone, panel=body.panel)
    if not body.person:
        return refused("no_person", zone=body.zone)
    evaluate(turn, zone)
    if not ORDERS[zone.mode].latched:
        return refused("not_latched", zone=body.zone)
    blocks = blocks_reset(turn.world, zone, turn.now_ns)
    if not reset(turn, zone):
        return refused("not_resettable", zone=body.zone, blocks=list(blocks))
    return Outcome("ok", {"zone": body.zone, "person": body.person})


def rearm_port(turn: Turn, body: RearmPort) -> Outcome:
    """Allow one charger (or a contactor that had failed) again. The zone's contactor is closed with the first one."""
    world = turn.world
    output = world.outputs.get(body.port)
    switch = world.ports.get(body.port) or (output.switch if output is not None else None)
    if switch is None or (output is not None and output.switch.name not in world.zones[switch.zone].contactors):
        return refused("unknown_port", port=body.port)
    zone = world.zones[switch.zone]
    evaluate(turn, zone)
    if not ORDERS[zone.mode].start:
        return refused("not_now", problem=f"zone_{zone.mode.value}", port=body.port)
    if switch.cut not in {CutState.NONE, CutState.PROVEN}:
        if not _dead(turn, zone, switch):
            return refused("not_now", problem=f"cut_{switch.cut.value}", port=body.port)
        # Else the old verdict would stand, and open the contactor again in the very turn that closes it.
        switch.cut, switch.power_w, switch.current_a = CutState.PROVEN, None, None
    switch.armed, switch.bad = True, ""
    rearmed(turn, switch.name)
    keep_switch(turn, switch)
    if may_close(world, zone):
        for name in zone.contactors:
            contactor = world.outputs[name].switch
            if not contactor.wanted or is_fallen(contactor):
                close_contactor(turn, contactor)
    evaluate(turn, zone)
    return Outcome("ok", {"port": body.port})


def _dead(turn: Turn, zone: Zone, switch: Switch) -> bool:
    """Behind a contactor that is proven open even a welded outlet is dead: it may have been repaired."""
    contactors = [turn.world.outputs[name].switch for name in zone.contactors]
    return switch.name in zone.ports and all(contactor.cut is CutState.PROVEN for contactor in contactors)


def silence_zone(turn: Turn, body: SilenceZone) -> Outcome:
    """Stop the sound and only the sound."""
    zone = turn.world.zones.get(body.zone)
    if zone is None:
        return refused("unknown_zone", zone=body.zone)
    zone.silenced = ORDERS[zone.mode].siren
    silence(turn.world.alarms, turn.stamp, zone=body.zone)
    evaluate(turn, zone)
    return Outcome("ok", {"zone": body.zone})


def test_zone(turn: Turn, body: TestZone) -> Outcome:
    """Begin, change or end a walk test."""
    zone = turn.world.zones.get(body.zone)
    if zone is None:
        return refused("unknown_zone", zone=body.zone)
    if not 0 <= body.minutes <= MAX_TEST_MIN:
        return refused("bad_value", max_minutes=MAX_TEST_MIN)
    if body.minutes and body.panel and body.panel not in zone.settings.panels:
        return refused("not_on_site", zone=body.zone, panel=body.panel)
    evaluate(turn, zone)
    if body.minutes and ORDERS[zone.mode].latched:
        return refused("not_now", problem=f"zone_{zone.mode.value}", zone=body.zone)
    zone.test_end_ns = turn.now_ns + body.minutes * 60 * NS_PER_S if body.minutes else 0
    evaluate(turn, zone)
    return Outcome("ok", {"zone": body.zone, "minutes": body.minutes})


def cut_zone(turn: Turn, body: CutZone, user: str) -> Outcome:
    """A hand cuts the zone: like one credible signal, latched."""
    zone = turn.world.zones.get(body.zone)
    if zone is None:
        return refused("unknown_zone", zone=body.zone)
    turn.struck.add(body.zone)
    impulse(turn, zone, "hand", user)
    evaluate(turn, zone)
    return Outcome("ok", {"zone": body.zone})
