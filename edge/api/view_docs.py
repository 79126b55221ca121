"""Words and examples for the fields of views in the OpenAPI document, by (schema, field)."""

from __future__ import annotations

from typing import Any

FIELDS: dict[tuple[str, str], tuple[str, Any]] = {}
EXAMPLES: dict[str, Any] = {}
