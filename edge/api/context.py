"""What the routes share: one object, built once by ``app.create_app``, reached by dependency."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from edge.api.accounts import Accounts
from edge.api.books import Books
from edge.api.demo_control import DemoControl
from edge.api.garage_books import GarageBooks
from edge.api.gateway import Gateway
from edge.api.gym_books import GymBooks
from edge.api.hash_gate import HashGate
from edge.api.history_gateway import HistoryGateway
from edge.api.hub import Hub
from edge.api.page_store import PageStore
from edge.api.photo_gate import PhotoGate
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.domain.canteen.settings import CanteenConfig
from edge.domain.gym.settings import GymConfig
from edge.domain.words import Text

COOKIE = "kangle_session"


@dataclass(frozen=True, kw_only=True)
class ApiConfig:
    """What the API is told by the site file. ``allowed_hosts`` are host names without port; ``pages`` the built pages,
    ``gym`` where each of its machines is measured (None: no gym). ``command_timeout_s`` is how long a command may stay
    unanswered before the caller is told to ask again."""

    site: Text
    version: str
    verticals: tuple[str, ...]
    canteen: CanteenConfig
    allowed_hosts: tuple[str, ...]
    demo: bool
    pages: Path
    gym: GymConfig | None = None
    command_timeout_s: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Context:
    """Everything a route may use."""

    config: ApiConfig
    gateway: Gateway
    books: Books
    accounts: Accounts
    hub: Hub
    hashing: HashGate
    pages: PageStore
    demo: DemoControl | None
    history: HistoryGateway
    garage_books: GarageBooks | None = None
    gym_books: GymBooks | None = None
    photos: PhotoGate = field(default_factory=PhotoGate)

    def authenticate(self, request: Request) -> Principal:
        """Who asks, by bearer token or session cookie. A bad bearer token is refused even beside a good cookie."""
        authorization = request.headers.get("authorization")
        if authorization is not None:
            scheme, _, credential = authorization.partition(" ")
            principal = self.accounts.sessions.of_bearer(credential.strip()) if scheme.lower() == "bearer" else None
        else:
            principal = self.accounts.sessions.of_cookie(request.cookies.get(COOKIE, ""))
        if principal is None:
            raise ApiProblem("not_logged_in")
        return principal


async def get_context(request: Request) -> Context:
    """The app's one context."""
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


async def get_principal(request: Request) -> Principal:
    """Who asks, as the guard found."""
    principal = request.state.principal
    assert isinstance(principal, Principal)
    return principal


Ctx = Annotated[Context, Depends(get_context)]
Who = Annotated[Principal, Depends(get_principal)]
