"""Checks payloads against the schemas of the ``ocpp`` library (mobilityhouse, MIT).

The hard part is that the library reads the schema named by the action from its folder: an action comes from the wire
and must be a known one before it becomes part of a path. A user would notice a mistake as a file of this box that a
charger can make us read.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

from drivers.messages import Problem
from drivers.ocpp16.actions import ACTIONS

_KNOWN = frozenset(ACTIONS)
_TIMES = frozenset({"timestamp", "currentTime", "expiryDate", "retrieveDate", "startTime", "stopTime"})
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|z|[+-]\d\d(:?\d\d)?)?")
"""ISO 8601 as chargers send it: any number of fraction digits, with or without a zone."""


def first_violation(action: str, payload: dict[str, Any], *, result: bool) -> Problem | None:
    """What is wrong with the payload of a call (or of the answer to one), or None. A missing key is told before all
    else."""
    if action not in _KNOWN:
        return Problem("bad_message", f"the action {action!r:.60} is unknown")
    # Imported here: a third of a second that only sites with such chargers need.
    from ocpp.messages import get_validator  # type: ignore[import-untyped]  # noqa: PLC0415 - it has no types

    validator = get_validator(3 if result else 2, action, "1.6", parse_float=Decimal)
    # Decimals: as floats, 16.1 A is no multiple of 0.1 A.
    exact = json.loads(json.dumps(payload), parse_float=Decimal)
    try:
        errors = sorted(validator.iter_errors(exact), key=lambda error: error.validator != "required")
    except RecursionError:
        return Problem("bad_payload", "the payload is nested too deeply")
    if errors:
        where = "/".join(str(part) for part in errors[0].absolute_path) or "payload"
        kind = "missing_value" if errors[0].validator == "required" else "bad_value"
        return Problem(kind, f"{where}: {errors[0].message}"[:300])
    wrong = _wrong_time(payload)
    return None if wrong is None else Problem("bad_time", f"{wrong!r:.60} is no time")


def _wrong_time(value: Any) -> str | None:
    """The first text under a key that holds times and is none."""
    if isinstance(value, list):
        return next((wrong for each in value if (wrong := _wrong_time(each)) is not None), None)
    if not isinstance(value, dict):
        return None
    for key, each in value.items():
        if key in _TIMES and isinstance(each, str):
            if _TIME.fullmatch(each) is None:
                return each
        elif (wrong := _wrong_time(each)) is not None:
            return wrong
    return None
