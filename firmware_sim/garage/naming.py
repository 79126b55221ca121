"""Finding what a request of the control socket names: in any case, by a beginning that only one has, or told what
there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from firmware_sim.control import ControlError, Json

T = TypeVar("T")


def flag(request: Json, key: str, *, default: bool) -> bool:
    """True or false of a request."""
    value = request.get(key, default)
    if not isinstance(value, bool):
        raise ControlError(f'"{key}" must be true or false')
    return value


def named(found: Mapping[str, T], name: str, what: str) -> T:
    """The thing of that name. Raises ``ControlError`` with the names that there are."""
    wanted = name.lower()
    for key, value in found.items():
        if key.lower() == wanted:
            return value
    begun = [key for key in found if wanted and key.lower().startswith(wanted)]
    if len(begun) == 1:
        return found[begun[0]]
    raise ControlError(f"there is no {what} {name!r}: give one of {', '.join(begun or found)}")
