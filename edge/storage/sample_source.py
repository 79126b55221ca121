"""All samples of one daemon in the order of their birth, for whoever carries them away: ``SampleSource``.

Above the seal mark they come from the tail in memory (or from the log itself, where no tail is kept), below it from
chunks, a stretch at a time. The hard part is the mark moving between two reads: a cursor that stood in the tail stands
in the middle of a stretch afterwards, and must go on behind exactly the input where it stood, in the same order. So
each sample keeps its seq in the chunk too. A user would notice a mistake as a hole in the dashboards at the minute of a
seal, or as points that stand twice from then on.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np

from edge.storage.chunks import CHUNK_COLUMNS, ChunkReader, chunk_rows, columns_of_chunk
from edge.storage.errors import StoreError
from edge.storage.log_follow import LogFollower, LogPart
from edge.storage.sample_columns import EMPTY, QUALITY_BITS, Columns, joined
from edge.storage.sample_db import SampleDb
from edge.storage.sample_extract import Extractor
from edge.storage.sample_model import SampleBlock, Series, SeriesKind
from edge.storage.sample_names import SeriesNames
from edge.storage.sample_tail import SampleTail

_STRETCH = "SELECT seq_first, seq_last FROM slab WHERE seq_last > ? ORDER BY seq_last LIMIT 1"
_SLABS = "SELECT id FROM slab WHERE seq_last = ? ORDER BY id"
_CHUNKS = f"SELECT {CHUNK_COLUMNS} FROM chunk WHERE slab = ? ORDER BY series, part"  # noqa: S608
_CHUNK_SPAN = "SELECT seq_first, seq_last FROM chunk WHERE slab = ? AND series = ? AND part = ?"
_GAPS = "SELECT seq_first, seq_last FROM gap WHERE seq_last > ? AND seq_first <= ? ORDER BY seq_first"
_MARK = "SELECT ifnull((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'seal_seq'), 0)"


class Stretch(NamedTuple):
    """A sealed stretch of the log; ``lost``: spans (first, last) of it whose chunks are damaged."""

    seq_first: int
    seq_last: int
    columns: Columns
    lost: tuple[tuple[int, int], ...]


class StretchCache:
    """The stretches that were unpacked last, shared by the sinks of one daemon: at most ``KEPT`` of them (some 40 MB
    each at 2,000 samples a second)."""

    KEPT = 2

    def __init__(self) -> None:
        self.mutex = threading.Lock()
        self._held: OrderedDict[int, Stretch] = OrderedDict()

    def get(self, seq_last: int) -> Stretch | None:
        """The stretch that ends there, if it is here."""
        return self._held.get(seq_last)

    def put(self, stretch: Stretch) -> None:
        """Keep it for the next read."""
        self._held[stretch.seq_last] = stretch
        while len(self._held) > self.KEPT:
            self._held.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        with self.mutex:
            self._held.clear()


class SetBacks:
    """How far the log was set back, each time that it became another one. Written by one thread, read by any."""

    def __init__(self) -> None:
        self._forks: list[int] = []

    def add(self, fork_seq: int) -> None:
        """Everything behind ``fork_seq`` is another log now."""
        self._forks.append(fork_seq)

    def since(self, seen: int) -> tuple[int, int | None]:
        """How many there were, and the furthest back of those behind the first ``seen``; None for none."""
        forks = self._forks[:]
        return len(forks), min(forks[seen:], default=None)


class StoredSamples:
    """A ``SampleSource``. One thread; make one for each sink. Every read may raise StoreError: not now."""

    def __init__(
        self,
        db: SampleDb,
        names: SeriesNames,
        follower: LogFollower,
        tail: SampleTail | None = None,
        cache: StretchCache | None = None,
        set_backs: SetBacks | None = None,
    ) -> None:
        self._db = db
        self._names = names
        self._follower = follower
        self._tail = tail
        self._cache = cache or StretchCache()
        self._extractor = Extractor(names)
        self._chunks: ChunkReader | None = None
        self._set_backs = set_backs or SetBacks()
        self._seen, _ = self._set_backs.since(0)

    def set_back(self) -> int | None:
        """See ``SampleSource.set_back``."""
        self._seen, fork_seq = self._set_backs.since(self._seen)
        return fork_seq

    def head_seq(self) -> int:
        """The last committed seq of the log."""
        return self._follower.head_seq()

    def series(self, series_id: int) -> Series:
        """The names of a series. Raises KeyError."""
        return self._names.series(series_id)

    def read(self, after_seq: int, samples_max: int) -> SampleBlock:
        """See ``SampleSource.read``. With nothing new, ``through_seq`` is ``after_seq``."""
        try:
            if after_seq < self._mark():
                return self._read_sealed(after_seq, samples_max)
            return self._read_tail(after_seq, samples_max)
        except sqlite3.Error as error:
            self.close()
            raise StoreError("storage", f"{self._db.path} cannot be read now: {error}") from error

    def close(self) -> None:
        """Let go of the files; a later read opens them again."""
        if self._chunks is not None:
            self._chunks.connection.close()
            self._chunks = None
        self._follower.close()

    def _reader(self) -> ChunkReader:
        if self._chunks is None:
            self._chunks = ChunkReader(self._db.reader())
        return self._chunks

    def _mark(self) -> int:
        return int(self._reader().connection.execute(_MARK).fetchone()[0])

    def _gaps(self, after_seq: int, through_seq: int) -> tuple[tuple[int, int], ...]:
        rows = self._reader().connection.execute(_GAPS, (after_seq, through_seq)).fetchall()
        return tuple((int(first), int(last)) for first, last in rows)

    def _read_tail(self, after_seq: int, samples_max: int) -> SampleBlock:
        if self._tail is None:
            return self._read_log(after_seq, samples_max)
        picture = self._tail.picture()
        if after_seq < picture.after_seq:  # sealed between the look at the mark and the look at the tail
            return self._read_sealed(after_seq, samples_max)
        columns, through = _cut(picture.columns, after_seq, picture.through_seq, samples_max)
        return self._block(columns, after_seq, max(through, after_seq))

    def _read_log(self, after_seq: int, samples_max: int) -> SampleBlock:
        found, part = self.logged(after_seq)
        columns, through = _cut(found, after_seq, part.through_seq, samples_max)
        lost = tuple((span.seq_first, min(span.seq_last, through)) for span in part.damage if span.seq_first <= through)
        return self._block(columns, after_seq, through, lost)

    def _read_sealed(self, after_seq: int, samples_max: int) -> SampleBlock:
        mark = self._mark()  # before the look at the slabs: what is sealed in between lies behind this mark
        stretch = self.sealed_behind(after_seq)
        if stretch is None:  # nothing but inputs without samples up to the mark
            return self._block(EMPTY, after_seq, max(mark, after_seq))
        columns, through = _cut(stretch.columns, after_seq, stretch.seq_last, samples_max)
        return self._block(columns, after_seq, through, stretch.lost)

    def sealed_behind(self, after_seq: int) -> Stretch | None:
        """The first sealed stretch that goes beyond ``after_seq``. Raises sqlite3.Error."""
        row = self._reader().connection.execute(_STRETCH, (after_seq,)).fetchone()
        if row is None:
            return None
        with self._cache.mutex:
            stretch = self._cache.get(row[1])
            if stretch is None:
                stretch = self._load(int(row[0]), int(row[1]))
                self._cache.put(stretch)
        return stretch

    def logged(self, after_seq: int) -> tuple[Columns, LogPart]:
        """The next part of the log itself, and its samples. Raises StoreError."""
        part = self._follower.read(after_seq)
        return self._extractor.extract(part.entries), part

    def _load(self, seq_first: int, seq_last: int) -> Stretch:
        reader = self._reader()
        parts, lost = [], []
        for (slab,) in reader.connection.execute(_SLABS, (seq_last,)).fetchall():
            for row in chunk_rows(reader.connection.execute(_CHUNKS, (slab,)).fetchall()):
                chunk = reader.unpack(row)
                if chunk is None:
                    span = reader.connection.execute(_CHUNK_SPAN, (row.slab, row.series, row.part)).fetchone()
                    lost += [(int(span[0]), min(int(span[1]), seq_last))] if span else []
                else:
                    parts.append(columns_of_chunk(chunk))
        whole = joined(parts)
        if whole.seq.size and int(whole.seq.max()) > seq_last:  # a restore set the log back to the middle of it
            whole = whole.part(whole.seq <= seq_last)
        ordered = whole.part(np.argsort(whole.seq, kind="stable"))
        return Stretch(seq_first, seq_last, ordered, tuple(sorted(lost)))

    def _block(
        self, columns: Columns, after_seq: int, through_seq: int, lost: tuple[tuple[int, int], ...] = ()
    ) -> SampleBlock:
        gaps = {span for span in (*self._gaps(after_seq, through_seq), *lost) if span[1] > after_seq}
        return SampleBlock(
            through_seq=through_seq,
            seq=columns.seq,
            series_id=columns.series,
            time_ns=columns.time_ns,
            value=self._numbers(columns),
            quality=columns.flags & np.uint8(QUALITY_BITS),
            text=self._texts(columns),
            gaps=tuple(sorted(span for span in gaps if span[0] <= through_seq)),
        )

    def _state_mask(self, columns: Columns) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        met = np.unique(columns.series)
        states = [int(number) for number in met if self._names.series(int(number)).kind is SeriesKind.STATE]
        return np.isin(columns.series, np.array(states, np.int32))

    def _numbers(self, columns: Columns) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.where(self._state_mask(columns), np.nan, columns.value)

    def _texts(self, columns: Columns) -> list[str | None]:
        texts: list[str | None] = [None] * columns.series.size
        for at in np.flatnonzero(self._state_mask(columns)).tolist():
            texts[at] = self._names.word(int(columns.series[at]), float(columns.value[at]))
        return texts


def _cut(columns: Columns, after_seq: int, through_seq: int, samples_max: int) -> tuple[Columns, int]:
    """The samples behind ``after_seq``, about ``samples_max``, whole inputs; and how far they reach."""
    begin = int(np.searchsorted(columns.seq, after_seq, side="right"))
    end = begin + max(samples_max, 1)
    if end >= columns.seq.size:
        return columns.part(slice(begin, None)), through_seq
    last = int(columns.seq[end - 1])
    end = int(np.searchsorted(columns.seq, last, side="right"))
    return columns.part(slice(begin, end)), (through_seq if end == columns.seq.size else last)
