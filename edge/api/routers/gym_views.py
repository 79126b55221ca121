"""What the gym shows now: machines, queue, trails, maintenance. Without what concerns other people."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.context import Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.gym_bodies import AssetId
from edge.api.replies import answers_with
from edge.api.view_answers import AGE, list_answer, view_answer

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])


@router.get(
    "",
    operation_id="gym_overview",
    summary="The gym at a glance",
    response_class=Response,
    responses=answers_with("GymView", "Rooms, machines, queue, today.", AGE),
)
async def overview(ctx: Ctx, who: Who) -> Response:
    """What the wall shows."""
    return view_answer(ctx, who, "gym", "gym")


@router.get(
    "/assets",
    operation_id="gym_assets",
    summary="All machines",
    response_class=Response,
    responses=answers_with("AssetList", "Every machine, by name; others' workouts are blank.", AGE),
)
async def assets(ctx: Ctx, who: Who) -> Response:
    """The present view of each machine."""
    return list_answer(ctx, who, "gym", "assets", "asset/")


@router.get(
    "/assets/{asset}",
    operation_id="gym_asset",
    summary="One machine",
    response_class=Response,
    responses=answers_with("AssetView", "The machine; another's workout is blank.", AGE),
)
async def asset(ctx: Ctx, who: Who, asset: AssetId) -> Response:
    """What its page shows now."""
    return view_answer(ctx, who, "gym", f"asset/{asset}", "unknown_asset")


@router.get(
    "/alarms",
    operation_id="gym_alarms",
    summary="Open alarms",
    response_class=Response,
    responses=answers_with("AlarmsView", "All that is not normal.", AGE),
)
async def alarms(ctx: Ctx, who: Who) -> Response:
    """Grouped by root cause."""
    return view_answer(ctx, who, "gym", "gym-alarms")


@router.get(
    "/maintenance",
    operation_id="gym_maintenance",
    summary="Open work orders and what is due",
    response_class=Response,
    responses=answers_with("MaintenanceView", "Orders that stand, services that are due.", AGE),
)
async def maintenance(ctx: Ctx, who: Who) -> Response:
    """The maintenance list."""
    return view_answer(ctx, who, "gym", "maintenance")
