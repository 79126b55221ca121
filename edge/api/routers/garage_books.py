"""Stored sessions of charging, the journal and figures of the alarms, the journal of the doors."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from edge.api.access_books import access_list
from edge.api.context import Context, Ctx, Who
from edge.api.garage_books import GarageBooks, event_list, session_list
from edge.api.guard import GuardedRoute
from edge.api.models import ID_PATTERN, Cursor, Limit
from edge.api.owners import PAYS_OWN
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/garage", tags=["garage"])

PortQuery = Annotated[
    str | None, Query(min_length=1, max_length=64, pattern=ID_PATTERN, description="Only this charger.")
]
DoorQuery = Annotated[str | None, Query(min_length=1, max_length=64, pattern=ID_PATTERN, description="Only this door.")]
Operators = Annotated[int, Query(ge=1, le=20, description="People who watch at the same time.", examples=[1])]
Hours = Annotated[int, Query(ge=1, le=480, description="Over so many hours, the present one included.")]


def _books(ctx: Context) -> GarageBooks:
    if ctx.garage_books is None:
        raise ApiProblem("no_garage")
    return ctx.garage_books


@router.get(
    "/sessions",
    operation_id="garage_sessions",
    summary="Charging sessions",
    response_class=Response,
    responses=answers_with("SessionList", "Newest first; residents get their own only."),
)
async def sessions(ctx: Ctx, who: Who, port: PortQuery = None, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """With energy, price and why each ended."""
    payer = (who.member or "") if who.role in PAYS_OWN else None
    listing = await run_in_threadpool(_books(ctx).sessions, payer, port or "", cursor, limit)
    return struct_response(session_list(listing))


@router.get(
    "/alarms/events",
    operation_id="garage_alarm_events",
    summary="Journal of the alarms",
    response_class=Response,
    responses=answers_with("AlarmEventList", "Newest first."),
)
async def alarm_events(ctx: Ctx, _who: Who, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """What came and went, and who did what."""
    listing = await run_in_threadpool(_books(ctx).alarm_events, cursor, limit)
    return struct_response(event_list(listing))


@router.get(
    "/alarms/report",
    operation_id="garage_alarm_report",
    summary="How well the alarms serve",
    response_class=Response,
    responses=answers_with("AlarmKpi", "Figures to hold against ISA-18.2."),
)
async def alarm_report(ctx: Ctx, _who: Who, operators: Operators = 1, hours: Hours = 24) -> Response:
    """Alarms per hour and operator, time in flood, stale alarms, shares of the priorities."""
    report = await run_in_threadpool(_books(ctx).report, time.time_ns(), operators, hours)
    return struct_response(report)


@router.get(
    "/access/events",
    operation_id="garage_access_events",
    summary="Journal of the doors",
    response_class=Response,
    responses=answers_with("AccessEventList", "Newest first."),
)
async def access_events(
    ctx: Ctx, _who: Who, door: DoorQuery = None, cursor: Cursor = None, limit: Limit = 50
) -> Response:
    """Cards granted and refused, doors forced, held open, and released by a fire."""
    listing = await run_in_threadpool(_books(ctx).access_events, door or "", cursor, limit)
    return struct_response(access_list(listing))
