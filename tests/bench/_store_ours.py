"""Our store in the bench: the log takes batches of arrays, the history seals them in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from _ears import behind_all
from _store_data import DAY_SERIES, SERIES, T0, Floats, S, hour, names

from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.sample_batch import BatchWriter
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_queries import SampleQueries

VERTICAL = "bench"
#: Inputs of one commit while the whole days are loaded.
LOAD = 256
#: As ``edge.runtime.history.NICE``: the history gives way to the daemons.
HISTORY_NICE = 5


def written_bytes(pid: int | str = "self") -> int:
    """What a process gave to write calls (/proc/<pid>/io, wchar). Not write_bytes: that counts whole folios of the page
    cache, up to 2 MiB for a changed page of a file that was written in one piece (measured on Linux 6.18: 2 MB for each
    commit of 9 kB into a write-ahead log)."""
    text = Path(f"/proc/{pid}/io").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("wchar")))


def rss_mib(pid: int | str = "self") -> float:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS"))) / 1024


class Ours:
    """``put`` returns when the batch is on disk."""

    name = "ours"

    def __init__(self, directory: Path, series: int = SERIES) -> None:
        self.directory = directory
        self.synced_s = 0.0
        self._store = FactsStore.open(directory, (), vertical=VERTICAL, ballast_bytes=0, on_point=self._on_point)
        self._writer = BatchWriter(names(series, "field"))
        self._seq = self._store.last_seq()
        self._done = threading.Event()

    def _on_point(self, point: str) -> None:
        """In the writer's thread: ``synced_s`` is when COMMIT, which ends with its sync, came back (wall time)."""
        if point == "after_commit":
            self.synced_s = time.time()

    def put(self, second: int, values: Floats) -> None:
        self._commit([self._record(T0 + second * S, self._writer.input(values))])

    def _record(self, wall_ns: int, data: bytes) -> LogRecord:
        self._seq += 1
        return LogRecord(Stamp(self._seq, "bench", wall_ns, wall_ns, wall_trusted=True), data)

    def _commit(self, records: list[LogRecord]) -> None:
        self._done.clear()
        self._store.submit(Batch(records=records), self._answered)
        self._done.wait()

    def _answered(self, error: Any) -> None:
        if error is not None:
            raise error
        self._done.set()

    def load_days(self, values: Floats) -> None:
        """The whole days, many inputs a commit."""
        writer = BatchWriter(names(DAY_SERIES, "day"))
        for at in range(0, len(values), LOAD):
            rows = values[at : at + LOAD]
            self._commit([self._record(T0 + (at + i) * S, writer.input(row)) for i, row in enumerate(rows)])

    @property
    def seq(self) -> int:
        return self._seq

    def close(self) -> None:
        self._store.close()


def follow(directory: Path, pipe: Connection, *, installed: bool) -> None:
    """The history's process: follows, seals and rolls until it is told the last seq and has sealed it. ``installed``:
    it runs as its unit file has it."""
    if not (installed and behind_all()):
        os.nice(HISTORY_NICE)
    history = SampleHistory(directory, VERTICAL)
    until: int | None = None
    pipe.send("ready")
    while True:
        moved = history.step() or history.tidy()
        if until is None and pipe.poll():
            until = pipe.recv()
        if until is not None and history.through_seq >= until:
            break
        if not moved:
            time.sleep(0.05)
    if history.tail.samples:
        history.seal()
    while history.tidy():
        pass
    pipe.send({"written": written_bytes(), "rss": rss_mib(), **history.all_counts()})
    history.close()


class Follower:
    """The history in its own process."""

    def __init__(self, directory: Path, *, installed: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=follow, args=(directory, theirs), kwargs={"installed": installed}, daemon=True
        )
        self._process.start()
        self._pipe.recv()

    def finish(self, seq: int) -> dict[str, float]:
        """Let it seal all up to ``seq``; gives what it tells of itself."""
        self._pipe.send(seq)
        told: dict[str, float] = self._pipe.recv()
        self._process.join()
        return told


class Questions:
    """The queries of the bench over our store."""

    def __init__(self, directory: Path) -> None:
        self._history = SampleHistory(directory, VERTICAL)
        while self._history.step() or self._history.tidy():
            pass
        self._history.seal()
        while self._history.tidy():
            pass
        self._queries = SampleQueries(self._history)
        found = [series for series in self._history.names.all() if series.device == "day"]
        self._day = found[DAY_SERIES // 3].id

    def asked(self, day_s: int) -> dict[str, Callable[[], int]]:
        """Name -> question; each gives how many values came."""
        day = (T0, T0 + day_s * S)
        return {
            "raw hour": lambda: self._queries.samples(self._day, *hour(day_s), 10_000).raw.value.size,
            "24-h 1-min mean": lambda: self._queries.windows(self._day, *day, 60).n.size,
            "last values": lambda: int(np.flatnonzero(self._history.last.picture().time_ns).size),
        }

    def drain(self) -> tuple[int, float]:
        """All samples as a sink reads them: how many, and in how many seconds."""
        source = self._history.source()
        at, count, begun = 0, 0, time.perf_counter()
        while True:
            block = source.read(at, 5000)
            if block.through_seq == at:
                break
            at = block.through_seq
            count += block.seq.size
        took_s = time.perf_counter() - begun
        source.close()
        return count, took_s

    def sealed_bytes(self) -> tuple[int, int, int]:
        """Samples, bytes of chunks with their rows, bytes of roll-ups."""
        with self._history.db.read() as connection:
            n, size = connection.execute("SELECT sum(n), sum(bytes) FROM slab").fetchone()
            rows = connection.execute("SELECT count(*) FROM chunk").fetchone()[0]
            rolled = connection.execute("SELECT ifnull(sum(length(data) + 24), 0) FROM rollup").fetchone()[0]
        return int(n), int(size) + 90 * int(rows), int(rolled)

    def close(self) -> None:
        self._queries.close()
        self._history.close()
