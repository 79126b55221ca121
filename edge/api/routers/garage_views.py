"""What the garage shows now: zones, chargers, alarms. Passed on as encoded, but for what is a stranger's."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.context import Context, Ctx, Who
from edge.api.garage_bodies import PortId, ZoneId
from edge.api.gateway import KeyedView
from edge.api.guard import GuardedRoute
from edge.api.owners import seen_by
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, json_response

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/garage", tags=["garage"])

AGE = {"X-Daemon-Age-Ms": "Age of the daemon's last sign of life, ms; -1 for never. The answer is as old as that."}


def _age_header(ctx: Context) -> dict[str, str]:
    life = ctx.gateway.daemons().get("garage")
    return {"X-Daemon-Age-Ms": str(life.age_ms if life else -1)}


def _views(ctx: Context, who: Principal, kind: str) -> list[KeyedView]:
    found = [seen_by(who, view) for view in ctx.gateway.present() if view.key.startswith(kind)]
    return sorted((view for view in found if view is not None), key=lambda view: view.key)


def _one(ctx: Context, who: Principal, key: str, unknown: str) -> Response:
    """The view ``key``; before the daemon was heard for the first time nobody knows what exists."""
    life = ctx.gateway.daemons().get("garage")
    for view in ctx.gateway.present():
        shown = seen_by(who, view) if view.key == key else None
        if shown is not None:
            return json_response(shown.json, _age_header(ctx))
    if life is None:
        raise ApiProblem("no_garage")
    raise ApiProblem("no_view_yet" if life.age_ms < 0 or not unknown else unknown)


@router.get(
    "",
    operation_id="garage_overview",
    summary="The garage at a glance",
    response_class=Response,
    responses=answers_with("GarageView", "All zones with their states.", AGE),
)
async def overview(ctx: Ctx, who: Who) -> Response:
    """Zones, sessions, power, and whether the configuration is armed."""
    return _one(ctx, who, "garage", "")


@router.get(
    "/zones",
    operation_id="garage_zones",
    summary="All zones",
    response_class=Response,
    responses=answers_with("ZoneList", "Every zone, by name.", AGE),
)
async def zones(ctx: Ctx, who: Who) -> Response:
    """The present view of each zone."""
    return json_response(b'{"zones":[%b]}' % b",".join(v.json for v in _views(ctx, who, "zone/")), _age_header(ctx))


@router.get(
    "/zones/{zone}",
    operation_id="garage_zone",
    summary="One zone",
    response_class=Response,
    responses=answers_with("ZoneView", "State, sources, outputs, proof of cut.", AGE),
)
async def zone(ctx: Ctx, who: Who, zone: ZoneId) -> Response:
    """What the zone's panel shows now."""
    return _one(ctx, who, f"zone/{zone}", "unknown_zone")


@router.get(
    "/ports",
    operation_id="garage_ports",
    summary="All chargers",
    response_class=Response,
    responses=answers_with("PortList", "Every charger, by name; strangers' sessions are blank.", AGE),
)
async def ports(ctx: Ctx, who: Who) -> Response:
    """Which outlets are free, and the own session."""
    return json_response(b'{"ports":[%b]}' % b",".join(v.json for v in _views(ctx, who, "port/")), _age_header(ctx))


@router.get(
    "/ports/{port}",
    operation_id="garage_port",
    summary="One charger",
    response_class=Response,
    responses=answers_with("PortView", "The outlet; a stranger's session is blank.", AGE),
)
async def port(ctx: Ctx, who: Who, port: PortId) -> Response:
    """Minutes left, energy and cost are shown to the session's owner and to the staff."""
    return _one(ctx, who, f"port/{port}", "unknown_port")


@router.get(
    "/alarms",
    operation_id="garage_alarms",
    summary="Open alarms",
    response_class=Response,
    responses=answers_with("AlarmsView", "All that is not normal, the first fire on top.", AGE),
)
async def alarms(ctx: Ctx, who: Who) -> Response:
    """Grouped by root cause."""
    return _one(ctx, who, "alarms", "")
