"""Where the charging of a port meets the kernel: the only functions by which the two know each other.

The interlock decides first and always: it calls ``ended`` after it switched a port off; charging may switch a port on
only through ``switching.switch_on`` after ``switching.blocks_on`` said "". A user would notice a mistake as a session
that runs on, and is billed, after its port was cut.
"""

from __future__ import annotations

import msgspec

from edge.domain.actors import Actor, Role
from edge.domain.field_devices import CardReading, KeypadReading, MeterReading, OutputReading, SessionReading
from edge.domain.garage import charging, charging_alarms, charging_book, tariff
from edge.domain.garage import purses as purse_book
from edge.domain.garage.charging import Decision
from edge.domain.garage.charging_book import Session
from edge.domain.garage.charging_posting import post, post_pending
from edge.domain.garage.charging_sharing import TURN_OVER, keep, over_limit, place, share
from edge.domain.garage.cut import Switch
from edge.domain.garage.messages import PortPhase, StartSession, StopSession
from edge.domain.garage.purses import Authorised
from edge.domain.garage.session_rows import ChargeRow
from edge.domain.garage.switching import blocks_on, cut_port, keep_switch
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World
from edge.domain.kernel import Rows
from edge.domain.outcome import Outcome, refused

NS_PER_S = 1_000_000_000
#: How often the queues are looked at while somebody waits.
LOAD_NS = 10 * NS_PER_S
#: Who may start a session that nobody pays for (staff at the panel, tests of a new outlet).
UNPAID = frozenset({Role.PANEL, Role.MAINTENANCE, Role.MANAGER, Role.ADMIN})


class PortFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What charging adds to a port's view; fields as in ``messages.PortView``."""

    phase: PortPhase
    session_id: str = ""
    member: str = ""
    energy_wh: int = 0
    cost_fen: int = 0
    charging_s: int = 0
    remaining_min: int | None = None
    queue: int = 0


# --- commands ---------------------------------------------------------------------------------------------------------


def start(turn: Turn, body: StartSession, actor: Actor) -> Outcome:
    """Begin charging, if zone, port and purse allow it; at once, or when the zone's limit leaves room."""
    world, book = turn.world, turn.world.charging
    port, config = world.ports.get(body.port), world.config
    if port is None or config is None:
        return refused("unknown_port", port=body.port)
    if port.wanted or body.port in book.sessions:
        return refused("port_busy", port=body.port)
    if charging_book.is_spent(world.charging, body.session_id):
        return refused("id_reused", port=body.port)
    why = blocks_on(world, port)
    if why:
        return refused("not_now", problem=why, port=body.port)
    if body.limit_fen < 0 or body.limit_min < 0:
        return refused("bad_value", port=body.port)
    allowed = Authorised(code="ok", limit_fen=body.limit_fen)
    if body.member or body.card or actor.role not in UNPAID:
        allowed = _authorise(turn, body)
        if allowed.code != "ok":
            return refused(allowed.code, port=body.port)
        purse_book.reserve(book.purses, body.session_id, allowed)
    session = Session(
        session_id=body.session_id,
        port=port.name,
        zone=port.zone,
        member=allowed.member,
        card=body.card,
        day=world.day or "0000-00-00",
        started_ns=turn.stamp.wall_ns,
        limit_fen=allowed.limit_fen,
        limit_min=body.limit_min,
        charging=charging.start(body.session_id, turn.now_ns, body.limit_min),
        bill=tariff.open_bill(config.tariff, config.utc_offset_min),
        waiting=True,
        at_mono_ns=turn.now_ns,
    )
    session.charging.on = False
    charging_book.enter(book, session)
    share(turn, port.zone)
    keep(turn, session)
    return Outcome("ok", {"session_id": body.session_id, "port": port.name, "queue": place(book, session)})


