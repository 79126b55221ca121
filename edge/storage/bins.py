"""Bins of equal width over time: n, sum, min, max, first and last of what fell into each.

A mean alone would hide the spike that somebody looks for, so all six are kept; they add up, so an hour is made of its
minutes and a month's curve of hours. The hard part is exactness: the sums are taken over the scaled integers where the
numbers are decimals, so a day's total does not depend on the order in which its hours were put together. A user would
notice a mistake as a total that differs between two zoom levels.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.storage.sample_codec import MAX_SCALE, CodecError, unpack_ints

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_HEAD = struct.Struct("<BBHq")
_SCALED, _RAW = 1, 2
_EXACT_TO = float(2**53)
MAX_BINS = 10_000
_WIDTHS = (np.dtype("<i1"), np.dtype("<i2"), np.dtype("<i4"), np.dtype("<i8"))


class Bins(NamedTuple):
    """Only bins that hold something, rising. ``slot``: time divided by the width, since 1970."""

    slot: Ints
    n: Ints
    sum: Floats
    min: Floats
    max: Floats
    first: Floats
    last: Floats

    def part(self, chosen: slice | npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Bins:
        """The chosen bins."""
        return Bins(
            self.slot[chosen],
            self.n[chosen],
            self.sum[chosen],
            self.min[chosen],
            self.max[chosen],
            self.first[chosen],
            self.last[chosen],
        )


_NONE = np.empty(0)
NO_BINS = Bins(_NONE.astype(np.int64), _NONE.astype(np.int64), _NONE, _NONE, _NONE, _NONE, _NONE)


def bins_of(time_ns: Ints, value: Floats, width_ns: int) -> Bins:
    """The bins of samples that are in the order of time. NaN counts nowhere."""
    known = ~np.isnan(value)
    if not known.all():
        time_ns, value = time_ns[known], value[known]
    if not time_ns.size:
        return NO_BINS
    index = time_ns // width_ns
    starts = np.flatnonzero(np.diff(index, prepend=index[0] - 1))
    ends = np.append(starts[1:], index.size)
    return Bins(
        index[starts],
        (ends - starts).astype(np.int64),
        _sums(value, starts),
        np.minimum.reduceat(value, starts),
        np.maximum.reduceat(value, starts),
        value[starts],
        value[ends - 1],
    )


def _sums(value: Floats, starts: npt.NDArray[np.intp]) -> Floats:
    scale = _scale_of(value)
    if scale is None:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.add.reduceat(value, starts)
    scaled = np.rint(value * 10.0**scale)
    if float(np.abs(scaled).max()) * value.size >= _EXACT_TO:
        return np.add.reduceat(value, starts)
    sums: Floats = np.add.reduceat(scaled, starts) / 10.0**scale
    return sums


def regrouped(bins: Bins, index: Ints) -> Bins:
    """Wider bins: those of equal ``index`` (one for each bin, not falling) as one."""
    if not bins.slot.size:
        return bins
    steps = np.diff(index)
    if (steps > 0).all():
        return bins._replace(slot=index)
    starts = np.concatenate([np.zeros(1, np.intp), np.flatnonzero(steps) + 1])
    ends = np.append(starts[1:], index.size)
    return Bins(
        index[starts],
        np.add.reduceat(bins.n, starts),
        _sums(bins.sum, starts),
        np.minimum.reduceat(bins.min, starts),
        np.maximum.reduceat(bins.max, starts),
        bins.first[starts],
        bins.last[ends - 1],
    )


def put_together(parts: Sequence[Bins]) -> Bins:
    """``parts`` of distinct bins as one, by time; where two have the same bin, the later part counts."""
    parts = [part for part in parts if part.slot.size]
    if not parts:
        return NO_BINS
    if len(parts) == 1:
        return parts[0]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    whole = Bins(*columns)
    if (np.diff(whole.slot) > 0).all():  # neighbouring blocks: nothing to sort, nothing twice
        return whole
    order = np.argsort(whole.slot, kind="stable")
    whole = whole.part(order)
    return whole.part(np.append(np.diff(whole.slot) > 0, True))


def pack_bins(bins: Bins) -> bytes:
    """Packed, exactly: the extremes as one scaled column and small differences to it."""
    n = bins.slot.size
    head = (n, int(bins.slot[0]) if n else 0)
    steps = np.diff(bins.slot)
    scale = _scale_of(np.concatenate([bins.min, bins.max, bins.first, bins.last, bins.sum]))
    if scale is None:
        floats = np.concatenate([bins.sum, bins.min, bins.max, bins.first, bins.last]).astype("<f8")
        body = _columns([steps, bins.n]) + floats.tobytes()
        return _HEAD.pack(_RAW, 0, *head) + zlib.compress(body, 1)
    power = 10.0**scale
    low, high, first, last, total = (
        np.rint(column * power).astype(np.int64) for column in (bins.min, bins.max, bins.first, bins.last, bins.sum)
    )
    columns = [steps, bins.n, np.diff(low, prepend=0), high - low, first - low, last - low, total - bins.n * low]
    return _HEAD.pack(_SCALED, scale, *head) + zlib.compress(_columns(columns), 1)


def unpack_bins(data: bytes) -> Bins:
    """What ``pack_bins`` packed. Raises CodecError."""
    try:
        form, scale, n, first_index = _HEAD.unpack_from(data)
        if n == 0:
            return NO_BINS
        machine = zlib.decompressobj()
        body = machine.decompress(data[_HEAD.size :], n * 80 + 200)
        if form == _RAW:
            (steps, counts), floats = _split(body, [n - 1, n])
            total, low, high, first, last = np.frombuffer(floats, "<f8").reshape(5, n).astype(np.float64)
            return Bins(_index(first_index, steps), counts, total, low, high, first, last)
        if form != _SCALED or scale > MAX_SCALE:
            raise CodecError(f"form {form} is not known")
        (steps, counts, lows, highs, firsts, lasts, totals), _ = _split(body, [n - 1, *[n] * 6])
    except (struct.error, zlib.error, ValueError, IndexError) as error:
        raise CodecError(f"bins cannot be unpacked: {error}") from error
    power = 10.0**scale
    low = np.cumsum(lows)
    return Bins(
        _index(first_index, steps),
        counts,
        (totals + counts * low) / power,
        low / power,
        (highs + low) / power,
        (firsts + low) / power,
        (lasts + low) / power,
    )


def _index(first: int, steps: Ints) -> Ints:
    return np.cumsum(np.concatenate([np.array([first], np.int64), steps]))


def _scale_of(values: Floats) -> int | None:
    """The decimal places that all ``values`` have, None when they have more than ``MAX_SCALE``."""
    bits = values.view(np.int64)
    for scale in range(MAX_SCALE + 1):
        power = 10.0**scale
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.rint(values * power)
            if not (np.abs(rounded) < _EXACT_TO).all():
                return None
            if ((rounded / power).view(np.int64) == bits).all():
                return scale
    return None


def _columns(columns: Sequence[Ints]) -> bytes:
    """Each at its narrowest width, bytes of equal weight together; not compressed: the whole is, once."""
    parts = []
    for column in columns:
        low, high = (int(column.min()), int(column.max())) if column.size else (0, 0)
        width = next(kind for kind in _WIDTHS if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
        planes = np.frombuffer(column.astype(width).tobytes(), np.uint8).reshape(-1, width.itemsize)
        parts.append(bytes((width.itemsize,)) + planes.T.tobytes())
    return b"".join(parts)


def _split(body: bytes, sizes: Sequence[int]) -> tuple[list[Ints], bytes]:
    found = []
    for size in sizes:
        end = 1 + size * body[0]
        found.append(unpack_ints(body[:end], size))
        body = body[end:]
    return found, body
