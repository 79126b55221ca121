"""Commands of those who keep the gym running: work orders, lock-outs, return tests, inspections, alarms.

A user would notice a mistake as a machine that came back into use without a test.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.commanding import DONE
from edge.api.context import Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.gym_bodies import (
    AssetId,
    CloseOrderBody,
    InspectionBody,
    NoteBody,
    ReturnTestBody,
    TicketBody,
    WorkOrderId,
)
from edge.api.models import IdempotencyKey
from edge.api.routers.gym_commands import give
from edge.domain.gym import messages

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/gym", tags=["gym"])


@router.post(
    "/assets/{asset}/lock",
    operation_id="gym_lock_out",
    summary="Lock a machine out",
    responses=DONE,
    response_class=Response,
)
async def lock(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: NoteBody) -> Response:
    """Out of use until a return test."""
    return await give(ctx, who, key, messages.LockOut(asset=asset, note=body.note))


@router.post(
    "/assets/{asset}/return-test",
    operation_id="gym_return_test",
    summary="Tested after repair",
    responses=DONE,
    response_class=Response,
)
async def return_test(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: ReturnTestBody) -> Response:
    """Passed: the machine is given back and its orders are closed."""
    return await give(ctx, who, key, messages.ReturnTest(asset=asset, passed=body.passed, note=body.note))


@router.post(
    "/assets/{asset}/service",
    operation_id="gym_service_done",
    summary="The service that was due is done",
    responses=DONE,
    response_class=Response,
)
async def service_done(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: NoteBody) -> Response:
    """Its hours and days begin anew."""
    return await give(ctx, who, key, messages.ServiceDone(asset=asset, note=body.note))


@router.post(
    "/assets/{asset}/inspect",
    operation_id="gym_inspect",
    summary="An inspection by checklist",
    responses=DONE,
    response_class=Response,
)
async def inspect(ctx: Ctx, who: Who, key: IdempotencyKey, asset: AssetId, body: InspectionBody) -> Response:
    """Danger locks the machine out at once."""
    items = tuple((one.item, one.grade) for one in body.items)
    return await give(ctx, who, key, messages.Inspect(asset=asset, items=items, note=body.note))


@router.post(
    "/orders/{order}/acknowledge",
    operation_id="gym_ack_order",
    summary="Somebody looks after it",
    responses=DONE,
    response_class=Response,
)
async def ack_order(ctx: Ctx, who: Who, key: IdempotencyKey, order: WorkOrderId) -> Response:
    """The order stays until a return test."""
    return await give(ctx, who, key, messages.AckOrder(order_id=order))


@router.post(
    "/orders/{order}/ticket",
    operation_id="gym_ticket_order",
    summary="Given to a workshop",
    responses=DONE,
    response_class=Response,
)
async def ticket(ctx: Ctx, who: Who, key: IdempotencyKey, order: WorkOrderId, body: TicketBody) -> Response:
    """With its number there."""
    return await give(ctx, who, key, messages.TicketOrder(order_id=order, ticket=body.ticket))


@router.post(
    "/orders/{order}/close",
    operation_id="gym_close_order",
    summary="Close the order of a machine that is gone",
    responses=DONE,
    response_class=Response,
)
async def close_order(ctx: Ctx, who: Who, key: IdempotencyKey, order: WorkOrderId, body: CloseOrderBody) -> Response:
    """With the reason. Refused while the site has the machine: then only a return test closes it."""
    return await give(ctx, who, key, messages.CloseOrder(order_id=order, note=body.note))
