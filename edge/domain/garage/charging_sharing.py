"""A zone's power among its sessions: who draws now, who waits, and the rows that remember it.

The queue decides (``load.plan``); the interlock may still say no (``blocks_on``), then the port keeps its place and is
tried again. A user would notice a mistake as a port that is told on behind the interlock's back.
"""

from __future__ import annotations

import msgspec

from edge.domain.garage import charging, charging_book, load
from edge.domain.garage.charging_book import Book, Session
from edge.domain.garage.load import Ask, Load
from edge.domain.garage.switching import blocks_on, cut_port, switch_on
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World, Zone

#: Why a port is off that waits for its next turn.
TURN_OVER = "load"
#: More than all rounding of a long addition.
BOUND_SLACK_W = 1.0


def share(turn: Turn, zone_name: str) -> None:
    """Let the zone's queue decide who draws, and switch what it changes."""
    world, book = turn.world, turn.world.charging
    zone = world.zones[zone_name]
    queue = book.loads.setdefault(zone_name, Load())
    before = msgspec.msgpack.encode(queue)
    asks = [
        _ask(world, session)
        for session in book.sessions.values()
        if session.zone == zone_name and session.port in world.ports
    ]
    plan = load.plan(queue, asks, zone.settings.limit_w, turn.now_ns)
    for name in plan.open:
        session = book.sessions.get(name)
        if session is None or name not in world.ports:  # a reload took it out of the description
            continue
        if not session.waiting and not session.charging.reason:
            session.waiting = book.moved = True
            charging.switched(session.charging, turn.now_ns, on=False)
            cut_port(turn, world.ports[name], TURN_OVER, urgent=False)
            keep(turn, session)
    for name in plan.on:
        session = book.sessions[name]
        if session.waiting and not blocks_on(world, world.ports[name]):
            session.waiting, book.moved = False, True
            charging.switched(session.charging, turn.now_ns, on=True)
            session.at_mono_ns = turn.now_ns
            switch_on(turn, world.ports[name])
            keep(turn, session)
    if msgspec.msgpack.encode(queue) != before:
        turn.put(charging_book.load_row(zone_name, queue, turn.stamp))


def over_limit(world: World, zone: Zone) -> bool:
    """Whether the zone's ports together draw more than its limit now. ``Zone.bound_w`` is not less than what they draw
    (readings that rise are added to it, ``hearing``), so that most readings need not add up the whole zone."""
    if zone.bound_w <= zone.settings.limit_w:
        return False
    power_w = sum(world.ports[name].power_w or 0.0 for name in zone.ports)
    zone.bound_w = power_w + BOUND_SLACK_W
    return power_w > zone.settings.limit_w


def _ask(world: World, session: Session) -> Ask:
    port = world.ports[session.port]
    return Ask(
        port=session.port,
        armed=port.armed and not port.bad,
        power_w=0 if session.waiting else round(port.power_w or 0.0),
        peak_w=session.charging.trend.peak_dw // 10,
        expect_w=world.port_settings[session.port].warn_w,
    )


def place(book: Book, session: Session) -> int:
    """Its place in the zone's queue, 1 the head, 0 not waiting."""
    queue = book.loads.get(session.zone)
    return queue.queue.index(session.port) + 1 if queue is not None and session.port in queue.queue else 0


def keep(turn: Turn, session: Session) -> None:
    """Write the session and its machine, and show the port."""
    turn.put(charging_book.session_row(session, turn.stamp, ended=False))
    armed = turn.world.ports[session.port].armed
    turn.put(charging_book.port_row(session, turn.stamp, is_open=True, armed=armed))
    turn.ports[session.port] = None
