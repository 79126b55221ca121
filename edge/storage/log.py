"""The flight recorder's format: every input in order, compressed, checked.

One log row holds the records of one commit (at most ``MAX_RECORDS`` or about ``MAX_RAW_BYTES``; one boot): a header
``seq_first .. seq_last, boot_id, wall_ns of the last record, count, format`` and msgpack data (packed with zlib when it
is long), with a CRC-32 (ISO 3309, as zlib computes it) over both. Readings lie inside the inputs, so samples are later
sealed from here by sequence.

The hard part is that damage must stay small and be named: a torn or flipped row costs that row and no other, and a
reader is told which span of seqs is gone. A user would notice a mistake as an explanation of a sale from the wrong
inputs.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

import msgspec

from edge.domain.kernel import Stamp

PLAIN = 1
ZLIB = 2
#: Shorter data is kept plain: zlib's set-up would cost a payment 0.1 ms and save a few dozen bytes.
PLAIN_BYTES = 1024
MAX_RECORDS = 512
MAX_RAW_BYTES = 256 << 10
_ZLIB_LEVEL = 1


class RecordKind(IntEnum):
    """What a log record tells.

    INPUT     ``kernel.handle`` took the input and gave the effects whose digests stand beside it.
    RAISED    ``kernel.handle`` raised on the input. The same batch carries the ``SetAside`` and a "rebuild" snapshot of
              this seq, taken after ``kernel.set_aside`` and ``kernel.resume``; the digests are of those effects.
    RESUMED   no input: ``kernel.load`` and ``kernel.resume`` ran (at start, or after a failed commit). ``input`` is
              empty; the same batch carries a "start" or "rebuild" snapshot of this seq.
    """

    INPUT = 0
    RAISED = 1
    RESUMED = 2


class LogRecord(msgspec.Struct, frozen=True, gc=False):
    """One stamped input as it is kept. ``input`` is the msgpack of the kernel's input, ``digests`` 8 bytes
    (``edge.domain.digest.effect_digest``) for each effect, in order."""

    stamp: Stamp
    input: bytes
    digests: bytes = b""
    kind: RecordKind = RecordKind.INPUT


class LogRow(NamedTuple):
    """One row of table ``log``, without its running total."""

    seq_last: int
    seq_first: int
    boot_id: str
    wall_ns: int
    entries: int
    crc32: int
    format: int
    data: bytes


class LogEntry(NamedTuple):
    """What sealing needs of a record: three times cheaper to make than the record."""

    seq: int
    wall_ns: int
    wall_trusted: bool
    input: bytes


class LogDamage(msgspec.Struct, frozen=True):
    """Inputs ``seq_first`` to ``seq_last`` (both included) cannot be read, and why."""

    seq_first: int
    seq_last: int
    reason: str


class LogError(Exception):
    """A log row is not what was written; the text says why."""


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """A record inside a row: times are differences to the record before it (to 0 for the first), so they pack small.
    (Written from plain tuples, which are the same bytes.)"""

    kind: RecordKind
    mono_delta_ns: int
    wall_delta_ns: int
    wall_trusted: bool
    input: bytes
    digests: bytes


_encode_entries = msgspec.msgpack.Encoder().encode
_decode_entries = msgspec.msgpack.Decoder(tuple[_Entry, ...]).decode


def encode(records: Sequence[LogRecord], cut_after: Collection[int] = ()) -> list[LogRow]:
    """The rows for ``records`` (gapless seqs). A row ends at each seq in ``cut_after`` (those of snapshots)."""
    return [_encode_row(part) for part in _parts(records, cut_after)]


def _parts(records: Sequence[LogRecord], cut_after: Collection[int]) -> Iterator[list[LogRecord]]:
    part: list[LogRecord] = []
    size = 0
    for record in records:
        if part and part[-1].stamp.boot_id != record.stamp.boot_id:
            yield part
            part, size = [], 0
        part.append(record)
        size += len(record.input) + len(record.digests)
        if len(part) >= MAX_RECORDS or size >= MAX_RAW_BYTES or record.stamp.seq in cut_after:
            yield part
            part, size = [], 0
    if part:
        yield part


def _encode_row(records: Sequence[LogRecord]) -> LogRow:
    entries: list[tuple[int, int, int, bool, bytes, bytes]] = []
    mono_before_ns = wall_before_ns = 0
    for record in records:
        stamp = record.stamp
        mono_ns, wall_ns = stamp.mono_ns, stamp.wall_ns
        kind = 0 if record.kind is RecordKind.INPUT else record.kind.value
        after_ns, wall_after_ns = mono_ns - mono_before_ns, wall_ns - wall_before_ns
        entries.append((kind, after_ns, wall_after_ns, stamp.wall_trusted, record.input, record.digests))
        mono_before_ns, wall_before_ns = mono_ns, wall_ns
    first, last = records[0].stamp, records[-1].stamp
    data, form = _encode_entries(entries), PLAIN
    if len(data) >= PLAIN_BYTES:
        data, form = zlib.compress(data, _ZLIB_LEVEL), ZLIB
    row = LogRow(last.seq, first.seq, first.boot_id, last.wall_ns, len(records), 0, form, data)
    return row._replace(crc32=_crc(row))


def _crc(row: LogRow) -> int:
    header = f"{row.seq_last},{row.seq_first},{row.boot_id},{row.wall_ns},{row.entries},{row.format}"
    return zlib.crc32(row.data, zlib.crc32(header.encode("utf-8", "surrogatepass")))


def decode(row: LogRow) -> list[LogRecord]:
    """The records of a row. Raises LogError when a bit of it is not as written or its format is not known."""
    records = []
    mono_ns = wall_ns = 0
    for seq, entry in enumerate(_entries(row), row.seq_first):
        mono_ns += entry.mono_delta_ns
        wall_ns += entry.wall_delta_ns
        stamp = Stamp(seq, row.boot_id, mono_ns, wall_ns, entry.wall_trusted)
        records.append(LogRecord(stamp, entry.input, entry.digests, entry.kind))
    return records


def decode_inputs(row: LogRow) -> list[LogEntry]:
    """The inputs of a row, without what replay needs beside them. Raises LogError as ``decode`` does."""
    found = []
    wall_ns = 0
    for seq, entry in enumerate(_entries(row), row.seq_first):
        wall_ns += entry.wall_delta_ns
        found.append(LogEntry(seq, wall_ns, entry.wall_trusted, entry.input))
    return found


def _entries(row: LogRow) -> tuple[_Entry, ...]:
    if _crc(row) != row.crc32:
        raise LogError("checksum differs")
    if row.format not in (PLAIN, ZLIB):
        raise LogError(f"format {row.format} is not known to this release")
    try:
        entries = _decode_entries(zlib.decompress(row.data) if row.format == ZLIB else row.data)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise LogError(f"data cannot be unpacked: {error}") from error
    if len(entries) != row.entries:
        raise LogError(f"{len(entries)} records instead of {row.entries}")
    return entries
