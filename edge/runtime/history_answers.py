"""One request of the history process answered: from typed question to typed columns. One object for one thread."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge.runtime.history_messages import (
    ActOnSink,
    Ask,
    AskGroup,
    AskLast,
    AskPlot,
    AskSamples,
    AskSeries,
    AskWindows,
    AskZone,
    AskZones,
    CurvePart,
    GapPart,
    GroupPart,
    LastPart,
    Part,
    PlotPart,
    Refused,
    SamplesPart,
    SeriesInfo,
    SeriesPart,
    WindowsPart,
    ZonesPart,
)
from edge.runtime.history_sinks import SinkDesk
from edge.runtime.history_zones import MEMBERS_MAX, Zones, describe, members
from edge.storage.errors import StoreError
from edge.storage.rollups import NS
from edge.storage.sample_columns import QUALITY_BITS
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_model import Series, SeriesKind
from edge.storage.sample_queries import SAMPLES_MAX, SERIES_MAX, Place, SampleQueries
from edge.storage.sample_tail import LastPicture

SERIES_PAGE_MAX = 5_000


class Answerer:
    """Answers from the histories of a site, by vertical."""

    def __init__(
        self, histories: Mapping[str, SampleHistory], desk: SinkDesk | None = None, zones: Zones | None = None
    ) -> None:
        """``desk`` takes what is done to sinks; None where there are none. ``zones``: by vertical and name."""
        self._histories = histories
        self._zones = zones or {}
        self._desk = desk
        self._queries = {name: SampleQueries(history) for name, history in histories.items()}

    def close(self) -> None:
        """Let go of the files."""
        for queries in self._queries.values():
            queries.close()

    def answer(self, ask: Ask) -> Part:
        """The answer, or why there is none."""
        try:
            return self._answer(ask)
        except StoreError as error:
            return Refused(error.code if error.code in {"absent", "slow"} else "storage", error.text)

    def _answer(self, ask: Ask) -> Part:
        match ask:
            case AskSeries():
                return self._series(ask)
            case AskLast():
                return self._last(ask.vertical)
            case AskSamples():
                return self._samples(ask)
            case AskWindows():
                return self._windows(ask)
            case AskGroup():
                return self._group(ask)
            case AskPlot():
                return self._plot(ask)
            case AskZones():
                return self._zones_of(ask.vertical)
            case AskZone():
                return self._zone(ask)
            case ActOnSink() if self._desk is not None:
                return self._desk.act(ask)
            case _:
                return Refused("bad", "not a question about samples")

    def _of(self, vertical: str) -> tuple[SampleHistory, SampleQueries]:
        if vertical not in self._histories:
            raise StoreError("absent", f"there is no history of {vertical!r}")
        return self._histories[vertical], self._queries[vertical]

    def _info(self, vertical: str, number: int, last: LastPicture | None = None) -> SeriesInfo:
        history, _ = self._of(vertical)
        try:
            series = history.names.series(number)
        except KeyError:
            raise StoreError("absent", f"there is no series {number}") from None
        return _info(history, series, last or history.last.picture())

    def _series(self, ask: AskSeries) -> Part:
        limit = min(max(ask.limit, 1), SERIES_PAGE_MAX)
        history, _ = self._of(ask.vertical)
        last = history.last.picture()
        found = [series for series in history.names.all() if series.id > ask.after]
        items = tuple(_info(history, series, last) for series in found[:limit])
        return SeriesPart(items, len(found) > limit)

    def _last(self, vertical: str) -> Part:
        history, _ = self._of(vertical)
        picture = history.last.picture()
        known = np.flatnonzero(picture.time_ns)
        return LastPart(
            _bytes(known.astype(np.int64)),
            _bytes(picture.time_ns[known]),
            _bytes(picture.value[known]),
            (picture.flags[known] & np.uint8(QUALITY_BITS)).tobytes(),
        )

    def _samples(self, ask: AskSamples) -> Part:
        _, queries = self._of(ask.vertical)
        limit = min(max(ask.limit, 1), SAMPLES_MAX)
        place = None if ask.place is None else Place(*ask.place)
        page = queries.samples(ask.series, ask.begin_ns, ask.end_ns, limit, place)
        raw = page.raw
        quality = (raw.flags & np.uint8(QUALITY_BITS)).tobytes()
        info = self._info(ask.vertical, ask.series)
        following = None if page.next is None else (page.next.time_ns, page.next.given)
        return SamplesPart(info, _bytes(raw.time_ns), _bytes(raw.value), quality, following)

    def _windows(self, ask: AskWindows) -> Part:
        _, queries = self._of(ask.vertical)
        width_s = max(ask.width_s, 1)
        bins = queries.windows(ask.series, ask.begin_ns, ask.end_ns, width_s, ask.offset_s)
        begin_ns = (bins.slot * width_s - ask.offset_s) * NS
        columns = (begin_ns, bins.n, bins.sum, bins.min, bins.max, bins.first, bins.last)
        return WindowsPart(self._info(ask.vertical, ask.series), *(_bytes(column) for column in columns))

    def _zones_of(self, vertical: str) -> Part:
        history, _ = self._of(vertical)
        series = history.names.all()
        return ZonesPart(tuple(describe(zone, series) for zone in self._zones.get(vertical, {}).values()))

    def _zone(self, ask: AskZone) -> Part:
        history, _ = self._of(ask.vertical)
        zone = self._zones.get(ask.vertical, {}).get(ask.zone)
        if zone is None:
            return Refused("no_zone", f"there is no zone {ask.zone!r} in {ask.vertical}")
        found = members(zone, ask.quantity, history.names.all())
        if not found:
            return Refused("absent", f"nothing in zone {ask.zone!r} has told {ask.quantity!r} yet")
        return self._group(
            AskGroup(ask.vertical, found, ask.begin_ns, ask.end_ns, ask.width_s, ask.offset_s), most=MEMBERS_MAX
        )

    def _group(self, ask: AskGroup, most: int = SERIES_MAX) -> Part:
        history, queries = self._of(ask.vertical)
        width_s = max(ask.width_s, 1)
        group = queries.group(ask.series, ask.begin_ns, ask.end_ns, width_s, ask.offset_s, most=most)
        begin_ns = (group.slot * width_s - ask.offset_s) * NS
        last = history.last.picture()
        infos = tuple(self._info(ask.vertical, number, last) for number in ask.series)
        columns = (begin_ns, group.members, group.n, group.total, group.min, group.max)
        return GroupPart(infos, *(_bytes(column) for column in columns))

    def _plot(self, ask: AskPlot) -> Part:
        history, queries = self._of(ask.vertical)
        if not 1 <= len(ask.series) <= SERIES_MAX:
            raise StoreError("slow", f"{len(ask.series)} series; 1 to {SERIES_MAX} at once")
        last = history.last.picture()
        curves: list[CurvePart] = []
        holes: set[tuple[int, int]] = set()
        for number in ask.series:
            plot = queries.plot(number, ask.begin_ns, ask.end_ns, ask.pixels)
            info = self._info(ask.vertical, number, last)
            curves.append(CurvePart(info, plot.resolution_s, _bytes(plot.curve.time_ns), _bytes(plot.curve.value)))
            holes.update(plot.holes)
        gaps = [GapPart(*gap) for gap in queries.gaps(ask.begin_ns, ask.end_ns)]
        gaps += [GapPart(*hole, "damaged") for hole in sorted(holes)]
        return PlotPart(tuple(curves), tuple(gaps))


def _info(history: SampleHistory, series: Series, last: LastPicture) -> SeriesInfo:
    heard = series.id < last.time_ns.size and bool(last.time_ns[series.id])
    value = float(last.value[series.id]) if heard else float("nan")
    return SeriesInfo(
        vertical=history.vertical,
        id=series.id,
        device=series.device,
        point=series.point,
        quantity=series.quantity,
        unit=series.unit,
        kind=series.kind.value,
        words=tuple(history.names.words(series.id)) if series.kind is SeriesKind.STATE else (),
        last_ns=int(last.time_ns[series.id]) if heard else 0,
        last_value=None if np.isnan(value) else value,
        last_quality=int(last.flags[series.id]) & QUALITY_BITS if heard else 0,
    )


def _bytes(column: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> bytes:
    return column.astype(column.dtype.newbyteorder("<"), copy=False).tobytes()
