"""Samples as InfluxDB line protocol: ``garage,site=s,device=d,point=p power_w=3.5 1790000000000000000``.

Measurement = vertical; tags site, device, point (an empty one is left out); field = quantity. The type of a field never
changes: numbers are always floats, states always strings. The hard part is text that the protocol cannot carry, since
what a parser makes of it differs between servers: it is changed visibly, or the sample is kept aside with a reason; it
never goes out as a broken line that takes its whole batch along. A user would notice a mistake as a series that is
missing, or as two series that became one.

A sample that is not good says so in a second field, ``<quantity>_quality`` (float, the number of ``SampleQuality``), so
that the series stays one and a dashboard can leave it out. Rules: the line protocol reference of InfluxDB v2; what
VictoriaMetrics 1.79 makes of the same text was tried (backslashes in tags are read differently, hence none is sent).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from edge.storage.sample_model import SampleBlock, Series, SeriesKind
from edge.storage.sinks.keys import TimeKeys
from edge.storage.sinks.prepared import Item, Prepared, Row, Unsendable, columns_of

#: InfluxDB keeps nothing longer in a string field (64 KiB); a state is a word.
MAX_STATE_CHARS = 4096
#: Keys that InfluxDB keeps for itself: a field ``time`` is dropped, names that begin with ``_`` are its own.
RESERVED = frozenset({"time", "_field", "_measurement", "_time", "_value"})
#: int64 ns that InfluxDB takes (MinNanoTime, MaxNanoTime of its models package).
MIN_TIME_NS, MAX_TIME_NS = -(1 << 63) + 2, (1 << 63) - 2

_Table = dict[int, int | str]
_CONTROLS: _Table = {**{code: 0x2400 + code for code in range(32)}, 127: 0x2421}
#: A lone surrogate is no character and cannot be sent.
_SURROGATES: _Table = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
_MEASUREMENT: _Table = {**_CONTROLS, **_SURROGATES, ord("\\"): "＼", ord(","): "\\,", ord(" "): "\\ "}
_NAME: _Table = {**_MEASUREMENT, ord("="): "\\="}
_STRING: _Table = {**_CONTROLS, **_SURROGATES, ord("\\"): "\\\\", ord('"'): '\\"'}


class LineError(ValueError):
    """A sample that line protocol cannot carry; the text says why."""


def escape_name(text: str) -> str:
    """A tag value or tag key. Control characters become their pictures (U+2400 ff.), a backslash becomes
    U+FF3C: at the end of a tag it would swallow the comma behind it, and elsewhere servers disagree on it."""
    return text.translate(_NAME)


def escape_field(text: str) -> str:
    """A field key: a name whose quotes (a parser would take them for the beginning of a string) become U+FF02."""
    return text.translate(_NAME).replace('"', "＂")


def escape_measurement(text: str) -> str:
    """Raises LineError for "", a comment sign in front, or a name that the server keeps for itself."""
    if not text or text.startswith(("#", "_")):
        raise LineError(f"{text!r} cannot be a measurement")
    return text.translate(_MEASUREMENT)


def escape_string(text: str) -> str:
    """A string field with its quotes."""
    return f'"{text.translate(_STRING)}"'


class _Parts(NamedTuple):
    """The unchanging text of a series' lines: ``head`` up to and with "=", and the field of the quality."""

    head: str
    quality: str
    resolution_ns: int


class _Number(_Parts):
    """Of a series of numbers."""


class _State(_Parts):
    """Of a series of states."""


class LineFormer:
    """Makes lines of samples; knows each series' unchanging text. ``site`` is the tag of the box."""

    def __init__(self, site: str, series: Callable[[int], Series]) -> None:
        self._site = site
        self._series = series
        self._parts: dict[int, _Parts | LineError] = {}

    def prepare(self, block: SampleBlock, after_seq: int, keys: TimeKeys) -> Prepared:
        """The lines of ``block`` behind ``after_seq``; what cannot be a line is ``unsendable``."""
        columns = columns_of(block, after_seq)
        items: list[Item] = []
        unsendable: list[Unsendable] = []
        bad: list[int] = []
        known, newest, text, infinite = self._parts, keys.newest, block.text, math.inf
        for place, (seq, series_id, time_ns, value, quality, index) in enumerate(zip(*columns, strict=True)):
            parts = known.get(series_id)
            # The usual sample, with what is asked of it in as few steps as there can be; all others go the long way.
            if (
                type(parts) is _Number
                and not quality
                and -infinite < value < infinite
                and newest.get(series_id, MAX_TIME_NS) < time_ns
            ):
                newest[series_id] = time_ns
                items.append(f"{parts.head}{value!r} {time_ns}")
                continue
            row = Row(seq, series_id, time_ns, value, quality, text[index])
            try:
                items.append(self._line(row, keys))
            except LineError as error:
                unsendable.append(Unsendable(seq, self._shown(row), str(error)))
                bad.append(place)
        seqs, times_ns = _without(columns.seq, bad), _without(columns.time_ns, bad)
        size = sum(map(len, items)) + len(items)
        return Prepared(items, seqs, times_ns, size, unsendable, block.through_seq, block.gaps)

    def _line(self, row: Row, keys: TimeKeys) -> str:
        parts = self._parts.get(row.series_id) or self._learn(row.series_id)
        if isinstance(parts, LineError):
            raise parts
        return _line(parts, row, keys)

    def _learn(self, series_id: int) -> _Parts | LineError:
        series = self._series(series_id)
        try:
            parts: _Parts | LineError = _parts(self._site, series)
        except LineError as error:
            parts = error
        self._parts[series_id] = parts
        return parts

    def _shown(self, row: Row) -> str:
        series = self._series(row.series_id)
        value = repr(row.value) if row.text is None else repr(row.text)
        return f"{series.vertical} {series.device} {series.channel}={value} {row.time_ns}"[:1000]


def _parts(site: str, series: Series) -> _Parts:
    tags = (("site", site), ("device", series.device), ("point", series.point))
    tag_text = "".join(f",{key}={escape_name(value)}" for key, value in tags if value)
    if not series.quantity or series.quantity in RESERVED:
        raise LineError(f"{series.quantity!r} cannot be a field")
    field = escape_field(series.quantity)
    head = f"{escape_measurement(series.vertical)}{tag_text} {field}="
    kind = _State if series.kind is SeriesKind.STATE else _Number
    return kind(head, f",{field}_quality=", series.resolution_ns)


def _without(values: list[int], places: list[int]) -> list[int]:
    """``values`` but those at ``places``."""
    if not places:
        return values
    left_out = set(places)
    return [value for place, value in enumerate(values) if place not in left_out]


def _line(parts: _Parts, row: Row, keys: TimeKeys) -> str:
    if isinstance(parts, _State):
        if row.text is None:
            raise LineError("a state without a word")
        if len(row.text) > MAX_STATE_CHARS:
            raise LineError(f"a word of {len(row.text)} characters; at most {MAX_STATE_CHARS}")
        value = escape_string(row.text)
    elif math.isfinite(row.value):
        value = repr(row.value)
    else:
        raise LineError(f"{row.value} is not a number that line protocol can carry")
    key_ns = keys.key_ns(row.series_id, row.time_ns, row.seq, parts.resolution_ns)
    if not MIN_TIME_NS <= key_ns <= MAX_TIME_NS:
        raise LineError("the time is outside of what a server takes")
    if row.quality:
        return f"{parts.head}{value}{parts.quality}{float(row.quality)!r} {key_ns}"
    return f"{parts.head}{value} {key_ns}"
