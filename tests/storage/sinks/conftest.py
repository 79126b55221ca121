"""Samples in memory, a transport that does what a test says, a clock that stands still, the fake server in a thread."""

from __future__ import annotations

import math
import sqlite3
from bisect import bisect_left
from random import Random

import numpy as np
import pytest

from edge.storage.sample_model import SampleBlock, SampleQuality, Series, SeriesKind
from edge.storage.sinks.answers import Answer, Verdict
from edge.storage.sinks.cursors import SCHEMA, Cursors
from edge.storage.sinks.keys import TimeKeys
from edge.storage.sinks.line_protocol import LineFormer
from edge.storage.sinks.settings import SinkKind, SinkSettings
from edge.storage.sinks.worker import SinkWorker
from firmware_sim.influx_fake.bucket import Bucket
from firmware_sim.influx_fake.line_parser import LineSyntaxError, parse
from firmware_sim.influx_fake.thread import InfluxThread

MS = 1_000_000
S = 1000 * MS
T0 = 1_790_000_000 * S
GOOD = SampleQuality.GOOD


class MemorySource:
    """All samples of a log in memory. ``whole``: blocks repeat up to so many samples of before the cursor, as whole
    chunks do, and bring some of behind ``through_seq``."""

    def __init__(self, *, whole=0):
        self.rows, self.gaps, self.names = [], [], {}
        self.whole = whole
        self.head = 0
        self.reads = 0
        self.fork_seq = None

    def define(self, device, quantity, *, point="", kind=SeriesKind.NUMBER, vertical="garage", resolution_ns=MS):
        found = Series(
            id=len(self.names),
            vertical=vertical,
            device=device,
            point=point,
            quantity=quantity,
            unit="",
            kind=kind,
            resolution_ns=resolution_ns,
        )
        self.names[found.id] = found
        return found.id

    def add(self, samples, seq=None):
        """One input with samples (series, time, value or word[, quality])."""
        self.head = self.head + 1 if seq is None else seq
        for series_id, time_ns, value, *quality in samples:
            self.rows.append((self.head, series_id, time_ns, value, quality[0] if quality else GOOD))
        return self.head

    def lose(self, first, last):
        """The samples of a span of inputs are gone for good."""
        self.rows = [row for row in self.rows if not first <= row[0] <= last]
        self.gaps.append((first, last))

    def head_seq(self):
        return self.head

    def set_back(self):
        fork_seq, self.fork_seq = self.fork_seq, None
        return fork_seq

    def series(self, series_id):
        return self.names[series_id]

    def read(self, after_seq, samples_max):
        self.reads += 1
        start = bisect_left(self.rows, after_seq + 1, key=lambda row: row[0])
        end = min(start + max(1, samples_max), len(self.rows))
        while 0 < end < len(self.rows) and self.rows[end][0] == self.rows[end - 1][0]:
            end += 1
        through = self.head if end >= len(self.rows) else self.rows[end - 1][0]
        gaps = tuple(gap for gap in self.gaps if gap[1] > after_seq and gap[0] <= through)
        return block_of(self.rows[max(0, start - self.whole) : end + self.whole], through, gaps)


def block_of(rows, through, gaps=()):
    words = [row[3] if isinstance(row[3], str) else None for row in rows]
    numbers = [math.nan if isinstance(row[3], str) else row[3] for row in rows]
    return SampleBlock(
        through_seq=through,
        seq=np.array([row[0] for row in rows], np.int64),
        series_id=np.array([row[1] for row in rows], np.int32),
        time_ns=np.array([row[2] for row in rows], np.int64),
        value=np.array(numbers, np.float64),
        quality=np.array([row[4] for row in rows], np.uint8),
        text=words,
        gaps=gaps,
    )


class Clock:
    """Both times, standing still until told."""

    def __init__(self):
        self.now_s, self.wall = 1000.0, T0

    def mono_s(self):
        return self.now_s

    def wall_ns(self):
        return self.wall

    def advance(self, seconds):
        self.now_s += seconds
        self.wall += round(seconds * 1e9)


