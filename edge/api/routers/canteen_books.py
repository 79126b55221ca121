"""Stored orders, purses and plates. Others' objects answer as if they did not exist."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from edge.api import order_answers
from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.models import ID_PATTERN, Cursor, DayQuery, Limit, MemberToken, OrderId
from edge.api.owners import check_member, may_see_order
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/canteen", tags=["canteen"])
LaneQuery = Annotated[
    str | None, Query(min_length=1, max_length=16, pattern=ID_PATTERN, description="Only this lane.", examples=["1"])
]


@router.get(
    "/orders",
    operation_id="canteen_orders",
    summary="Orders",
    response_class=Response,
    responses=answers_with("OrderList", "Newest first."),
)
async def orders(
    ctx: Ctx,
    _who: Who,
    day: DayQuery = None,
    lane: LaneQuery = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    """All orders, or those of a day or lane."""
    listing = await run_in_threadpool(ctx.books.orders, day or "", lane or "", cursor, limit)
    return struct_response(order_answers.order_list(listing))


@router.get(
    "/orders/{order_id}",
    operation_id="canteen_order",
    summary="One order",
    response_class=Response,
    responses=answers_with("Order", "The order with lines, steps, payment, refunds and assurance."),
)
async def order(ctx: Ctx, who: Who, order_id: OrderId) -> Response:
    """Every fen of the price is explained by its steps."""
    file = await run_in_threadpool(ctx.books.order, order_id)
    consents = ctx.accounts.has_consent
    if file is None or not may_see_order(who, file.order.lane, file.order.member, consents):
        raise ApiProblem("unknown_order")
    config = await run_in_threadpool(ctx.books.config)
    return struct_response(order_answers.order(file, config))


async def _known_member(ctx: Context, who: Who, member: str) -> None:
    check_member(who, member, ctx.accounts.has_consent)
    if await run_in_threadpool(ctx.books.member, member) is None:
        raise ApiProblem("unknown_member")


@router.get(
    "/members/{member}/purse",
    operation_id="canteen_member_purse",
    summary="A member's purse",
    response_class=Response,
    responses=answers_with("Purse", "Balance and movements, newest first."),
)
async def member_purse(ctx: Ctx, who: Who, member: MemberToken, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The member's own, the desk's, or a family user's with consent."""
    await _known_member(ctx, who, member)
    balance_fen = await run_in_threadpool(ctx.books.balance_fen, member)
    listing = await run_in_threadpool(ctx.books.purse_entries, member, cursor, limit)
    return struct_response(order_answers.purse(member, balance_fen, listing))


@router.get(
    "/members/{member}/orders",
    operation_id="canteen_member_orders",
    summary="A member's orders",
    response_class=Response,
    responses=answers_with("OrderList", "Newest first."),
)
async def member_orders(ctx: Ctx, who: Who, member: MemberToken, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The member's own, the desk's, or a family user's with consent."""
    await _known_member(ctx, who, member)
    listing = await run_in_threadpool(ctx.books.member_orders, member, cursor, limit)
    return struct_response(order_answers.order_list(listing))


@router.get(
    "/plates",
    operation_id="canteen_plates",
    summary="Plates",
    response_class=Response,
    responses=answers_with("PlateList", "By UID."),
)
async def plates(ctx: Ctx, _who: Who, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The registry with what is on each plate and how well its chip answers."""
    return struct_response(order_answers.plate_list(await run_in_threadpool(ctx.books.plates, cursor, limit)))
