"""What was measured: series, samples, windows, groups, curves, CSV. Read from the history process alone."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Annotated, TypeVar

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from edge.api import history_answers as answers
from edge.api.context import Context, Ctx, Who
from edge.api.guard import GuardedRoute
from edge.api.history_csv import csv_cut, csv_head, csv_rows
from edge.api.models import Cursor
from edge.api.problems import ApiProblem
from edge.api.replies import answers_with, struct_response
from edge.runtime.history_messages import (
    Ask,
    AskGroup,
    AskLast,
    AskPlot,
    AskSamples,
    AskSeries,
    AskStatus,
    AskWindows,
    GroupPart,
    LastPart,
    Part,
    PlotPart,
    Refused,
    SamplesPart,
    SeriesPart,
    StatusPart,
    WindowsPart,
)

router = APIRouter(route_class=GuardedRoute, prefix="/api/v1/history", tags=["history"])

#: 2100-01-01.
MS_MAX = 4_102_444_800_000
_NS = 1_000_000
CSV_ROWS_MAX = 1_000_000
CSV_PAGE = 10_000
KEY_PATTERN = r"^[a-z]{1,16}\.[1-9][0-9]{0,5}$"

Key = Annotated[str, Query(pattern=KEY_PATTERN, max_length=32, description="The series.", examples=["garage.12"])]
Keys = Annotated[
    list[Annotated[str, Query(pattern=KEY_PATTERN, max_length=32)]],
    Query(min_length=1, max_length=16, description="The series, up to 16.", examples=[["garage.12"]]),
]
ManyKeys = Annotated[
    list[Annotated[str, Query(pattern=KEY_PATTERN, max_length=32)]],
    Query(min_length=1, max_length=64, description="The series, all of one part of the box, up to 64."),
]
BeginMs = Annotated[int, Query(ge=0, le=MS_MAX, description="From when, UTC ms since 1970.", examples=[1795147200000])]
EndMs = Annotated[int, Query(ge=0, le=MS_MAX, description="Until before when, UTC ms.", examples=[1795150800000])]
WindowS = Annotated[int, Query(ge=1, le=31_622_400, description="Width of a window, s.", examples=[3600])]
OffsetMin = Annotated[
    int,
    Query(ge=-840, le=840, description="Windows begin at multiples of their width in a time so far ahead of UTC, min."),
]
Pixels = Annotated[int, Query(ge=10, le=4000, description="Columns of the plot.", examples=[1200])]
Vertical = Annotated[
    str, Query(pattern=r"^[a-z]{1,16}$", max_length=16, description="Part of the box.", examples=["garage"])
]

_CSV = {"description": "UTF-8 with a byte order mark.", "content": {"text/csv": {"schema": {"type": "string"}}}}
_PROBLEMS = {"absent": "unknown_series", "no_zone": "unknown_zone", "slow": "too_much", "bad": "bad_value"}

P = TypeVar("P", bound=Part)


async def ask_history(ctx: Context, ask: Ask, kind: type[P]) -> P:
    """The answer to ``ask``; what stands against it as a problem."""
    part = await ctx.history.ask(ask)
    if isinstance(part, Refused):
        raise ApiProblem(_PROBLEMS.get(part.code, "history_away"))
    if not isinstance(part, kind):
        raise ApiProblem("history_away")
    return part


def span_of(begin_ms: int, end_ms: int) -> tuple[int, int]:
    if end_ms <= begin_ms:
        errors = [{"pointer": "query:end_ms", "message": "must be later than begin_ms"}]
        raise ApiProblem("bad_value", errors=errors)
    return begin_ms * _NS, end_ms * _NS


def _split(key: str) -> tuple[str, int]:
    vertical, _, number = key.partition(".")
    return vertical, int(number)


def _by_vertical(keys: list[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for key in dict.fromkeys(keys):
        vertical, number = _split(key)
        found.setdefault(vertical, []).append(number)
    return found


class _Place(msgspec.Struct, frozen=True, array_like=True):
    list: str
    at: tuple[int, int]


def _cursor(name: str, at: tuple[int, int]) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(_Place(name, at))).decode().rstrip("=")


def _place(name: str, cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = msgspec.msgpack.decode(raw, type=_Place)
    except (binascii.Error, msgspec.MsgspecError, UnicodeEncodeError):
        raise ApiProblem("bad_cursor") from None
    if place.list != name or min(place.at) < 0 or max(place.at) >= 2**62:
        raise ApiProblem("bad_cursor")
    return place.at


@router.get(
    "/series",
    operation_id="history_series",
    summary="What is measured",
    response_class=Response,
    responses=answers_with("HistorySeriesList", "By number, each with its last value."),
)
async def series(
    ctx: Ctx,
    _who: Who,
    vertical: Vertical,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=5000, description="How many at most.")] = 1000,
) -> Response:
    """Names, units and last values."""
    after = _place("series", cursor) or (0, 0)
    part = await ask_history(ctx, AskSeries(vertical, after[0], limit), SeriesPart)
    following = _cursor("series", (part.items[-1].id, 0)) if part.more else None
    items = [answers.series_of(info) for info in part.items]
    return struct_response(answers.HistorySeriesList(items=items, next_cursor=following))


@router.get(
    "/last",
    operation_id="history_last",
    summary="The last value of everything",
    response_class=Response,
    responses=answers_with("HistoryLast", "Columns."),
)
async def last(ctx: Ctx, _who: Who, vertical: Vertical) -> Response:
    """From memory; states as codes of their words (see /series)."""
    return struct_response(answers.last_of(vertical, await ask_history(ctx, AskLast(vertical), LastPart)))


@router.get(
    "/samples",
    operation_id="history_samples",
    summary="Samples of one series",
    response_class=Response,
    responses=answers_with("HistorySamples", "By time, late ones in their places, repeats replaced."),
)
async def samples(
    ctx: Ctx,
    _who: Who,
    series: Key,
    begin_ms: BeginMs,
    end_ms: EndMs,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="How many at most.")] = 1000,
) -> Response:
    """Exactly as measured."""
    vertical, number = _split(series)
    ask = AskSamples(vertical, number, *span_of(begin_ms, end_ms), limit, _place(series, cursor))
    part = await ask_history(ctx, ask, SamplesPart)
    following = None if part.place is None else _cursor(series, part.place)
    return struct_response(answers.samples_of(part, following))


@router.get(
    "/windows",
    operation_id="history_windows",
    summary="Count, mean, extremes by window",
    response_class=Response,
    responses=answers_with("HistoryWindowsList", "Windows that hold something."),
)
async def windows(
    ctx: Ctx,
    _who: Who,
    series: Keys,
    begin_ms: BeginMs,
    end_ms: EndMs,
    window_s: WindowS = 3600,
    offset_min: OffsetMin = 480,
) -> Response:
    """Whole windows, those that the span touches."""
    span = span_of(begin_ms, end_ms)
    found = []
    for key in series:
        ask = AskWindows(*_split(key), *span, window_s, offset_min * 60)
        found.append(answers.windows_of(await ask_history(ctx, ask, WindowsPart), window_s))
    return struct_response(answers.HistoryWindowsList(items=found))


@router.get(
    "/group",
    operation_id="history_group",
    summary="Several series as one",
    response_class=Response,
    responses=answers_with("HistoryGroup", "Windows that hold something of any of them."),
)
async def group(
    ctx: Ctx,
    _who: Who,
    series: ManyKeys,
    begin_ms: BeginMs,
    end_ms: EndMs,
    window_s: WindowS = 3600,
    offset_min: OffsetMin = 480,
) -> Response:
    """The power of a zone (sum of the means), its hottest charger (max)."""
    by_vertical = _by_vertical(series)
    if len(by_vertical) != 1:
        errors = [{"pointer": "query:series", "message": "must be of one part of the box"}]
        raise ApiProblem("bad_value", errors=errors)
    ((vertical, members),) = by_vertical.items()
    ask = AskGroup(vertical, tuple(members), *span_of(begin_ms, end_ms), window_s, offset_min * 60)
    return struct_response(answers.group_of(await ask_history(ctx, ask, GroupPart), window_s))


@router.get(
    "/plot",
    operation_id="history_plot",
    summary="Points that draw curves",
    response_class=Response,
    responses=answers_with("HistoryPlot", "First, least, largest and last of each column of the plot."),
)
async def plot(ctx: Ctx, _who: Who, series: Keys, begin_ms: BeginMs, end_ms: EndMs, pixels: Pixels = 1200) -> Response:
    """From samples, minutes or hours, whichever is fine enough; no spike is lost."""
    span = span_of(begin_ms, end_ms)
    parts = []
    for vertical, members in _by_vertical(series).items():
        part = await ask_history(ctx, AskPlot(vertical, tuple(members), *span, pixels), PlotPart)
        parts.append((vertical, part))
    return struct_response(answers.plot_of(parts, list(dict.fromkeys(series))))


@router.get(
    "/status",
    operation_id="history_status",
    summary="How the history itself is",
    response_class=Response,
    responses=answers_with("HistoryStatus", "By part of the box, with the sinks' lags."),
)
async def status(ctx: Ctx, _who: Who) -> Response:
    """How far the log is read and sealed, what it takes on the disk, what is wrong."""
    return struct_response(answers.status_of(await ask_history(ctx, AskStatus(), StatusPart)))


@router.get(
    "/export.csv",
    operation_id="history_export",
    summary="Samples as CSV",
    response_class=Response,
    responses={200: _CSV},
)
async def export(ctx: Ctx, _who: Who, series: Keys, begin_ms: BeginMs, end_ms: EndMs) -> Response:
    """One line a sample, series after series; after a million the last says so. A broken download is not complete."""
    span = span_of(begin_ms, end_ms)
    keys = list(dict.fromkeys(series))
    first = [await ask_history(ctx, AskSamples(*_split(key), *span, CSV_PAGE), SamplesPart) for key in keys]
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="kangle-history.csv"'}
    return StreamingResponse(_csv(ctx, keys, first, span), media_type="text/csv; charset=utf-8", headers=headers)


async def _csv(ctx: Context, keys: list[str], first: list[SamplesPart], span: tuple[int, int]) -> AsyncIterator[bytes]:
    yield csv_head()
    room = CSV_ROWS_MAX
    for key, page in zip(keys, first, strict=True):
        part = page
        while True:
            yield csv_rows(part, room)
            room -= len(part.quality)
            if room < 0:
                yield csv_cut(CSV_ROWS_MAX)
                return
            if part.place is None:
                break
            part = await ask_history(ctx, AskSamples(*_split(key), *span, CSV_PAGE, part.place), SamplesPart)
