"""The toy vertical, a store whose commits a test releases one by one, and outlets that record what leaves."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import sys
from pathlib import Path

import msgspec
import pytest
import structlog

from edge.domain.kernel import Put
from edge.runtime.clock import ManualClock
from edge.runtime.daemon import Daemon
from edge.storage.batch import RecordKind
from edge.storage.errors import StoreBusy, StoreError


def load_toy():
    name = "kangle_toy"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "toy.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session", autouse=True)
def _quiet():
    """Thousands of generated lives would each log their failures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def toy():
    return load_toy()


class HeldStore:
    """Keeps batches until the test lets them commit or fail; checks what the real store checks."""

    def __init__(self) -> None:
        self.tables = {}
        self.waiting = []
        self.batches = []
        self.records = []
        self.set_aside = []
        self.auto = False
        self.broken = False
        self.resets = 0
        self.reset_fails = 0
        self.degraded = ""
        self.busy = False
        self.row_rule = None
        self.holds_out = True
        self.away = False
        self._next = 1

    # the store's interface

    def rows(self):
        assert not self.waiting, "rows() while something is in flight"
        return HeldRows({kind: dict(rows) for kind, rows in self.tables.items()})

    def last_seq(self):
        return self.records[-1].stamp.seq if self.records else 0

    def submit(self, batch, done):
        if self.broken:
            raise StoreError("storage", "failed before")
        if self.busy:
            raise StoreBusy("full")
        for record in batch.records:
            assert record.stamp.seq == self._next, f"gap: {record.stamp.seq} is not {self._next}"
            self._next += 1
        if batch.snapshot is not None:
            assert batch.snapshot.seq in {record.stamp.seq for record in batch.records}
        self.waiting.append((batch, done))
        if self.auto:
            self.commit()

    def reset(self):
        if self.away:
            raise StoreError("storage", "still away")
        self.resets += 1
        if self.reset_fails:
            self.reset_fails -= 1
            raise StoreError("storage", "still broken")
        assert not self.waiting
        self.broken = False
        self._next = self.last_seq() + 1

    def prune(self, **_):
        pass

    def counters(self):
        return {}

    # the test's

    def commit(self, count=None):
        """Let the oldest ``count`` batches (None = all) onto the disk."""
        for _ in range(len(self.waiting) if count is None else count):
            batch, done = self.waiting.pop(0)
            self.records += batch.records
            self.batches.append(batch)
            self.set_aside += batch.set_aside
            for row in batch.rows:
                key = tuple(getattr(row, name) for name in type(row).KEY)
                self.tables.setdefault(type(row), {})[key] = row
            done(None)

    def fail(self, code="storage", index=0):
        """Fail everything that waits; only batch ``index`` gets ``code``, as in a group. The store stays away until the
        test waits for its return (``Bench.recovered``): the daemon opens it anew within 20 ms, which a busy machine may
        take for a line of the test. ``holds_out`` False: it may be back at once."""
        self.broken = True
        self.away = self.holds_out
        for number, (_, done) in enumerate(self.waiting):
            done(StoreError(code if number == index else "storage", "the test says so"))
        self.waiting.clear()


class HeldRows:
    def __init__(self, tables):
        self._tables = tables

    def all(self, kind):
        rows = self._tables.get(kind, {})
        return iter([rows[key] for key in sorted(rows)])

    def since(self, kind, column, value):
        return iter([row for row in self.all(kind) if getattr(row, column) >= value])

    def where(self, kind, where):
        return iter([row for row in self.all(kind) if where.items() <= msgspec.structs.asdict(row).items()])

    def columns_since(self, kind, columns, value):
        found = self.since(kind, columns[0], value)
        return iter(sorted(tuple(getattr(row, name) for name in columns) for row in found))


class Outlets:
    """Records every effect that leaves, with the seq that was committed at that moment."""

    def __init__(self, store) -> None:
        self.store = store
        self.left = []
        self.unknown = set()

    def show(self, key, view):
        self.left.append(("show", key, view, self.store.last_seq()))

    def send(self, device, command):
        self.left.append(("send", device, command, self.store.last_seq()))
        return device not in self.unknown

    def reply(self, command_id, code, body, *, replayed=False):
        self.left.append(("reply", command_id, code, body))

    @property
    def replies(self):
        return [(entry[1], entry[2]) for entry in self.left if entry[0] == "reply"]

    @property
    def shown(self):
        return [entry[1] for entry in self.left if entry[0] == "show"]

    @property
    def sent(self):
        return [entry[1] for entry in self.left if entry[0] == "send"]

    def take(self):
        left, self.left = self.left, []
        return left


class NoDevices:
    def __init__(self) -> None:
        self.resumed = self.hand_ins = 0
        self.health = []

    def resume(self):
        self.resumed += 1

    def passing(self, reading):
        pass

    def hand_in(self):
        self.hand_ins += 1

    def last_health(self):
        return list(self.health)


class Bench:
    """A daemon on a held store and a manual clock."""

    def __init__(self, toy, store=None, adapter=None) -> None:
        self.toy = toy
        self.clock = ManualClock()
        self.store = store or HeldStore()
        self.outlets = Outlets(self.store)
        self.devices = NoDevices()
        self.daemon = Daemon(adapter or toy.adapter(), self.store, self.clock, self.outlets, self.devices)

    async def start(self, *inputs):
        """Start with the beginning committed and the outlets empty."""
        self.daemon.start(inputs)
        await self.settle()
        self.store.commit()
        await self.settle()
        self.outlets.take()
        return self

    async def settle(self):
        for _ in range(12):
            await asyncio.sleep(0)
        while self.daemon._turn is not None:  # a turn ends after 2 ms, which on a busy machine is after one input
            await asyncio.sleep(0)
        for _ in range(6):
            await asyncio.sleep(0)

    async def command(self, command):
        code = self.daemon.post_command(command)
        await self.settle()
        return code

    def kinds(self):
        return [RecordKind(record.kind).name for record in self.store.records]

    async def recovered(self):
        """Let the store come back, and wait until the world was made anew after a failure."""
        self.store.away = False
        async with asyncio.timeout(60):
            while self.daemon.state.value != "running":
                await asyncio.sleep(0.002)
        await self.settle()

    async def recovered_or_draining(self):
        """Let the store come back, and wait until it is open again."""
        self.store.away = False
        async with asyncio.timeout(60):
            while self.daemon.state.value == "failed":
                await asyncio.sleep(0.002)
        await self.settle()


@pytest.fixture(scope="session")
def bench(toy):
    return lambda **kwargs: Bench(toy, **kwargs)


@pytest.fixture
def held_store():
    return HeldStore


@pytest.fixture(scope="session")
def run():
    def run_one(coroutine):
        with asyncio.Runner() as runner:
            return runner.run(asyncio.wait_for(coroutine, 110))

    return run_one


@pytest.fixture
def rows_of():
    return lambda effects: [effect.row for effect in effects if isinstance(effect, Put)]
