"""The loop on the real store: every way of failing once, then the log replayed and the books compared."""

from __future__ import annotations

import asyncio
import errno
from types import SimpleNamespace

import pytest

from edge.runtime import keeper as keeper_module
from edge.runtime.inbox import Entry, EntryKind
from edge.runtime.replay import replay
from edge.storage.facts import FactsStore


def opened(directory, toy, **options):
    return FactsStore.open(
        directory, toy.KERNEL.row_types, schema=toy.schema(), ballast_bytes=1 << 20, build="test", **options
    )


async def answered(b, command_id, count=1):
    async with asyncio.timeout(60):
        while sum(answer[0] == command_id for answer in b.outlets.replies) < count:
            await asyncio.sleep(0.001)
    return [code for name, code in b.outlets.replies if name == command_id]


async def ask(b, command):
    assert b.daemon.post_command(command) is None
    return (await answered(b, command.command_id))[-1]


def test_every_way_of_failing_leaves_a_log_that_replays_and_books_that_add_up(bench, toy, tmp_path, run):
    store = opened(tmp_path, toy)

    async def life():
        b = bench(store=store)
        b.daemon.start([toy.Config("one")])
        assert await ask(b, toy.Pay("c1", "ada", 500)) == "ok"
        assert await ask(b, toy.Boom("b1")) == "internal"
        assert await ask(b, toy.Pay("c2", "ada", 7)) == "ok"
        assert await ask(b, toy.Pay("c3", "bob", -1)) == "internal"
        b.daemon._enter(Entry(toy.Smoke("west", boom=True), EntryKind.READING))
        b.daemon._enter(Entry(toy.Smoke("east"), EntryKind.READING))
        assert await ask(b, toy.Wait("w1", 0)) == "ok"
        async with asyncio.timeout(60):
            while "timers" not in b.outlets.shown:
                await asyncio.sleep(0.001)
        b.clock.advance(3_600_000_000_000)
        assert await ask(b, toy.Pay("c4", "bob", 9)) == "ok"
        assert await b.daemon.stop(60)
        health = b.daemon.health()
        assert (health["rebuilds"], health["inputs_set_aside"], health["commits_failed"]) == (3, 3, 1)

    run(life())
    world = toy.KERNEL.load(store.rows())
    store.close()
    assert world.accounts == {"ada": 507, "bob": 9}
    assert world.latches == {"east": True, "west": True}
    assert world.words == {"config": "one", "day": world.words["day"]}
    report = replay(tmp_path, toy.KERNEL, known_version=toy.schema()[-1].version)
    assert report.first_difference is None
    assert (report.differing, report.unreadable, report.raised, report.copies) == (0, (), 2, 1)


def test_a_full_disk_refuses_keeps_what_it_promised_and_goes_on_when_there_is_room(bench, toy, tmp_path, run):
    full = False

    def on_point(name):
        if full and name == "before_commit":
            raise OSError(errno.ENOSPC, "no space left on device")

    store = opened(tmp_path, toy, on_point=on_point)

    async def life():
        nonlocal full
        b = bench(store=store)
        b.daemon.start()
        assert await ask(b, toy.Pay("c1", "ada", 500)) == "ok"
        full = True
        assert await ask(b, toy.Pay("c2", "ada", 7)) == "storage"
        b.daemon._enter(Entry(toy.Smoke("west"), EntryKind.READING))
        async with asyncio.timeout(60):
            while "relay-west" not in b.outlets.sent:
                await asyncio.sleep(0.001)
        full = False
        async with asyncio.timeout(60):
            while b.daemon.post_command(toy.Pay("c2", "ada", 7)) is not None or (
                (await answered(b, "c2", count=2))[-1] != "ok"
            ):
                await asyncio.sleep(0.02)
        assert [entry[2].fen for entry in b.outlets.left if entry[1] == "account/ada"][-1] == 507
        assert await b.daemon.stop(60)

    run(life())
    world = toy.KERNEL.load(store.rows())
    store.close()
    assert world.accounts == {"ada": 507}
    assert world.latches == {"west": True}
    report = replay(tmp_path, toy.KERNEL, known_version=toy.schema()[-1].version)
    assert (report.differing, report.unreadable) == (0, ())


@pytest.mark.parametrize(("took_s", "slow"), [(0.019, 0), (0.021, 1)])
def test_a_world_that_is_slow_to_encode_is_counted(bench, toy, held_store, run, monkeypatch, took_s, slow):
    async def life():
        b = bench(store=held_store())
        times = iter([0.0, took_s])
        b.daemon._keeper.load()
        monkeypatch.setattr(keeper_module, "time", SimpleNamespace(perf_counter=lambda: next(times)))
        b.daemon._keeper.snapshot("hourly")
        assert b.daemon.health()["snapshots_slow"] == slow
        assert b.daemon.health()["snapshot_worst_us"] == pytest.approx(took_s * 1e6, abs=1)

    run(life())
