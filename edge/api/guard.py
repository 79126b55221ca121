"""Every route passes here before its body is read: login, role, origin, content type.

The hard part is that FastAPI reads and parses the body before it runs dependencies, so checks written as dependencies
would let strangers feed the parser. ``GuardedRoute`` wraps the whole handler instead, and refuses to be built for an
operation that ``roles.ROLES`` does not list.

What FastAPI finds out about a route (its parameters, its models) waits for the first request to it: for all routes that
is a third of what the start of an API costs, and most are never asked.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, ClassVar

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, compile_path
from starlette.types import Scope

from edge.api.problems import ApiProblem
from edge.api.roles import ROLES
from edge.domain.actors import Role

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
SAFE_METHODS = frozenset({"GET", "HEAD"})
#: What ``compile_path`` gives, by which a route is told from its neighbours.
_COMPILED = ("path_regex", "path_format", "param_convertors")


class UnlistedOperation(RuntimeError):  # noqa: N818 - says what is wrong
    """A route without an entry in the role table: the app must not start."""


def check_origin(request: Request) -> None:
    """Refuse a browser's request that another site caused. SameSite=Strict keeps the cookie away already; this also
    holds for sibling ports of the same host, which browsers count as the same site."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ApiProblem("cross_origin")
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
        raise ApiProblem("cross_origin")


def check_content_type(request: Request) -> None:
    """415 for a body that is not declared as JSON; forms and plain text are what other sites can send unasked."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise ApiProblem("unsupported_media")


class GuardedRoute(APIRoute):
    """An API route of the role table. ``extra_roles`` of a subclass lists operations that only a development tool
    has."""

    extra_roles: ClassVar[Mapping[str, frozenset[Role] | None]] = {}

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.path, self.endpoint = path, endpoint
        self.methods = {method.upper() for method in options.get("methods") or ("GET",)}
        self.operation_id: str | None = options.get("operation_id")
        self.stem = self.path.partition("{")[0]
        self.roles()
        self._options: dict[str, Any] | None = options

    def __getattr__(self, name: str) -> Any:
        """What is asked of the route for the first time: how its path reads, then all the rest."""
        if name in _COMPILED:
            self.path_regex, self.path_format, self.param_convertors = compile_path(self.path)
        else:
            self._build(name)
        return object.__getattribute__(self, name)

    def _build(self, name: str) -> None:
        options = self.__dict__.get("_options")
        if options is None:  # it is built, or being so
            raise AttributeError(name)
        self._options = None
        try:
            super().__init__(self.path, self.endpoint, **options)
        except BaseException:
            self._options = options  # whoever asks next is told the same
            raise

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As of every route; the hundred that a request passes by are told by how their paths begin, at a tenth of the
        cost."""
        if not scope["path"].startswith(self.stem) and not scope.get("root_path"):
            return Match.NONE, {}
        return super().matches(scope)

    def roles(self) -> frozenset[Role] | None:
        """Who may call this route; None is everybody. Raises ``UnlistedOperation`` for a route nobody decided about."""
        for table in (ROLES, self.extra_roles):
            if self.operation_id is not None and self.operation_id in table:
                return table[self.operation_id]
        raise UnlistedOperation(f"{self.path}: operation {self.operation_id!r} is not in edge.api.roles.ROLES")

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        roles = self.roles()
        wants_body = self.body_field is not None

        async def guarded(request: Request) -> Response:
            unsafe = request.method not in SAFE_METHODS
            if unsafe:
                check_origin(request)
            if roles is not None:
                principal = request.app.state.context.authenticate(request)
                if principal.role not in roles:
                    raise ApiProblem("forbidden")
                request.state.principal = principal
            if wants_body:
                check_content_type(request)
            return await handle(request)

        return guarded
