"""Messages of the generic strength profile: one finished repetition, or the state of a set. Pure; PROTOCOL.md 1.

The hard part is that no maker's wire is public, so this profile is what an integrator is asked to send: it must refuse
what is half right, or half-right senders will stay for ever. A user would notice a mistake as a torque in lb-ft.
"""

from __future__ import annotations

from typing import Any

import msgspec

from drivers.messages import Message, PayloadError, Problem, boolean, json_object, limited, text
from drivers.rawvalue import seq_of, wall_ns_of

SUFFIX = "strength"
SIDES = ("left", "right", "both")
STATES = ("idle", "ready", "in_use", "paused", "finished", "fault")
PROGRAMME_MAX = 64
COUNT_MAX = 100_000
#: Quantity -> lowest and highest believable value.
_LIMITS = {
    "peak_torque_nm": (0.0, 2_000.0),
    "range_deg": (0.0, 360.0),
    "speed_deg_s": (0.0, 1_000.0),
    "work_j": (0.0, 100_000.0),
    "minutes": (0.0, 1_440.0),
    "intensity_pct": (0.0, 100.0),
}


class StrengthMessage(msgspec.Struct, frozen=True, kw_only=True):
    """``rep`` None: a message about the set. ``point`` is ``<zone>/<asset>``."""

    point: str
    set_number: int
    rep: int | None = None
    rep_count: int | None = None
    peak_torque_nm: float | None = None
    range_deg: float | None = None
    speed_deg_s: float | None = None
    work_j: float | None = None
    minutes: float | None = None
    intensity_pct: float | None = None
    side: str | None = None
    programme: str = ""
    state: str | None = None
    finished: bool = False
    retained: bool = False
    source_wall_ns: int | None = None
    source_seq: int | None = None


def parse(message: Message) -> StrengthMessage | Problem:
    levels = message.topic.split("/")
    if len(levels) != 4 or levels[3] != SUFFIX or not all(levels):
        return Problem("bad_message", f"not <site>/<zone>/<asset>/{SUFFIX}")
    try:
        fields = json_object(message)
        return StrengthMessage(
            point=f"{levels[1]}/{levels[2]}",
            set_number=_set_number(fields),
            rep=_count(fields, "rep"),
            rep_count=_count(fields, "reps", lowest=0),
            **{name: limited(fields, name, low, high) for name, (low, high) in _LIMITS.items()},
            side=_word(fields, "side", SIDES),
            programme=_programme(fields),
            state=_word(fields, "state", STATES),
            finished=bool(boolean(fields, "finished")),
            retained=message.retain,
            source_wall_ns=wall_ns_of(fields),
            source_seq=seq_of(fields),
        )
    except PayloadError as error:
        return error.problem


def _set_number(fields: dict[str, Any]) -> int:
    number_of_set = _count(fields, "set")
    if number_of_set is None:
        raise PayloadError("missing_value", "no set")
    return number_of_set


def _count(fields: dict[str, Any], key: str, lowest: int = 1) -> int | None:
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= COUNT_MAX:
        raise PayloadError("bad_value", f"{key} is {str(value)[:40]!r}, not a whole number from {lowest}")
    return value


def _word(fields: dict[str, Any], key: str, allowed: tuple[str, ...]) -> str | None:
    value = fields.get(key)
    if value is not None and value not in allowed:
        raise PayloadError("bad_value", f"{key} is {str(value)[:40]!r}, must be one of {', '.join(allowed)}")
    return None if value is None else str(value)


def _programme(fields: dict[str, Any]) -> str:
    value = text(fields, "programme") or ""
    if len(value) > PROGRAMME_MAX:
        raise PayloadError("bad_length", f"a programme of {len(value)} letters, at most {PROGRAMME_MAX}")
    return value
