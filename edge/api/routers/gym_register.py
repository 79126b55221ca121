"""The register of equipment, for the page and for whoever inspects the site."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.gym_register import Register, UseCounts, counts_of, register_csv, register_of
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response
from edge.api.routers.gym_books import UseDayQuery, books_of

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])

OutdoorQuery = Annotated[bool, Query(description="Outdoor equipment alone (GB 19272-2024).")]
_SHEET: dict[str, Any] = {
    "description": "The sheet.",
    "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
}


def _counts(ctx: Context, day: str) -> UseCounts:
    if ctx.config.gym is None:
        raise ApiProblem("no_gym")
    return counts_of(ctx.config.gym, day, books_of(ctx).counts(day))


async def _read(ctx: Context, *, outdoor: bool) -> Register:
    books, config = books_of(ctx), ctx.config.gym
    if config is None:
        raise ApiProblem("no_gym")
    return await run_in_threadpool(register_of, config, books, outdoor=outdoor)


@router.get(
    "/register",
    operation_id="gym_register",
    summary="The register of equipment",
    response_class=Response,
    responses=answers_with("Register", "Every piece, in the order of the site file."),
)
async def register(ctx: Ctx, _who: Who, *, outdoor: OutdoorQuery = False) -> Response:
    """Maker, model, installation, end of life, use, inspections and what stands against each piece."""
    return struct_response(await _read(ctx, outdoor=outdoor))


@router.get(
    "/register.csv",
    operation_id="gym_register_csv",
    summary="The register as a sheet",
    response_class=Response,
    responses={200: _SHEET},
)
async def sheet(ctx: Ctx, _who: Who, *, outdoor: OutdoorQuery = False) -> Response:
    """The same for a spreadsheet."""
    body = await run_in_threadpool(register_csv, await _read(ctx, outdoor=outdoor))
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="register.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.get(
    "/counts",
    operation_id="gym_counts",
    summary="Uses of outdoor points",
    response_class=Response,
    responses=answers_with("UseCounts", "Every point that was counted that day, in the order of the site file."),
)
async def counts(ctx: Ctx, _who: Who, day: UseDayQuery) -> Response:
    """How often each was used, and in which hours. A day is here once it is over; what was used today is in the
    register."""
    return struct_response(await run_in_threadpool(_counts, ctx, day))
