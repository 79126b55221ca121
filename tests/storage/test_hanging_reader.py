"""A reader that hangs for ten minutes: commits, seals, pruning and checkpoints go on, and what it costs is bounded.

Ten minutes are 600 commits of a second's readings each, however fast they are made here: SQLite knows no time, only
what is written while a reader holds its view. In WAL mode (SQLite's documentation, "Avoiding Excessively Large WAL
Files") a reader keeps the log from beginning anew behind it, and nothing else. So the log may grow by what was written
meanwhile, once, and goes back to its limit afterwards.
"""

from __future__ import annotations

import sqlite3
import threading
import time

import msgspec
import pytest

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch, WorldSnapshot
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.sample_history import SampleHistory

S = 1_000_000_000
T0 = 1_795_000_000 * S
SECONDS = 600
POINTS = 20
FRAME_BYTES = 24 + 4096
#: Pages that one commit of a second changes at most: a leaf of each of log, snapshot and index, their parents, the
#: header, and the overflow pages of 20 readings (below 4 KiB together).
PAGES_PER_COMMIT = 8


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Checkpoints and limits of a site a hundredth as busy."""
    monkeypatch.setattr("edge.storage.chores.CHECKPOINT_PAGES", 50)
    monkeypatch.setattr("edge.storage.chores.FORCED_PAGES", 200)
    monkeypatch.setattr("edge.storage.connect.WAL_LIMIT_BYTES", 256 << 10)
    monkeypatch.setattr("edge.storage.sample_db.WAL_LIMIT_BYTES", 256 << 10)
    monkeypatch.setattr("edge.storage.sample_db.CHECKPOINT_PAGES", 50)


class Box:
    """A store and its history, said to second by second."""

    def __init__(self, directory):
        self.directory, self.seq = directory, 0
        self.store = FactsStore.open(directory, ROW_TYPES, ballast_bytes=0)
        self.history = SampleHistory(directory, "canteen")

    def second(self):
        """One commit of a second; gives what became of it."""
        records, wall_ns = [], T0 + self.seq // POINTS * S
        for point in range(POINTS):
            self.seq += 1
            stamp = Stamp(self.seq, "boot", wall_ns, wall_ns, wall_trusted=True)
            body = MeterReading(point=f"p{point}", power_w=round(self.seq % 977 / 7, 1))
            records.append(LogRecord(stamp, msgspec.msgpack.encode(DeviceReading("d", 1, body))))
        snapshot = WorldSnapshot(self.seq, "hourly", b"w") if self.seq % (50 * POINTS) == 0 else None
        return self.submit(Batch(records=records, snapshot=snapshot))

    def submit(self, batch):
        errors, done = [], threading.Event()
        self.store.submit(batch, lambda error: (errors.append(error), done.set()))
        assert done.wait(60)
        return errors[0]

    def wal_bytes(self, name):
        return (self.directory / f"{name}-wal").stat().st_size

    def follow(self):
        while self.history.step():
            pass

    def close(self):
        self.history.close()
        self.store.close()


@pytest.fixture
def box(tmp_path):
    made = Box(tmp_path)
    yield made
    made.close()


def hold(path):
    """A reader with a view of now that does not let go."""
    reader = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return reader


def pruned_to(box):
    with sqlite3.connect(f"file:{box.directory / 'facts.db'}?mode=ro", uri=True) as db:
        found = db.execute("SELECT min(seq_first) FROM log").fetchone()[0]
    db.close()
    return found


def test_ten_minutes_cost_what_was_written_and_nothing_else(box):
    for _ in range(100):
        assert box.second() is None
    box.follow()
    box.history.seal()
    before = {name: box.wal_bytes(name) for name in ("facts.db", "samples.db")}
    held = [hold(box.directory / name) for name in before]
    for second in range(SECONDS):
        assert box.second() is None, "a commit fails while somebody reads"
        if second % 60 == 59:
            box.follow()
            box.history.seal()
            while box.history.tidy():
                pass
    assert box.history.through_seq == box.seq
    assert box.history.sealed_seq == box.seq
    box.store.prune(keep_after_wall_ns=T0 + 500 * S, max_bytes=1 << 40)
    assert box.submit(Batch()) is None
    until = time.monotonic() + 60
    while pruned_to(box) <= 400 * POINTS:
        assert time.monotonic() < until, "the log is not pruned while somebody reads"
        time.sleep(0.02)
    counters = box.store.counters()
    assert (counters["failed"], counters["chore_errors"]) == (0, 0)
    commits = box.seq // POINTS - 100
    grown = box.wal_bytes("facts.db") - before["facts.db"]
    pruning = 4 * counters["log_pruned"] * FRAME_BYTES
    assert 256 << 10 < grown <= commits * PAGES_PER_COMMIT * FRAME_BYTES + pruning, "what was written, once"
    assert [reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] > 0 for reader in held] == [True, True]
    for reader in held:
        reader.close()
    for _ in range(300):
        assert box.second() is None
        box.follow()
        if box.wal_bytes("facts.db") <= 256 << 10:
            break
    assert box.wal_bytes("facts.db") <= 256 << 10, "the log is cut back when the reader has gone"
    for _ in range(60):
        box.second()
        box.follow()
        box.history.seal()
        if box.wal_bytes("samples.db") <= 256 << 10:
            break
    assert box.wal_bytes("samples.db") <= 256 << 10


def test_our_own_readers_hold_no_view_between_questions(box):
    """What a page, a sink or an export asks is read whole, then given out: who does not take the answer holds nothing
    of the store. So a checkpoint reaches the end of the log while all of them sit there."""
    for _ in range(50):
        box.second()
    box.follow()
    source = box.history.source()
    block = source.read(0, 100)
    assert block.through_seq > 0
    from edge.storage.reading import StoreReader
    from edge.storage.sample_queries import SampleQueries

    queries, reader = SampleQueries(box.history), StoreReader(box.directory)
    page = queries.samples(1, T0, T0 + 40 * S, 10)
    assert page.next is not None
    reader.fetch(ROW_TYPES[0])
    for name in ("facts.db", "samples.db"):
        with sqlite3.connect(box.directory / name, isolation_level=None, timeout=60) as db:
            until = time.monotonic() + 60
            busy, frames, copied = 1, -1, -1
            while (busy, frames) == (1, -1) and time.monotonic() < until:  # the store's own checkpoint is under way
                busy, frames, copied = db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        db.close()
        assert (busy, frames) == (0, copied), name
    queries.close()
    reader.close()
    source.close()
