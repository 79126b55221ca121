"""The OpenAPI document: FastAPI's, completed with the views, the problems and how to log in.

``python -m edge.api.openapi > edge/api/openapi.json`` writes the committed copy, from which the pages' types are
made; a test compares it with the running app.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from edge import __version__
from edge.api.problem_texts import TEXTS
from edge.api.problems import MEDIA_TYPE
from edge.api.roles import ROLES
from edge.api.view_schemas import view_components

DESCRIPTION = """\
The API of one Kangle Edge box. Money is integer fen, masses g or mg, energy J, times UTC nanoseconds unless a name says
otherwise. Every error is `application/problem+json` with a stable `code`, in Chinese or English by `Accept-Language`.

Everything that moves money, plates or orders needs the header `Idempotency-Key`: the id of the command, made before its
first send. When no answer comes, ask again **under the same key**; the same key with other content is refused (409).
"""
TAGS = [
    {"name": "system", "description": "Health and what this box is."},
    {"name": "auth", "description": "Logging in and out."},
    {"name": "accounts", "description": "Users, API tokens, consents."},
    {"name": "live", "description": "Server-sent events."},
    {"name": "canteen", "description": "Checkout, menu, orders, purses, plates."},
    {"name": "garage", "description": "Zones, chargers, alarms. An added layer beside the certified fire panel."},
    {"name": "history", "description": "What was measured: samples, windows, curves, CSV. Times are UTC ms."},
    {"name": "gym", "description": "Machines, workouts, limits, queue, trails, maintenance."},
    {"name": "demo", "description": "Simulated diners; 404 unless the site file enables them."},
]
_STATUS_WORDS = {
    "400": "The request cannot be read.",
    "401": "Not logged in, or the credentials are wrong.",
    "403": "The role may not do this.",
    "404": "No such thing, or not yours.",
    "405": "No such method here.",
    "408": "Took too long.",
    "409": "Conflicts with what is there; nothing was done.",
    "413": "The body is too large.",
    "415": "The body is not declared as what is taken here: JSON, for a photo image/jpeg.",
    "422": "Invalid content; `errors` lists what.",
    "429": "Too many; see Retry-After.",
    "500": "A fault of ours; `instance` is its number in the log.",
    "503": "Something is away; see Retry-After. A command may have been carried out: ask again with the same key.",
}


def _text(description: str, example: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, "examples": [example], **more}


def problem_schemas() -> dict[str, Any]:
    """The components Problem and ProblemError."""
    error = {
        "type": "object",
        "description": "One thing to correct.",
        "required": ["pointer", "message"],
        "properties": {
            "pointer": _text("JSON pointer into the body, or query:x, header:x, path:x.", "/payable_fen"),
            "message": _text("What is wrong.", "must be an integer"),
        },
    }
    properties: dict[str, Any] = {
        "type": _text("urn:kangle:problem:<code>.", "urn:kangle:problem:tray_changed"),
        "title": _text("What happened, for people.", "The tray has changed"),
        "status": {"type": "integer", "description": "HTTP status.", "examples": [409]},
        "detail": _text("What to do, for people.", "Nothing was charged. Look at the new price, then pay."),
        "instance": _text("Number of this request in the log.", "urn:kangle:request:5f0c1d2e3a4b"),
        "code": _text("Stable code, for programs.", "tray_changed", enum=sorted(TEXTS)),
        "facts": {
            "type": "object",
            "description": "What the words need, e.g. the tray's new version.",
            "examples": [{"tray_id": "t-12", "tray_version": 8, "payable_fen": 1630}],
        },
        "errors": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/ProblemError"},
            "description": "What to correct, where several things are wrong.",
        },
    }
    problem = {
        "type": "object",
        "description": "An error as RFC 9457 describes it.",
        "required": ["type", "title", "status", "detail", "instance", "code"],
        "properties": properties,
    }
    return {"Problem": problem, "ProblemError": error}


def statuses_of(method: str, path: str, operation: dict[str, Any]) -> list[str]:
    """Which problems an operation can answer with."""
    statuses = ["400", "405", "408", "413", "500", "503"]
    has_body = "requestBody" in operation
    if has_body or operation.get("parameters"):
        statuses.append("422")
    if has_body:
        statuses.append("415")
    public = ROLES.get(operation["operationId"], frozenset()) is None
    if not public:
        statuses += ["401", "403"]
    if "{" in path or "canteen" in path or "garage" in path or "demo" in path or "live" in path:
        statuses.append("404")
    if "/gym" in path:
        statuses.append("404")
    if "history" in path:
        statuses.append("404")
    if "/auth/" in path:
        statuses += ["401", "403", "409", "429"]
    elif method in {"post", "delete"}:
        statuses += ["403", "409", "422"]
    if path.endswith("/photo") and method == "post":
        statuses.append("429")
    if "/live" in path or path.endswith("/reset"):
        statuses.append("429")
    return sorted(set(statuses))


def _complete(method: str, path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    for status in statuses_of(method, path, operation):
        responses[status] = {"$ref": f"#/components/responses/Problem{status}"}
    operation["responses"] = dict(sorted(responses.items()))
    if ROLES.get(operation["operationId"], frozenset()) is None:
        operation["security"] = []
    else:
        roles = sorted(ROLES.get(operation["operationId"]) or ())
        operation["description"] = f"{operation.get('description', '')}\n\nRoles: {', '.join(roles)}.".strip()


def build(app: FastAPI) -> dict[str, Any]:
    """The whole document for ``app``."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
        servers=[{"url": "/"}],
    )
    for path, item in document["paths"].items():
        for method, operation in item.items():
            _complete(method, path, operation)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for gone in ("HTTPValidationError", "ValidationError"):
        schemas.pop(gone, None)
    clash = schemas.keys() & view_components().keys()
    if clash:
        raise ValueError(f"two schemas of the same name: {sorted(clash)}")
    components["schemas"] = dict(sorted({**schemas, **view_components(), **problem_schemas()}.items()))
    components["responses"] = {
        f"Problem{status}": {
            "description": words,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, words in _STATUS_WORDS.items()
    }
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "kangle_session", "description": "Set by logging in."},
        "token": {"type": "http", "scheme": "bearer", "description": "An API token made under /tokens."},
    }
    document["security"] = [{"session": []}, {"token": []}]
    return document


def document_json(app: FastAPI) -> bytes:
    """The document as it is committed: indented, stable order."""
    return msgspec.json.format(msgspec.json.encode(build(app)), indent=1) + b"\n"


def main() -> None:
    """Write the document to stdout."""
    from edge.api.app import assemble  # noqa: PLC0415 - app imports this module

    sys.stdout.buffer.write(document_json(assemble(__version__)))


if __name__ == "__main__":
    main()
