"""Helpers for the store's tests: open a store that is closed again, make records, write and wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.devices import DeviceReading
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord, RecordKind
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_source import StoredSamples

WAIT_S = 60.0


class Gate:
    """Holds the writer thread before its next commit, so that a test can queue what shall go into one group; or raises
    there, as a commit that fails does."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.error: Exception | None = None

    def __call__(self, name: str) -> None:
        if name == "before_commit":
            self.reached.set()
            assert self.open.wait(WAIT_S)
            if self.error is not None:
                error, self.error = self.error, None
                raise error

    def hold(self) -> None:
        self.reached.clear()
        self.open.clear()


class Answers:
    """Collects what ``done`` says, by seq, in order."""

    def __init__(self) -> None:
        self.got: list[tuple[int, str]] = []
        self._changed = threading.Condition()

    def of(self, seq: int) -> Callable[[StoreError | None], None]:
        def done(error: StoreError | None) -> None:
            with self._changed:
                self.got.append((seq, "ok" if error is None else error.code))
                self._changed.notify_all()

        return done

    def wait(self, count: int) -> list[tuple[int, str]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.got) >= count, WAIT_S), self.got
            return list(self.got)


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    """Looks until what it is given is true."""

    def wait(true: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not true():
            assert time.monotonic() < until, "it did not come to pass within 60 s"
            time.sleep(0.005)

    return wait


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture(autouse=True)
def short_write_ahead_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of stores are opened here: do not write 4 MB of zeros for each."""
    monkeypatch.setattr("edge.storage.facts.CHECKPOINT_PAGES", 16)


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Callable[..., FactsStore]]:
    """Open a store (``directory``, then the keywords of ``FactsStore.open``); without a ballast unless asked for."""
    opened: list[FactsStore] = []

    def open_it(directory: Path = tmp_path / "store", **options: Any) -> FactsStore:
        row_types = options.pop("row_types", ROW_TYPES)
        store = FactsStore.open(directory, row_types, **{"ballast_bytes": 0, **options})
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def record() -> Callable[..., LogRecord]:
    """A record of a seq, one second of wall time after the one before it."""

    def make(seq: int, data: bytes = b"in", digests: bytes = b"", **options: Any) -> LogRecord:
        kind = options.pop("kind", RecordKind.INPUT)
        times = {"mono_ns": seq * 1_000_000_000, "wall_ns": seq * 1_000_000_000, **options}
        stamp = Stamp(seq, times.pop("boot_id", "boot"), times["mono_ns"], times["wall_ns"], wall_trusted=True)
        return LogRecord(stamp, data, digests, kind)

    return make


@pytest.fixture
def write() -> Callable[[FactsStore, Batch], StoreError | None]:
    """Submit a batch and wait for what becomes of it."""

    def write_it(store: FactsStore, batch: Batch) -> StoreError | None:
        answered = threading.Event()
        answers: list[StoreError | None] = []

        def done(error: StoreError | None) -> None:
            answers.append(error)
            answered.set()

        store.submit(batch, done)
        assert answered.wait(WAIT_S), "done was never called"
        return answers[0]

    return write_it


@pytest.fixture
def sample_row() -> Callable[..., Any]:
    """A valid row of any canteen table; keywords replace fields."""

    def make(kind: Any, **fields: Any) -> Any:
        values = {field.name: _sample(field.name, str(field.type)) for field in msgspec.structs.fields(kind)}
        return kind(**{**values, **fields})

    return make


def _sample(name: str, kind: str) -> Any:
    known: dict[str, Any] = {
        "day": "2026-11-22",
        "business_day": "2026-11-22",
        "status": "paid",
        "method": "purse",
        "kind": "pay",
        "fill_epoch": 2,
        "list_fen": 7,
        "payable_fen": 7,
        "discount_fen": 0,
        "subsidy_fen": 0,
        "rounding_fen": 0,
    }
    if name in known:
        return known[name]
    if name.endswith("_json"):
        return '{"a":[1,2]}'
    for mark, value in (("str", "x"), ("bytes", b"\x00\xff"), ("bool", True), ("float", 0.5), ("int", 1)):
        if mark in kind:
            return value
    raise AssertionError(f"no sample for {name}: {kind}")


S = 1_000_000_000
#: A Friday in November 2026.
T0 = 1_795_000_000 * S


class SampleSite:
    """A store with readings in its log, and the history beside it: what the tests of samples stand on."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = FactsStore.open(directory, ROW_TYPES, ballast_bytes=0)
        self.seq = self.store.last_seq()

    def say(self, *said: tuple[Any, int] | tuple[Any, int, bool], device: str = "d") -> None:
        """Write readings, each (body, wall_ns) or (body, wall_ns, wall_trusted), as one batch."""
        records = []
        for body, wall_ns, *trusted in said:
            self.seq += 1
            stamp = Stamp(self.seq, "boot", wall_ns, wall_ns, trusted[0] if trusted else True)
            records.append(LogRecord(stamp, msgspec.msgpack.encode(DeviceReading(device, 1, body))))
        self.write(records)

    def write(self, records: list[LogRecord]) -> None:
        answered = threading.Event()
        errors: list[StoreError | None] = []
        self.store.submit(Batch(records=records), lambda error: (errors.append(error), answered.set()))
        assert answered.wait(60)
        assert errors == [None]

    def close(self) -> None:
        self.store.close()


@pytest.fixture
def sample_site(tmp_path: Path) -> Iterator[SampleSite]:
    site = SampleSite(tmp_path / "canteen")
    yield site
    site.close()


@pytest.fixture
def open_history(sample_site: SampleSite) -> Iterator[Callable[[], SampleHistory]]:
    """Open the history of ``sample_site`` and let it catch up with the log."""
    opened: list[SampleHistory] = []

    def open_it() -> SampleHistory:
        history = SampleHistory(sample_site.directory, "canteen")
        opened.append(history)
        while history.step():
            pass
        return history

    yield open_it
    for history in opened:
        history.close()


@pytest.fixture
def read_all() -> Callable[..., list[tuple[str, int, float | str | None, int]]]:
    """Everything that a source gives behind a seq, as (channel, time, value or word, quality), in its order."""

    def read(source: StoredSamples, after_seq: int = 0, samples_max: int = 7) -> list[Any]:
        found = []
        while True:
            block = source.read(after_seq, samples_max)
            for number, time_ns, value, quality, text in zip(
                block.series_id.tolist(),
                block.time_ns.tolist(),
                block.value.tolist(),
                block.quality.tolist(),
                block.text,
                strict=True,
            ):
                series = source.series(number)
                found.append((f"{series.device}/{series.channel}", time_ns, value if text is None else text, quality))
            if block.through_seq == after_seq:
                source.close()
                return found
            assert block.through_seq > after_seq
            after_seq = block.through_seq

    return read
