"""Answers that are already JSON, and how they are described in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

JSON = "application/json"


def json_response(body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """``body`` as it is. Answers about persons and money are never kept by caches."""
    return Response(body, headers={"Cache-Control": "no-store", **(headers or {})}, media_type=JSON)


def struct_response(value: msgspec.Struct | Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """``value`` encoded by msgspec (4-7 times faster than pydantic, and the structs are there already)."""
    return json_response(msgspec.json.encode(value), headers)


def answers_with(
    schema: str, description: str, headers: Mapping[str, str] | None = None
) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route whose 200 is the component ``schema`` (``view_schemas`` puts msgspec's there);
    ``headers`` are its own headers with their descriptions."""
    answer: dict[str, Any] = {
        "description": description,
        "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }
    if headers:
        answer["headers"] = {
            name: {"description": words, "schema": {"type": "string"}} for name, words in headers.items()
        }
    return {200: answer}