class Server:
    """A transport onto the fake server's bucket, without a network. ``down`` and ``answers`` say what it does instead;
    ``kill`` loses what was stored within the last ``unsynced_s`` and starts anew."""

    def __init__(self, clock, *, tells_life=True, unsynced_s=0.0):
        self.clock, self.tells_life, self.unsynced_s = clock, tells_life, unsynced_s
        self.bucket = Bucket()
        self.answers, self.sent, self.life = [], [], 1
        self.down = False
        self._fresh = True
        self._recent = []

    def send(self, items):
        if self.down:
            self._fresh = True
            return Answer(Verdict.UNREACHABLE, "connection refused")
        if self.answers:
            answer = self.answers.pop(0)
            if answer is not None:
                self._fresh = False
                return answer
        fresh, self._fresh = self._fresh, False
        life = f"start {self.life}" if self.tells_life else ""
        self.sent.append(list(items))
        try:
            points = [parse(item) for item in items]
        except LineSyntaxError as error:
            return Answer(Verdict.REFUSED, str(error), fresh=fresh, life=life)
        keys = [(each.measurement, each.tags, field, each.time_ns) for each in points for field in each.fields]
        new = [key for key in keys if key not in self.bucket.values]
        rejected = self.bucket.write(points, self.clock.now_s)
        self._recent.append((self.clock.now_s, new))
        if rejected:
            return Answer(Verdict.PARTLY_STORED, rejected.reason, fresh=fresh, life=life)
        return Answer(Verdict.STORED, fresh=fresh, life=life)

    def kill(self):
        self.life += 1
        self._fresh = True
        for at_s, keys in self._recent:
            if self.clock.now_s - at_s < self.unsynced_s:
                for key in keys:
                    self.bucket.values.pop(key, None)
        self._recent = []

    def close(self):
        pass

    @property
    def keys(self):
        return self.bucket.values


class Bench:
    """A worker on a source and a server, made anew on the same samples.db as often as asked."""

    def __init__(self, path, clock, source, server, settings):
        self.path, self.clock, self.source, self.server, self.settings = path, clock, source, server, settings
        self.worker = None
        self.begin()

    def begin(self):
        """Another life of the worker; the one before simply stops, as after a kill."""
        if self.worker is not None:
            self.worker._cursors.close()
        self.worker = SinkWorker(
            self.settings,
            "garage",
            source=self.source,
            former=LineFormer("site-1", self.source.series),
            transport=self.server,
            cursors=Cursors(self.path, self.settings.sink),
            times=self.clock,
            rng=Random(7),
        )
        return self.worker

    def run(self, seconds, until=None):
        """Let the worker work for so long in its own time."""
        end_s = self.clock.now_s + seconds
        while self.clock.now_s < end_s and not (until is not None and until()):
            self.clock.advance(max(self.worker.step(), 1e-4))

    def drain(self, seconds=3600):
        self.run(seconds, lambda: self.done)
        assert self.done, self.worker.status

    @property
    def done(self):
        return self.worker._progress.acked.seq >= self.source.head and self.worker._prepared is None

    def expected(self):
        """What a server must hold: the line of each sample, keyed from the very beginning."""
        block = block_of(self.source.rows, self.source.head)
        prepared = LineFormer("site-1", self.source.series).prepare(block, 0, TimeKeys())
        bucket = Bucket()
        assert bucket.write([parse(item) for item in prepared.items], 0.0) is None
        assert not bucket.changed
        return bucket.values


@pytest.fixture
def samples_db(tmp_path):
    path = tmp_path / "samples.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
    yield path  # with a connection open, so that a worker's end is no checkpoint
    db.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def source():
    return MemorySource()


@pytest.fixture
def make_source():
    return MemorySource


@pytest.fixture
def make_block():
    return block_of


@pytest.fixture
def settings():
    return SinkSettings(
        sink="up", kind=SinkKind.INFLUX, url="http://127.0.0.1:1", verticals=("garage",), batch_samples=100
    )


@pytest.fixture
def make_bench(samples_db, clock, settings):
    """Make a bench: ``source``, then what ``Server`` takes, and ``settings`` to change."""
    import msgspec

    made = []

    def make(source, *, change=None, **server):
        told = msgspec.structs.replace(settings, **(change or {}))
        made.append(Bench(samples_db, clock, source, Server(clock, **server), told))
        return made[-1]

    yield make
    for bench in made:
        bench.worker._cursors.close()


@pytest.fixture
def influx():
    """Make fake servers; each is closed at the end."""
    made = []

    def make(**options):
        made.append(InfluxThread(**options))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text("secret\n")
    return path


@pytest.fixture
def steady():
    """Fill a source with ``seconds`` readings of ``devices`` devices (1 Hz), an input for each."""

    def fill(source, *, seconds, devices=4, start_ns=T0, names=None, every_s=1):
        ids = names or [source.define(f"dev-{number}", "power_w") for number in range(devices)]
        for second in range(seconds):
            for number, series_id in enumerate(ids):
                source.add([(series_id, start_ns + second * every_s * S + number * 7 * MS, second + number / 10)])
        return ids

    return fill
