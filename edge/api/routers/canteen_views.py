"""What the canteen shows now: lanes, today's menu, the day in numbers. Passed on as the daemon encoded it."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from edge.api.context import Context, Ctx, Who
from edge.api.gateway import KeyedView
from edge.api.guard import GuardedRoute
from edge.api.models import LaneId
from edge.api.owners import check_lane, may_see_view
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, json_response
from edge.api.view_answers import AGE, age_header

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/canteen", tags=["canteen"])

ETAG = {"ETag": "Version of the board; send it as If-None-Match to get 304 while nothing changed."}
IfNoneMatch = Annotated[str, Header(max_length=256, description="ETag of the copy that you have.")]


def _view(ctx: Context, key: str) -> KeyedView | None:
    return next((view for view in ctx.gateway.present() if view.key == key), None)


@router.get(
    "/lanes",
    operation_id="canteen_lanes",
    summary="All lanes",
    response_class=Response,
    responses=answers_with("LaneList", "Every lane that the caller may see, in the order of the configuration.", AGE),
)
async def lanes(ctx: Ctx, who: Who) -> Response:
    """The present view of each lane; a terminal sees its own. The header X-Daemon-Age-Ms tells how fresh they are."""
    known = {view.key: view.json for view in ctx.gateway.present() if may_see_view(who, view.key)}
    keys = [f"lane/{lane.lane}" for lane in ctx.config.canteen.lanes]
    found = [known[key] for key in keys if key in known]
    return json_response(b'{"lanes":[%b]}' % b",".join(found), age_header(ctx, "canteen"))


@router.get(
    "/lanes/{lane}",
    operation_id="canteen_lane",
    summary="One lane",
    response_class=Response,
    responses=answers_with("LaneView", "The lane's present state.", AGE),
)
async def lane(ctx: Ctx, who: Who, lane: LaneId) -> Response:
    """What the checkout screen of this lane shows now."""
    check_lane(who, lane)
    view = _view(ctx, f"lane/{lane}")
    if view is None:
        known = any(lane == settings.lane for settings in ctx.config.canteen.lanes)
        raise ApiProblem("no_view_yet" if known else "unknown_lane")
    return json_response(view.json, age_header(ctx, "canteen"))


@router.get(
    "/menu",
    operation_id="canteen_menu",
    summary="Today's menu",
    response_class=Response,
    responses={
        **answers_with("MenuView", "The board of the present business day.", {**AGE, **ETAG}),
        304: {"description": "You have this version already."},
    },
)
async def menu(ctx: Ctx, _who: Who, if_none_match: IfNoneMatch = "") -> Response:
    """Dishes, prices, nutrition and portions left, with an ETag."""
    view = _view(ctx, "menu")
    if view is None:
        raise ApiProblem("no_view_yet")
    etag = f'"{hashlib.sha256(view.json).hexdigest()[:20]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", **age_header(ctx, "canteen")}
    if etag in [tag.strip() for tag in if_none_match.split(",")]:
        return Response(status_code=304, headers=headers)
    return json_response(view.json, headers)


@router.get(
    "/day",
    operation_id="canteen_day",
    summary="The day in numbers",
    response_class=Response,
    responses=answers_with("DayView", "Totals of the present business day.", AGE),
)
async def day(ctx: Ctx, _who: Who) -> Response:
    """Orders, takings, subsidies and refunds of today."""
    view = _view(ctx, "day")
    if view is None:
        raise ApiProblem("no_view_yet")
    return json_response(view.json, age_header(ctx, "canteen"))
