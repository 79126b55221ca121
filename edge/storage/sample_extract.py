"""From the log to samples: every row's readings as columns, in order of sequence.

The hard part is that it must be the same every time: what the sink read from the log today is compared with what the
chunk holds tomorrow, so a sample depends on its input and stamp alone, never on what was seen before it or on any clock
of this process. A user would notice a mistake as a doubled point in a curve after the box was restarted.

Whose time: the box's stamp, unless the reading tells how long it waited (``delay_ms``), or carries the device's own
time and that is plainly the past (back-fill after an outage). A device's clock that is only a little off must not tear
its points away from everybody else's, so within ``LIVE_NS`` the stamp counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import Quality
from edge.storage.log import LogEntry
from edge.storage.sample_batch import BATCH_PREFIX, BatchReader
from edge.storage.sample_columns import FROM_SOURCE, Columns, columns_of, joined
from edge.storage.sample_fields import Field, Plan, plan_of, word_of
from edge.storage.sample_model import SampleQuality, SeriesKind
from edge.storage.sample_names import SeriesNames

#: How a packed ``DeviceReading`` begins: a map of four whose first pair is its tag (msgspec writes tags first).
_READING_PREFIX = b"\x84\xa4type\xa7reading"
LIVE_NS = 60_000_000_000
BACKFILL_MAX_NS = 31 * 86_400 * 1_000_000_000
_MS = 1_000_000
_QUALITY = {Quality.GOOD: SampleQuality.GOOD, Quality.FAULT: SampleQuality.FAULT, Quality.TEST: SampleQuality.TEST}

_decode = msgspec.msgpack.Decoder(DeviceReading).decode


class _Feed:
    """One series that a point of a device feeds: how to take its value; for states, the code of each value met. The
    series is made with its first value: a meter that never tells its current has no such curve."""

    __slots__ = ("codes", "cut_ns", "field", "name", "refused", "series", "take", "word")

    def __init__(self, name: tuple[str, str, str], field: Field) -> None:
        self.name = name
        self.field = field
        self.take = field.take
        self.word = field.word if field.kind is SeriesKind.STATE else None
        self.codes: dict[Any, int] = {}
        self.series = 0
        self.cut_ns = _MS
        self.refused = False


class _Rows:
    """Samples as they are found."""

    __slots__ = ("flags", "seq", "series", "time_ns", "value")

    def __init__(self) -> None:
        self._empty()

    def _empty(self) -> None:
        self.seq: list[int] = []
        self.series: list[int] = []
        self.time_ns: list[int] = []
        self.value: list[float] = []
        self.flags: list[int] = []

    def take(self) -> Columns:
        """What was found, as columns; begins anew."""
        found = columns_of(self.seq, self.series, self.time_ns, self.value, self.flags)
        self._empty()
        return found


class Extractor:
    """Not for two threads at once. ``counts`` tells inputs seen, samples made, and readings of a shape that this
    release does not know (they stay in the log)."""

    def __init__(self, names: SeriesNames) -> None:
        self._names = names
        self._feeds: dict[tuple[Any, ...], tuple[Plan, tuple[_Feed, ...]]] = {}
        self._batches = BatchReader(names)
        self.counts = {"inputs": 0, "samples": 0, "unknown": 0}
        self.batch_counts = self._batches.counts

    def extract(self, entries: Iterable[LogEntry]) -> Columns:
        """The samples of these entries."""
        rows = _Rows()
        parts: list[Columns] = []
        for entry in entries:
            self.counts["inputs"] += 1
            if entry.input.startswith(_READING_PREFIX):
                self._read(entry, rows)
            elif entry.input.startswith(BATCH_PREFIX):
                parts += [rows.take(), *self._batches.read(entry)]
        found = joined([*parts, rows.take()])
        self.counts["samples"] += found.seq.size
        return found

    def _read(self, entry: LogEntry, rows: _Rows) -> None:
        """Add the samples of one reading."""
        try:
            reading = _decode(entry.input)
        except msgspec.MsgspecError:
            self.counts["unknown"] += 1
            return
        plan, feeds = self._feeds_of(reading)
        if not feeds:
            return
        body = reading.body
        time_ns, flag = _when(body, plan, entry)
        for feed in feeds:
            value = feed.take(body)
            if value is None or (not feed.series and not self._named(feed)):
                continue
            if feed.word is not None:
                code = feed.codes.get(value)
                value = self._code(feed, value) if code is None else code
            rows.seq.append(entry.seq)
            rows.series.append(feed.series)
            # A source's own time is what its sample is known by: a coarser one would make one of two.
            cut = feed.cut_ns != _MS and not flag & FROM_SOURCE
            rows.time_ns.append(time_ns - time_ns % feed.cut_ns if cut else time_ns)
            rows.value.append(value)
            rows.flags.append(flag)

    def _feeds_of(self, reading: DeviceReading) -> tuple[Plan, tuple[_Feed, ...]]:
        body = reading.body
        key = (reading.device, type(body), getattr(body, "point", ""), getattr(body, "kind", ""))
        known = self._feeds.get(key)
        if known is None:
            if len(self._feeds) >= MAX_FEEDS:
                self._feeds.clear()
            plan = plan_of(type(body))
            known = self._feeds[key] = (plan, self._make_feeds(reading, plan))
        return known

    def _make_feeds(self, reading: DeviceReading, plan: Plan) -> tuple[_Feed, ...]:
        body: Any = reading.body
        point = getattr(body, "point", "")
        return tuple(
            _Feed((reading.device, point, field.quantity or word_of(body.kind)), field) for field in plan.fields
        )

    def _named(self, feed: _Feed) -> bool:
        """Give the feed its series; False when there are too many already."""
        if not feed.refused:
            number = self._names.series_id(*feed.name, feed.field.unit, feed.field.kind)
            feed.refused = number is None
            feed.series = number or 0
            if number is not None:
                feed.cut_ns = self._names.series(number).resolution_ns
        return not feed.refused

    def _code(self, feed: _Feed, value: Any) -> int:
        assert feed.word is not None
        code = feed.codes[value] = self._names.word_code(feed.series, feed.word(value))
        return code


#: (device, point, type) seen: a bound against a device that invents points; beyond it the cache starts anew.
MAX_FEEDS = 100_000


def _when(body: Any, plan: Plan, entry: LogEntry) -> tuple[int, int]:
    """Time (UTC ns, cut to ms) and flags of a reading's samples."""
    time_ns, flag = entry.wall_ns, 0
    quality = 0 if entry.wall_trusted else int(SampleQuality.CLOCK_UNTRUSTED)
    if plan.has_retained and body.retained:
        quality = max(quality, int(SampleQuality.RETAINED))
    if plan.has_quality:
        quality = max(quality, int(_QUALITY.get(body.quality, SampleQuality.GOOD)))
    if plan.has_delay and body.delay_ms:
        time_ns -= min(max(body.delay_ms, 0) * _MS, BACKFILL_MAX_NS)
    elif plan.has_source and body.source_wall_ns is not None and entry.wall_trusted:
        age_ns = entry.wall_ns - body.source_wall_ns
        if LIVE_NS < age_ns <= BACKFILL_MAX_NS:
            time_ns, flag = body.source_wall_ns, FROM_SOURCE
    return time_ns - time_ns % _MS, flag | quality
