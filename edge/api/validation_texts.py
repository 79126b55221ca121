"""What pydantic found wrong, as a place and a sentence in Chinese or English, without repeating the value sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Sentences by pydantic's error type; ``{..}`` from its context. Other types fall back to "default".
SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("缺少此项", "is required"),
    "extra_forbidden": ("不认识此项", "is not known here"),
    "int_type": ("须为整数", "must be an integer"),
    "int_parsing": ("须为整数", "must be an integer"),
    "int_from_float": ("须为整数", "must be an integer"),
    "string_type": ("须为文字", "must be a string"),
    "string_unicode": ("含无效字符", "has invalid characters"),
    "bool_type": ("须为 true 或 false", "must be true or false"),
    "bool_parsing": ("须为 true 或 false", "must be true or false"),
    "tuple_type": ("须为列表", "must be a list"),
    "list_type": ("须为列表", "must be a list"),
    "model_attributes_type": ("须为对象", "must be an object"),
    "model_type": ("须为对象", "must be an object"),
    "greater_than_equal": ("不得小于 {ge}", "must be at least {ge}"),
    "less_than_equal": ("不得大于 {le}", "must be at most {le}"),
    "string_too_short": ("至少 {min_length} 个字符", "needs at least {min_length} characters"),
    "string_too_long": ("最多 {max_length} 个字符", "may have at most {max_length} characters"),
    "too_short": ("至少 {min_length} 项", "needs at least {min_length} items"),
    "too_long": ("最多 {max_length} 项", "may have at most {max_length} items"),
    "string_pattern_mismatch": ("须符合 {pattern}", "must match {pattern}"),
    "enum": ("须为 {expected} 之一", "must be one of {expected}"),
    "literal_error": ("须为 {expected} 之一", "must be one of {expected}"),
    "default": ("无效", "is not valid"),
}


def pointer_of(loc: tuple[Any, ...]) -> str:
    """Where: a JSON pointer (RFC 6901) into the body, or "query:limit", "header:Name", "path:lane"."""
    where, *rest = loc or ("body",)
    if where == "body":
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in rest)
    return f"{where}:{'.'.join(str(part) for part in rest)}"


def error_of(error: Mapping[str, Any], language: str) -> dict[str, str]:
    """``{"pointer", "message"}`` of one of pydantic's errors. The pointer is cut: keys come from the caller."""
    zh, en = SENTENCES.get(str(error["type"]), SENTENCES["default"])
    context = {key: str(value) for key, value in (error.get("ctx") or {}).items()}
    try:
        message = (zh if language == "zh" else en).format(**context)
    except KeyError:
        message = SENTENCES["default"][0 if language == "zh" else 1]
    pointer = pointer_of(tuple(error["loc"]))[:200]
    return {"pointer": pointer.encode("utf-8", "replace").decode(), "message": message}
