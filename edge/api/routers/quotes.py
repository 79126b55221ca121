"""What would it cost? The explained receipt of some dishes for a kind of diner, without any effect."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter
from pydantic import BeforeValidator, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from edge.api.books import BooksAway
from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.models import DAY_PATTERN, Id, Strict, integral
from edge.api.problem_texts import TEXTS
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response
from edge.domain.canteen.quoting import QuoteError, quote_dishes
from edge.domain.canteen.settings import CanteenConfig
from edge.runtime.clock import local_day

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/canteen", tags=["canteen"])

#: Local date and time to the minute.
AT_PATTERN = DAY_PATTERN[:-1] + r"T([01]\d|2[0-3]):[0-5]\d$"


class QuoteItem(Strict):
    """A portion of a dish, or some grams of it."""

    dish_id: Annotated[Id, Field(description="The dish.", examples=["d001"])]
    grams: Annotated[
        Annotated[int, Field(ge=1, le=5000), BeforeValidator(integral)] | None,
        Field(description="Weight, g; empty for one portion.", examples=[120]),
    ] = None


class QuoteBody(Strict):
    """Who eats what, and when."""

    category: Annotated[Id, Field(description="Kind of diner.", examples=["guest"])]
    at: Annotated[
        Annotated[str, Field(pattern=AT_PATTERN)] | None,
        Field(description="Local date and time (Asia/Shanghai); empty for now.", examples=["2026-11-20T11:40"]),
    ] = None
    items: Annotated[list[QuoteItem], Field(min_length=1, max_length=50, description="The dishes.")]


def _config(ctx: Context) -> CanteenConfig:
    """The configuration in force in the daemon; before its first start, the one of the site file."""
    try:
        return ctx.books.config() or ctx.config.canteen
    except BooksAway:
        return ctx.config.canteen


def _when(at: str | None, utc_offset_min: int) -> tuple[str, int]:
    """(ISO day, minute of the day) of a local time; now when it is None."""
    if at is None:
        now_ns = time.time_ns()
        return local_day(now_ns, utc_offset_min), (now_ns // 60_000_000_000 + utc_offset_min) % 1440
    day, _, clock = at.partition("T")
    return day, int(clock[:2]) * 60 + int(clock[3:])


@router.post(
    "/quotes",
    operation_id="canteen_quote",
    summary="What would it cost?",
    response_class=Response,
    responses=answers_with("Quote", "The receipt, with the rule and numbers of every step."),
)
async def quote(ctx: Ctx, _who: Who, body: QuoteBody) -> Response:
    """No side effects; caps that a person may have used up today are taken as unused."""
    config = await run_in_threadpool(_config, ctx)
    day, minute = _when(body.at, config.utc_offset_min)
    items = [(item.dish_id, item.grams) for item in body.items]
    try:
        answer = await run_in_threadpool(quote_dishes, config, body.category, day, minute, items)
    except QuoteError as exc:
        raise ApiProblem(exc.code if exc.code in TEXTS else "bad_value") from exc
    return struct_response(answer)
