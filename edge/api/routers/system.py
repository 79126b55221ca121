"""Health, what this box is, and the API's own description."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from edge.api.context import Ctx
from edge.api.guard import GuardedRoute
from edge.api.models import Answer
from edge.api.problems import ApiProblem
from edge.api.replies import json_response

router = APIRouter(route_class=GuardedRoute, tags=["system"])


class Words(Answer):
    """A word in both languages."""

    zh: Annotated[str, Field(description="Chinese.", examples=["康乐食府"])]
    en: Annotated[str, Field(description="English.", examples=["Kangle Canteen"])]


class SystemInfo(Answer):
    """What this box is. A page reloads itself when ``build`` changes and no transaction is open."""

    version: Annotated[str, Field(description="Version of the program.", examples=["0.1.0"])]
    build: Annotated[str, Field(description="Digest of the built pages.", examples=["3f9a0c12be77"])]
    site: Annotated[Words, Field(description="Name of the site.")]
    demo: Annotated[bool, Field(description="Whether diners are simulated here.", examples=[False])]
    verticals: Annotated[list[str], Field(description="What this box runs.", examples=[["canteen"]])]
    needs_setup: Annotated[bool, Field(description="No account exists yet: open /setup.", examples=[False])]


class Health(Answer):
    """The process answers."""

    status: Annotated[str, Field(description="Always ok.", examples=["ok"])]


class Check(Answer):
    """One thing that must work before this box can serve."""

    ok: Annotated[bool, Field(description="Whether it works.", examples=[True])]
    detail: Annotated[str, Field(description="What was found.", examples=["heard 120 ms ago"])]


class Readiness(Answer):
    """Every check by name."""

    checks: Annotated[dict[str, Check], Field(description="Checks by name: accounts, books, pages, daemon.<name>.")]


@router.get("/livez", operation_id="livez", summary="Does the API process answer?")
async def livez() -> Health:
    """Always 200 while the process runs; says nothing about the daemons (see /readyz)."""
    return Health(status="ok")


@router.get("/readyz", operation_id="readyz", summary="Can this box serve?")
async def readyz(ctx: Ctx) -> Readiness:
    """200 when every check holds, else the problem ``not_ready`` that names those which do not."""
    checks = {"accounts": Check(ok=True, detail="readable"), "books": Check(ok=True, detail="readable")}
    for name, probe in (("accounts", ctx.accounts.is_new), ("books", ctx.books.config)):
        try:
            await run_in_threadpool(probe)
        except Exception as exc:  # noqa: BLE001 - a health check reports whatever is wrong
            checks[name] = Check(ok=False, detail=type(exc).__name__)
    ctx.pages.refresh()
    checks["pages"] = Check(ok=ctx.pages.built, detail=ctx.pages.build if ctx.pages.built else "run ./kangle setup")
    for name, life in ctx.gateway.daemons().items():
        heard = f"heard {life.age_ms} ms ago" if life.age_ms >= 0 else "never heard"
        checks[f"daemon.{name}"] = Check(ok=life.alive, detail=heard)
    failed = [{"pointer": f"/checks/{name}", "message": check.detail} for name, check in checks.items() if not check.ok]
    if failed:
        raise ApiProblem("not_ready", errors=failed)
    return Readiness(checks=checks)


@router.get("/api/v1/system/info", operation_id="system_info", summary="What is this box?")
async def system_info(ctx: Ctx) -> SystemInfo:
    """Public: what a page needs before anybody has logged in."""
    config = ctx.config
    ctx.pages.refresh()
    return SystemInfo(
        version=config.version,
        build=ctx.pages.build,
        site=Words(zh=config.site.zh, en=config.site.en),
        demo=config.demo,
        verticals=list(config.verticals),
        needs_setup=ctx.accounts.is_new(),
    )


@router.get("/openapi.json", operation_id="openapi_document", include_in_schema=False)
async def openapi_document(request: Request) -> Response:
    """This API's description."""
    document: dict[str, Any] = request.app.openapi()
    return json_response(msgspec.json.encode(document), {"Cache-Control": "no-cache"})