def _authorise(turn: Turn, body: StartSession) -> Authorised:
    book, config = turn.world.charging, turn.world.config
    assert config is not None
    stamp = turn.stamp
    old = purse_book.is_old(book.purses, stamp.wall_ns, config.purse_copy_max_age_s, trusted=stamp.wall_trusted)
    return purse_book.authorise(
        book.purses,
        body.member,
        body.card,
        limit_fen=body.limit_fen,
        deposit_fen=config.tariff.deposit_fen,
        offline_fen=config.offline_limit_fen,
        old=old,
    )


def stop(turn: Turn, body: StopSession, _actor: Actor) -> Outcome:
    """End charging. Stopping what does not run is no error; a stop for another session is refused."""
    port = turn.world.ports.get(body.port)
    if port is None:
        return refused("unknown_port", port=body.port)
    session = turn.world.charging.sessions.get(body.port)
    if session is not None and body.session_id and session.session_id != body.session_id:
        return refused("unknown_session", port=body.port, session_id=body.session_id)
    if port.wanted:
        cut_port(turn, port, "stopped", urgent=False)
    elif session is not None:
        _end(turn, port, session, "stopped")
    return Outcome("ok", {"port": body.port})


# --- readings ---------------------------------------------------------------------------------------------------------


def metered(turn: Turn, port: Switch, reading: MeterReading) -> None:
    """A live reading of the port's meter; ``port`` holds the figures already."""
    world = turn.world
    session, config = world.charging.sessions.get(port.name), world.config
    if session is None or session.waiting or config is None:
        return
    settings = world.port_settings[port.name]
    decision = charging.observe(session.charging, settings, config.full, reading, turn.now_ns)
    charging_book.book_energy(session, reading, turn.stamp)
    if decision.changed or decision.cut or session.limit_fen:
        _obey(turn, port, session, decision)
    zone = world.zones[port.zone]
    if zone.bound_w > zone.settings.limit_w and over_limit(world, zone):
        share(turn, port.zone)


def _obey(turn: Turn, port: Switch, session: Session, decision: Decision) -> None:
    if decision.changed or decision.cut:
        charging_alarms.tell(turn, port, decision)
    if decision.cut:
        if decision.trip:
            port.armed = False
        cut_port(turn, port, decision.reason, urgent=decision.trip)
    elif session.limit_fen and charging_book.cost(session) >= session.limit_fen:
        cut_port(turn, port, "money_limit", urgent=False)
    elif decision.changed:
        keep(turn, session)


def reported(turn: Turn, port: Switch, reading: OutputReading) -> None:
    """The device's word on its own output; ``port.on`` is up to date already. Nothing follows from it here: a port that
    fell off by itself is cut by the kernel, which then calls ``ended``."""


def spoke(turn: Turn, port: Switch, reading: CardReading | SessionReading | KeypadReading) -> None:
    """A card at the port starts or stops; a board that has ended its own session ends ours."""
    session = turn.world.charging.sessions.get(port.name)
    if isinstance(reading, CardReading):
        if session is None:
            body = StartSession(session_id=f"card-{port.name}-{turn.stamp.seq}", port=port.name, card=reading.card)
            start(turn, body, Actor(Role.DEVICE, port.name))
        elif session.card == reading.card:
            stop(turn, StopSession(port=port.name), Actor(Role.DEVICE, port.name))
    elif isinstance(reading, SessionReading) and reading.phase == "ended" and port.wanted:
        cut_port(turn, port, reading.end_reason or "unknown", urgent=False)


# --- ends and time ----------------------------------------------------------------------------------------------------


def ended(turn: Turn, port: Switch, reason: str) -> None:
    """The port was just switched off for ``reason``. A turn that is over is no end; but its warnings end with it, for
    nobody looks at the figures of a port that waits."""
    session = turn.world.charging.sessions.get(port.name)
    if session is None:
        return
    if reason == TURN_OVER and session.waiting:
        session.charging.warnings = ()
        charging_alarms.ended(turn, port)
        return
    _end(turn, port, session, reason)


