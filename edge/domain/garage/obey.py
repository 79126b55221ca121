"""What a zone's mode commands, brought to its chargers and contactors, and what a failed cut leads to.

Layers, each the answer to the failure of the one before: the outlet, the zone's contactor, the building's feed. A
contactor that is opened stays open until a person re-arms a charger. A user would notice a mistake as a welded outlet
that everybody knew of and that nothing else cut.
"""

from __future__ import annotations

from edge.domain.garage.cut import (
    NS_PER_S,
    RESEND_NS,
    Switch,
    again,
    drive,
    flows,
    is_calm,
    judge,
    operate,
    order_off,
    returned,
)
from edge.domain.garage.cut import due_ns as switch_due_ns
from edge.domain.garage.interlock import ORDERS, Orders
from edge.domain.garage.messages import CutState
from edge.domain.garage.outputs import drive_outputs
from edge.domain.garage.switching import cut_port, keep_switch
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import Zone
from edge.domain.kernel import EffectClass

#: A figure that a plug measured before the contactor opened may come so much later than the contact's word.
ON_ITS_WAY_NS = 3 * NS_PER_S
_FAILED = (CutState.UNPROVEN, CutState.WELDED)


def obey(turn: Turn, zone: Zone) -> str:
    """Command what the mode orders. Gives the name of a contactor whose cut has just failed, else ""."""
    orders = ORDERS[zone.mode]
    strike = _strikes(turn, zone, orders)
    if strike:
        zone.struck_ns = turn.now_ns
    if _opens(zone, orders):
        repeated = strike and zone.settings.zone not in turn.opened
        _contactors_first(turn, zone, orders, _first_cause(zone), strike=repeated)
    busy = [port for name in zone.ports if not _at_rest(turn, port := turn.world.ports[name], zone, orders)]
    failing: list[str] = []
    if busy:
        _cut_ports(turn, zone, orders, busy)
        failing = [port.name for port in busy if port.cut in _FAILED]
    failed = _contactors(turn, zone, orders, failing, strike=strike)
    _ports(turn, zone, orders, busy, strike=strike)
    drive_outputs(turn, zone, orders)
    return failed


def open_first(turn: Turn, zone: Zone, orders: Orders, cause: str) -> None:
    """The part of ``obey`` that cannot wait: open the contactors of a zone that is about to be latched by ``cause``."""
    if _opens(zone, orders):
        turn.opened.add(zone.settings.zone)
        _contactors_first(turn, zone, orders, cause, strike=_strikes(turn, zone, orders))


def _strikes(turn: Turn, zone: Zone, orders: Orders) -> bool:
    """Whether a word of an alarm came just now that repeats the cut."""
    return orders.latched and zone.settings.zone in turn.struck and turn.now_ns - zone.struck_ns >= RESEND_NS


def _opens(zone: Zone, orders: Orders) -> bool:
    """Whether the mode opens the contactors without asking how the outlets fare."""
    return orders.cut and (not orders.contactor or zone.settings.contactor_first)


def _contactors_first(turn: Turn, zone: Zone, orders: Orders, cause: str, *, strike: bool) -> None:
    """A contactor that opens anyway opens before fifty outlets are thought about; its proof is judged in its turn."""
    for name in zone.contactors:
        switch = turn.world.outputs[name].switch
        if switch.wanted or not switch.urgent or switch.cut is CutState.NONE:  # else it was ordered off already
            order_off(switch, turn.now_ns, reason=cause, urgent=True)
        _drive(turn, switch, strike=strike, run=orders.contactor)


def _at_rest(turn: Turn, port: Switch, zone: Zone, orders: Orders) -> bool:
    """Nothing is to be ordered of the port, judged, said to it or written: it is off and dead as it should be, or on as
    it may be. Asked of every port at every look at the zone, so that only the others cost more than this."""
    row = turn.world.switch_rows.get(port.name)
    if row is None or row.armed is not port.armed or (port.bad and port.armed):
        return False
    if port.wanted:
        if not orders.run or port.bad:
            return False
        due_ns = switch_due_ns(port, zone.settings)
        return due_ns is None or turn.now_ns < due_ns
    if port.cut is CutState.NONE:
        return not orders.cut and port.on is not True and not flows(port, zone.settings)
    if port.cut is not CutState.PROVEN or port.on is True or flows(port, zone.settings):
        return False
    return not orders.cut or (port.urgent and not port.armed)


