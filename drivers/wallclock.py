"""The wall time as a driver may know it: what it was last told, counted on by the monotonic clock.

Drivers have no clock. Some wires want a time all the same (login answers, frames with a date); a guess that is wrong by
years must be recognisable as such, so an unset clock gives 2000-01-01. A user would notice a mistake as a board whose
records are dated 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
UNSET = datetime(2000, 1, 1, tzinfo=CHINA)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEAR_MAX = 2099
"""Two-digit years end here."""


def to_wall_ns(moment: datetime) -> int:
    """UTC ns since 1970 of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1_000


def to_china(wall_ns: int) -> datetime:
    """China local time of a UTC moment; UNSET when it does not fit two-digit years."""
    try:
        moment = (_EPOCH + timedelta(microseconds=wall_ns // 1_000)).astimezone(CHINA)
    except OverflowError:
        return UNSET
    return moment if UNSET.year <= moment.year <= _YEAR_MAX else UNSET


class WallClock:
    """Counts on from the last time told."""

    def __init__(self) -> None:
        self._told: tuple[int, int] | None = None

    @property
    def is_set(self) -> bool:
        return self._told is not None

    def set(self, wall_ns: int, now_ns: int) -> None:
        self._told = (wall_ns, now_ns)

    def wall_ns(self, now_ns: int) -> int | None:
        """UTC ns at monotonic ``now_ns``, None while nobody has told the time."""
        if self._told is None:
            return None
        wall_ns, told_ns = self._told
        return wall_ns + now_ns - told_ns

    def china(self, now_ns: int) -> datetime:
        """China local time at monotonic ``now_ns``, or UNSET."""
        wall_ns = self.wall_ns(now_ns)
        return UNSET if wall_ns is None else to_china(wall_ns)
