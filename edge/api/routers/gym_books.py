"""Stored workouts, measurements, orders, wear and use of the gym."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from edge.api import gym_answers as answers
from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.gym_answers import heart_alarm_answer, inspection_answer, plain, unpack, workout_answer
from edge.api.gym_bodies import AssetId, PersonToken, WorkOrderId, WorkoutId
from edge.api.gym_books import GymBooks
from edge.api.gym_export import track_of_workout
from edge.api.gym_owners import CARERS, OWN, may_see_person
from edge.api.models import DAY_PATTERN, ID_PATTERN, Cursor, Limit
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response
from edge.domain.gym.photo_rows import INSPECTION
from edge.domain.gym.rows import WorkoutRow
from edge.export.text_files import to_csv, to_tcx
from edge.export.track import Track
from edge.storage.reading import Value

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])

PersonQuery = Annotated[
    str | None, Query(min_length=1, max_length=64, pattern=ID_PATTERN, description="Only this person (token).")
]
AssetQuery = Annotated[
    str | None, Query(min_length=1, max_length=48, pattern=ID_PATTERN, description="Only this machine.")
]
TrailQuery = Annotated[
    str, Query(min_length=1, max_length=48, pattern=ID_PATTERN, description="The trail.", examples=["park-loop"])
]
OpenQuery = Annotated[bool, Query(description="Only those that stand.")]
Form = Annotated[Literal["fit", "tcx", "csv"], Path(description="Kind of file.", examples=["fit"])]
UseDayQuery = Annotated[str, Query(pattern=DAY_PATTERN, description="Business day.", examples=["2026-11-22"])]

_TYPES = {
    "fit": "application/vnd.ant.fit",
    "tcx": "application/vnd.garmin.tcx+xml",
    "csv": "text/csv; charset=utf-8",
}
_FILES: dict[str, Any] = {
    "description": "The file.",
    "content": {kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for kind in _TYPES.values()},
    "headers": {
        "X-Kangle-Samples": {
            "description": "complete; none: nothing is stored of that time; away: summary and pulse alone, ask again.",
            "schema": {"type": "string"},
        }
    },
}


def books_of(ctx: Context) -> GymBooks:
    """The gym's stored rows; 404 on a site without a gym."""
    if ctx.gym_books is None:
        raise ApiProblem("no_gym")
    return ctx.gym_books


async def visible_workout(ctx: Context, who: Who, workout: str) -> WorkoutRow:
    """A workout that the caller may see; another's answers as if it did not exist."""
    row = await run_in_threadpool(books_of(ctx).workout, workout)
    if row is None or not may_see_person(who, row.person, ctx.accounts.has_consent):
        raise ApiProblem("unknown_workout")
    return row


@router.get(
    "/workouts",
    operation_id="gym_workouts",
    summary="Workouts",
    response_class=Response,
    responses=answers_with("WorkoutList", "Newest first; members get their own, family whom they may see."),
)
async def workouts(
    ctx: Ctx, who: Who, person: PersonQuery = None, asset: AssetQuery = None, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """With totals, pauses, and why each ended."""
    wanted = (who.member or "") if who.role in OWN else person
    if who.role not in CARERS and not (wanted and may_see_person(who, wanted, ctx.accounts.has_consent)):
        raise ApiProblem("unknown_person")
    where: dict[str, Value] = {**({"person": wanted} if wanted else {}), **({"asset": asset} if asset else {})}
    listing = await run_in_threadpool(books_of(ctx).workouts, where, cursor, limit)
    items = [workout_answer(row) for row in listing.rows]
    return struct_response(answers.WorkoutList(items=items, next_cursor=listing.next_cursor))


@router.get(
    "/workouts/{workout}",
    operation_id="gym_workout",
    summary="One workout",
    response_class=Response,
    responses=answers_with("WorkoutDetail", "With the alarms of its pulse and their samples."),
)
async def workout(ctx: Ctx, who: Who, workout: WorkoutId) -> Response:
    """The own, a family member's, or any for a coach."""
    row = await visible_workout(ctx, who, workout)
    alarms = await run_in_threadpool(books_of(ctx).heart_alarms, workout)
    detail = answers.WorkoutDetail(
        workout=workout_answer(row), heart_alarms=[heart_alarm_answer(one) for one in alarms]
    )
    return struct_response(detail)


@router.get(
    "/workouts/{workout}/export.{form}",
    operation_id="gym_workout_export",
    summary="One workout as a file",
    response_class=Response,
    responses={200: _FILES},
)
async def export(ctx: Ctx, who: Who, workout: WorkoutId, form: Form) -> Response:
    """FIT or TCX for training portals, CSV for tables. Second by second as far as the history answers, else the
    summary and the pulse; X-Kangle-Samples says which."""
    row = await visible_workout(ctx, who, workout)
    parts = await run_in_threadpool(books_of(ctx).pulses, workout)
    found = await track_of_workout(ctx.history, ctx.config.gym, row, parts)
    body = await run_in_threadpool(_encode, found.track, form)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="workout-{row.day}-{row.workout_id}.{form}"',
        "X-Kangle-Samples": found.samples,
    }
    return Response(body, media_type=_TYPES[form], headers=headers)


