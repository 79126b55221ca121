"""Which day it is where the box stands, and when the kernel must hear of it.

The hard part is a box that starts without a network: its clock says something, and later something else that is true.
A user would notice a mistake as yesterday's menu, or as subsidies that count a day twice.
"""

from __future__ import annotations

from edge.runtime.clock import Clock, local_day


class LocalDay:
    """``day``: the local day that was told last (ISO date), "" before the first."""

    def __init__(self, clock: Clock, utc_offset_min: int) -> None:
        self.day = ""
        self._clock = clock
        self._utc_offset_min = utc_offset_min
        self._trusted = False

    def news(self) -> str | None:
        """The day, when it is another than told, or when the clock that says so has become trustworthy; else None."""
        day = local_day(self._clock.wall_ns(), self._utc_offset_min)
        trusted = self._clock.wall_trusted()
        is_news = day != self.day or (trusted and not self._trusted)
        self.day, self._trusted = day, trusted
        return day if is_news else None
