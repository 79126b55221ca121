"""Who may do what: a command's role, and the piece that does it.

A user would notice a mistake as a visitor who could raise his own ceiling.
"""

from __future__ import annotations

from edge.domain.alarm_commands import AckAlarm, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm, act
from edge.domain.gym import heart, machines, orders, people, photos, queue, referrals, wear
from edge.domain.gym.messages import (
    COMMAND_ROLES,
    AckOrder,
    AddInspectionPhoto,
    AddOrderPhoto,
    ClaimAsset,
    ClaimWorkout,
    CloseOrder,
    Command,
    ErasePhoto,
    ForgetPerson,
    GiveStopReason,
    Inspect,
    JoinQueue,
    LeaveAsset,
    LeaveQueue,
    LiftReferral,
    LockOut,
    OrderCommand,
    RecordVitals,
    ReportFault,
    ReturnTest,
    ServiceDone,
    SetPerson,
    StopAsset,
    TicketOrder,
)
from edge.domain.gym.turn import Turn
from edge.domain.gym.workout_state import Identity
from edge.domain.outcome import Outcome, refused

MAX_COMMAND_ID = 255
#: Longest name or token in a command; notes have a length of their own.
MAX_NAME = 120
_NOTES = frozenset({"note", "reason", "ticket", "what"})


def decide(turn: Turn, command: Command) -> Outcome:
    """Check the command and do it."""
    if not 1 <= len(command.command_id) <= MAX_COMMAND_ID:
        return refused("bad_value", max_command_id=MAX_COMMAND_ID)
    if command.actor.role not in COMMAND_ROLES[type(command.body)]:
        return refused("forbidden", role=command.actor.role.value)
    if turn.world.config is None:
        return refused("not_now", problem="no_config")
    for name in command.body.__struct_fields__:
        value = getattr(command.body, name)
        if isinstance(value, str) and len(value) > (orders.MAX_NOTE if name in _NOTES else MAX_NAME):
            return refused("bad_value", field=name, high=MAX_NAME)
    return _dispatch(turn, command)


def _dispatch(turn: Turn, command: Command) -> Outcome:
    match command.body:
        case SetPerson() as body:
            return people.set_person(turn, body, command.actor)
        case ForgetPerson() as body:
            return people.forget(turn, body)
        case RecordVitals() as body:
            return people.record(turn, body, command.actor)
        case LiftReferral() as body:
            return referrals.lift(turn, body, command.actor)
        case ClaimAsset() as body:
            return machines.claim(turn, body, identity=Identity.CARD if body.card else Identity.QR)
        case LeaveAsset() as body:
            return machines.leave(turn, body)
        case ClaimWorkout() as body:
            return machines.claim_workout(turn, body)
        case GiveStopReason() as body:
            return machines.stop_reason(turn, body)
        case StopAsset() as body:
            return heart.stop(turn, body)
        case JoinQueue() as body:
            return queue.join(turn, body)
        case LeaveQueue() as body:
            return queue.leave(turn, body)
        case AckAlarm() | ShelveAlarm() | ResetAlarm() | ServiceAlarm() | AlarmShown() as body:
            code = act(turn.world.alarms, body, command.actor.user, turn.stamp)
            heart.calls_heard(turn)
            return Outcome(code, {})
        case AddOrderPhoto() | AddInspectionPhoto() | ErasePhoto() as body:
            return photos.act(turn, body, command.actor)
        case body:
            return _maintain(turn, body, command.actor.user)


def _maintain(turn: Turn, body: OrderCommand, by: str) -> Outcome:
    match body:
        case ReportFault():
            return orders.report(turn, body, by)
        case AckOrder():
            return orders.acknowledge(turn, body, by)
        case TicketOrder():
            return orders.ticket(turn, body, by)
        case LockOut():
            return orders.lock_out(turn, body, by)
        case ReturnTest():
            return orders.return_test(turn, body, by)
        case CloseOrder():
            return orders.close(turn, body, by)
        case ServiceDone():
            return wear.service_done(turn, body, by)
        case Inspect():
            outcome = orders.inspect(turn, body, by)
            if outcome.code == "ok":
                wear.inspected(turn, turn.world.assets[body.asset])
            return outcome
