"""Who is out on a trail. Times are monotonic ns of this boot; an outing does not survive it."""

from __future__ import annotations

import msgspec

from edge.domain.gym.view_types import LapView


class Outing(msgspec.Struct, kw_only=True):
    """One walk of one tag. ``gate``: index of the last gate, -1 none; ``at_ns`` when. ``lap_ns``: when the start was
    last passed, None not yet. ``segments`` of the lap under way: (gate index, ms since the lap began)."""

    outing_id: str
    tag: str
    began_ns: int
    began_wall_ns: int = 0
    gate: int = -1
    at_ns: int = 0
    lap_ns: int | None = None
    segments: list[tuple[int, int]] = []
    problem: str = ""
    laps: int = 0
    lap_count: int = 0


class Trail(msgspec.Struct):
    """``out`` by tag; ``last_laps`` oldest first."""

    out: dict[str, Outing] = {}
    last_laps: list[LapView] = []
    laps_today: int = 0
