"""Zones of the site file as one curve each. Read from the history process alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from edge.api.context import Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.history_answers import group_of
from edge.api.history_zone_answers import zones_of
from edge.api.replies import answers_with, struct_response
from edge.api.routers.history import BeginMs, EndMs, OffsetMin, Vertical, WindowS, ask_history, span_of
from edge.runtime.history_messages import AskZone, AskZones, GroupPart, ZonesPart

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/history", tags=["history"])


@router.get(
    "/zones",
    operation_id="history_zones",
    summary="Zones that can be asked for as one",
    response_class=Response,
    responses=answers_with("HistoryZones", "By the names of the site file."),
)
async def zones(ctx: Ctx, _who: Who, vertical: Vertical) -> Response:
    """Each with the quantities that things in it have told."""
    return struct_response(zones_of(vertical, await ask_history(ctx, AskZones(vertical), ZonesPart)))


@router.get(
    "/zone",
    operation_id="history_zone",
    summary="A zone as one curve",
    response_class=Response,
    responses=answers_with("HistoryGroup", "Windows that hold something of anything in the zone."),
)
async def zone(
    ctx: Ctx,
    _who: Who,
    vertical: Vertical,
    zone: Annotated[str, Query(min_length=1, max_length=40, description="Its name in the site file.", examples=["B1"])],
    quantity: Annotated[str, Query(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="Of what.", examples=["power_w"])],
    begin_ms: BeginMs,
    end_ms: EndMs,
    window_s: WindowS = 3600,
    offset_min: OffsetMin = 480,
) -> Response:
    """Each outlet or machine counts once: by its own meter where it has one. Feeds are left out of their zone."""
    ask = AskZone(vertical, zone, quantity, *span_of(begin_ms, end_ms), window_s, offset_min * 60)
    return struct_response(group_of(await ask_history(ctx, ask, GroupPart), window_s))
