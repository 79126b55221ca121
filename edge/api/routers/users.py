"""Accounts, API tokens and consents."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BeforeValidator, Field
from starlette.concurrency import run_in_threadpool

from edge.api.account_types import TokenInfo, UserInfo
from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.models import ID_PATTERN, TEXT_PATTERN, Answer, MemberToken, Strict, TokenId, Username, integral
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.api.routers.auth import Done, NewName, NewPassword
from edge.domain.actors import Role

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1")

MachineRole = Literal["diner-terminal", "panel", "device", "read-only", "cashier", "kitchen", "maintenance", "coach"]
PersonRole = Literal[
    "cashier",
    "kitchen",
    "member",
    "family",
    "resident",
    "panel",
    "coach",
    "maintenance",
    "manager",
    "admin",
    "read-only",
]
WhenNs = Annotated[int, Field(description="UTC, ns since 1970; 0 = never.", examples=[1763800000000000000])]
OptionalMember = Annotated[
    Annotated[str, Field(min_length=1, max_length=64, pattern=ID_PATTERN)] | None,
    Field(description="Member token, for the roles member and resident only.", examples=["m001"]),
]
OptionalLane = Annotated[
    Annotated[str, Field(min_length=1, max_length=16, pattern=ID_PATTERN)] | None,
    Field(description="Lane, for the role diner-terminal only.", examples=["1"]),
]


OptionalPanel = Annotated[
    Annotated[str, Field(min_length=1, max_length=64, pattern=ID_PATTERN)] | None,
    Field(
        description="Place of the panel as the garage settings name it, for the role panel only.", examples=["B1-door"]
    ),
]


class User(Answer):
    """An account."""

    username: Annotated[str, Field(description="User name.", examples=["cashier1"])]
    role: Annotated[Role, Field(description="What the user may do.", examples=["cashier"])]
    member: Annotated[str | None, Field(description="Member token, for members.", examples=["m001"])]
    created_ns: WhenNs
    last_login_ns: WhenNs


class UserList(Answer):
    """All accounts."""

    users: Annotated[list[User], Field(description="By name.")]


class NewUser(Strict):
    """An account to make."""

    username: NewName
    password: NewPassword
    role: Annotated[PersonRole, Field(description="What the user may do.", examples=["cashier"])]
    member: OptionalMember = None


class GivenPassword(Strict):
    """A password for somebody else."""

    password: NewPassword


class NewPin(Strict):
    """A personal PIN."""

    pin: Annotated[
        str,
        Field(
            min_length=6,
            max_length=12,
            pattern=r"^[0-9]+$",
            description="6 digits or more, 4 different, no run.",
            examples=["730264"],
        ),
    ]


class Token(Answer):
    """An API token without its secret."""

    id: Annotated[str, Field(description="Id.", examples=["9f2c41aa"])]
    name: Annotated[str, Field(description="What it is for.", examples=["kiosk lane 1"])]
    role: Annotated[Role, Field(description="What it may do.", examples=["diner-terminal"])]
    lane: Annotated[str | None, Field(description="Its lane, for terminals.", examples=["1"])]
    panel: Annotated[str | None, Field(description="Its place, for panels.", examples=["B1-door"])]
    created_by: Annotated[str, Field(description="Who made it.", examples=["manager"])]
    created_ns: WhenNs
    expires_ns: WhenNs
    last_used_ns: WhenNs


class TokenList(Answer):
    """All API tokens."""

    tokens: Annotated[list[Token], Field(description="Oldest first.")]


class NewToken(Strict):
    """An API token to make."""

    name: Annotated[
        str,
        Field(
            min_length=1, max_length=64, pattern=TEXT_PATTERN, description="What it is for.", examples=["kiosk lane 1"]
        ),
    ]
    role: Annotated[
        MachineRole, Field(description="What it may do; never administration.", examples=["diner-terminal"])
    ]
    lane: OptionalLane = None
    panel: OptionalPanel = None
    days: Annotated[
        int, Field(ge=1, le=400, description="Days until it expires.", examples=[365]), BeforeValidator(integral)
    ] = 365


class TokenSecret(Answer):
    """The token itself: shown this once."""

    id: Annotated[str, Field(description="Id.", examples=["9f2c41aa"])]
    token: Annotated[str, Field(description="Keep it secret.", examples=["kgl_9f2c41aa_..."])]


class ConsentList(Answer):
    """Whom a member lets see purse and orders."""

    member: Annotated[str, Field(description="Member token.", examples=["m001"])]
    family: Annotated[list[str], Field(description="User names.", examples=[["daughter1"]])]


class NewConsent(Strict):
    """Whom to let in."""

    family: Annotated[NewName, Field(description="A user of the role family.", examples=["daughter1"])]


@router.get("/users", operation_id="users_list", summary="All accounts", tags=["accounts"])
async def users_list(ctx: Ctx, _who: Who) -> UserList:
    """Without secrets."""
    users = await run_in_threadpool(ctx.accounts.users)
    return UserList(users=[_user(user) for user in users])


@router.post("/users", operation_id="users_create", summary="Make an account", status_code=201, tags=["accounts"])
async def users_create(ctx: Ctx, who: Who, body: NewUser) -> User:
    """The new user logs in with the password given."""

    def work() -> UserInfo:
        return ctx.accounts.create_user(body.username, body.password, Role(body.role), body.member, who.user)

    return _user(await ctx.hashing.run(work))


@router.post(
    "/users/{username}/pin", operation_id="users_set_pin", summary="Give a user a PIN for panels", tags=["accounts"]
)
async def users_set_pin(ctx: Ctx, who: Who, username: Username, body: NewPin) -> Done:
    """At a panel that is bound to a place this PIN says who resets a zone. It opens nothing else."""
    await ctx.hashing.run(lambda: ctx.accounts.pins.set(username, body.pin, who.user))
    return Done()


@router.post(
    "/users/{username}/password",
    operation_id="users_set_password",
    summary="Give a user a new password",
    tags=["accounts"],
)
async def users_set_password(ctx: Ctx, who: Who, username: Username, body: GivenPassword) -> Done:
    """For somebody who lost theirs. Ends the user's sessions and links; the user can change it at /password."""
    await ctx.hashing.run(lambda: ctx.accounts.set_password(username, body.password, who.user))
    return Done()


