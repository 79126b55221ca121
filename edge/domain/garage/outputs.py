"""Sirens, doors, the building's feed, and water: what is asked for with ON.

Three of them move toward safe by ON and leave at once: a siren that sounds, a door that is released, a feed that the
building is asked to cut. Water is the one that does harm: it is asked for once, on a live word only, never on a start
and never again by itself, and its feedback is watched. A user would notice a mistake as a wet garage after a power cut.
"""

from __future__ import annotations

from edge.domain.garage.access import unlocked
from edge.domain.garage.cut import HOLD_PARTS, NS_PER_S, REPEAT_NS, Switch, operate
from edge.domain.garage.interlock import Orders
from edge.domain.garage.messages import CutState, SourceState
from edge.domain.garage.switching import keep_switch
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import Output, Zone
from edge.domain.kernel import EffectClass

#: An output that does not say it obeyed is told again each second for so long, then (if it is wanted) more slowly.
PRESS_NS = 10 * NS_PER_S
PRESS_SLOW_NS = 30 * NS_PER_S


def drive_outputs(turn: Turn, zone: Zone, orders: Orders) -> None:
    """Bring sirens, doors and feed to what is ordered."""
    for name in zone.sirens:
        _set(turn, turn.world.outputs[name].switch, on=orders.siren and not zone.silenced)
    for name in zone.doors:
        _set(turn, turn.world.outputs[name].switch, on=orders.doors or unlocked(turn.world, name, turn.now_ns))
    for name in zone.feeds:
        _set(turn, turn.world.outputs[name].switch, on=zone.feed_asked)


def _set(turn: Turn, switch: Switch, *, on: bool) -> None:
    """One level output. ON leaves at once and is told again until the device agrees; OFF waits for the disk and is not
    insisted on for long: others may sound the same siren."""
    now_ns = turn.now_ns
    if switch.wanted != on:
        switch.wanted, switch.began_ns = on, now_ns
    else:
        if not switch.hold_ns and now_ns - switch.told_ns < REPEAT_NS:
            return  # nothing is told again sooner, but a dead-man
        due = due_ns(switch)
        if due is None or now_ns < due:
            return
    effect_class = EffectClass.SAFETY if on else EffectClass.DURABLE
    turn.send([operate(switch, on=on, seq=turn.stamp.seq, now_ns=now_ns, effect_class=effect_class)])
    keep_switch(turn, switch)


def due_ns(switch: Switch) -> int | None:
    """When a level output has to be told again."""
    pressing = switch.told_ns - switch.began_ns < PRESS_NS
    if not switch.wanted:
        return switch.told_ns + REPEAT_NS if switch.on is True and switch.began_ns and pressing else None
    hold_ns = switch.hold_ns // HOLD_PARTS
    if switch.on is True:
        return switch.told_ns + hold_ns if hold_ns else None
    slow_ns = min(PRESS_SLOW_NS, hold_ns) if hold_ns else PRESS_SLOW_NS
    return switch.told_ns + (REPEAT_NS if pressing else slow_ns)


def ask_water(turn: Turn, zone: Zone) -> None:
    """Ask for water, once in a latch, and only while a device speaks: never by time, never by a start."""
    if zone.water_asked or not turn.live or zone.settings.zone not in turn.struck:
        return
    zone.water_asked, zone.water_ns = True, turn.now_ns
    for name in zone.waters:
        switch = turn.world.outputs[name].switch
        switch.wanted = True
        water = operate(switch, on=True, seq=turn.stamp.seq, now_ns=turn.now_ns, effect_class=EffectClass.DURABLE)
        turn.send([water])
        keep_switch(turn, switch)


def water_confirmed(turn: Turn, zone: Zone, output: Output) -> bool | None:
    """Whether the feedback shows water: None while there is still time for it."""
    source = turn.world.sources.get(output.settings.feedback_source)
    if source is not None and source.state is SourceState.ACTIVE:
        return True
    late = turn.now_ns - zone.water_ns >= output.settings.feedback_s * NS_PER_S
    return False if late else None


def stand_down(turn: Turn, zone: Zone) -> None:
    """A reset: water is asked for no longer, chargers stay off and un-armed, every proof is filed."""
    for name in zone.waters:
        switch = turn.world.outputs[name].switch
        if switch.wanted:
            switch.wanted = False
            send = operate(switch, on=False, seq=turn.stamp.seq, now_ns=turn.now_ns, effect_class=EffectClass.DURABLE)
            turn.send([send])
            keep_switch(turn, switch)
    for name in zone.ports:
        port = turn.world.ports[name]
        port.cut, port.urgent, port.armed = CutState.NONE, False, False
        # What a plug said last before its contactor opened is not said of now, and must not cut it anew for ever.
        port.power_w = port.current_a = None
        keep_switch(turn, port)
    for name in zone.contactors:
        contactor = turn.world.outputs[name].switch
        contactor.cut, contactor.urgent = CutState.NONE, False
