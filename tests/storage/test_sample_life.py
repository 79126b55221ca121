"""A history that lives through anything: late readings, a clock that jumps, disks that fail, deaths at every boundary.

Held against a plain list of what was said. The order of what happens is drawn from a seed.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import contextmanager

import pytest

from edge.domain.field_devices import MeterReading
from edge.storage.errors import StoreError
from edge.storage.sample_db import SampleDb
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_queries import SampleQueries
from edge.storage.sample_retention import Retention

S = 1_000_000_000
T0 = 1_795_000_000 * S
HOUR = 3600 * S
POINTS = 3


class Life:
    """One history, what was said to it, and a sink with a cursor of its own."""

    def __init__(self, site, rng, retention):
        self.site, self.rng, self.retention = site, rng, retention
        self.wall_ns, self.said = T0, []
        self.failing = 0.0
        self.cursor = self.settled = 0
        self.got, self.gaps = set(), set()
        self.history = self.source = None
        self.start()

    def start(self):
        if self.history is not None:
            self.source.close()
            self.history.close()  # nothing is written at an end: as after kill -9
        self.history = SampleHistory(self.site.directory, "canteen", self.retention)
        self.source = self.history.source()
        self.cursor = self.settled

    def say(self):
        rng, batch = self.rng, []
        if rng.random() < 0.1:
            self.wall_ns += rng.choice([-HOUR, -S, 9 * HOUR])
        for _ in range(rng.randrange(1, 30)):
            self.wall_ns += rng.choice([0, 1, 7, 300]) * S
            number = len(self.said) + 1
            source = None
            if rng.random() < 0.1:
                source = self.wall_ns - rng.randrange(2 * 3600, 30 * 3600) * S - number * 1_000_000
            self.said.append((number % POINTS, source or self.wall_ns, float(number)))
            reading = MeterReading(point=f"p{number % POINTS}", power_w=float(number), source_wall_ns=source)
            batch.append((reading, self.wall_ns))
        self.site.say(*batch)

    def follow(self):
        try:
            self.history.step()
        except (sqlite3.Error, StoreError):
            assert self.failing

    def seal(self):
        self.history._try_seal()

    def tidy(self):
        for _ in range(self.rng.randrange(1, 12)):
            self.history.tidy()

    def carry(self):
        """The sink takes a block; now and then what it had is settled, or it goes back."""
        block = self.source.read(self.cursor, self.rng.choice([1, 5, 1000]))
        assert block.through_seq >= self.cursor
        for seq, number in zip(block.seq.tolist(), block.value.tolist(), strict=True):
            if self.cursor < seq <= block.through_seq:
                assert seq == number
                self.got.add(seq)
        self.gaps.update(block.gaps)
        self.cursor = block.through_seq
        if self.rng.random() < 0.3:
            self.settled = self.cursor
            with self.history.db.write() as connection:
                connection.execute("INSERT OR REPLACE INTO cursor VALUES ('lake', ?, 0, '')", (self.settled,))
        elif self.rng.random() < 0.1:
            self.cursor = self.settled

    def live(self, turns):
        acts = [self.say, self.say, self.follow, self.follow, self.follow, self.seal, self.tidy, self.carry]
        for _ in range(turns):
            self.failing = self.rng.choice([0.0, 0.0, 0.3])
            try:
                self.rng.choice(acts)()
            except sqlite3.OperationalError:
                assert self.failing
            if self.rng.random() < 0.05:
                self.failing = 0.0
                self.start()

    def end(self):
        """Everything is read, half of the lives also sealed and rolled; the sink gets the rest."""
        self.failing = 0.0
        while self.history.step():
            pass
        if self.rng.random() < 0.5:
            self.history.seal()
            while self.history.tidy():
                pass
        while self.cursor < len(self.said):
            self.carry()


@pytest.fixture(params=range(4))
def life_of(request, sample_site, monkeypatch):
    """Makes a life whose commits fail as it says."""
    lives = []
    real = SampleDb.write

    @contextmanager
    def write(self):
        with real(self) as connection:
            yield connection
            if lives and lives[0].rng.random() < lives[0].failing:
                raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(SampleDb, "write", write)
    monkeypatch.setattr("edge.storage.rollups.SLICE", 1)
    monkeypatch.setattr("edge.storage.sample_retention.SLICE", 1)

    def make(retention):
        lives.append(Life(sample_site, random.Random(request.param), retention))
        return lives[0]

    yield make
    lives[0].source.close()
    lives[0].history.close()


def test_a_life_without_retention_loses_and_doubles_nothing(life_of):
    life = life_of(Retention())
    life.live(120)
    life.end()
    assert life.got == set(range(1, len(life.said) + 1))
    assert life.gaps == set()
    queries = SampleQueries(life.history)
    for series in life.history.names.all():
        mine = [(time_ns, value) for point, time_ns, value in life.said if f"p{point}" == series.point]
        page = queries.samples(series.id, 0, 2**62, 100_000)
        found = list(zip(page.raw.time_ns.tolist(), page.raw.value.tolist(), strict=True))
        assert found == sorted(mine, key=lambda each: (each[0], each[1]))
        for width_s in (60, 3600, 86_400):
            check_windows(queries, series.id, mine, width_s)
    queries.close()


def check_windows(queries, number, mine, width_s):
    """No window is missing, none holds more or less than was said."""
    begin, end = min(mine)[0], max(mine)[0] + 1
    at, step = begin, width_s * S * 20_000
    slots = []
    while at < end:
        bins = queries.windows(number, at, min(at + step, end) - 1, width_s)
        slots += [each for each in zip(bins.slot.tolist(), bins.n.tolist(), bins.max.tolist(), strict=True)
                  if not slots or each[0] > slots[-1][0]]  # fmt: skip
        at += step
    wanted: dict[int, list[float]] = {}
    for time_ns, value in mine:
        wanted.setdefault(time_ns // (width_s * S), []).append(value)
    assert slots == [(slot, len(values), max(values)) for slot, values in sorted(wanted.items())]


def test_what_retention_takes_before_the_sink_had_it_is_told(life_of):
    """Each input is with the sink or in a gap that it was told; nothing goes silently."""
    life = life_of(Retention(chunks_days=1, rollups_days=3))
    life.live(160)
    life.end()
    told = {seq for first, last in life.gaps for seq in range(first, last + 1)}
    assert life.got | told >= set(range(1, len(life.said) + 1))
    with life.history.db.read() as connection:
        orphans = connection.execute("SELECT count(*) FROM chunk WHERE slab NOT IN (SELECT id FROM slab)").fetchone()
        emptying = connection.execute("SELECT value FROM meta WHERE key = 'emptying_slab'").fetchone()
    assert orphans == (0,) or emptying is not None
