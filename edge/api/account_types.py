"""Values and limits that users, sessions and API tokens share."""

from __future__ import annotations

import hashlib

import msgspec

from edge.api.principal import Principal
from edge.domain.actors import Role

S = 1_000_000_000
PERSON_IDLE_S = 8 * 3600
PERSON_MAX_S = 24 * 3600
KIOSK_IDLE_S = 30 * 24 * 3600
SETUP_VALID_S = 30 * 60
LINK_VALID_S = 15 * 60
MAX_USERS = 2000
MAX_TOKENS = 500
MAX_LINKS = 100
MAX_SESSIONS_PER_OWNER = 20
MAX_CONSENTS_PER_MEMBER = 20
USERNAME_PATTERN = r"^[a-z0-9][a-z0-9._-]*$"
USERNAME_MAX = 32


class AccountProblem(Exception):  # noqa: N818 - becomes the problem of its code
    """A refusal; ``code`` is a key of ``problem_texts.TEXTS``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UserInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A user without secrets. Times are UTC ns, 0 = never."""

    username: str
    role: Role
    member: str | None
    created_ns: int
    last_login_ns: int


class TokenInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An API token without its secret. Times are UTC ns, 0 = never."""

    id: str
    name: str
    role: Role
    lane: str | None
    panel: str | None
    created_by: str
    created_ns: int
    expires_ns: int
    last_used_ns: int


class NewSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session just opened. ``secret`` goes into the cookie; ``max_age_s`` is how long it can last at most."""

    secret: str
    max_age_s: int
    principal: Principal


def digest(secret: str) -> bytes:
    """What is stored of a secret that has enough entropy of its own (ours have 256 random bits)."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def check_binding(role: Role, member: str | None, lane: str | None, panel: str | None = None) -> None:
    """A member and a resident need a member token, a terminal its lane; a panel may be bound to its place. Nobody else
    has any of them."""
    wrong = (role in {Role.MEMBER, Role.RESIDENT}) != (member is not None)
    wrong = wrong or (role is Role.DINER_TERMINAL) != (lane is not None)
    if wrong or (panel is not None and role is not Role.PANEL):
        raise AccountProblem("bad_binding")
