"""What the gym shows now: machines, queue, trails, maintenance. Without what concerns other people."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.context import Context, Ctx, Who
from edge.api.gateway import KeyedView
from edge.api.guard import GuardedRoute
from edge.api.gym_bodies import AssetId
from edge.api.owners import seen_by
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, json_response

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])

AGE = {"X-Daemon-Age-Ms": "Age of the daemon's last sign of life, ms; -1 for never. The answer is as old as that."}


def _age_header(ctx: Context) -> dict[str, str]:
    life = ctx.gateway.daemons().get("gym")
    return {"X-Daemon-Age-Ms": str(life.age_ms if life else -1)}


def _views(ctx: Context, who: Principal, kind: str) -> list[KeyedView]:
    found = [seen_by(who, view) for view in ctx.gateway.present() if view.key.startswith(kind)]
    return sorted((view for view in found if view is not None), key=lambda view: view.key)


def _one(ctx: Context, who: Principal, key: str, unknown: str) -> Response:
    """The view ``key``; before the daemon was heard for the first time nobody knows what exists."""
    life = ctx.gateway.daemons().get("gym")
    for view in ctx.gateway.present():
        shown = seen_by(who, view) if view.key == key else None
        if shown is not None:
            return json_response(shown.json, _age_header(ctx))
    if life is None:
        raise ApiProblem("no_gym")
    raise ApiProblem("no_view_yet" if life.age_ms < 0 or not unknown else unknown)


@router.get(
    "",
    operation_id="gym_overview",
    summary="The gym at a glance",
    response_class=Response,
    responses=answers_with("GymView", "Rooms, machines, queue, today.", AGE),
)
async def overview(ctx: Ctx, who: Who) -> Response:
    """What the wall shows."""
    return _one(ctx, who, "gym", "")


@router.get(
    "/assets",
    operation_id="gym_assets",
    summary="All machines",
    response_class=Response,
    responses=answers_with("AssetList", "Every machine, by name; others' workouts are blank.", AGE),
)
async def assets(ctx: Ctx, who: Who) -> Response:
    """The present view of each machine."""
    return json_response(b'{"assets":[%b]}' % b",".join(v.json for v in _views(ctx, who, "asset/")), _age_header(ctx))


@router.get(
    "/assets/{asset}",
    operation_id="gym_asset",
    summary="One machine",
    response_class=Response,
    responses=answers_with("AssetView", "The machine; another's workout is blank.", AGE),
)
async def asset(ctx: Ctx, who: Who, asset: AssetId) -> Response:
    """What its page shows now."""
    return _one(ctx, who, f"asset/{asset}", "unknown_asset")


@router.get(
    "/alarms",
    operation_id="gym_alarms",
    summary="Open alarms",
    response_class=Response,
    responses=answers_with("AlarmsView", "All that is not normal.", AGE),
)
async def alarms(ctx: Ctx, who: Who) -> Response:
    """Grouped by root cause."""
    return _one(ctx, who, "gym-alarms", "")


@router.get(
    "/maintenance",
    operation_id="gym_maintenance",
    summary="Open work orders and what is due",
    response_class=Response,
    responses=answers_with("MaintenanceView", "Orders that stand, services that are due.", AGE),
)
async def maintenance(ctx: Ctx, who: Who) -> Response:
    """The maintenance list."""
    return _one(ctx, who, "maintenance", "")
