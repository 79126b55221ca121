"""Who may do what: a command's role, its limits, and the piece that does it.

A user would notice a mistake as a resident who could reset a zone.
"""

from __future__ import annotations

from edge.domain.alarm_commands import AlarmCommand, act
from edge.domain.garage import charging_posting, port_kernel
from edge.domain.garage.commands import cut_zone, rearm_port, reset_zone, silence_zone, test_zone
from edge.domain.garage.messages import (
    COMMAND_ROLES,
    ChargePosted,
    Command,
    CutZone,
    PurseCopy,
    RearmPort,
    ResetZone,
    SilenceZone,
    StartSession,
    StopSession,
    TestZone,
)
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import is_armed
from edge.domain.outcome import Outcome, refused

MAX_COMMAND_ID = 255


def decide(turn: Turn, command: Command) -> Outcome:
    """Check the command and do it."""
    if not 1 <= len(command.command_id) <= MAX_COMMAND_ID:
        return refused("bad_value", max_command_id=MAX_COMMAND_ID)
    if command.actor.role not in COMMAND_ROLES[type(command.body)]:
        return refused("forbidden", role=command.actor.role.value)
    away = turn.world.config is None and not isinstance(command.body, AlarmCommand)
    if away or (not is_armed(turn.world) and isinstance(command.body, StartSession | RearmPort)):
        return refused("not_now", problem="no_config", problems=list(turn.world.problems))
    return _dispatch(turn, command)


def _dispatch(turn: Turn, command: Command) -> Outcome:
    match command.body:
        case ResetZone() as body:
            return reset_zone(turn, body)
        case RearmPort() as body:
            return rearm_port(turn, body)
        case SilenceZone() as body:
            return silence_zone(turn, body)
        case TestZone() as body:
            return test_zone(turn, body)
        case CutZone() as body:
            return cut_zone(turn, body, command.actor.user)
        case StartSession() as body:
            return port_kernel.start(turn, body, command.actor)
        case StopSession() as body:
            return port_kernel.stop(turn, body, command.actor)
        case PurseCopy() as body:
            return charging_posting.copied(turn, body)
        case ChargePosted() as body:
            return charging_posting.posted(turn, body)
        case body:
            return _alarm(turn, command, body)


def _alarm(turn: Turn, command: Command, body: AlarmCommand) -> Outcome:
    code = act(turn.world.alarms, body, command.actor.user, turn.stamp)
    return Outcome(code, {})
