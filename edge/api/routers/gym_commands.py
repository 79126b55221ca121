"""Commands to the gym: each request becomes one ``Command`` whose id is the Idempotency-Key.

A member acts for himself only: whose token asks is put into the command here, never taken from the body. A user would
notice a mistake as a machine that a stranger could take in one's name.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from edge.api.commanding import DONE, submit
from edge.api.context import Context, Ctx, Who
from edge.api.garage_bodies import AlarmId, ServiceBody, ShelveBody
from edge.api.guard import GuardedRoute
from edge.api.gym_bodies import (
    AssetId,
    ClaimBody,
    FaultBody,
    InspectionBody,
    NoteBody,
    PersonBody,
    PersonToken,
    PrescriptionBody,
    QueueBody,
    ReturnTestBody,
    StopReasonBody,
    TicketBody,
    VitalsBody,
    WorkOrderId,
    WorkoutId,
)
from edge.api.gym_owners import acts_for, trains_at
from edge.api.models import IdempotencyKey
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.domain.alarm_commands import AckAlarm, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm
from edge.domain.gym import messages
from edge.domain.gym.settings import AssetKind

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])


async def give(ctx: Context, who: Principal, key: str, body: messages.CommandBody) -> Response:
    """One gym command by ``who``."""
    return await submit(ctx, messages.Command(command_id=key, actor=who.actor, body=body))


@router.post(
    "/assets/{asset}/claim",
    operation_id="gym_claim_asset",
    summary="Take a machine, or be done with it",
    responses=DONE,
    response_class=Response,
)
async def claim(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: ClaimBody) -> Response:
    """A second time by the same person ends the workout."""
    person = acts_for(who, body.person)
    card = body.card if person == body.person else ""
    return await give(ctx, who, key, messages.ClaimAsset(asset=asset, person=person, card=card))


@router.post(
    "/assets/{asset}/leave",
    operation_id="gym_leave_asset",
    summary="Done with a machine",
    responses=DONE,
    response_class=Response,
)
async def leave(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId) -> Response:
    """A member ends the own workout only; another's answers as if the machine did not exist."""
    if not trains_at(who, ctx.gateway.present(), asset):
        raise ApiProblem("unknown_asset")
    return await give(ctx, who, key, messages.LeaveAsset(asset=asset))


@router.post(
    "/assets/{asset}/stop",
    operation_id="gym_stop_asset",
    summary="Stop a machine from afar",
    responses=DONE,
    response_class=Response,
)
async def stop(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId) -> Response:
    """A soft stop, by staff, where the site allows it for this machine."""
    return await give(ctx, who, key, messages.StopAsset(asset=asset))


@router.post(
    "/workouts/{workout}/claim",
    operation_id="gym_claim_workout",
    summary="This anonymous workout was mine",
    responses=DONE,
    response_class=Response,
)
async def claim_workout(ctx: Ctx, who: Who, key: IdempotencyKey, workout: WorkoutId, body: PersonBody) -> Response:
    """While it runs, or for a while after it."""
    return await give(ctx, who, key, messages.ClaimWorkout(workout_id=workout, person=acts_for(who, body.person)))


@router.post(
    "/workouts/{workout}/reason",
    operation_id="gym_stop_reason",
    summary="Why I stopped",
    responses=DONE,
    response_class=Response,
)
async def stop_reason(ctx: Ctx, who: Who, key: IdempotencyKey, workout: WorkoutId, body: StopReasonBody) -> Response:
    """A grave reason calls a coach. A member gives it for the own workout only."""
    books = ctx.gym_books
    if books is None:
        raise ApiProblem("no_gym")
    row = await run_in_threadpool(books.workout, workout)
    if row is not None and row.person and acts_for(who, row.person) != row.person:
        raise ApiProblem("unknown_workout")
    return await give(ctx, who, key, messages.GiveStopReason(workout_id=workout, reason=body.reason))


@router.post(
    "/queue/join",
    operation_id="gym_join_queue",
    summary="Wait for a free machine",
    responses=DONE,
    response_class=Response,
)
async def join(ctx: Ctx, who: Who, key: IdempotencyKey, body: QueueBody) -> Response:
    """One place a person; who is called has a short while to come."""
    person = acts_for(who, body.person)
    return await give(ctx, who, key, messages.JoinQueue(zone=body.zone, kind=AssetKind(body.kind), person=person))


@router.post(
    "/queue/leave",
    operation_id="gym_leave_queue",
    summary="Give up the place",
    responses=DONE,
    response_class=Response,
)
async def leave_queue(ctx: Ctx, who: Who, key: IdempotencyKey, body: PersonBody) -> Response:
    """The next in line moves up."""
    return await give(ctx, who, key, messages.LeaveQueue(person=acts_for(who, body.person)))


@router.post(
    "/persons/{person}",
    operation_id="gym_set_person",
    summary="Set a person's prescription and cards",
    responses=DONE,
    response_class=Response,
)
async def set_person(ctx: Ctx, who: Who, key: IdempotencyKey, person: PersonToken, body: PrescriptionBody) -> Response:
    """By staff; replaces what was set before. What staff set wins over every table."""
    return await give(ctx, who, key, messages.SetPerson(person=person, **body.model_dump()))


