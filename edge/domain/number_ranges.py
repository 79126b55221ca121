"""Numbers of a device that cannot be: each vertical names the ranges, this takes out what lies outside.

A number outside its range (infinite, or none at all) is "not said", never a limit value: a clamped figure would be a
figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

Ranges = Mapping[str, tuple[float, float]]
Body = TypeVar("Body", bound=msgspec.Struct)


def within(body: Body, ranges: Ranges) -> Body:
    """``body`` with every field of ``ranges`` (name -> lowest, highest) that lies outside as None; the very same object
    where none does."""
    wrong: dict[str, Any] = {}
    for name, (low, high) in ranges.items():
        value = getattr(body, name)
        if value is not None and not low <= value <= high:  # nan is in no range
            wrong[name] = None
    return msgspec.structs.replace(body, **wrong) if wrong else body
