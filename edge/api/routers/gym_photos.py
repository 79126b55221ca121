"""Photos of faults and inspections: taken in, shown, erased.

The hard part is what comes in: anybody who may report a fault may send bytes that others open. So a photo is read to
its last byte and written anew without what is no picture (``edge.domain.gym.jpeg``) before it goes anywhere, and it is
answered as nothing but a picture. A user would notice a mistake as a page that shows where its sender lives, or as a
neighbour who looks into the maintenance list.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from edge.api.commanding import DONE
from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.gym_bodies import AssetId, WorkOrderId
from edge.api.models import IdempotencyKey
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.api.routers.gym_books import books_of
from edge.api.routers.gym_commands import give
from edge.domain.gym import messages
from edge.domain.gym.jpeg import MAX_BYTES, MAX_SIDE_PX, Refusal, clean
from edge.domain.gym.photo_rows import INSPECTION, ORDER, PhotoRow
from edge.domain.gym.photos import STAFF, digest_of

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])

JPEG = "image/jpeg"
#: Steps of an order by which somebody reported it.
_REPORTS = frozenset({"seen", "also:reported"})
InspectionId = Annotated[int, Path(ge=1, le=2**53, description="Number of the inspection.", examples=[1841])]

_FORMAT: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_TAKES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A JPEG (baseline or progressive, 8 bit, grey or colour) of at most "
        f"{MAX_BYTES} bytes without its metadata and {MAX_SIDE_PX} px on its longest side. Place, time, camera and "
        "previews are dropped before it is kept; which side is up is not.",
        "content": {JPEG: _FORMAT},
    }
}
_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The photo.",
        "content": {JPEG: _FORMAT},
        "headers": {"ETag": {"description": "Changes with the picture.", "schema": {"type": "string"}}},
    },
    304: {"description": "The caller has it: If-None-Match is its ETag."},
}


async def _photo_of(request: Request) -> bytes:
    """The cleaned photo of the request's body."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JPEG:
        raise ApiProblem("photo_type")
    picture = clean(await request.body())
    if isinstance(picture, Refusal):
        limit = {Refusal.SIDE: MAX_SIDE_PX, Refusal.LARGE: MAX_BYTES // 1024}.get(picture, 0)
        raise ApiProblem(picture.value, params={"limit": limit})
    return picture.jpeg


async def _may_add(ctx: Context, who: Principal, order: str) -> None:
    """Staff to any order, others to one that they reported; any other answers as if it did not exist."""
    if who.role in STAFF:
        return
    steps = await run_in_threadpool(books_of(ctx).order_steps, order)
    if not any(step.step in _REPORTS and step.by == who.actor.user for step in steps):
        raise ApiProblem("unknown_order")


async def _show(ctx: Context, request: Request, kind: str, ref: str, inspection: int) -> Response:
    """The picture, asked for anew each time: an erased one is gone from every page at once."""
    row, jpeg = await run_in_threadpool(_read, ctx, kind, ref)
    if row is None or not row.standing or not jpeg or row.inspection != inspection:
        raise ApiProblem("no_photo")
    tag = f'"{digest_of(jpeg)}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": tag, "Content-Disposition": "inline"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(jpeg, media_type=JPEG, headers=headers)


def _read(ctx: Context, kind: str, ref: str) -> tuple[PhotoRow | None, bytes]:
    books = books_of(ctx)
    return books.photo(kind, ref), books.picture(kind, ref)


@router.post(
    "/orders/{order}/photo",
    operation_id="gym_add_order_photo",
    summary="A photo of what was reported",
    responses=DONE,
    response_class=Response,
    openapi_extra=_TAKES,
)
async def add_to_order(ctx: Ctx, who: Who, key: IdempotencyKey, order: WorkOrderId, request: Request) -> Response:
    """By whoever reported the fault, and by staff. An order keeps one photo, until it is closed."""
    await _may_add(ctx, who, order)
    jpeg = await _photo_of(request)
    ctx.photos.admit(who)
    return await give(ctx, who, key, messages.AddOrderPhoto(order_id=order, jpeg=jpeg))


@router.get(
    "/orders/{order}/photo",
    operation_id="gym_order_photo",
    summary="The photo of an order",
    responses=_SHOWN,
    response_class=Response,
)
async def order_photo(ctx: Ctx, _who: Who, order: WorkOrderId, request: Request) -> Response:
    """As long as the order stands."""
    return await _show(ctx, request, ORDER, order, 0)


@router.post(
    "/orders/{order}/photo/erase",
    operation_id="gym_erase_order_photo",
    summary="Take the photo of an order away",
    responses=DONE,
    response_class=Response,
)
async def erase_order_photo(ctx: Ctx, who: Who, key: IdempotencyKey, order: WorkOrderId) -> Response:
    """For good: somebody can be seen on it, or it shows nothing."""
    return await give(ctx, who, key, messages.ErasePhoto(order_id=order))


@router.post(
    "/assets/{asset}/inspections/{inspection}/photo",
    operation_id="gym_add_inspection_photo",
    summary="A photo for an inspection",
    responses=DONE,
    response_class=Response,
    openapi_extra=_TAKES,
)
async def add_to_inspection(
    ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, inspection: InspectionId, request: Request
) -> Response:
    """For the last inspection of a machine. Of each machine the newest photo is kept."""
    jpeg = await _photo_of(request)
    ctx.photos.admit(who)
    return await give(ctx, who, key, messages.AddInspectionPhoto(asset=asset, inspection=inspection, jpeg=jpeg))


@router.get(
    "/assets/{asset}/inspections/{inspection}/photo",
    operation_id="gym_inspection_photo",
    summary="The photo of an inspection",
    responses=_SHOWN,
    response_class=Response,
)
async def inspection_photo(ctx: Ctx, _who: Who, asset: AssetId, inspection: InspectionId, request: Request) -> Response:
    """Until a newer one of the same machine takes its place."""
    return await _show(ctx, request, INSPECTION, asset, inspection)


@router.post(
    "/assets/{asset}/inspections/photo/erase",
    operation_id="gym_erase_inspection_photo",
    summary="Take the photo of a machine's inspection away",
    responses=DONE,
    response_class=Response,
)
async def erase_inspection_photo(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId) -> Response:
    """For good."""
    return await give(ctx, who, key, messages.ErasePhoto(asset=asset))
