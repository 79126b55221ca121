"""Arrays straight into the log: for whoever has columns already (a bulk gateway, an import, the bench).

One batch is one value for each of many series at one time, as one input of the log. Names would be most of such a
record, so they are told in key records, one in ``KEY_EVERY``; the records between name the layout by its digest. The
hard part is the reader that starts in the middle: until it has met a key record it must tell a gap, not guess names. A
user would notice a mistake as the curve of one charger under the name of another.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from edge.storage.log import LogEntry
from edge.storage.sample_codec import CodecError, pack_values, unpack_values
from edge.storage.sample_columns import Columns
from edge.storage.sample_fields import unit_of
from edge.storage.sample_model import SampleQuality, SeriesKind
from edge.storage.sample_names import SeriesNames

KEY_EVERY = 600
_TAG = "sample_batch"
#: An array of five whose first is the tag.
BATCH_PREFIX = b"\x95" + bytes((0xA0 | len(_TAG),)) + _TAG.encode()


class _Record(msgspec.Struct, frozen=True, array_like=True, tag=_TAG):
    layout: int
    #: (device, point, quantity) of each value; None between key records.
    names: tuple[tuple[str, str, str], ...] | None
    count: int
    values: bytes


#: Series of the values, which of them are known, and to what their times are cut (None: all to the millisecond).
_Layout = tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_], npt.NDArray[np.int64] | None]
_MS = 1_000_000
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode


class BatchWriter:
    """Makes the inputs of one layout: ``names`` are (device, point, quantity) with the unit as suffix."""

    def __init__(self, names: Sequence[tuple[str, str, str]]) -> None:
        self._names = tuple(names)
        self._layout = zlib.crc32(_encode(self._names))
        self._made = 0
        self._scale = 0

    def input(self, values: npt.NDArray[np.float64]) -> bytes:
        """The packed input of one batch: a value for each name, in their order. The stamp gives the time."""
        if values.size != len(self._names):
            raise ValueError(f"{values.size} values for {len(self._names)} names")
        names = self._names if self._made % KEY_EVERY == 0 else None
        self._made += 1
        packed, self._scale = pack_values(values + 0.0, self._scale)  # without minus zeros, as ``columns_of``
        return _encode(_Record(self._layout, names, values.size, packed))


class BatchReader:
    """Turns such inputs into columns. ``counts`` tells how many could not be read."""

    def __init__(self, names: SeriesNames) -> None:
        self._names = names
        self._layouts: dict[int, _Layout] = {}
        self.counts = {"without_key": 0, "damaged": 0}

    def read(self, entry: LogEntry) -> list[Columns]:
        """The samples of one input; none when its names were not met yet."""
        try:
            record = _decode(entry.input)
            values = unpack_values(record.values, record.count)
        except (msgspec.MsgspecError, CodecError):
            self.counts["damaged"] += 1
            return []
        layout = self._layouts.get(record.layout) or self._learn(record)
        if layout is None or layout[0].size != values.size:
            self.counts["without_key"] += 1
            return []
        series, known, cut_ns = layout
        flag = 0 if entry.wall_trusted else int(SampleQuality.CLOCK_UNTRUSTED)
        n = values.size
        time_ns = np.full(n, entry.wall_ns - entry.wall_ns % _MS)
        if cut_ns is not None:
            time_ns -= time_ns % cut_ns
        columns = Columns(np.full(n, entry.seq), series, time_ns, values, np.full(n, flag, np.uint8))
        return [columns if known.all() else columns.part(known)]

    def _learn(self, record: _Record) -> _Layout | None:
        """The layout of a record, from its own names or from what was remembered."""
        numbers = self._names.layout(record.layout)
        if numbers is None and record.names is not None:
            found = (self._names.series_id(*name, unit_of(name[2]), SeriesKind.NUMBER) for name in record.names)
            numbers = tuple(number or 0 for number in found)
            self._names.put_layout(record.layout, numbers)
        if numbers is None:
            return None
        series = np.array(numbers, np.int32)
        cut_ns = [self._names.series(number).resolution_ns if number else _MS for number in numbers]
        coarse = np.array(cut_ns, np.int64) if any(each != _MS for each in cut_ns) else None
        layout = self._layouts[record.layout] = (series, series > 0, coarse)
        return layout