@router.post(
    "/persons/{person}/forget",
    operation_id="gym_forget_person",
    summary="Forget a person",
    responses=DONE,
    response_class=Response,
)
async def forget(ctx: Ctx, who: Who, key: IdempotencyKey, person: PersonToken) -> Response:
    """Deletes what ties the token to cards and prescription."""
    return await give(ctx, who, key, messages.ForgetPerson(person=person))


@router.post(
    "/persons/{person}/vitals",
    operation_id="gym_record_vitals",
    summary="Measured by hand",
    responses=DONE,
    response_class=Response,
)
async def vitals(ctx: Ctx, who: Who, key: IdempotencyKey, person: PersonToken, body: VitalsBody) -> Response:
    """Answers what the entry gate now says."""
    return await give(ctx, who, key, messages.RecordVitals(person=person, **body.model_dump()))


@router.post(
    "/assets/{asset}/fault",
    operation_id="gym_report_fault",
    summary="Something is wrong with it",
    responses=DONE,
    response_class=Response,
)
async def fault(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: FaultBody) -> Response:
    """Opens a work order."""
    return await give(ctx, who, key, messages.ReportFault(asset=asset, what=body.what, note=body.note))


@router.post(
    "/assets/{asset}/lock",
    operation_id="gym_lock_out",
    summary="Lock a machine out",
    responses=DONE,
    response_class=Response,
)
async def lock(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: NoteBody) -> Response:
    """Out of use until a return test."""
    return await give(ctx, who, key, messages.LockOut(asset=asset, note=body.note))


@router.post(
    "/assets/{asset}/return-test",
    operation_id="gym_return_test",
    summary="Tested after repair",
    responses=DONE,
    response_class=Response,
)
async def return_test(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: ReturnTestBody) -> Response:
    """Passed: the machine is given back and its orders are closed."""
    return await give(ctx, who, key, messages.ReturnTest(asset=asset, passed=body.passed, note=body.note))


@router.post(
    "/assets/{asset}/service",
    operation_id="gym_service_done",
    summary="The service that was due is done",
    responses=DONE,
    response_class=Response,
)
async def service_done(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: NoteBody) -> Response:
    """Its hours and days begin anew."""
    return await give(ctx, who, key, messages.ServiceDone(asset=asset, note=body.note))


@router.post(
    "/assets/{asset}/inspect",
    operation_id="gym_inspect",
    summary="An inspection by checklist",
    responses=DONE,
    response_class=Response,
)
async def inspect(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: InspectionBody) -> Response:
    """Danger locks the machine out at once."""
    items = tuple((one.item, one.grade) for one in body.items)
    return await give(ctx, who, key, messages.Inspect(asset=asset, items=items, note=body.note))


@router.post(
    "/orders/{order}/acknowledge",
    operation_id="gym_ack_order",
    summary="Somebody looks after it",
    responses=DONE,
    response_class=Response,
)
async def ack_order(ctx: Ctx, who: Who, key: IdempotencyKey, order: WorkOrderId) -> Response:
    """The order stays until a return test."""
    return await give(ctx, who, key, messages.AckOrder(order_id=order))


@router.post(
    "/orders/{order}/ticket",
    operation_id="gym_ticket_order",
    summary="Given to a workshop",
    responses=DONE,
    response_class=Response,
)
async def ticket(ctx: Ctx, who: Who, key: IdempotencyKey, order: WorkOrderId, body: TicketBody) -> Response:
    """With its number there."""
    return await give(ctx, who, key, messages.TicketOrder(order_id=order, ticket=body.ticket))


@router.post(
    "/alarms/{alarm_id}/acknowledge",
    operation_id="gym_ack_alarm",
    summary="I have seen it",
    responses=DONE,
    response_class=Response,
)
async def acknowledge(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId) -> Response:
    """Ends its sound, the buzzer's too, and its escalation."""
    return await give(ctx, who, key, AckAlarm(alarm_id=alarm_id))


@router.post(
    "/alarms/{alarm_id}/shelve",
    operation_id="gym_shelve_alarm",
    summary="Put an alarm aside for a while",
    responses=DONE,
    response_class=Response,
)
async def shelve(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId, body: ShelveBody) -> Response:
    """At most one shift; then it sounds again if it lasts."""
    return await give(ctx, who, key, ShelveAlarm(alarm_id=alarm_id, minutes=body.minutes, reason=body.reason))


@router.post(
    "/alarms/{alarm_id}/reset",
    operation_id="gym_reset_alarm",
    summary="End a latched alarm whose cause has gone",
    responses=DONE,
    response_class=Response,
)
async def reset_alarm(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId) -> Response:
    """Nothing in the field moves."""
    return await give(ctx, who, key, ResetAlarm(alarm_id=alarm_id))


@router.post(
    "/alarms/{alarm_id}/service",
    operation_id="gym_service_alarm",
    summary="Take an alarm out of service, or back",
    responses=DONE,
    response_class=Response,
)
async def service_alarm(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId, body: ServiceBody) -> Response:
    """For maintenance."""
    return await give(ctx, who, key, ServiceAlarm(alarm_id=alarm_id, out=body.out, reason=body.reason))


@router.post(
    "/alarms/{alarm_id}/shown",
    operation_id="gym_alarm_shown",
    summary="A page has it on its screen",
    responses=DONE,
    response_class=Response,
)
async def shown(ctx: Ctx, who: Who, key: IdempotencyKey, alarm_id: AlarmId) -> Response:
    """The proof of delivery of the channel "page"."""
    return await give(ctx, who, key, AlarmShown(alarm_id=alarm_id))
