"""Which day it is where the box stands, and when the kernel must hear of it.

The hard part is a box that starts without a network: its clock says something, and later something else that is true.
A user would notice a mistake as yesterday's menu, or as subsidies that count a day twice. A business day never goes
back: a date that is years ahead for a minute, while somebody corrects it, would close a canteen for as long.
"""

from __future__ import annotations

from datetime import date

from edge.runtime.clock import Clock, local_day

#: A clock that was right and is now doubted is not believed to have slept longer. (Menus are known 30 days ahead.)
LEAP_MAX_DAYS = 31


class LocalDay:
    """``day``: the local day that was told last (ISO date), "" before the first."""

    def __init__(self, clock: Clock, utc_offset_min: int) -> None:
        self.day = ""
        self._clock = clock
        self._utc_offset_min = utc_offset_min
        self._trusted = False
        self._was_trusted = False

    def news(self) -> str | None:
        """The day, when it is another than told, or when the clock that says so has become trustworthy; else None."""
        day = local_day(self._clock.wall_ns(), self._utc_offset_min)
        trusted = self._clock.wall_trusted()
        if not trusted and self._was_trusted and _days_between(self.day, day) > LEAP_MAX_DAYS:
            self._trusted = False
            return None
        is_news = day != self.day or (trusted and not self._trusted)
        self.day, self._trusted = day, trusted
        self._was_trusted |= trusted
        return day if is_news else None


def _days_between(first: str, second: str) -> int:
    return (date.fromisoformat(second) - date.fromisoformat(first)).days
