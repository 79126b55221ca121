"""Commands to the canteen: each request becomes one ``Command`` whose id is the Idempotency-Key.

The API decides nothing here. It checks form, role and lane, hands over, and gives back the daemon's durable answer.
When no answer comes it says so and never asks again by itself: the caller repeats under the same key.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.command_bodies import (
    BindBody,
    CallStaffBody,
    ConfirmPlatesBody,
    IdentifyBody,
    KeyPlateBody,
    PayBody,
    RefundBody,
    RegisterBody,
    RetireBody,
    TopUpBody,
    VoidBody,
)
from edge.api.commanding import DONE, submit
from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.models import IdempotencyKey, LaneId, MemberToken, OrderId, PlateUid
from edge.api.owners import check_lane
from edge.api.principal import Principal
from edge.domain.canteen import messages

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/canteen", tags=["canteen"])


async def give(ctx: Context, who: Principal, key: str, body: messages.CommandBody) -> Response:
    """One canteen command by ``who``."""
    return await submit(ctx, messages.Command(command_id=key, actor=who.actor, body=body))


@router.post(
    "/lanes/{lane}/identify",
    operation_id="canteen_identify",
    summary="Say who eats",
    responses=DONE,
    response_class=Response,
)
async def identify(ctx: Ctx, who: Who, key: IdempotencyKey, lane: LaneId, body: IdentifyBody) -> Response:
    """The price of the tray on this lane is made for this person."""
    check_lane(who, lane)
    return await give(ctx, who, key, messages.Identify(lane=lane, card=body.card, category=body.category))


@router.post(
    "/lanes/{lane}/pay", operation_id="canteen_pay", summary="Pay the tray", responses=DONE, response_class=Response
)
async def pay(ctx: Ctx, who: Who, key: IdempotencyKey, lane: LaneId, body: PayBody) -> Response:
    """Answers when the sale is on disk, not before."""
    check_lane(who, lane)
    return await give(ctx, who, key, messages.Pay(lane=lane, **body.model_dump()))


@router.post(
    "/lanes/{lane}/confirm-plates",
    operation_id="canteen_confirm_plates",
    summary="Say how many plates",
    responses=DONE,
    response_class=Response,
)
async def confirm_plates(ctx: Ctx, who: Who, key: IdempotencyKey, lane: LaneId, body: ConfirmPlatesBody) -> Response:
    """The second sensor against chips that never answer."""
    check_lane(who, lane)
    return await give(ctx, who, key, messages.ConfirmPlates(lane=lane, tray_id=body.tray_id, plates=body.plates))


@router.post(
    "/lanes/{lane}/key-plate",
    operation_id="canteen_key_plate",
    summary="Enter a plate by its label",
    responses=DONE,
    response_class=Response,
)
async def key_plate(ctx: Ctx, who: Who, key: IdempotencyKey, lane: LaneId, body: KeyPlateBody) -> Response:
    """It is priced like a plate that was read."""
    return await give(ctx, who, key, messages.KeyPlate(lane=lane, tray_id=body.tray_id, label=body.label))


@router.post(
    "/lanes/{lane}/call-staff",
    operation_id="canteen_call_staff",
    summary="Call the staff",
    responses=DONE,
    response_class=Response,
)
async def call_staff(ctx: Ctx, who: Who, key: IdempotencyKey, lane: LaneId, body: CallStaffBody) -> Response:
    """Shows on the desk's page until somebody came."""
    check_lane(who, lane)
    return await give(ctx, who, key, messages.CallStaff(lane=lane, on=body.on))


@router.post(
    "/orders/{order_id}/void",
    operation_id="canteen_void_order",
    summary="Undo an order",
    responses=DONE,
    response_class=Response,
)
async def void_order(ctx: Ctx, who: Who, key: IdempotencyKey, order_id: OrderId, body: VoidBody) -> Response:
    """Same business day only: all is paid back, subsidies are returned, the plates are for sale again."""
    return await give(ctx, who, key, messages.VoidOrder(order_id=order_id, reason=body.reason))


@router.post(
    "/orders/{order_id}/refunds",
    operation_id="canteen_refund_lines",
    summary="Refund lines",
    responses=DONE,
    response_class=Response,
)
async def refund_lines(ctx: Ctx, who: Who, key: IdempotencyKey, order_id: OrderId, body: RefundBody) -> Response:
    """Pays back what was paid for these lines, as stored with the order."""
    command = messages.RefundLines(
        refund_id=body.refund_id, order_id=order_id, line_nos=body.line_nos, reason=body.reason
    )
    return await give(ctx, who, key, command)


@router.post(
    "/members/{member}/top-ups",
    operation_id="canteen_top_up",
    summary="Top up a purse",
    responses=DONE,
    response_class=Response,
)
async def top_up(ctx: Ctx, who: Who, key: IdempotencyKey, member: MemberToken, body: TopUpBody) -> Response:
    """Answers when it is on disk."""
    return await give(ctx, who, key, messages.TopUp(member=member, fen=body.fen, method=body.method))


@router.post(
    "/bindings",
    operation_id="canteen_bind_plates",
    summary="Bind plates to a dish",
    responses=DONE,
    response_class=Response,
)
async def bind_plates(ctx: Ctx, who: Who, key: IdempotencyKey, body: BindBody) -> Response:
    """Each plate begins a new filling, which can be sold once."""
    return await give(ctx, who, key, messages.BindPlates(**body.model_dump()))


@router.post(
    "/plates",
    operation_id="canteen_register_plates",
    summary="Register plates",
    responses=DONE,
    response_class=Response,
)
async def register_plates(ctx: Ctx, who: Who, key: IdempotencyKey, body: RegisterBody) -> Response:
    """Chips that are not in the registry are never priced."""
    plates = tuple((plate.uid, plate.label, plate.kind, plate.tare_g) for plate in body.plates)
    return await give(ctx, who, key, messages.RegisterPlates(plates=plates))


@router.post(
    "/plates/{uid}/retire",
    operation_id="canteen_retire_plate",
    summary="Retire a plate",
    responses=DONE,
    response_class=Response,
)
async def retire_plate(ctx: Ctx, who: Who, key: IdempotencyKey, uid: PlateUid, body: RetireBody) -> Response:
    """For plates that read badly or broke."""
    return await give(ctx, who, key, messages.RetirePlate(uid=uid, retired=body.retired))
