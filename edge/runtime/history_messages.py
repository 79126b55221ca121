"""What is asked of the history process over its socket, and answered: typed structs, length-prefixed msgpack.

Numbers travel as little-endian columns (8 bytes each), so that ten thousand samples are one copy. One request at a time
on a connection; a second one waits for the first one's answer.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.words import Text

#: Longest request; ours are below 2 KiB.
REQUEST_BYTES_MAX = 64 << 10
#: Longest answer: 64 curves of 4 points on 4,000 columns, or 50,000 series with their names.
ANSWER_BYTES_MAX = 32 << 20
SOCKET_NAME = "history.sock"


class AskSeries(msgspec.Struct, frozen=True, tag="series"):
    """All series of a vertical ("" of all), by number, behind ``after``; at most ``limit``."""

    vertical: str
    after: int
    limit: int


class AskLast(msgspec.Struct, frozen=True, tag="last"):
    """The last value of every series of a vertical."""

    vertical: str


class AskSamples(msgspec.Struct, frozen=True, tag="samples"):
    """``place``: (time_ns, given) where the page before ended."""

    vertical: str
    series: int
    begin_ns: int
    end_ns: int
    limit: int
    place: tuple[int, int] | None = None


class AskWindows(msgspec.Struct, frozen=True, tag="windows"):
    vertical: str
    series: int
    begin_ns: int
    end_ns: int
    width_s: int
    offset_s: int = 0


class AskGroup(msgspec.Struct, frozen=True, tag="group"):
    vertical: str
    series: tuple[int, ...]
    begin_ns: int
    end_ns: int
    width_s: int
    offset_s: int = 0


class AskPlot(msgspec.Struct, frozen=True, tag="plot"):
    vertical: str
    series: tuple[int, ...]
    begin_ns: int
    end_ns: int
    pixels: int


class AskZones(msgspec.Struct, frozen=True, tag="zones"):
    """The zones of a vertical, with what can be asked of them."""

    vertical: str


class AskZone(msgspec.Struct, frozen=True, tag="zone"):
    """One quantity of a zone as one curve; answered as a group."""

    vertical: str
    zone: str
    quantity: str
    begin_ns: int
    end_ns: int
    width_s: int
    offset_s: int = 0


class AskStatus(msgspec.Struct, frozen=True, tag="status"):
    """How every daemon's history and its sinks are."""


class SinkAct(StrEnum):
    """What a person has done to a sink's set-aside lines: sent again, dropped, or all that is known of it deleted."""

    RESEND = "resend"
    DROP = "drop"
    FORGET = "forget"


class ActOnSink(msgspec.Struct, frozen=True, tag="act_on_sink"):
    """``ids`` None: all of the sink's lines."""

    vertical: str
    sink: str
    act: SinkAct
    ids: tuple[int, ...] | None


Ask = AskSeries | AskLast | AskSamples | AskWindows | AskGroup | AskPlot | AskZones | AskZone | AskStatus | ActOnSink


class SeriesInfo(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """``words`` by code, for states. ``last_ns`` 0: nothing was heard yet."""

    vertical: str
    id: int
    device: str
    point: str
    quantity: str
    unit: str
    kind: str
    words: tuple[str, ...]
    last_ns: int
    last_value: float | None
    last_quality: int


class SeriesPart(msgspec.Struct, frozen=True, tag="series"):
    items: tuple[SeriesInfo, ...]
    more: bool


class LastPart(msgspec.Struct, frozen=True, tag="last"):
    """Columns: number of the series (i8), time (i8), value (f8), quality (u1)."""

    series: bytes
    time_ns: bytes
    value: bytes
    quality: bytes


class SamplesPart(msgspec.Struct, frozen=True, tag="samples"):
    """Columns: time (i8), value (f8; the code of a state's word), quality (u1). ``place`` None: the end."""

    info: SeriesInfo
    time_ns: bytes
    value: bytes
    quality: bytes
    place: tuple[int, int] | None


class WindowsPart(msgspec.Struct, frozen=True, tag="windows"):
    """Columns: begin of the window (i8 UTC ns), n (i8), then sum, min, max, first, last (f8)."""

    info: SeriesInfo
    begin_ns: bytes
    n: bytes
    sum: bytes
    min: bytes
    max: bytes
    first: bytes
    last: bytes


class GroupPart(msgspec.Struct, frozen=True, tag="group"):
    """Columns: begin (i8), members (i8), n (i8), total, min, max (f8)."""

    infos: tuple[SeriesInfo, ...]
    begin_ns: bytes
    members: bytes
    n: bytes
    total: bytes
    min: bytes
    max: bytes


class ZoneQuantity(msgspec.Struct, frozen=True, array_like=True):
    """``members``: things in the zone that tell it."""

    quantity: str
    unit: str
    members: int


class ZoneInfo(msgspec.Struct, frozen=True, array_like=True):
    zone: str
    name: Text
    quantities: tuple[ZoneQuantity, ...]


class ZonesPart(msgspec.Struct, frozen=True, tag="zones"):
    items: tuple[ZoneInfo, ...]


class CurvePart(msgspec.Struct, frozen=True):
    """Columns: time (i8), value (f8, NaN where the line is broken)."""

    info: SeriesInfo
    resolution_s: int
    time_ns: bytes
    value: bytes


class GapPart(msgspec.Struct, frozen=True):
    begin_ns: int
    end_ns: int
    reason: str


class PlotPart(msgspec.Struct, frozen=True, tag="plot"):
    curves: tuple[CurvePart, ...]
    gaps: tuple[GapPart, ...]


class VerticalStatus(msgspec.Struct, frozen=True, kw_only=True):
    """``alarm`` is "" or a stable code: damaged, samples_dropped, log_changed, seal_failed, log_unreadable."""

    vertical: str
    through_seq: int
    sealed_seq: int
    tail_samples: int
    series: int
    bytes: int
    alarm: str
    detail: str
    counts: dict[str, int]
    sinks: tuple[dict[str, str | int | float | bool | None], ...] = ()


class StatusPart(msgspec.Struct, frozen=True, tag="status"):
    verticals: tuple[VerticalStatus, ...]


class ActDone(msgspec.Struct, frozen=True, tag="act_done"):
    """Lines that it was done to, and lines that it cannot be done to."""

    done: int
    left: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """``code``: absent, no_zone, slow, storage, busy, bad."""

    code: str
    text: str


Part = (
    SeriesPart
    | LastPart
    | SamplesPart
    | WindowsPart
    | GroupPart
    | PlotPart
    | ZonesPart
    | StatusPart
    | ActDone
    | Refused
)
