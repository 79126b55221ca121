"""The built pages. Known routes only; files by exact name; everything else is the 404 page."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from edge.api.context import Ctx
from edge.api.guard import GuardedRoute
from edge.api.page_store import IMMUTABLE, LANE_PAGE, MACHINE_PAGE, PAGES, PORT_PAGE, ZONE_PAGE, respond
from edge.api.problems import ApiProblem

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
METHODS = ["GET", "HEAD"]


async def page(ctx: Ctx, request: Request) -> Response:
    """One of the pages with a fixed address."""
    return ctx.pages.page(request, PAGES[request.url.path])


for _path in PAGES:
    router.add_api_route(_path, page, methods=METHODS, operation_id="page", response_class=Response)


@router.api_route("/lane/{lane}", methods=METHODS, operation_id="page_lane", response_class=Response)
async def page_lane(ctx: Ctx, request: Request, lane: str) -> Response:
    """The checkout screen; which lane, the page reads from its address."""
    if not any(lane == settings.lane for settings in ctx.config.canteen.lanes):
        raise ApiProblem("not_found")
    return ctx.pages.page(request, LANE_PAGE)


@router.api_route("/garage/zone/{zone}", methods=METHODS, operation_id="page_zone", response_class=Response)
async def page_zone(ctx: Ctx, request: Request, zone: str) -> Response:  # noqa: ARG001 - the page reads it
    """The panel of a zone; which zone, the page reads from its address (and says so when there is none of that name:
    names of zones are not told to strangers)."""
    return ctx.pages.page(request, ZONE_PAGE)


@router.api_route("/port/{port}", methods=METHODS, operation_id="page_port", response_class=Response)
async def page_port(ctx: Ctx, request: Request, port: str) -> Response:  # noqa: ARG001 - the page reads it
    """The page behind the QR code at a charger; see ``page_zone``."""
    return ctx.pages.page(request, PORT_PAGE)


@router.api_route("/machine/{asset}", methods=METHODS, operation_id="page_machine", response_class=Response)
async def page_machine(ctx: Ctx, request: Request, asset: str) -> Response:  # noqa: ARG001 - the page reads it
    """The page behind the QR code at a training machine; see ``page_zone``."""
    return ctx.pages.page(request, MACHINE_PAGE)


@router.api_route("/assets/{name:path}", methods=METHODS, operation_id="page_asset", response_class=Response)
async def page_asset(ctx: Ctx, request: Request, name: str) -> Response:
    """A script, style or picture with its content's hash in its name."""
    file = ctx.pages.get(f"assets/{name}")
    if file is None:
        ctx.pages.refresh()
        file = ctx.pages.get(f"assets/{name}")
    if file is None:
        raise ApiProblem("not_found")
    return respond(request, file, IMMUTABLE)


@router.api_route("/{name}", methods=METHODS, operation_id="page_file", response_class=Response)
async def page_file(ctx: Ctx, request: Request, name: str) -> Response:
    """Other files at the top, such as the icon; never a page under its file name."""
    ctx.pages.refresh()
    file = ctx.pages.get(name)
    if file is None or name.endswith(".html"):
        raise ApiProblem("not_found")
    return respond(request, file, "no-cache")
