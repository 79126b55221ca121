"""Switching a charger on and off: the only two ways, and the rows that remember them.

Off is safe in every mode and may be said by anybody. On is said once, by a person's or a session's wish, when the zone
allows it, the port is armed and its contactor may be closed; after a restart it is never said again. A user would
notice a mistake as a charger that comes back by itself after a power cut.
"""

from __future__ import annotations

from edge.domain.garage.cut import Switch, operate, order_off, order_on
from edge.domain.garage.interlock import ORDERS
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World, Zone
from edge.domain.garage.zone_rows import SwitchRow
from edge.domain.kernel import EffectClass


def cut_port(turn: Turn, port: Switch, reason: str, *, urgent: bool) -> None:
    """Switch one port off, with proof; its session learns why. Safe in every mode. The command leaves when the zone is
    evaluated, in this turn."""
    if port.wanted:
        turn.ended.append((port.name, reason))
    turn.review.add(port.zone)
    order_off(port, turn.now_ns, reason=reason, urgent=urgent)


def keep_switch(turn: Turn, switch: Switch) -> None:
    """Write the switch's row when something that must outlive a power cut is another."""
    old = turn.world.switch_rows.get(switch.name)
    if old is not None and (
        old.cut == switch.cut and old.wanted == switch.wanted and old.armed == switch.armed
        and old.bad == switch.bad and old.urgent == switch.urgent and old.reason == switch.reason
    ):  # fmt: skip
        return
    row = SwitchRow(
        role=switch.role, name=switch.name, zone=switch.zone, wanted=switch.wanted, armed=switch.armed,
        cut=switch.cut.value, urgent=switch.urgent, reason=switch.reason, bad=switch.bad, at_ns=turn.stamp.wall_ns,
    )  # fmt: skip
    turn.world.switch_rows[switch.name] = row
    turn.ports[switch.name] = None
    turn.put(row)


def blocks_on(world: World, port: Switch) -> str:
    """Why a port may not be switched on now: "" or a stable code."""
    zone = world.zones[port.zone]
    if world.makeshift:
        return "no_config"
    if not ORDERS[zone.mode].start:
        return f"zone_{zone.mode.value}"
    if port.bad:
        return f"port_{port.bad}"
    if not port.armed:
        return "port_not_armed"
    contactors = [world.outputs[name].switch for name in zone.contactors]
    if any(contactor.bad or not contactor.wanted for contactor in contactors):
        return "contactor_open"
    return ""


def switch_on(turn: Turn, port: Switch) -> None:
    """Tell a port on, once; the caller has asked ``blocks_on``. A contactor whose own dead-man has let it fall is told
    to close with it."""
    zone = turn.world.zones[port.zone]
    for name in zone.contactors:
        contactor = turn.world.outputs[name].switch
        if is_fallen(contactor):
            close_contactor(turn, contactor)
    order_on(port)
    _tell_on(turn, port)
    turn.review.add(port.zone)


def is_fallen(contactor: Switch) -> bool:
    """Whether a contactor that is wanted closed is open as far as anybody knows: its own dead-man let it fall while the
    box could not speak, or nothing was heard or told of it since the start. It is closed by a person's wish only."""
    return contactor.on is False or (contactor.on is None and not contactor.live)


def close_contactor(turn: Turn, contactor: Switch) -> None:
    """Let current flow to the zone again."""
    order_on(contactor)
    _tell_on(turn, contactor)


def may_close(world: World, zone: Zone) -> bool:
    """Whether an opened contactor may be closed: nothing behind it, nor itself, is known to be unsafe."""
    ports = [world.ports[name] for name in zone.ports]
    contactors = [world.outputs[name].switch for name in zone.contactors]
    return ORDERS[zone.mode].start and not any(switch.bad for switch in (*ports, *contactors))


def _tell_on(turn: Turn, switch: Switch) -> None:
    now_ns = turn.now_ns
    turn.send([operate(switch, on=True, seq=turn.stamp.seq, now_ns=now_ns, effect_class=EffectClass.DURABLE)])
    keep_switch(turn, switch)
