"""Questions about samples: a span, the last values, windows, groups of series, points for a plot.

One object for one thread. The hard part is to choose what to read: a year must not unpack a year of samples, and a
second must show every one of them. A user would notice a mistake as a page that takes seconds to zoom.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from edge.storage.bins import NO_BINS, Bins, bins_of, regrouped
from edge.storage.errors import StoreError
from edge.storage.plotting import Curve, curve_of_bins, curve_of_samples, held
from edge.storage.rollups import HOUR_S, MINUTE_S, NS, read_rolled
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_model import SeriesKind
from edge.storage.sample_reading import Raw, SeriesReader

T = TypeVar("T")
SAMPLES_MAX = 10_000
SERIES_MAX = 64
WINDOWS_MAX = 20_000
PIXELS_MAX = 4_000
#: From so many stored bins a pixel on they are finer than the plot needs.
_ENOUGH = {HOUR_S: 0.25, MINUTE_S: 0.5}


class Place(NamedTuple):
    """Where a page of samples ended: how many samples of exactly this time were given out."""

    time_ns: int
    given: int


class SamplePage(NamedTuple):
    """Some samples in the order of time, and where the next ones begin; None at the end."""

    raw: Raw
    next: Place | None


class Gap(NamedTuple):
    """A span of the log whose samples are lost, as times."""

    begin_ns: int
    end_ns: int
    reason: str


class Plot(NamedTuple):
    """The curve of a series; ``resolution_s`` 0 for samples themselves, else the width of the bins behind it.
    ``holes``: spans (first, last; UTC ns) of which the samples are damaged."""

    curve: Curve
    resolution_s: int
    holes: tuple[tuple[int, int], ...] = ()


class Group(NamedTuple):
    """Several series by window. ``total`` is the sum of their means (the power of a zone), ``members`` how many of them
    had samples, ``n`` all samples."""

    slot: npt.NDArray[np.int64]
    members: npt.NDArray[np.int64]
    n: npt.NDArray[np.int64]
    total: npt.NDArray[np.float64]
    min: npt.NDArray[np.float64]
    max: npt.NDArray[np.float64]


class SampleQueries:
    """Every method raises StoreError: "storage" (not now), "slow" (ask for less), "absent" for an unknown series."""

    def __init__(self, history: SampleHistory) -> None:
        self._history = history
        self._reader = SeriesReader(history.db, history.tail)

    def close(self) -> None:
        """Let go of the file; a later question opens it again."""
        self._reader.close()

    def samples(self, series: int, begin_ns: int, end_ns: int, limit: int, after: Place | None = None) -> SamplePage:
        """At most ``limit`` samples with begin <= time < end, from ``after`` on. Samples that come meanwhile neither
        shift nor repeat the others, unless they are late for the very millisecond at which the page ended."""
        begin_ns = begin_ns if after is None else max(begin_ns, after.time_ns)
        given = 0 if after is None else after.given

        def read() -> SamplePage:
            found, complete_ns = self._reader.first_samples(self._known(series), begin_ns, end_ns, limit + given + 1)
            size = found.time_ns.size
            skip = min(given, int(found.time_ns.searchsorted(begin_ns, side="right"))) if given else 0
            end = min(skip + limit, size)
            page = found if end - skip == size else found.part(slice(skip, end))
            if end == size and complete_ns >= end_ns:
                return SamplePage(page, None)
            last_ns = int(found.time_ns[end - 1])
            same = end - int(np.searchsorted(found.time_ns, last_ns, side="left"))
            return SamplePage(page, Place(last_ns, same))

        return self._read(read)

    def windows(self, series: int, begin_ns: int, end_ns: int, width_s: int, offset_s: int = 0) -> Bins:
        """Windows of ``width_s`` that begin at multiples of it in a time ``offset_s`` ahead of UTC (28,800: days of
        Shanghai); whole ones, those that the span touches. ``slot`` counts them since 1970 in that time."""
        width_ns, offset_ns = width_s * NS, offset_s * NS
        first, end = (begin_ns + offset_ns) // width_ns, -(-(end_ns + offset_ns) // width_ns)
        if end - first > WINDOWS_MAX:
            raise StoreError("slow", f"{end - first} windows; at most {WINDOWS_MAX} at once: ask for wider ones")
        begin_ns, end_ns = first * width_ns - offset_ns, end * width_ns - offset_ns
        level = next((s for s in (HOUR_S, MINUTE_S) if width_s % s == 0 and offset_s % s == 0), 0)

        def read() -> Bins:
            tail = self._reader.picture()
            if level == 0:
                raw = self._reader.raw(self._known(series), begin_ns, end_ns, tail)
                return bins_of(raw.time_ns + offset_ns, raw.value, width_ns)
            bins = read_rolled(self._reader, level, self._known(series), begin_ns, end_ns, tail)
            index = (bins.slot * level * NS + offset_ns) // width_ns
            return regrouped(bins, index) if bins.slot.size else NO_BINS

        return self._read(read)

    def group(
        self,
        series: Sequence[int],
        begin_ns: int,
        end_ns: int,
        width_s: int,
        offset_s: int = 0,
        *,
        most: int = SERIES_MAX,
    ) -> Group:
        """Several series as one, window by window: a zone's power, its hottest charger."""
        if not 1 <= len(series) <= most:
            raise StoreError("slow", f"{len(series)} series; 1 to {most} at once")
        found = [self.windows(number, begin_ns, end_ns, width_s, offset_s) for number in series]
        index = np.unique(np.concatenate([bins.slot for bins in found]))
        total, members, n = np.zeros(index.size), np.zeros(index.size, np.int64), np.zeros(index.size, np.int64)
        low, high = np.full(index.size, np.inf), np.full(index.size, -np.inf)
        for bins in found:
            at = np.searchsorted(index, bins.slot)
            total[at] += bins.sum / bins.n
            members[at] += 1
            n[at] += bins.n
            low[at] = np.minimum(low[at], bins.min)
            high[at] = np.maximum(high[at], bins.max)
        return Group(index, members, n, total, low, high)

    def plot(self, series: int, begin_ns: int, end_ns: int, pixels: int) -> Plot:
        """The points that draw begin <= time < end on so many columns, from bins where they are fine enough, or where
        the samples are gone already. A state begins with the value that it had before and holds its last one."""
        pixels = min(max(pixels, 10), PIXELS_MAX)
        span_s = (end_ns - begin_ns) / NS
        level = next((s for s, enough in _ENOUGH.items() if span_s / s >= enough * pixels), 0)
        number = self._known(series)
        steps = self._history.names.series(number).kind is SeriesKind.STATE

        def read() -> Plot:
            tail = self._reader.picture()
            self._reader.holes.clear()
            width_s = level or (MINUTE_S if begin_ns < self._reader.chunks_from_ns() else 0)
            if width_s == 0:
                raw = self._reader.raw(number, begin_ns, end_ns, tail)
                curve = curve_of_samples(raw.time_ns, raw.value, begin_ns, end_ns, pixels, steps=steps)
            else:
                bins = read_rolled(self._reader, width_s, number, begin_ns, end_ns, tail)
                curve = curve_of_bins(bins, width_s * NS, begin_ns, end_ns, pixels, steps=steps)
            if steps:
                before = self._reader.value_before(number, begin_ns, tail)
                curve = held(curve, before, begin_ns, min(end_ns, self._history.through_wall_ns))
            return Plot(curve, width_s, tuple(dict.fromkeys(self._reader.holes)))

        return self._read(read)

    def gaps(self, begin_ns: int, end_ns: int) -> list[Gap]:
        """What is known to be lost in the span."""
        sql = "SELECT t_first, t_last, reason FROM gap WHERE t_last >= ? AND t_first < ? ORDER BY t_first LIMIT 1000"

        def read() -> list[Gap]:
            return [Gap(*row) for row in self._reader.chunks().connection.execute(sql, (begin_ns, end_ns))]

        return self._read(read)

    def _known(self, series: int) -> int:
        try:
            return self._history.names.series(series).id
        except KeyError:
            raise StoreError("absent", f"there is no series {series}") from None

    def _read(self, work: Callable[[], T]) -> T:
        """``work`` sees one state of the file: what is sealed or rolled between two looks would else be in neither. It
        takes its picture of the tail before its first statement (``SeriesReader.picture``)."""
        try:
            connection = self._reader.chunks().connection
            connection.execute("BEGIN")
            try:
                return work()
            finally:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._reader.close()
            raise StoreError("storage", f"samples cannot be read now: {error}") from error