@router.delete("/users/{username}", operation_id="users_delete", summary="Delete an account", tags=["accounts"])
async def users_delete(ctx: Ctx, who: Who, username: Username) -> Done:
    """Ends its sessions too. The last administrator cannot be deleted."""
    await run_in_threadpool(ctx.accounts.delete_user, username, who.user)
    return Done()


@router.get("/tokens", operation_id="tokens_list", summary="All API tokens", tags=["accounts"])
async def tokens_list(ctx: Ctx, _who: Who) -> TokenList:
    """With when each was last used; never the secrets."""
    tokens = await run_in_threadpool(ctx.accounts.tokens.all)
    return TokenList(tokens=[_token(token) for token in tokens])


@router.post("/tokens", operation_id="tokens_create", summary="Make an API token", status_code=201, tags=["accounts"])
async def tokens_create(ctx: Ctx, who: Who, body: NewToken) -> TokenSecret:
    """For a kiosk (role diner-terminal, bound to a lane) or a program. Shown this once."""

    def work() -> tuple[TokenInfo, str]:
        return ctx.accounts.tokens.create(body.name, Role(body.role), body.lane, body.days, who.user, panel=body.panel)

    info, secret = await run_in_threadpool(work)
    return TokenSecret(id=info.id, token=secret)


@router.delete("/tokens/{token_id}", operation_id="tokens_delete", summary="Revoke an API token", tags=["accounts"])
async def tokens_delete(ctx: Ctx, who: Who, token_id: TokenId) -> Done:
    """Sessions opened with it end too."""
    await run_in_threadpool(ctx.accounts.tokens.revoke, token_id, who.user)
    return Done()


def _check_owner(who: Principal, member: str) -> None:
    """Consents are given by the member alone, or entered by the administrator from paper."""
    if who.role is Role.MEMBER and who.member != member:
        raise ApiProblem("unknown_member")


async def _consents(ctx: Context, member: str) -> ConsentList:
    return ConsentList(member=member, family=await run_in_threadpool(ctx.accounts.consents, member))


@router.get(
    "/members/{member}/consents", operation_id="consents_list", summary="Whom a member lets in", tags=["accounts"]
)
async def consents_list(ctx: Ctx, who: Who, member: MemberToken) -> ConsentList:
    """Family users who may see this member's purse, orders and workouts."""
    _check_owner(who, member)
    return await _consents(ctx, member)


@router.post(
    "/members/{member}/consents", operation_id="consents_give", summary="Let a family user in", tags=["accounts"]
)
async def consents_give(ctx: Ctx, who: Who, member: MemberToken, body: NewConsent) -> ConsentList:
    """From now on that user may see this member's purse, orders and workouts."""
    _check_owner(who, member)
    await run_in_threadpool(ctx.accounts.give_consent, member, body.family, who.user)
    return await _consents(ctx, member)


@router.delete(
    "/members/{member}/consents/{username}",
    operation_id="consents_withdraw",
    summary="Withdraw a consent",
    tags=["accounts"],
)
async def consents_withdraw(ctx: Ctx, who: Who, member: MemberToken, username: Username) -> ConsentList:
    """Holds from the next request on."""
    _check_owner(who, member)
    await run_in_threadpool(ctx.accounts.withdraw_consent, member, username, who.user)
    return await _consents(ctx, member)


def _user(info: UserInfo) -> User:
    return User(
        username=info.username,
        role=info.role,
        member=info.member,
        created_ns=info.created_ns,
        last_login_ns=info.last_login_ns,
    )


def _token(info: TokenInfo) -> Token:
    return Token(
        id=info.id,
        name=info.name,
        role=info.role,
        lane=info.lane,
        panel=info.panel,
        created_by=info.created_by,
        created_ns=info.created_ns,
        expires_ns=info.expires_ns,
        last_used_ns=info.last_used_ns,
    )
