"""Commands to the garage: each request becomes one ``Command`` whose id is the Idempotency-Key.

The API decides nothing about zones. It proves who stands where: a reset carries the panel that the request's own token
is bound to and the person whose PIN was right; from anywhere else it is refused before the daemon hears of it. None of
these commands speaks to the certified fire panel.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from edge.api.commanding import DONE, submit
from edge.api.context import Context, Ctx, Who
from edge.api.garage_bodies import (
    CutBody,
    PortId,
    ResetBody,
    StartBody,
    StopBody,
    TestBody,
    ZoneId,
)
from edge.api.guard import GuardedRoute
from edge.api.models import IdempotencyKey
from edge.api.owners import PAYS_OWN, owns_session
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.domain.actors import Role
from edge.domain.garage import messages

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/garage", tags=["garage"])


async def give(ctx: Context, who: Principal, key: str, body: messages.CommandBody) -> Response:
    """One garage command by ``who``."""
    return await submit(ctx, messages.Command(command_id=key, actor=who.actor, body=body))


@router.post(
    "/zones/{zone}/reset",
    operation_id="garage_reset_zone",
    summary="Release a latched zone, on site",
    responses=DONE,
    response_class=Response,
)
async def reset_zone(ctx: Ctx, who: Who, key: IdempotencyKey, zone: ZoneId, body: ResetBody) -> Response:
    """Only from a panel that is bound to this zone, by a person with a PIN, when nothing blocks it. Chargers stay off;
    the certified fire panel is not touched."""
    panel = who.panel
    if panel is None:
        raise ApiProblem("not_on_site")
    await ctx.hashing.run(lambda: ctx.accounts.pins.check(body.person, body.pin, panel))
    return await give(ctx, who, key, messages.ResetZone(zone=zone, panel=panel, person=body.person))


@router.post(
    "/zones/{zone}/silence",
    operation_id="garage_silence_zone",
    summary="Stop the sound of a zone",
    responses=DONE,
    response_class=Response,
)
async def silence_zone(ctx: Ctx, who: Who, key: IdempotencyKey, zone: ZoneId) -> Response:
    """The sound and nothing else; a new signal sounds again."""
    return await give(ctx, who, key, messages.SilenceZone(zone=zone))


@router.post(
    "/zones/{zone}/test",
    operation_id="garage_test_zone",
    summary="Begin or end a walk test",
    responses=DONE,
    response_class=Response,
)
async def test_zone(ctx: Ctx, who: Who, key: IdempotencyKey, zone: ZoneId, body: TestBody) -> Response:
    """Detectors are shown as tested and cut nothing for so long; call points and the panel still do."""
    # Two people at two panels: nobody takes the heads of another zone out of the fire by a slip; ending one is safe.
    if body.minutes and who.role is Role.PANEL and who.panel is None:
        raise ApiProblem("not_on_site")
    return await give(ctx, who, key, messages.TestZone(zone=zone, minutes=body.minutes, panel=who.panel or ""))


@router.post(
    "/zones/{zone}/cut",
    operation_id="garage_cut_zone",
    summary="Cut a zone's chargers by hand",
    responses=DONE,
    response_class=Response,
)
async def cut_zone(ctx: Ctx, who: Who, key: IdempotencyKey, zone: ZoneId, body: CutBody) -> Response:
    """Like one credible signal: latched until a reset on site."""
    return await give(ctx, who, key, messages.CutZone(zone=zone, reason=body.reason))


@router.post(
    "/ports/{port}/rearm",
    operation_id="garage_rearm_port",
    summary="Allow one charger again",
    responses=DONE,
    response_class=Response,
)
async def rearm_port(ctx: Ctx, who: Who, key: IdempotencyKey, port: PortId) -> Response:
    """After a trip or a reset. Nothing is switched on by it."""
    return await give(ctx, who, key, messages.RearmPort(port=port))


@router.post(
    "/ports/{port}/start",
    operation_id="garage_start_session",
    summary="Begin charging",
    responses=DONE,
    response_class=Response,
)
async def start(ctx: Ctx, who: Who, key: IdempotencyKey, port: PortId, body: StartBody) -> Response:
    """A resident pays from the own purse, whatever the body says of cards."""
    own = who.role in PAYS_OWN
    command = messages.StartSession(
        session_id=body.session_id,
        port=port,
        member=(who.member or "") if own else "",
        card="" if own else body.card,
        limit_fen=body.limit_fen,
        limit_min=body.limit_min,
    )
    return await give(ctx, who, key, command)


@router.post(
    "/ports/{port}/stop",
    operation_id="garage_stop_session",
    summary="Stop charging",
    responses=DONE,
    response_class=Response,
)
async def stop(ctx: Ctx, who: Who, key: IdempotencyKey, port: PortId, body: StopBody) -> Response:
    """A resident stops the own session only; another's answers as if it did not exist."""
    if not owns_session(who, ctx.gateway.present(), port, body.session_id):
        raise ApiProblem("unknown_session")
    return await give(ctx, who, key, messages.StopSession(port=port, session_id=body.session_id))
