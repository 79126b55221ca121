"""How a column is packed: exact, and small for what sensors say.

Numbers that were decimals (21.4, 230.1) are scaled to integers, differenced and packed with zlib level 1; whatever is
not exactly a decimal of at most ``MAX_SCALE`` places is kept as it is. Times are a first tick and the steps between
ticks. The hard part is *exact*: what comes back is compared bit by bit before a block is called packed, so that
nothing (a NaN, a minus zero, 0.1 + 0.2) ever comes back changed. A user would notice a mistake as a meter whose total
does not add up.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.uint8]

MAX_SCALE = 9
_LEVEL = 1
_CONSTANT, _SCALED, _RAW = 0, 1, 2
_ZLIB_BIT = 0x10
_EXACT_TO = float(2**53)
_WIDTHS = (np.dtype("<i1"), np.dtype("<i2"), np.dtype("<i4"), np.dtype("<i8"))
_SCALED_HEAD = struct.Struct("<BBq")
_CONSTANT_HEAD = struct.Struct("<Bd")
#: Nothing longer is packed into one column.
MAX_SAMPLES = 1 << 20


class CodecError(ValueError):
    """A packed column is not what was written."""


def pack_ints(values: Ints) -> bytes:
    """Integers at the narrowest width that holds them, bytes of equal weight together, zlib where that is shorter."""
    if values.size == 0:
        return b"\x00"
    low, high = int(values.min()), int(values.max())
    width = next(dtype for dtype in _WIDTHS if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max)
    planes = np.frombuffer(values.astype(width).tobytes(), np.uint8).reshape(-1, width.itemsize)
    raw = planes.T.tobytes() if width.itemsize > 1 else planes.tobytes()
    packed = zlib.compress(raw, _LEVEL)
    if len(packed) < len(raw):
        return bytes((width.itemsize | _ZLIB_BIT,)) + packed
    return bytes((width.itemsize,)) + raw


def unpack_ints(data: bytes, count: int) -> Ints:
    """The ``count`` integers that ``pack_ints`` packed. Raises CodecError."""
    return _unpack_narrow(data, count, count).astype(np.int64)


def _unpack_narrow(data: bytes, count: int, wanted: int) -> npt.NDArray[np.signedinteger]:
    """At least the first ``wanted`` of them, at the width at which they were packed; read-only."""
    width = data[0] & 0x0F if data else 0
    if count == 0 and width == 0:
        return np.empty(0, np.int64)
    if width not in (1, 2, 4, 8):
        raise CodecError(f"width {width} is not known")
    if width == 1 and wanted < count and data[0] & _ZLIB_BIT:
        return np.frombuffer(_inflate_first(data[1:], wanted), np.int8)
    raw = _inflate(data[1:], count * width) if data[0] & _ZLIB_BIT else data[1:]
    if len(raw) != count * width:
        raise CodecError(f"{len(raw)} bytes instead of {count * width}")
    planes = np.frombuffer(raw, np.uint8)
    if width > 1:
        planes = np.ascontiguousarray(planes.reshape(width, count).T)
    return planes.reshape(-1).view(f"<i{width}")


def _inflate(data: bytes, length: int) -> bytes:
    """Never more than ``length`` bytes, whatever the data claims to hold."""
    try:
        machine = zlib.decompressobj()
        raw = machine.decompress(data, length)
    except zlib.error as error:
        raise CodecError(str(error)) from error
    if len(raw) != length or (not machine.eof and machine.decompress(machine.unconsumed_tail, 1)):
        raise CodecError("more or fewer bytes than there should be")
    return raw


def _inflate_first(data: bytes, length: int) -> bytes:
    """The first ``length`` bytes; whoever asks has checked the checksum of ``data``."""
    try:
        raw = zlib.decompressobj().decompress(data, length) if length else b""
    except zlib.error as error:
        raise CodecError(str(error)) from error
    if len(raw) != length:
        raise CodecError("fewer bytes than there should be")
    return raw


def pack_values(values: Floats, hint: int = 0) -> tuple[bytes, int]:
    """Packed numbers, and the decimal places found (a good ``hint`` for the next block of the same series)."""
    bits = values.view(np.int64)
    if values.size and (bits == bits[0]).all():
        return _CONSTANT_HEAD.pack(_CONSTANT, values[0]), hint
    for scale in (hint, *(s for s in range(MAX_SCALE + 1) if s != hint)):
        scaled = _scaled(values, scale)
        if scaled is not None:
            head = _SCALED_HEAD.pack(_SCALED, scale, int(scaled[0]))
            return head + pack_ints(np.diff(scaled)), scale
    planes = np.frombuffer(values.astype("<f8").tobytes(), np.uint8).reshape(-1, 8)
    return bytes((_RAW,)) + zlib.compress(planes.T.tobytes(), _LEVEL), hint


def _scaled(values: Floats, scale: int) -> Ints | None:
    """``values`` times 10**scale as integers, None unless that gives back the very same bits."""
    power = 10.0**scale
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.rint(values * power)
        if not (np.abs(rounded) < _EXACT_TO).all():
            return None
    scaled = rounded.astype(np.int64)  # knows no minus zero, so that is met below
    # Below 2**53 the division is correctly rounded, so it gives the double nearest to the decimal.
    return scaled if ((scaled / power).view(np.int64) == values.view(np.int64)).all() else None


def unpack_values(data: bytes, count: int, wanted: int | None = None) -> Floats:
    """The ``count`` numbers that ``pack_values`` packed, bit by bit, or the first ``wanted`` of them. Raises
    CodecError."""
    wanted = count if wanted is None else wanted
    try:
        if data[0] == _CONSTANT:
            return np.full(wanted, _CONSTANT_HEAD.unpack(data)[1])
        if wanted == 0:
            return np.empty(0)
        if data[0] == _SCALED:
            _, scale, first = _SCALED_HEAD.unpack_from(data)
            scaled = np.empty(wanted, np.int64)
            scaled[0] = first
            scaled[1:] = _unpack_narrow(data[_SCALED_HEAD.size :], count - 1, wanted - 1)[: wanted - 1]
            np.add.accumulate(scaled, out=scaled)
            values: Floats = scaled / 10.0**scale
            return values
        if data[0] == _RAW:
            planes = np.frombuffer(_inflate(data[1:], count * 8), np.uint8).reshape(8, count)
            return np.ascontiguousarray(planes.T).reshape(-1).view("<f8")[:wanted].astype(np.float64)
    except (IndexError, struct.error, ValueError) as error:
        raise CodecError(f"values cannot be unpacked: {error}") from error
    raise CodecError(f"form {data[0]} is not known")


class TimeColumn(NamedTuple):
    """n ticks of ``resolution_ns``, the flags of the samples, and the seq of the input that each was born from."""

    ticks: Ints
    flags: Flags
    seqs: Ints


class _PackedTimes(msgspec.Struct, frozen=True, array_like=True):
    """``steps`` empty: all steps are ``step``; otherwise they are ``step`` more than packed; likewise ``seq_steps``.
    ``flags`` one byte: all the same."""

    first: int
    step: int
    n: int
    steps: bytes
    flags: bytes
    seq_first: int
    seq_step: int
    seq_steps: bytes


_decode_times = msgspec.msgpack.Decoder(_PackedTimes).decode


def pack_times(column: TimeColumn) -> bytes:
    """A packed time column."""
    ticks, flags, seqs = column
    first, step, steps = _pack_steps(ticks)
    same = bool(flags.size) and bool((flags == flags[0]).all())
    packed = _PackedTimes(
        first,
        step,
        ticks.size,
        steps,
        flags[:1].tobytes() if same else pack_ints(flags.astype(np.int64)),
        *_pack_steps(seqs),
    )
    return msgspec.msgpack.encode(packed)


def _pack_steps(values: Ints) -> tuple[int, int, bytes]:
    """First value, least step, and what each step is more; b"" when all are the least."""
    steps = np.diff(values)
    step = int(steps.min()) if steps.size else 0
    return int(values[0]) if values.size else 0, step, b"" if (steps == step).all() else pack_ints(steps - step)


def _unpack_steps(first: int, step: int, packed: bytes, count: int) -> Ints:
    values = np.empty(count, np.int64)
    if count:
        values[0] = first
        np.cumsum(unpack_ints(packed, count - 1) + step if packed else np.full(count - 1, step), out=values[1:])
        values[1:] += first
    return values


def unpack_times(data: bytes) -> TimeColumn:
    """What ``pack_times`` packed. Raises CodecError."""
    try:
        packed = _decode_times(data)
    except msgspec.MsgspecError as error:
        raise CodecError(f"times cannot be unpacked: {error}") from error
    n = packed.n
    if not 0 <= n <= MAX_SAMPLES:
        raise CodecError(f"{n} samples in one column")
    ticks = _unpack_steps(packed.first, packed.step, packed.steps, n)
    if len(packed.flags) == 1 and n:
        flags = np.full(n, packed.flags[0], np.uint8)
    else:
        flags = unpack_ints(packed.flags, n).astype(np.uint8)
    return TimeColumn(ticks, flags, _unpack_steps(packed.seq_first, packed.seq_step, packed.seq_steps, n))


def crc(data: bytes, *key: int) -> int:
    """CRC-32 of a blob and the key that it stands under: a blob in another's place is found too."""
    return zlib.crc32(data, zlib.crc32(repr(key).encode()))
