"""Logging in and out. Sessions travel in an HttpOnly, SameSite=Strict cookie; a new one is made at every login."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from edge.api.account_types import USERNAME_MAX, USERNAME_PATTERN, NewSession
from edge.api.context import COOKIE, Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.models import Answer, Strict
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.domain.actors import Role

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/auth", tags=["auth"])

#: Wide on purpose: a wrong password of any shape gets the same answer as any other wrong password.
TypedName = Annotated[str, Field(min_length=1, max_length=128, description="User name.", examples=["manager"])]
TypedPassword = Annotated[str, Field(max_length=1024, description="Password.", examples=["correct horse 7 battery"])]
Secret = Annotated[str, Field(min_length=1, max_length=256, description="The token as printed.")]
NewName = Annotated[
    str,
    Field(
        min_length=1, max_length=USERNAME_MAX, pattern=USERNAME_PATTERN, description="Lower case.", examples=["manager"]
    ),
]
NewPassword = Annotated[
    str,
    Field(
        min_length=1,
        max_length=128,
        description="10 characters or more, 5 different.",
        examples=["correct horse 7 battery"],
    ),
]


class Me(Answer):
    """Who is logged in."""

    user: Annotated[str, Field(description="User name, or token:<id> for a terminal.", examples=["cashier1"])]
    role: Annotated[Role, Field(description="What you may do.", examples=["cashier"])]
    member: Annotated[str | None, Field(description="Your member token, for members and residents.", examples=["m001"])]
    lane: Annotated[str | None, Field(description="Your lane, for terminals.", examples=["1"])]
    panel: Annotated[
        str | None, Field(description="Where you stand, for panels bound to a place.", examples=["B1-door"])
    ]


class Done(Answer):
    """It is done."""

    code: Annotated[str, Field(description="Always ok.", examples=["ok"])] = "ok"


class LoginBody(Strict):
    """User name and password."""

    username: TypedName
    password: TypedPassword


class SetupBody(Strict):
    """The first account, an administrator, against the token that the server printed."""

    token: Secret
    username: NewName
    password: NewPassword


class PasswordBody(Strict):
    """The present password and the one to come."""

    password: TypedPassword
    new_password: NewPassword


class TokenBody(Strict):
    """A one-time link's token, or a kiosk's API token."""

    token: Secret


def me_of(who: Principal) -> Me:
    """``who`` as the pages see them."""
    return Me(user=who.user, role=who.role, member=who.member, lane=who.lane, panel=who.panel)


def _address(request: Request) -> str:
    """The peer's address; proxy headers are not believed."""
    return request.client.host if request.client else "unknown"


def _came_by_tls(request: Request) -> bool:
    """By our own TLS, or by that of the proxy in front. Of a proxy's headers only this one is believed: whoever makes
    it up gets a stricter cookie, nothing else."""
    return "https" in {request.url.scheme, request.headers.get("x-forwarded-proto", "")}


async def _come_in(
    ctx: Context, request: Request, response: Response, enter: Callable[[str, str], NewSession], *, hashes: bool
) -> Me:
    """Run ``enter(address, old_cookie)`` in a thread and set the cookie of the session that it opens."""

    def work() -> NewSession:
        return enter(_address(request), request.cookies.get(COOKIE, ""))

    session = await (ctx.hashing.run(work) if hashes else run_in_threadpool(work))
    response.set_cookie(
        COOKIE,
        session.secret,
        max_age=session.max_age_s,
        path="/",
        secure=_came_by_tls(request),
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return me_of(session.principal)


@router.post("/setup", operation_id="auth_setup", summary="Make the first account")
async def auth_setup(ctx: Ctx, request: Request, response: Response, body: SetupBody) -> Me:
    """Only while no account exists; the server prints the token on its console, it holds 30 minutes and works once."""

    def enter(address: str, _old: str) -> NewSession:
        return ctx.accounts.setup(body.token, body.username, body.password, address)

    return await _come_in(ctx, request, response, enter, hashes=True)


@router.post("/link", operation_id="auth_link", summary="Log in by a one-time link")
async def auth_link(ctx: Ctx, request: Request, response: Response, body: TokenBody) -> Me:
    """The token of a link that `kangle demo` or `kangle user link` printed; it works once."""

    def enter(address: str, old: str) -> NewSession:
        return ctx.accounts.use_link(body.token, address, old)

    return await _come_in(ctx, request, response, enter, hashes=False)


@router.post("/login", operation_id="auth_login", summary="Log in by password")
async def auth_login(ctx: Ctx, request: Request, response: Response, body: LoginBody) -> Me:
    """A wrong name and a wrong password get the same answer; after a few of them there is a wait (429)."""

    def enter(address: str, old: str) -> NewSession:
        return ctx.accounts.login(body.username, body.password, address, old)

    return await _come_in(ctx, request, response, enter, hashes=True)


@router.post("/terminal", operation_id="auth_terminal", summary="Enrol a kiosk")
async def auth_terminal(ctx: Ctx, request: Request, response: Response, body: TokenBody) -> Me:
    """A kiosk exchanges its API token for a cookie session, which ends when the token is revoked or expires."""

    def enter(address: str, old: str) -> NewSession:
        return ctx.accounts.open_terminal(body.token, address, old)

    return await _come_in(ctx, request, response, enter, hashes=False)


@router.post("/logout", operation_id="auth_logout", summary="Log out")
async def auth_logout(ctx: Ctx, who: Who, response: Response) -> Done:
    """Ends this session; open live streams of it end within seconds."""
    if who.session is not None:
        await run_in_threadpool(ctx.accounts.sessions.end, who)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return Done()


@router.post("/password", operation_id="auth_password", summary="Change your password")
async def auth_password(ctx: Ctx, who: Who, request: Request, response: Response, body: PasswordBody) -> Me:
    """Ends all your other sessions and links; this one goes on under a new cookie. API tokens have no password."""
    if who.token is not None:
        raise ApiProblem("forbidden")

    def enter(address: str, _old: str) -> NewSession:
        return ctx.accounts.change_password(who.user, body.password, body.new_password, address)

    return await _come_in(ctx, request, response, enter, hashes=True)


@router.get("/me", operation_id="auth_me", summary="Who am I?")
async def auth_me(who: Who) -> Me:
    """401 when not logged in."""
    return me_of(who)
