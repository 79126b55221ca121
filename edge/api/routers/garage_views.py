"""What the garage shows now: zones, chargers, alarms. Passed on as encoded, but for what is a stranger's."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.context import Ctx, Who
from edge.api.garage_bodies import PortId, ZoneId
from edge.api.guard import GuardedRoute
from edge.api.replies import answers_with
from edge.api.view_answers import AGE, list_answer, view_answer

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/garage", tags=["garage"])


@router.get(
    "",
    operation_id="garage_overview",
    summary="The garage at a glance",
    response_class=Response,
    responses=answers_with("GarageView", "All zones with their states.", AGE),
)
async def overview(ctx: Ctx, who: Who) -> Response:
    """Zones, sessions, power, and whether the configuration is armed."""
    return view_answer(ctx, who, "garage", "garage")


@router.get(
    "/zones",
    operation_id="garage_zones",
    summary="All zones",
    response_class=Response,
    responses=answers_with("ZoneList", "Every zone, by name.", AGE),
)
async def zones(ctx: Ctx, who: Who) -> Response:
    """The present view of each zone."""
    return list_answer(ctx, who, "garage", "zones", "zone/")


@router.get(
    "/zones/{zone}",
    operation_id="garage_zone",
    summary="One zone",
    response_class=Response,
    responses=answers_with("ZoneView", "State, sources, outputs, proof of cut.", AGE),
)
async def zone(ctx: Ctx, who: Who, zone: ZoneId) -> Response:
    """What the zone's panel shows now."""
    return view_answer(ctx, who, "garage", f"zone/{zone}", "unknown_zone")


@router.get(
    "/ports",
    operation_id="garage_ports",
    summary="All chargers",
    response_class=Response,
    responses=answers_with("PortList", "Every charger, by name; strangers' sessions are blank.", AGE),
)
async def ports(ctx: Ctx, who: Who) -> Response:
    """Which outlets are free, and the own session."""
    return list_answer(ctx, who, "garage", "ports", "port/")


@router.get(
    "/ports/{port}",
    operation_id="garage_port",
    summary="One charger",
    response_class=Response,
    responses=answers_with("PortView", "The outlet; a stranger's session is blank.", AGE),
)
async def port(ctx: Ctx, who: Who, port: PortId) -> Response:
    """Minutes left, energy and cost are shown to the session's owner and to the staff."""
    return view_answer(ctx, who, "garage", f"port/{port}", "unknown_port")


@router.get(
    "/alarms",
    operation_id="garage_alarms",
    summary="Open alarms",
    response_class=Response,
    responses=answers_with("AlarmsView", "All that is not normal, the first fire on top.", AGE),
)
async def alarms(ctx: Ctx, who: Who) -> Response:
    """Grouped by root cause."""
    return view_answer(ctx, who, "garage", "alarms")
