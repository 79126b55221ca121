"""Sums of the gym: when to come, and what one person did in a week."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from edge.api.context import Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.gym_books import MAX_ROWS, GymBooks
from edge.api.gym_owners import OWN, may_see_person
from edge.api.gym_sums import WEEK_D, MyWeek, UseWeek, days_until, my_week, use_week
from edge.api.models import DAY_PATTERN
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response
from edge.api.routers.gym_books import PersonQuery, books_of
from edge.domain.gym.settings import GymConfig, LimitSettings

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])

LastDayQuery = Annotated[
    str, Query(pattern=DAY_PATTERN, description="Last business day that counts.", examples=["2026-11-20"])
]
WeeksQuery = Annotated[int, Query(ge=1, le=12, description="How many weeks.", examples=[4])]


@router.get(
    "/use/week",
    operation_id="gym_use_week",
    summary="The hours of the week",
    response_class=Response,
    responses=answers_with("UseWeek", "Mean use by hour of the week, for each room and kind of machine."),
)
async def profile(ctx: Ctx, _who: Who, last_day: LastDayQuery, weeks: WeeksQuery = 4) -> Response:
    """When to come. Days without figures count neither way."""
    books = books_of(ctx)
    if ctx.config.gym is None:
        raise ApiProblem("no_gym")
    _days(last_day, weeks * WEEK_D)
    return struct_response(await run_in_threadpool(_profile, books, ctx.config.gym, last_day, weeks * WEEK_D))


@router.get(
    "/week",
    operation_id="gym_my_week",
    summary="A person's week",
    response_class=Response,
    responses=answers_with("MyWeek", "Seven days with minutes, distance, energy and effort by pulse."),
)
async def week(ctx: Ctx, who: Who, last_day: LastDayQuery, person: PersonQuery = None) -> Response:
    """Members get their own, family whom they may see. Effort is told by shares of the maximum pulse, and only where
    one is known and no beta-blocker is taken."""
    wanted = (who.member or "") if who.role in OWN else (person or "")
    if not wanted or not may_see_person(who, wanted, ctx.accounts.has_consent):
        raise ApiProblem("unknown_person")
    books = books_of(ctx)
    settings = LimitSettings() if ctx.config.gym is None else ctx.config.gym.limits
    days = _days(last_day, WEEK_D)
    return struct_response(await run_in_threadpool(_week, books, wanted, days, settings))


def _days(last_day: str, count: int) -> list[str]:
    try:
        return days_until(last_day, count)
    except (ValueError, OverflowError):  # the 30th of February, the year 0
        errors = [{"pointer": "query:last_day", "message": "must be a day of the calendar"}]
        raise ApiProblem("bad_value", errors=errors) from None


def _profile(books: GymBooks, config: GymConfig, last_day: str, days: int) -> UseWeek:
    return use_week(config, {day: books.use_hours(day) for day in days_until(last_day, days)}, last_day, days)


def _week(books: GymBooks, person: str, days: list[str], settings: LimitSettings) -> MyWeek:
    rows = {day: list(reversed(books.workouts({"person": person, "day": day}, None, MAX_ROWS).rows)) for day in days}
    pulses = {row.workout_id: books.pulses(row.workout_id) for found in rows.values() for row in found if row.peak_bpm}
    return my_week(person, rows, pulses, books.person(person), settings)