def _cut_ports(turn: Turn, zone: Zone, orders: Orders, ports: list[Switch]) -> None:
    """Order every port off that must be, and judge how far each cut has come."""
    cause = _first_cause(zone) if orders.cut else ""
    dead = _is_dead(turn, zone)
    for port in ports:
        if orders.cut:
            port.armed = False
            cut_port(turn, port, cause, urgent=True)
        elif port.wanted and not orders.run:
            cut_port(turn, port, "no_detector", urgent=False)
        told = port.told_ns >= port.began_ns  # never proven before it was told at least once
        if dead and told and port.cut is CutState.COMMANDED:
            port.cut, port.power_w, port.current_a = CutState.PROVEN, None, None  # what it said last was before
        _watch(turn, zone, port)


def _is_dead(turn: Turn, zone: Zone) -> bool:
    """The zone's contactors are proven open and no outlet has measured current since. A plug behind them has lost its
    own mains and can prove nothing more: what is above it has proven it."""
    contactors = [turn.world.outputs[name].switch for name in zone.contactors]
    for contactor in contactors:
        if contactor.cut is not CutState.PROVEN or returned(contactor, zone.settings):
            return False
    return bool(contactors) and not any(_still_flows(turn, zone, contactor) for contactor in contactors)


def _watch(turn: Turn, zone: Zone, switch: Switch, *, word_is_proof: bool = False) -> bool:
    """Judge how far a cut has come. True when something about the switch is another now."""
    changed = returned(switch, zone.settings)
    if changed:
        switch.reason = switch.reason or "switched_outside"
        switch.urgent = True
        again(switch, turn.now_ns)
    changed = judge(switch, zone.settings, turn.now_ns, word_is_proof=word_is_proof) or changed
    if switch.bad and switch.armed:
        switch.armed, changed = False, True
    return changed


def _contactors(turn: Turn, zone: Zone, orders: Orders, failing: list[str], *, strike: bool) -> str:
    failed = ""
    open_it = _opens(zone, orders)
    for name in zone.contactors:
        output = turn.world.outputs[name]
        switch, before = output.switch, output.switch.cut
        if failing and not open_it:
            order_off(switch, turn.now_ns, reason=f"cut_unproven:{failing[0]}", urgent=True)
        proof = output.settings.meter is None and not is_calm(switch) and not _still_flows(turn, zone, switch)
        changed = _watch(turn, zone, switch, word_is_proof=proof)
        if switch.cut in _FAILED and before not in _FAILED:
            failed = name
        if changed or not open_it:  # else told and written already
            _drive(turn, switch, strike=strike and not open_it, run=orders.contactor)
    return failed


def _still_flows(turn: Turn, zone: Zone, contactor: Switch) -> bool:
    """Some outlet has measured current since the contactor was told to open; since its contact opened, where it says
    so: what a plug measured a moment before it lost its mains with the rest would else be held against it for ever.
    A figure that comes shortly after the contact's word may have been on its way. It is held against the contactor
    until the plug has been silent for as long as none with mains may be."""
    opened_ns = contactor.on_ns if contactor.on is False else 0
    since_ns = max(contactor.began_ns, opened_ns)
    for name in zone.ports:
        port = turn.world.ports[name]
        metered_ns = port.metered_ns or 0
        if metered_ns <= since_ns or not flows(port, zone.settings):
            continue
        silent_ns = turn.world.port_settings[name].meter_silent_s * NS_PER_S
        on_its_way = opened_ns and metered_ns - opened_ns <= ON_ITS_WAY_NS
        if not on_its_way or turn.now_ns - metered_ns <= silent_ns:
            return True
    return False


def _ports(turn: Turn, zone: Zone, orders: Orders, busy: list[Switch], *, strike: bool) -> None:
    """Tell each port that has to be told. Behind an open contactor none charges; a repeated alarm is told to all."""
    dead = [name for name in zone.contactors if not turn.world.outputs[name].switch.wanted]
    if not (dead or strike or busy):
        return
    every = [turn.world.ports[name] for name in zone.ports] if dead or strike else busy
    charging = [port for port in every if port.wanted] if dead else []
    for port in charging:
        cut_port(turn, port, "contactor_open", urgent=False)
    for port in every if strike or charging else busy:
        _drive(turn, port, strike=strike, run=orders.run)


def _drive(turn: Turn, switch: Switch, *, strike: bool, run: bool) -> None:
    seq, now_ns = turn.stamp.seq, turn.now_ns
    sends = drive(switch, seq, now_ns, run=run)
    if strike and not sends and switch.cut is not CutState.NONE:
        sends = [operate(switch, on=False, seq=seq, now_ns=now_ns, effect_class=EffectClass.SAFETY)]
    if sends:
        turn.send(sends)
    keep_switch(turn, switch)


def _first_cause(zone: Zone) -> str:
    for cause in zone.causes.values():
        return cause.what
    return "interlock"
