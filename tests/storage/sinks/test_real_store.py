"""A sink on the real store: the same keys from the log's tail and from chunks, wherever the seal mark moves between."""

from __future__ import annotations

import threading

import msgspec
import pytest

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading, SignalKind, SignalReading
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.sample_history import SampleHistory

MS = 1_000_000
S = 1000 * MS
T0 = 1_795_000_000 * S


class Log:
    """A facts.db that grows: meters, twins of a millisecond, states, an hour lived twice, back-fill of yesterday."""

    def __init__(self, directory):
        self.directory, self.seq, self.wall_ns = directory, 0, T0
        self.store = FactsStore.open(directory, ROW_TYPES, ballast_bytes=0)

    def say(self, seconds):
        records = []
        for _ in range(seconds):
            self.wall_ns += S
            bodies = [MeterReading(point="p", power_w=self.seq / 8), MeterReading(point="p", power_w=-self.seq / 8)]
            bodies.append(MeterReading(point="q", power_w=1.0, source_wall_ns=self.wall_ns - 86_400 * S))
            bodies.append(SignalReading(point="s", kind=SignalKind.SMOKE, active=self.seq % 3 == 0))
            for body in bodies:
                self.seq += 1
                stamp = Stamp(self.seq, "boot", self.seq, self.wall_ns, wall_trusted=True)
                records.append(LogRecord(stamp, msgspec.msgpack.encode(DeviceReading("d", 1, body))))
        done = threading.Event()
        self.store.submit(Batch(records=records), lambda _error: done.set())
        assert done.wait(60)


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "store")
    yield made
    made.store.close()


class Follow:
    """The history's source with the head that the bench asks for."""

    def __init__(self, history, log):
        self._history, self._log = history, log
        self._source = history.source()

    def __getattr__(self, name):
        return getattr(self._source, name)

    @property
    def head(self):
        return self._log.seq


def test_keys_are_the_same_from_the_tail_and_from_chunks(log, make_bench):
    history = SampleHistory(log.directory, "canteen")
    try:
        log.say(40)
        while history.step():
            pass
        bench = make_bench(Follow(history, log), change={"batch_samples": 7})
        for part in range(6):
            bench.drain()
            if part == 2:
                log.wall_ns -= 30 * S
            log.say(20)
            while history.step():
                pass
            bench.run(0.001 * (part + 1))
            history.seal()
            bench.run(0.002)
            bench.begin()  # a kill: everything since the settled position goes out again, now from chunks
        bench.drain()
        values = bench.server.bucket
        assert values.changed == []
        assert len(values.values) == log.seq
        assert set(values.writes.values()) >= {2}, "nothing was sent twice: the test tests nothing"
    finally:
        history.close()
