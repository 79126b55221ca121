"""ANT+ heart rate straps: eight bytes to a beat. PROTOCOL.md section 3.

The hard part is that the page comes four times a second and the heart beats once: intervals come from the beat's own
time and count, never from when a page was heard, and a lost beat gives no interval at all. A user would notice a
mistake as a heart that skips whenever the radio does.
"""

from __future__ import annotations

from typing import Any

from edge.domain.machine_readings import HeartRateReading

TELL_NS = 1_000_000_000
"""Without a new beat the rate is told again after so long."""
_TIME_AT, _COUNT_AT, _RATE_AT = 4, 6, 7
_PER_S = 1024


class BeatReader:
    """One strap. A rate of 0 is none; bit 7 of the page number, which only turns, is not looked at."""

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None
        self._told_ns: int | None = None

    def take(self, page: bytes, marks: dict[str, Any], now_ns: int) -> list[HeartRateReading]:
        """A reading for each new beat, and once a second without one."""
        time, count = int.from_bytes(page[_TIME_AT:_COUNT_AT], "little"), page[_COUNT_AT]
        intervals: tuple[float, ...] = ()
        new = self._before is None or self._before[1] != count
        if self._before is not None and (count - self._before[1]) & 0xFF == 1:
            intervals = (((time - self._before[0]) & 0xFFFF) * 1000 / _PER_S,)
        self._before = (time, count)
        if not new and self._told_ns is not None and now_ns - self._told_ns < TELL_NS:
            return []
        self._told_ns = now_ns
        return [HeartRateReading(heart_rate_bpm=page[_RATE_AT] or None, rr_intervals_ms=intervals, **marks)]
