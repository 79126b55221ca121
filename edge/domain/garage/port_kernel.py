"""Where the charging of a port meets the kernel: the only functions by which the two know each other.

The interlock decides first and always: it calls ``ended`` after it switched a port off; charging may switch a port on
only through ``switching.switch_on`` after ``switching.blocks_on`` said "". A user would notice a mistake as a session
that runs on, and is billed, after its port was cut.
"""

from __future__ import annotations

import msgspec

from edge.domain.actors import Actor
from edge.domain.field_devices import CardReading, KeypadReading, MeterReading, OutputReading, SessionReading
from edge.domain.garage.cut import Switch
from edge.domain.garage.messages import ChargePosted, PortPhase, PurseCopy, StartSession, StopSession
from edge.domain.garage.outcome import Outcome, refused
from edge.domain.garage.switching import blocks_on, cut_port, switch_on
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World


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


def start(turn: Turn, body: StartSession, _actor: Actor) -> Outcome:
    """Begin charging, if zone and port allow it."""
    port = turn.world.ports.get(body.port)
    if port is None:
        return refused("unknown_port", port=body.port)
    if port.wanted:
        return refused("port_busy", port=body.port)
    why = blocks_on(turn.world, port)
    if why:
        return refused("blocked", problem=why, port=body.port)
    switch_on(turn, port)
    return Outcome("ok", {"session_id": body.session_id, "port": body.port})


def stop(turn: Turn, body: StopSession, _actor: Actor) -> Outcome:
    """End charging. Stopping what does not run is no error."""
    port = turn.world.ports.get(body.port)
    if port is None:
        return refused("unknown_port", port=body.port)
    if port.wanted:
        cut_port(turn, port, "stopped", urgent=False)
    return Outcome("ok", {"port": body.port})


def purses(_turn: Turn, _body: PurseCopy) -> Outcome:
    """The canteen's purses, for authorising."""
    return Outcome("ok", {})


def posted(_turn: Turn, body: ChargePosted) -> Outcome:
    """The canteen's answer to a charge."""
    return Outcome("ok", {"session_id": body.session_id})


def metered(turn: Turn, port: Switch, reading: MeterReading) -> None:
    """A live reading of the port's meter; ``port`` holds the figures already."""


def reported(turn: Turn, port: Switch, reading: OutputReading) -> None:
    """The device's word on its own output; ``port.on`` is up to date already."""


def spoke(turn: Turn, port: Switch, reading: CardReading | SessionReading | KeypadReading) -> None:
    """A card, keys, or a board's own session at the port."""


def ended(turn: Turn, port: Switch, reason: str) -> None:
    """The port was just switched off for ``reason``."""


def facts(_world: World, port: Switch) -> PortFacts:
    """What charging shows of the port."""
    phase = PortPhase.IDLE_LOAD if port.wanted else PortPhase.TRIPPED if not port.armed else PortPhase.EMPTY
    return PortFacts(phase=phase)


def due_ns(_world: World) -> int | None:
    """When charging wants to be called by time alone."""
    return None


def tick(turn: Turn) -> None:
    """What has come due."""
