"""Samples as MQTT messages: topic ``<site>/<vertical>/<device>/<point>/<quantity>``, payload a JSON object.

``{"value": 3.5, "time": "2026-11-22T06:15:00.123Z", "time_ns": 1795328100123000000, "quality": "good", "unit": "W"}``:
numbers as numbers, states as text; a device itself has no point level. Messages come at least once: ``time_ns`` with
the topic is the same each time a sample is sent and differs between samples (``edge.storage.sinks.keys``), so a
receiver can tell a repeat. A user would notice a mistake as a counter in a dashboard that counts a restart twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from edge.storage.sample_model import SampleBlock, SampleQuality, Series, SeriesKind
from edge.storage.sinks.keys import TimeKeys
from edge.storage.sinks.prepared import Item, Message, Prepared, Row, Unsendable, rows_of

#: MQTT 3.1.1 and 5, 4.7: wildcards and the level separator cannot stand in a name; controls are better left out.
_LEVEL: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(32)},
    127: 0x2421,
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
    ord("/"): "／",
    ord("+"): "＋",
    ord("#"): "＃",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUALITY = {quality.value: quality.name.lower() for quality in SampleQuality}
_encode = msgspec.json.Encoder().encode


class Payload(msgspec.Struct, frozen=True):
    value: float | str
    time: str
    time_ns: int
    quality: str
    unit: str


class _Known(NamedTuple):
    topic: str
    series: Series


class MessageFormer:
    """Makes messages of samples; ``prefix`` is the first part of each topic."""

    def __init__(self, prefix: str, series: Callable[[int], Series]) -> None:
        self._prefix = prefix
        self._series = series
        self._known: dict[int, _Known] = {}

    def prepare(self, block: SampleBlock, after_seq: int, keys: TimeKeys) -> Prepared:
        """The messages of ``block`` behind ``after_seq``; a number that JSON cannot carry is ``unsendable``."""
        items: list[Item] = []
        seqs: list[int] = []
        times_ns: list[int] = []
        unsendable: list[Unsendable] = []
        size = 0
        for row in rows_of(block, after_seq):
            known = self._known.get(row.series_id) or self._learn(row.series_id)
            message = _message(known, row, keys)
            if message is None:
                text = f"{known.topic} {row.value if row.text is None else row.text} {row.time_ns}"
                unsendable.append(Unsendable(row.seq, text[:1000], "not a value or time that JSON can carry"))
                continue
            items.append(message)
            seqs.append(row.seq)
            times_ns.append(row.time_ns)
            size += len(message.topic) + len(message.payload)
        return Prepared(items, seqs, times_ns, size, unsendable, block.through_seq, block.gaps)

    def _learn(self, series_id: int) -> _Known:
        series = self._series(series_id)
        levels = (series.vertical, series.device, series.point, series.quantity)
        topic = "/".join((self._prefix, *(level.translate(_LEVEL) for level in levels if level)))
        self._known[series_id] = _Known(topic, series)
        return self._known[series_id]


def _message(known: _Known, row: Row, keys: TimeKeys) -> Message | None:
    series = known.series
    is_state = series.kind is SeriesKind.STATE
    value = row.text if is_state else row.value
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    try:
        moment = _EPOCH + timedelta(milliseconds=row.time_ns // 1_000_000)
    except OverflowError:
        return None
    time = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
    key_ns = keys.key_ns(row.series_id, row.time_ns, row.seq, series.resolution_ns)
    quality = _QUALITY.get(row.quality, "fault")
    if is_state:
        value = str(value).encode("utf-8", "replace").decode()
    return Message(known.topic, _encode(Payload(value, time, key_ns, quality, series.unit)))
