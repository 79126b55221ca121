"""What a trail keeps: laps and outings. ``at_ns`` is UTC wall time; ``tag`` a token."""

from __future__ import annotations

from typing import ClassVar

from edge.domain.kernel import Row


class OutingRow(Row, frozen=True, kw_only=True, tag="outing"):
    """One walk of one tag on one trail. ``person`` "" unless the tag is known. ``standing`` while under way;
    ``ended_ns`` is when it was last seen."""

    KEY: ClassVar = ("outing_id",)
    outing_id: str
    trail: str
    tag: str
    person: str
    day: str
    standing: bool
    laps: int
    distance_m: int
    began_ns: int
    ended_ns: int


class LapRow(Row, frozen=True, kw_only=True, tag="lap"):
    """A lap; ``problem`` "" if it counts, else missing_gate, short_cut, too_fast. ``segments`` is msgpack of [gate,
    ms since the lap began]."""

    KEY: ClassVar = ("outing_id", "lap")
    outing_id: str
    lap: int
    trail: str
    day: str
    ms: int
    problem: str
    segments: bytes
    at_ns: int


class CountDayRow(Row, frozen=True, kw_only=True, tag="count_day"):
    """How often an outdoor point was used on a day; ``hours`` is msgpack of the uses of each of its 24 hours, empty of
    a day before they were kept."""

    KEY: ClassVar = ("asset", "day")
    asset: str
    day: str
    uses: int
    counter: int
    at_ns: int
    hours: bytes


TRAIL_ROW_TYPES: tuple[type[Row], ...] = (OutingRow, LapRow, CountDayRow)
