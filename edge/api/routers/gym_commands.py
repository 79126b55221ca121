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
from edge.api.guard import GuardedRoute
from edge.api.gym_bodies import (
    AssetId,
    ClaimBody,
    FaultBody,
    PersonBody,
    PersonToken,
    PrescriptionBody,
    QueueBody,
    StopReasonBody,
    VitalsBody,
    WorkoutId,
)
from edge.api.gym_owners import acts_for, trains_at
from edge.api.models import IdempotencyKey
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
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
    "/persons/{person}/lift-referral",
    operation_id="gym_lift_referral",
    summary="Take a referral of today back",
    responses=DONE,
    response_class=Response,
)
async def lift_referral(ctx: Ctx, who: Who, key: IdempotencyKey, person: PersonToken) -> Response:
    """By staff, who are its author. Admits nobody: the gate judges by readings taken after a rest."""
    return await give(ctx, who, key, messages.LiftReferral(person=person))


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
