"""The live stream."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.hub import TooManyStreams
from edge.api.live import LiveResponse
from edge.api.owners import may_see_view, seen_by
from edge.api.principal import Principal
from edge.api.problems import ApiProblem

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1", tags=["live"])

MAX_WANTED = 32


class Wanted:
    """Which keys a client asked for: exact ones, and whole kinds written with a final slash ("lane/")."""

    def __init__(self, keys: str) -> None:
        parts = [part for part in keys.split(",") if part][:MAX_WANTED]
        self.exact = frozenset(part for part in parts if not part.endswith("/"))
        self.prefixes = tuple(part for part in parts if part.endswith("/"))
        self.everything = not parts

    def fits(self, key: str) -> bool:
        """Whether ``key`` was asked for; everything when nothing was named."""
        return self.everything or key in self.exact or key.startswith(self.prefixes)


def _check_wanted(ctx: Context, who: Principal, wanted: Wanted) -> None:
    """404 when none of the keys that the caller may see fits what was asked for."""
    lanes = ctx.config.canteen.lanes
    keys = {"menu", "day", *(f"lane/{lane.lane}" for lane in lanes), *(f"device/{lane.device}" for lane in lanes)}
    keys |= {view.key for view in ctx.gateway.present()}
    if not any(wanted.fits(key) and may_see_view(who, key) for key in keys):
        raise ApiProblem("unknown_view")


@router.get(
    "/live",
    operation_id="live",
    summary="Follow live views",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events without end: `view` (data: ViewEvent, id `<boot>:<key>:<version>`), the "
            "present views first; `gone` (data: GoneEvent) for one that there is no more, as after a reload of the "
            "site; `pulse` each second (data: PulseEvent). Views are complete states; a slow client skips states and "
            "is never behind. No pulse for 3 s means that the connection is dead.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def live(
    ctx: Ctx,
    who: Who,
    keys: Annotated[
        str,
        Query(
            max_length=512,
            pattern=r"^[A-Za-z0-9._:,/-]*$",
            description="Comma-separated keys; a final slash means all of that kind. Empty: all that you may see.",
            examples=["lane/,menu,day,device/"],
        ),
    ] = "",
) -> Response:
    """Only views that the caller's role may see are sent: a terminal gets its own lane."""
    wanted = Wanted(keys)
    _check_wanted(ctx, who, wanted)
    try:
        # Whoever follows: what a view is without is decided by the same words as for the routes, never by role here.
        client = ctx.hub.open(who.user, wanted.fits, lambda view: seen_by(who, view))
    except TooManyStreams as exc:
        raise ApiProblem("too_many_streams", retry_after_s=5) from exc
    return LiveResponse(ctx.hub, client, lambda: ctx.accounts.sessions.still_valid(who))
