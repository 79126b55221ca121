"""What FastAPI finds out about a route waits for the first request to it, and nothing else does."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import FastAPIError
from starlette.routing import Match

from edge.api.guard import GuardedRoute

#: Of ``ROLES``, open to everybody.
OPEN = "livez"


@pytest.fixture
def add():
    """Adds a route; gives it."""
    router = APIRouter(route_class=GuardedRoute)

    def add_one(path, endpoint, **options):
        router.add_api_route(path, endpoint, operation_id=OPEN, **options)
        return router.routes[-1]

    return add_one


def scope(method, path):
    return {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}


def answer(count: Annotated[int, Query(ge=1)] = 1) -> dict[str, int]:
    """Counts."""
    return {"count": count}


def test_a_route_that_nobody_asked_is_not_built(add):
    route = add("/counts/{name}", answer, methods=["post"])
    assert (route.path, route.methods, route.operation_id) == ("/counts/{name}", {"POST"}, OPEN)
    assert route.matches(scope("POST", "/other"))[0] is Match.NONE
    assert route.matches(scope("POST", "/counts/a/b"))[0] is Match.NONE
    assert route.matches(scope("GET", "/counts/a"))[0] is Match.PARTIAL
    found, child = route.matches(scope("POST", "/counts/a"))
    assert found is Match.FULL
    assert child["path_params"] == {"name": "a"}
    assert "dependant" not in vars(route)


def test_a_built_route_is_what_fastapi_makes_of_it(add):
    route = add("/counts", answer)
    (parameter,) = route.dependant.query_params
    assert (parameter.name, route.description, route.methods) == ("count", "Counts.", {"GET"})
    assert route.response_field is not None
    assert "app" in vars(route)
    with pytest.raises(AttributeError, match="no_such_thing"):
        assert route.no_such_thing


def test_a_route_that_cannot_be_built_says_why_each_time(add):
    async def odd() -> FastAPI:
        raise NotImplementedError

    route = add("/odd", odd)
    for _ in range(2):
        with pytest.raises(FastAPIError, match="Invalid args for response field"):
            assert route.app