def removed(turn: Turn, ports: list[Switch]) -> None:
    """A reload takes these ports away, or places them elsewhere: their sessions end, those that wait as well. All of
    them before the queues are asked, for an end may give its turn to another."""
    sessions = turn.world.charging.sessions
    zones = {sessions[port.name].zone: None for port in ports if port.name in sessions}
    for port in ports:
        if port.name in sessions:
            _close(turn, port, sessions[port.name], "removed")
    for zone in zones:
        share(turn, zone)


def _end(turn: Turn, port: Switch, session: Session, reason: str) -> None:
    _close(turn, port, session, reason)
    share(turn, port.zone)


def _close(turn: Turn, port: Switch, session: Session, reason: str) -> None:
    book = turn.world.charging
    book.moved = True
    charging.stop(session.charging, reason, turn.now_ns)
    charging_alarms.ended(turn, port)
    del book.sessions[port.name]
    for row in charging_book.ended_rows(book, session, turn.stamp, armed=port.armed):
        turn.put(row)
        if isinstance(row, ChargeRow):
            post(turn, row)
    keep_switch(turn, port)
    turn.ports[port.name] = None


def facts(world: World, port: Switch) -> PortFacts:
    """What charging shows of the port."""
    session = world.charging.sessions.get(port.name)
    if session is None:
        phase = PortPhase.IDLE_LOAD if port.wanted else PortPhase.TRIPPED if not port.armed else PortPhase.EMPTY
        return PortFacts(phase=phase)
    state = session.charging
    settings = world.port_settings.get(port.name)
    return PortFacts(
        phase=state.phase,
        session_id=session.session_id,
        member=session.member,
        energy_wh=tariff.total_mwh(session.bill) // 1000,
        cost_fen=charging_book.cost(session),
        charging_s=state.age_ns // NS_PER_S,
        remaining_min=None if settings is None else charging.remaining_min(state, settings),
        queue=place(world.charging, session),
    )


def due_ns(world: World) -> int | None:
    """When charging wants to be called by time alone; may be early, never late (``charging_due``)."""
    return world.charging.due_ns


def tick(turn: Turn) -> None:
    """What has come due: silent meters, caps, turns."""
    world, now_ns = turn.world, turn.now_ns
    world.charging.moved = True
    for name, session in list(world.charging.sessions.items()):
        port, settings = world.ports.get(name), world.port_settings.get(name)
        if port is None or settings is None:
            continue
        if session.waiting:
            if not port.armed:  # its zone was cut while it waited
                _end(turn, port, session, port.reason or "not_armed")
            continue
        due = charging.deadline(session.charging, settings)
        if due is not None and due <= now_ns:
            _obey(turn, port, session, charging.tick(session.charging, settings, now_ns))
    if world.charging.load_due_ns <= now_ns:
        for zone in sorted({s.zone for s in world.charging.sessions.values() if s.waiting}):
            share(turn, zone)
        world.charging.load_due_ns = now_ns + LOAD_NS


def load_sessions(world: World, rows: Rows) -> None:
    """Sessions, purses and queues from rows."""
    world.charging = charging_book.load_book(rows, world.day)


def begin(turn: Turn) -> None:
    """A start: downtime counts; sessions whose port is not wanted on any more have ended."""
    world, book, stamp = turn.world, turn.world.charging, turn.stamp
    book.load_due_ns, book.moved = turn.now_ns + LOAD_NS, True
    post_pending(turn)
    for name, session in list(book.sessions.items()):
        port, settings = world.ports.get(name), world.port_settings.get(name)
        at_ns = book.resumed_ns.pop(name, stamp.wall_ns)
        session.at_mono_ns = turn.now_ns
        if port is None or settings is None:
            del book.sessions[name]
            continue
        down = stamp.wall_ns - at_ns if stamp.wall_trusted else None
        decision = charging.resume_after_downtime(session.charging, settings, down, turn.now_ns)
        if decision.cut and port.wanted:
            cut_port(turn, port, decision.reason, urgent=False)
        elif decision.cut or (not port.wanted and not session.waiting):
            _end(turn, port, session, decision.reason or port.reason or "restart")
