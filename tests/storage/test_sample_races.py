"""What is sealed, rolled up or dropped while somebody reads: each sample once, never none."""

from __future__ import annotations

import pytest

from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.storage import rollups, sample_reading
from edge.storage.log import LogRecord
from edge.storage.sample_queries import SampleQueries
from edge.storage.sample_source import _STRETCH, StoredSamples

S = 1_000_000_000
T0 = 1_795_000_000 * S
HOUR = 3600 * S


def meter(value):
    return MeterReading(point="p", power_w=value)


def once_after(monkeypatch, owner, name, act):
    """``act`` runs once, right after the first call of ``owner.name`` has its answer."""
    real, done = getattr(owner, name), []

    def call(*arguments, **options):
        answer = real(*arguments, **options)
        if not done:
            done.append(True)
            act()
        return answer

    monkeypatch.setattr(owner, name, call)
    return done


@pytest.fixture
def queries_of():
    opened = []

    def make(history):
        opened.append(SampleQueries(history))
        return opened[-1]

    yield make
    for queries in opened:
        queries.close()


def test_a_seal_between_the_chunks_and_the_tail_hides_nothing(sample_site, open_history, queries_of, monkeypatch):
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(20)))
    history = open_history()
    history.seal()
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(20, 40)))
    while history.step():
        pass
    done = once_after(monkeypatch, sample_reading.SeriesReader, "_rows", history.seal)
    page = queries_of(history).samples(1, T0, T0 + HOUR, 1000)
    assert done
    assert page.raw.value.tolist() == [float(n) for n in range(40)]


@pytest.mark.parametrize("name", ["read_blocks", "due_hours"])
def test_an_hour_that_is_rolled_between_two_looks_is_not_a_hole(
    sample_site, open_history, queries_of, monkeypatch, name
):
    sample_site.say(*((meter(float(n)), T0 + n * 60 * S) for n in range(300)))
    history = open_history()
    history.seal()

    def roll():
        while history.tidy():
            pass

    done = once_after(monkeypatch, rollups, name, roll)
    bins = queries_of(history).windows(1, T0, T0 + 5 * HOUR, 3600)
    assert done
    assert history.all_counts()["hours"] >= 4
    assert bins.n.sum() == 300


class _Sealing:
    """A chunk reader behind whose look at the slabs something is sealed."""

    def __init__(self, reader, act):
        self._real, self._act, self.connection = reader, act, self

    def __getattr__(self, name):
        return getattr(self._real, name)

    def execute(self, sql, *arguments):
        found = self._real.connection.execute(sql, *arguments)
        if sql == _STRETCH and self._act is not None:
            act, self._act = self._act, None
            row = found.fetchone()
            act()
            return type("Rows", (), {"fetchone": staticmethod(lambda: row)})
        return found


def test_a_sink_behind_inputs_without_samples_misses_no_seal(sample_site, open_history, monkeypatch):
    """Hours without a sample are sealed, so no slab is behind it; the next one comes at that very moment."""
    sample_site.say((meter(1.0), T0))
    history = open_history()
    history.seal()
    for _ in range(3):
        sample_site.seq += 1
        sample_site.write([LogRecord(Stamp(sample_site.seq, "b", T0, T0, wall_trusted=True), b"\x80")])
    while history.step():
        pass
    history.seal()
    sample_site.say((meter(2.0), T0 + S))
    while history.step():
        pass
    source = history.source()
    reader = source._reader()
    monkeypatch.setattr(StoredSamples, "_reader", lambda _self: proxy)
    proxy = _Sealing(reader, history.seal)
    block = source.read(2, 100)
    assert (block.through_seq, block.value.tolist()) == (4, [])
    assert proxy._act is None
    assert source.read(4, 100).value.tolist() == [2.0]
    source.close()
