"""The outermost layer around the app, as pure ASGI so that streams are never buffered: request id, security headers,
host allow-list, odd paths, body limit, time limit, faults that nobody foresaw, access log.

A user would notice a mistake here as a page of another site that reads the lane's state (DNS rebinding), or as a box
that one stalled request keeps busy.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import traceback
from collections.abc import Iterable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.api.problems import MAX_BODY_BYTES, ApiProblem, problem_response, request_id
from edge.log import structlog

#: Longest time to the first word of an answer, the request's body included, and from part to part of a long one (a
#: million lines take longer than any of them); live streams are exempt.
REQUEST_TIMEOUT_S = 20.0
LIVE_PATH = "/api/v1/live"

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"permissions-policy",
        b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), interest-cohort=()",
    ),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

log = structlog.get_logger("edge.api.access")
failures = structlog.get_logger("edge.api")


def host_name(host: str) -> str:
    """The Host header's name without its port, lower case; an IPv6 address keeps its brackets."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower().rstrip(".")


def header(scope: Scope, name: bytes) -> str:
    """The one value of a header, "" when absent."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def is_odd_path(scope: Scope) -> bool:
    """Paths that no client of ours writes: encoded slashes, backslashes, NUL, dot segments, empty segments."""
    raw = scope.get("raw_path", b"").lower()
    path = scope["path"]
    segments = path.split("/")[1:]
    empty = any(not part for part in segments[:-1])
    return any(bad in raw for bad in (b"%2f", b"%5c", b"%00", b"\\")) or empty or "." in segments or ".." in segments


class Envelope:
    """Wraps the app. ``allowed_hosts`` come on top of the loopback names."""

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK_NAMES | {name.lower() for name in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope["kangle.request_id"] = secrets.token_hex(6)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                request_id = (b"x-request-id", scope["kangle.request_id"].encode())
                message = {**message, "headers": [*message.get("headers", ()), *SECURITY_HEADERS, request_id]}
            await send(message)

        try:
            await self._answer(scope, receive, send_with_headers)
        finally:
            log.debug(
                "request",
                request=scope["kangle.request_id"],
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._refusal(scope)
        if problem is not None:
            await problem_response(scope, problem)(scope, receive, send)
        else:
            await self._answer_in_time(scope, receive, send, None if scope["path"] == LIVE_PATH else REQUEST_TIMEOUT_S)

    def _refusal(self, scope: Scope) -> ApiProblem | None:
        if host_name(header(scope, b"host")) not in self._hosts:
            return ApiProblem("host_not_allowed")
        if is_odd_path(scope):
            return ApiProblem("not_found")
        length = header(scope, b"content-length")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            return ApiProblem("too_large", params={"limit": MAX_BODY_BYTES})
        return None

    async def _answer_in_time(self, scope: Scope, receive: Receive, send: Send, limit_s: float | None) -> None:
        begun = False
        limit = asyncio.timeout(limit_s)

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)
            if limit_s is not None:
                limit.reschedule(asyncio.get_running_loop().time() + limit_s)

        try:
            async with limit:
                await self._app(scope, _limited(receive), watched)
        except Exception as exc:
            if begun:
                raise
            problem = ApiProblem("too_slow" if limit.expired() else "internal")
            if problem.code == "internal":
                log_failure(scope, exc)
            await problem_response(scope, problem)(scope, receive, send)


def log_failure(scope: Scope, exc: Exception) -> None:
    """What nobody foresaw, with the request's number. Plain lines of the traceback only: pretty ones show the values
    of local variables, and those hold passwords."""
    lines = "".join(traceback.format_exception(exc))
    failures.error("request failed", request=request_id(scope), path=scope["path"], traceback=lines)


def _limited(receive: Receive) -> Receive:
    """``receive`` that refuses a body beyond ``MAX_BODY_BYTES``, whatever its Content-Length said."""
    total = 0

    async def limited() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > MAX_BODY_BYTES:
            raise HTTPException(413)
        return message

    return limited
