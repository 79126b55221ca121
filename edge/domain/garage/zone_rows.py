"""What must outlive a power cut: the mode of each zone with its causes, and what every switch was last told.

``at_ns`` is UTC wall time. Accumulated durations are kept in whole minutes while they run.
"""

from __future__ import annotations

from typing import ClassVar

from edge.domain.kernel import Row


class ZoneRow(Row, frozen=True, kw_only=True, tag="zone"):
    """A zone. ``mode`` is a ``Mode``; ``trips`` counts how often it was latched, so that the causes of one latch are
    told from those of another; ``test_left_min`` (at ``noted_ns``) and ``blind_min`` run on after a start."""

    KEY: ClassVar = ("zone",)
    zone: str
    mode: str
    trips: int
    since_ns: int
    silenced: bool
    water_asked: bool
    feed_asked: bool
    test_left_min: int
    blind_min: int
    noted_ns: int


class CauseRow(Row, frozen=True, kw_only=True, tag="zone_cause"):
    """Why a zone was latched, in the order ``n`` in which it came; kept for ever as the record of the trip. ``what`` is
    a stable code (smoke, call_point, hand, neighbour, set_aside ...), ``ref`` the source, zone or person. ``weight``
    1 weak, 2 full; ``active`` until the source itself took it back. ``standing`` until the reset."""

    KEY: ClassVar = ("zone", "trip", "n")
    zone: str
    trip: int
    n: int
    what: str
    ref: str
    weight: int
    active: bool
    standing: bool
    seq: int
    at_ns: int


class SwitchRow(Row, frozen=True, kw_only=True, tag="switch"):
    """A switched thing: ``role`` port, contactor, feed, siren, door, water. ``cut`` is a ``CutState``, ``bad`` why it
    may not carry current again before a person re-arms it."""

    KEY: ClassVar = ("role", "name")
    role: str
    name: str
    zone: str
    wanted: bool
    armed: bool
    cut: str
    urgent: bool
    reason: str
    bad: str
    at_ns: int


ZONE_ROW_TYPES: tuple[type[Row], ...] = (ZoneRow, CauseRow, SwitchRow)
