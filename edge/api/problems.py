"""problem+json (RFC 9457) for every error, in the caller's language.

Whatever goes wrong between socket and route ends here: our own ``ApiProblem``, FastAPI's validation errors, Starlette's
404 and 405; what nobody foresaw is caught by ``middleware.Envelope``. A user would notice a mistake here as a page that
shows "error" and no way out.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from edge.api.problem_facts import facts_in_words
from edge.api.problem_texts import RETRY_AFTER_S, TEXTS
from edge.api.validation_texts import error_of

MEDIA_TYPE = "application/problem+json"
LANGUAGES = ("zh", "en")
#: No caller needs more to correct a request, and a body of 256 KiB could name 100 000.
MAX_ERRORS = 50
#: Longest body that a request may have.
MAX_BODY_BYTES = 256 * 1024


class ApiProblem(Exception):  # noqa: N818 - the name of the thing in RFC 9457
    """Raise it anywhere in a route. ``code`` is a key of ``problem_texts.TEXTS``; ``params`` fill its detail,
    ``facts`` are for programs (what the daemon told beside its refusal)."""

    def __init__(
        self,
        code: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        retry_after_s: int | None = None,
        params: Mapping[str, str | int] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.errors = tuple(errors)
        self.params = dict(params or {})
        self.facts = dict(facts or {})
        status = TEXTS[code].status
        self.retry_after_s = RETRY_AFTER_S if retry_after_s is None and status == 503 else retry_after_s


def language_of(accept_language: str) -> str:
    """Language "zh" or "en", whichever the header (RFC 9110, 12.5.4) prefers; Chinese where it says nothing."""
    best, best_q = "zh", 0.0
    for part in accept_language[:256].split(","):
        tag, _, weight = part.partition(";")
        language = tag.strip().lower().split("-")[0]
        match = re.fullmatch(r"\s*q=([01](?:\.\d{1,3})?)\s*", weight) if weight else None
        quality = float(match.group(1)) if match else (0.0 if weight else 1.0)
        if language in LANGUAGES and quality > best_q:
            best, best_q = language, quality
    return best


def problem_body(problem: ApiProblem, language: str, instance: str) -> dict[str, Any]:
    """The members of RFC 9457 plus ``code`` and, where there are any, ``facts`` and ``errors``."""
    text = TEXTS[problem.code]
    title, detail = (text.title_zh, text.detail_zh) if language == "zh" else (text.title_en, text.detail_en)
    parts = (detail.format(**problem.params), facts_in_words(problem.facts, language))
    body: dict[str, Any] = {
        "type": f"urn:kangle:problem:{problem.code}",
        "title": title,
        "status": text.status,
        "detail": ("" if language == "zh" else " ").join(part for part in parts if part),
        "instance": instance,
        "code": problem.code,
    }
    if problem.facts:
        body["facts"] = problem.facts
    if problem.errors:
        body["errors"] = [dict(error) for error in problem.errors]
    return body


def request_id(scope: Mapping[str, Any]) -> str:
    """The number under which this request stands in the log (set by ``middleware.Envelope``)."""
    return str(scope.get("kangle.request_id", "none"))


def problem_response(
    scope: Mapping[str, Any], problem: ApiProblem, headers: Mapping[str, str] | None = None
) -> Response:
    """The response for ``problem`` to the request of ``scope``."""
    accept = next((v.decode("latin-1") for k, v in scope.get("headers", ()) if k == b"accept-language"), "")
    language = language_of(accept)
    out = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store", **(headers or {})}
    if problem.retry_after_s is not None:
        out["Retry-After"] = str(problem.retry_after_s)
    if TEXTS[problem.code].status == 401:
        out["WWW-Authenticate"] = 'Bearer realm="kangle"'
    body = msgspec.json.encode(problem_body(problem, language, f"urn:kangle:request:{request_id(scope)}"))
    return Response(body, status_code=TEXTS[problem.code].status, headers=out, media_type=MEDIA_TYPE)


def validation_problem(exc: RequestValidationError, language: str) -> ApiProblem:
    """The one problem that stands for all validation errors of a request; never repeats what was sent."""
    errors = exc.errors()
    kinds = {error["type"] for error in errors}
    if "json_invalid" in kinds:
        return ApiProblem("bad_json")
    if any(tuple(error["loc"])[:2] == ("header", "Idempotency-Key") for error in errors):
        return ApiProblem("bad_idempotency_key")
    return ApiProblem("validation", errors=[error_of(error, language) for error in errors[:MAX_ERRORS]])


_CODE_OF_STATUS = {
    400: "bad_request",
    401: "not_logged_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media",
    503: "busy",
}


class MethodTable:
    """Which methods each path knows: Starlette's 405 names those of one route only."""

    def __init__(self, routes: Sequence[tuple[str, frozenset[str]]]) -> None:
        self._routes = routes

    @functools.cached_property
    def _compiled(self) -> list[tuple[re.Pattern[str], frozenset[str]]]:
        """At the first 405: no start needs it."""
        return [(compile_path(path)[0], methods) for path, methods in self._routes]

    def allow(self, path: str) -> str:
        """The value of Allow for ``path``, over all routes that match it."""
        methods = {method for regex, of_route in self._compiled if regex.match(path) for method in of_route}
        return ", ".join(sorted(methods))


#: The 404 page for a person's browser, None for everybody else.
NotFoundPage = Callable[[Request], Response | None]


def install(app: FastAPI, methods: MethodTable, not_found_page: NotFoundPage) -> None:
    """Make ``app`` answer every error as problem+json (and a lost person with a page)."""

    async def on_problem(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, ApiProblem)
        page = not_found_page(request) if exc.code == "not_found" else None
        return page or problem_response(request.scope, exc)

    async def on_validation(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)
        language = language_of(request.headers.get("accept-language", ""))
        return problem_response(request.scope, validation_problem(exc, language))

    async def on_http(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        problem = ApiProblem(_CODE_OF_STATUS.get(exc.status_code, "bad_request"), params={"limit": MAX_BODY_BYTES})
        headers = {"Allow": methods.allow(request.url.path)} if exc.status_code == 405 else None
        page = not_found_page(request) if exc.status_code == 404 else None
        return page or problem_response(request.scope, problem, headers)

    app.add_exception_handler(ApiProblem, on_problem)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)
