"""The API as one ASGI application, put together from its parts.

The hard part is that nothing may be open by forgetting: every route is a ``GuardedRoute`` of the role table, FastAPI's
own document routes are off, and ``check_routes`` refuses an app that has any other route.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from edge.api import problems
from edge.api.account_types import AccountProblem
from edge.api.accounts import Accounts
from edge.api.books import BadCursor, Books, BooksAway
from edge.api.context import ApiConfig, Context
from edge.api.demo_control import DemoControl
from edge.api.garage_books import GarageBooks
from edge.api.gateway import Gateway
from edge.api.guard import GuardedRoute, UnlistedOperation
from edge.api.gym_books import GymBooks
from edge.api.hash_gate import HashGate
from edge.api.history_gateway import HistoryAway, HistoryGateway, NoHistory
from edge.api.hub import Hub
from edge.api.middleware import Envelope
from edge.api.page_store import NOT_FOUND_PAGE, PageStore
from edge.api.passwords import WeakPassword
from edge.api.problems import ApiProblem, problem_response
from edge.api.routers import (
    auth,
    canteen_books,
    canteen_commands,
    canteen_views,
    demo,
    garage_books,
    garage_commands,
    garage_views,
    gym_books,
    gym_commands,
    gym_photos,
    gym_register,
    gym_sums,
    gym_upkeep,
    gym_views,
    history,
    history_zones,
    live,
    pages,
    quotes,
    system,
    users,
)
from edge.api.routers.alarm_routes import alarm_router
from edge.api.throttle import TooManyTries
from edge.domain.garage import messages as garage_messages
from edge.domain.gym import messages as gym_messages
from edge.log import structlog

ROUTERS: tuple[APIRouter, ...] = (
    system.router,
    auth.router,
    users.router,
    live.router,
    canteen_views.router,
    canteen_commands.router,
    canteen_books.router,
    quotes.router,
    garage_views.router,
    garage_books.router,
    garage_commands.router,
    alarm_router("garage", garage_messages.Command),
    gym_views.router,
    gym_books.router,
    gym_commands.router,
    gym_upkeep.router,
    gym_photos.router,
    gym_register.router,
    gym_sums.router,
    alarm_router("gym", gym_messages.Command),
    history.router,
    history_zones.router,
    demo.router,
)
FLUSH_S = 30.0

log = structlog.get_logger("edge.api")


def create_app(  # noqa: PLR0913 - a call names what it gives
    config: ApiConfig,
    gateway: Gateway,
    books: Books,
    accounts: Accounts,
    demo_control: DemoControl | None = None,
    extra_routers: Sequence[APIRouter] = (),
    garage: GarageBooks | None = None,
    gym: GymBooks | None = None,
    history_gateway: HistoryGateway | None = None,
) -> FastAPI:
    """The application. It starts and stops its own background work with the ASGI lifespan; the gateway, the books and
    the accounts are started and closed by the caller."""
    app = assemble(config.version, config.allowed_hosts, extra_routers)
    app.state.context = context_of(config, gateway, books, accounts, demo_control, garage, gym, history_gateway)
    return app


def context_of(
    config: ApiConfig,
    gateway: Gateway,
    books: Books,
    accounts: Accounts,
    demo_control: DemoControl | None = None,
    garage: GarageBooks | None = None,
    gym: GymBooks | None = None,
    history_gateway: HistoryGateway | None = None,
) -> Context:
    """What the routes of one application share."""
    return Context(
        config=config,
        gateway=gateway,
        books=books,
        accounts=accounts,
        hub=Hub(gateway),
        hashing=HashGate(),
        pages=PageStore(config.pages),
        demo=demo_control,
        garage_books=garage,
        gym_books=gym,
        history=history_gateway or NoHistory(),
    )


def assemble(version: str, allowed_hosts: Sequence[str] = (), extra_routers: Sequence[APIRouter] = ()) -> FastAPI:
    """The application without what it works on (enough to describe it)."""
    app = FastAPI(
        title="Kangle Edge",
        version=version,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    for router in (*ROUTERS, *extra_routers, pages.router):
        # As they are: including them costs each request a second search, and each start a second building of it all.
        app.router.routes.extend(router.routes)
    problems.install(app, problems.MethodTable(check_routes(app)), _not_found_page)
    _map_refusals(app)
    app.openapi = _cached_document(app)  # type: ignore[method-assign] # FastAPI's documented way to replace it
    app.add_middleware(Envelope, allowed_hosts=allowed_hosts)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    context.hub.start()
    flusher = asyncio.create_task(_flush(context.accounts), name="api-flush")
    yield
    flusher.cancel()
    context.hub.close()


def check_routes(app: FastAPI) -> list[tuple[str, frozenset[str]]]:
    """(path, methods) of every route; raises ``UnlistedOperation`` for one that the guard does not cover."""
    found = []
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, GuardedRoute):
            raise UnlistedOperation(f"{route.path}: not a GuardedRoute")
        found.append((str(route.path), frozenset(route.methods or ())))
    return found


async def _flush(accounts: Accounts) -> None:
    while True:
        await asyncio.sleep(FLUSH_S)
        try:
            await run_in_threadpool(accounts.sessions.flush)
        except AccountProblem as problem:  # a full disk: what was to be written waits for the next turn
            log.warning("cannot write when sessions were used", reason=str(problem.__cause__))


def _not_found_page(request: Request) -> Response | None:
    store: PageStore = request.app.state.context.pages
    wants_html = "text/html" in request.headers.get("accept", "") and request.method in {"GET", "HEAD"}
    if not wants_html or request.url.path.startswith("/api/") or store.get(NOT_FOUND_PAGE) is None:
        return None
    return store.page(request, NOT_FOUND_PAGE, 404)


def _map_refusals(app: FastAPI) -> None:
    """Refusals of the parts as problems."""

    async def on_account(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, AccountProblem)
        if exc.__cause__ is not None and exc.code == "accounts_unwritable":
            log.warning("accounts cannot be stored", reason=str(exc.__cause__))
        return problem_response(request.scope, ApiProblem(exc.code))

    async def on_weak(request: Request, _exc: Exception) -> Response:
        return problem_response(request.scope, ApiProblem("weak_password"))

    async def on_tries(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, TooManyTries)
        problem = ApiProblem("too_many_tries", retry_after_s=exc.seconds, params={"seconds": exc.seconds})
        return problem_response(request.scope, problem)

    async def on_books(request: Request, exc: Exception) -> Response:
        log.warning("books away", reason=str(exc))
        return problem_response(request.scope, ApiProblem("books_away"))

    app.add_exception_handler(AccountProblem, on_account)
    app.add_exception_handler(WeakPassword, on_weak)
    app.add_exception_handler(TooManyTries, on_tries)

    async def on_history(request: Request, exc: Exception) -> Response:
        log.warning("history away", reason=str(exc))
        return problem_response(request.scope, ApiProblem("history_away"))

    app.add_exception_handler(HistoryAway, on_history)

    async def on_cursor(request: Request, _exc: Exception) -> Response:
        return problem_response(request.scope, ApiProblem("bad_cursor"))

    app.add_exception_handler(BooksAway, on_books)
    app.add_exception_handler(BadCursor, on_cursor)


def _cached_document(app: FastAPI) -> Any:
    document: dict[str, Any] = {}

    def get() -> dict[str, Any]:
        if not document:
            from edge.api import openapi  # noqa: PLC0415 - a tenth of a second that no start needs

            document.update(openapi.build(app))
        return document

    return get
