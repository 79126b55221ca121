"""What the API tells of samples: the history process' columns as JSON lists, times in ms, words for states."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.api.history_columns import integers, milliseconds, numbers
from edge.runtime.history_messages import (
    GroupPart,
    LastPart,
    PlotPart,
    SamplesPart,
    SeriesInfo,
    StatusPart,
    WindowsPart,
)

_MS = 1_000_000


class HistorySeries(msgspec.Struct, frozen=True, kw_only=True):
    """One series. ``key`` names it in requests; it is stable on this box only."""

    key: str
    vertical: str
    device: str
    point: str
    quantity: str
    unit: str
    kind: str
    last_ms: int | None
    last_value: float | None
    last_word: str | None
    last_quality: int


class HistorySeriesList(msgspec.Struct, frozen=True, kw_only=True):
    """Series by number."""

    items: list[HistorySeries]
    next_cursor: str | None


class HistoryLast(msgspec.Struct, frozen=True, kw_only=True):
    """The last value of every series, as columns of equal length."""

    key: list[str]
    time_ms: list[int]
    value: list[float | None]
    quality: list[int]


class HistorySamples(msgspec.Struct, frozen=True, kw_only=True):
    """Samples of one series by time, as columns of equal length; ``word`` is empty for numbers."""

    series: HistorySeries
    time_ms: list[int]
    value: list[float | None]
    word: list[str | None]
    quality: list[int]
    next_cursor: str | None


class HistoryWindows(msgspec.Struct, frozen=True, kw_only=True):
    """Windows of one series that hold something, as columns of equal length."""

    series: HistorySeries
    window_s: int
    begin_ms: list[int]
    n: list[int]
    mean: list[float | None]
    sum: list[float | None]
    min: list[float | None]
    max: list[float | None]
    first: list[float | None]
    last: list[float | None]


class HistoryWindowsList(msgspec.Struct, frozen=True, kw_only=True):
    """The series in the order asked for."""

    items: list[HistoryWindows]


class HistoryGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Several series as one, window by window, as columns of equal length."""

    series: list[HistorySeries]
    window_s: int
    begin_ms: list[int]
    members: list[int]
    n: list[int]
    total: list[float | None]
    min: list[float | None]
    max: list[float | None]


class HistoryCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Points that draw one series; a value of null breaks the line."""

    series: HistorySeries
    resolution_s: int
    words: list[str]
    time_ms: list[int]
    value: list[float | None]


class HistoryGap(msgspec.Struct, frozen=True, kw_only=True):
    """A span whose samples are lost for good."""

    vertical: str
    begin_ms: int
    end_ms: int
    reason: str


class HistoryPlot(msgspec.Struct, frozen=True, kw_only=True):
    """The curves in the order asked for."""

    curves: list[HistoryCurve]
    gaps: list[HistoryGap]


class HistoryVertical(msgspec.Struct, frozen=True, kw_only=True):
    """The history of one daemon; ``sinks`` as they tell of themselves."""

    vertical: str
    through_seq: int
    sealed_seq: int
    tail_samples: int
    series: int
    bytes: int
    alarm: str
    detail: str
    counts: dict[str, int]
    sinks: list[dict[str, str | int | float | bool | None]]


class HistoryStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Every daemon's history."""

    items: list[HistoryVertical]


ANSWERS = (
    HistorySeriesList,
    HistoryLast,
    HistorySamples,
    HistoryWindowsList,
    HistoryGroup,
    HistoryPlot,
    HistoryStatus,
)


def key_of(vertical: str, number: int) -> str:
    """The name of a series in requests."""
    return f"{vertical}.{number}"


def series_of(info: SeriesInfo) -> HistorySeries:
    """A series as an answer."""
    return HistorySeries(
        key=key_of(info.vertical, info.id),
        vertical=info.vertical,
        device=info.device,
        point=info.point,
        quantity=info.quantity,
        unit=info.unit,
        kind=info.kind,
        last_ms=info.last_ns // _MS if info.last_ns else None,
        last_value=info.last_value if info.kind == "number" else None,
        last_word=_word(info, info.last_value),
        last_quality=info.last_quality,
    )


def _word(info: SeriesInfo, code: float | None) -> str | None:
    if info.kind != "state" or code is None or not 0 <= code < len(info.words):
        return None
    return info.words[int(code)]


def last_of(vertical: str, part: LastPart) -> HistoryLast:
    """Last values as an answer."""
    return HistoryLast(
        key=[key_of(vertical, number) for number in integers(part.series)],
        time_ms=milliseconds(part.time_ns),
        value=numbers(part.value),
        quality=list(part.quality),
    )


def samples_of(part: SamplesPart, next_cursor: str | None) -> HistorySamples:
    """A page of samples as an answer."""
    values = numbers(part.value)
    state = part.info.kind == "state"
    return HistorySamples(
        series=series_of(part.info),
        time_ms=milliseconds(part.time_ns),
        value=[None] * len(values) if state else values,
        word=[_word(part.info, value) for value in values] if state else [],
        quality=list(part.quality),
        next_cursor=next_cursor,
    )


def windows_of(part: WindowsPart, window_s: int) -> HistoryWindows:
    """Windows as an answer."""
    counts, sums = integers(part.n), numbers(part.sum)
    return HistoryWindows(
        series=series_of(part.info),
        window_s=window_s,
        begin_ms=milliseconds(part.begin_ns),
        n=counts,
        mean=[None if total is None else total / n for total, n in zip(sums, counts, strict=True)],
        sum=sums,
        min=numbers(part.min),
        max=numbers(part.max),
        first=numbers(part.first),
        last=numbers(part.last),
    )


def group_of(part: GroupPart, window_s: int) -> HistoryGroup:
    """A group as an answer."""
    return HistoryGroup(
        series=[series_of(info) for info in part.infos],
        window_s=window_s,
        begin_ms=milliseconds(part.begin_ns),
        members=integers(part.members),
        n=integers(part.n),
        total=numbers(part.total),
        min=numbers(part.min),
        max=numbers(part.max),
    )


def plot_of(parts: Sequence[tuple[str, PlotPart]], order: Sequence[str]) -> HistoryPlot:
    """Curves of several verticals as one answer, in the order of the keys asked for."""
    curves = {
        key_of(vertical, curve.info.id): HistoryCurve(
            series=series_of(curve.info),
            resolution_s=curve.resolution_s,
            words=list(curve.info.words),
            time_ms=milliseconds(curve.time_ns),
            value=numbers(curve.value),
        )
        for vertical, part in parts
        for curve in part.curves
    }
    gaps = [
        HistoryGap(vertical=vertical, begin_ms=gap.begin_ns // _MS, end_ms=gap.end_ns // _MS, reason=gap.reason)
        for vertical, part in parts
        for gap in part.gaps
    ]
    return HistoryPlot(curves=[curves[key] for key in order], gaps=gaps)


def status_of(part: StatusPart) -> HistoryStatus:
    """The status as an answer."""
    items = [
        HistoryVertical(
            vertical=found.vertical,
            through_seq=found.through_seq,
            sealed_seq=found.sealed_seq,
            tail_samples=found.tail_samples,
            series=found.series,
            bytes=found.bytes,
            alarm=found.alarm,
            detail=found.detail,
            counts=found.counts,
            sinks=list(found.sinks),
        )
        for found in part.verticals
    ]
    return HistoryStatus(items=items)