def _encode(track: Track, form: str) -> bytes:
    if form == "fit":
        from edge.export.fit_file import to_fit  # noqa: PLC0415 - half a second that no start needs

        return to_fit(track)
    return to_tcx(track) if form == "tcx" else to_csv(track)


@router.get(
    "/persons/{person}",
    operation_id="gym_person",
    summary="A person's prescription",
    response_class=Response,
    responses=answers_with("Person", "As staff have set it."),
)
async def person(ctx: Ctx, who: Who, person: PersonToken) -> Response:
    """For coaches, and for the person."""
    row = await run_in_threadpool(books_of(ctx).person, person)
    if row is None or not may_see_person(who, person, ctx.accounts.has_consent):
        raise ApiProblem("unknown_person")
    return struct_response(plain(row, answers.Person, cards=row.cards.split()))


@router.get(
    "/persons/{person}/vitals",
    operation_id="gym_vitals",
    summary="Measurements on arrival",
    response_class=Response,
    responses=answers_with("VitalsList", "Newest first."),
)
async def vitals(ctx: Ctx, who: Who, person: PersonToken, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Blood pressure, pulse, weight, and what the gate said."""
    if not may_see_person(who, person, ctx.accounts.has_consent):
        raise ApiProblem("unknown_person")
    listing = await run_in_threadpool(books_of(ctx).vitals, person, cursor, limit)
    items = [plain(row, answers.VitalsItem) for row in listing.rows]
    return struct_response(answers.VitalsList(items=items, next_cursor=listing.next_cursor))


@router.get(
    "/orders",
    operation_id="gym_orders",
    summary="Work orders",
    response_class=Response,
    responses=answers_with("WorkOrderList", "Newest first."),
)
async def orders(
    ctx: Ctx, _who: Who, *, asset: AssetQuery = None, standing: OpenQuery = False, cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:  # fmt: skip
    """Open and closed."""
    where: dict[str, Value] = {**({"asset": asset} if asset else {}), **({"standing": 1} if standing else {})}
    listing = await run_in_threadpool(books_of(ctx).orders, where, cursor, limit)
    items = [plain(row, answers.WorkOrder) for row in listing.rows]
    return struct_response(answers.WorkOrderList(items=items, next_cursor=listing.next_cursor))


@router.get(
    "/orders/{order}/steps",
    operation_id="gym_order_steps",
    summary="What was done to an order",
    response_class=Response,
    responses=answers_with("WorkOrderSteps", "Oldest first."),
)
async def order_steps(ctx: Ctx, _who: Who, order: WorkOrderId) -> Response:
    """Who did what, and when."""
    rows = await run_in_threadpool(books_of(ctx).order_steps, order)
    return struct_response(answers.WorkOrderSteps(items=[plain(row, answers.WorkOrderStep) for row in rows]))


@router.get(
    "/assets/{asset}/days",
    operation_id="gym_wear_days",
    summary="A machine day by day",
    response_class=Response,
    responses=answers_with("WearDayList", "Newest first."),
)
async def wear_days(ctx: Ctx, _who: Who, asset: AssetId, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Use, and the index of its motor current."""
    listing = await run_in_threadpool(books_of(ctx).wear_days, asset, cursor, limit)
    items = [plain(row, answers.WearDay, busy_s=row.busy_ms // 1000) for row in listing.rows]
    return struct_response(answers.WearDayList(items=items, next_cursor=listing.next_cursor))


@router.get(
    "/assets/{asset}/inspections",
    operation_id="gym_inspections",
    summary="Inspections of a machine",
    response_class=Response,
    responses=answers_with("InspectionList", "Newest first."),
)
async def inspections(ctx: Ctx, _who: Who, asset: AssetId, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """By checklist, with the worst grade."""
    listing = await run_in_threadpool(books_of(ctx).inspections, asset, cursor, limit)
    photo = await run_in_threadpool(books_of(ctx).photo, INSPECTION, asset)
    items = [inspection_answer(row, photo) for row in listing.rows]
    return struct_response(answers.InspectionList(items=items, next_cursor=listing.next_cursor))


@router.get(
    "/laps",
    operation_id="gym_laps",
    summary="Laps of a trail",
    response_class=Response,
    responses=answers_with("LapList", "Newest first, without names or tags."),
)
async def laps(ctx: Ctx, _who: Who, trail: TrailQuery, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Times and what was wrong with them."""
    listing = await run_in_threadpool(books_of(ctx).laps, trail, cursor, limit)
    items = [plain(row, answers.Lap, segments=unpack(row.segments, list[tuple[int, int]])) for row in listing.rows]
    return struct_response(answers.LapList(items=items, next_cursor=listing.next_cursor))


@router.get(
    "/use",
    operation_id="gym_use",
    summary="Use by the hour",
    response_class=Response,
    responses=answers_with("UseDay", "The hours of one day, by room and kind of machine."),
)
async def use(ctx: Ctx, _who: Who, day: UseDayQuery) -> Response:
    """For the profile that tells when to come."""
    rows = await run_in_threadpool(books_of(ctx).use_hours, day)
    hours = [
        plain(row, answers.UseHour, busy_s=row.busy_ms // 1000, wait_s=row.wait_ms // 1000,
              longest_wait_s=row.longest_wait_ms // 1000)
        for row in rows
    ]  # fmt: skip
    return struct_response(answers.UseDay(day=day, hours=hours))
