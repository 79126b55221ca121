"""Simulated diners: forwards to the simulator's control socket. Answers 404 unless the site file enables the demo."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BeforeValidator, Field
from starlette.responses import Response

from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.models import Id, LaneId, Strict, integral
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/demo", tags=["demo"])
ASKED = answers_with("DemoAnswer", "The simulator's answer.")
Few = Annotated[int, Field(ge=0, le=16), BeforeValidator(integral)]


async def _ask(ctx: Context, request: dict[str, Any]) -> Response:
    if ctx.demo is None:
        raise ApiProblem("demo_off")
    return struct_response(await ctx.demo.ask(request))


@router.get(
    "/state",
    operation_id="demo_state",
    summary="State of the simulation",
    response_class=Response,
    responses=answers_with("DemoState", "Trays on the simulated readers, diners, members with cards."),
)
async def state(ctx: Ctx, _who: Who) -> Response:
    """What lies on each simulated reader, and who is about."""
    return await _ask(ctx, {"op": "state"})


class TrayBody(Strict):
    """What is put on the reader."""

    dishes: Annotated[
        tuple[Id, ...],
        Field(max_length=16, strict=False, description="One plate of each.", examples=[["d001", "d002"]]),
    ] = ()
    unknown: Annotated[Few, Field(description="Plates whose chip is in no registry.", examples=[0])] = 0
    dead: Annotated[Few, Field(description="Plates whose chip never answers.", examples=[0])] = 0
    unbound: Annotated[Few, Field(description="Plates that no dish is bound to.", examples=[0])] = 0
    card: Annotated[
        Annotated[str, Field(max_length=32, pattern=r"^[0-9A-Za-z]*$")],
        Field(description="Card of the diner, empty for a guest.", examples=["A0000017"]),
    ] = ""


@router.post(
    "/lanes/{lane}/tray",
    operation_id="demo_place_tray",
    summary="Put a tray down",
    responses=ASKED,
    response_class=Response,
)
async def place_tray(ctx: Ctx, _who: Who, lane: LaneId, body: TrayBody) -> Response:
    """Plates are taken from those bound to the dishes."""
    return await _ask(ctx, {"op": "place", "lane": lane, **body.model_dump()})


@router.delete(
    "/lanes/{lane}/tray",
    operation_id="demo_remove_tray",
    summary="Take the tray away",
    responses=ASKED,
    response_class=Response,
)
async def remove_tray(ctx: Ctx, _who: Who, lane: LaneId) -> Response:
    """Empties the reader."""
    return await _ask(ctx, {"op": "remove", "lane": lane})


class FaultBody(Strict):
    """What goes wrong with the reader."""

    fault: Annotated[
        Literal["noise", "unplug", "replug", "reset", "leak", "none"],
        Field(description="The fault; none ends it.", examples=["noise"]),
    ]


@router.post(
    "/lanes/{lane}/fault",
    operation_id="demo_fault",
    summary="Make the reader fail",
    responses=ASKED,
    response_class=Response,
)
async def fault(ctx: Ctx, _who: Who, lane: LaneId, body: FaultBody) -> Response:
    """Noise on the line, the plug pulled, a reset, or a field that reaches the other lane."""
    return await _ask(ctx, {"op": "fault", "lane": lane, "fault": body.fault})


class DinersBody(Strict):
    """Whether simulated diners come by themselves."""

    on: Annotated[bool, Field(description="Diners come.", examples=[True])]
    per_minute: Annotated[
        int, Field(ge=1, le=60, description="How many a minute.", examples=[6]), BeforeValidator(integral)
    ] = 6


@router.post("/diners", operation_id="demo_diners", summary="Let diners come", responses=ASKED, response_class=Response)
async def diners(ctx: Ctx, _who: Who, body: DinersBody) -> Response:
    """They put trays down, show cards, pay and go."""
    return await _ask(ctx, {"op": "diners", "on": body.on, "per_minute": body.per_minute})
