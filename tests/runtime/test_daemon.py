"""The loop with a store whose commits are held: what may leave when, and what a timer, a day, a flood do."""

from __future__ import annotations

import asyncio
from unittest import mock

import pytest

from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState, PlatePass
from edge.domain.field_devices import Operate
from edge.domain.kernel import EffectClass, Send, Show
from edge.runtime import daemon as daemon_module
from edge.runtime.inbox import COMMANDS_MAX, READINGS_MAX, READINGS_PAUSE, READINGS_RESUME

A_PASS = PlatePass(
    tags=(), complete=True, residual=False, independent=True, status=0, status_name="ok", started_ns=1, ended_ns=2
)


def a_reading(device="reader"):
    return DeviceReading(device, 1, A_PASS)


def test_a_durable_effect_leaves_after_its_commit_and_a_repeated_answer_too(bench, toy, run):
    async def scenario():
        b = await bench().start()
        assert await b.command(toy.Pay("c1", "ada", 500)) is None
        assert b.outlets.take() == []
        assert await b.command(toy.Pay("c1", "ada", 500)) is None
        assert b.outlets.take() == []
        b.store.commit(1)
        await b.settle()
        assert b.outlets.shown == ["account/ada"]
        assert b.outlets.replies == [("c1", "ok")]
        b.store.commit(1)
        await b.settle()
        assert b.outlets.replies == [("c1", "ok"), ("c1", "ok")]
        assert [entry[3] for entry in b.outlets.left if entry[0] == "reply"] == [{"after": 500}, {"after": 500}]
        await b.command(toy.Pay("c1", "ada", 501))
        b.store.commit()
        await b.settle()
        assert b.outlets.replies[-1] == ("c1", "id_reused")

    run(scenario())


def test_a_safety_effect_leaves_before_anything_is_on_disk_and_passes_what_waits(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 500))
        await b.command(toy.Stop("s1", "west"))
        assert b.outlets.sent == ["relay-west"]
        assert b.outlets.replies == []
        b.store.commit()
        await b.settle()
        assert b.outlets.replies == [("c1", "ok"), ("s1", "ok")]

    run(scenario())


def test_a_preview_leaves_at_once_but_never_before_an_urgent_commit_that_is_under_way(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.daemon.post_reading(a_reading())
        await b.settle()
        assert b.outlets.shown == ["passes"]
        await b.command(toy.Pay("c1", "ada", 500))
        b.daemon.post_reading(a_reading())
        await b.settle()
        assert b.outlets.shown == ["passes"]
        b.store.commit()
        await b.settle()
        assert b.outlets.shown == ["passes", "account/ada", "passes"]
        assert [entry[0] for entry in b.outlets.left] == ["show", "show", "reply", "show"]

    run(scenario())


def test_a_view_that_safety_overtook_is_not_shown_late(bench, toy, run):
    async def scenario():
        b = await bench().start()
        executor = b.daemon._executor
        executor.run(
            100, [Show("zone/a", "old", EffectClass.DURABLE), Show("zone/b", "b", EffectClass.DURABLE)], urgent=True
        )
        executor.run(101, [Show("zone/a", "new", EffectClass.SAFETY)], urgent=True)
        executor.run(102, [Show("zone/a", "newest", EffectClass.PREVIEW)], urgent=False)
        executor.committed(101)
        assert [entry[2] for entry in b.outlets.left] == ["new", "b", "newest"]
        assert executor._overtaken == {}

    run(scenario())


def test_an_on_that_waits_for_the_disk_does_not_follow_the_off_that_overtook_it(bench, toy, run):
    """And a door's "lock" does not follow the fire's "release"."""

    def told(point, on, cls):
        return Send("plugs", Operate(point=point, on=on, command_id="c"), cls)

    durable, safety = EffectClass.DURABLE, EffectClass.SAFETY

    async def scenario():
        b = await bench().start()
        executor, said = b.daemon._executor, []
        hear = lambda _device, command: said.append((command.point, command.on)) or True  # noqa: E731
        with mock.patch.object(b.outlets, "send", hear):
            executor.run(100, [told("p1", True, durable), told("p2", True, durable), told("door", False, durable)],
                         urgent=True)  # fmt: skip
            off = told("p1", False, safety)
            executor.leave(off)
            executor.run(101, [off, told("door", True, safety)], urgent=True)
            executor.run(102, [told("p1", True, durable)], urgent=True)
            executor.committed(102)
        assert said == [("p1", False), ("door", True), ("p2", True), ("p1", True)], (
            "what was decided later still leaves"
        )
        assert executor.counters["effects_overtaken"] == 2
        assert executor._operated == {}

    run(scenario())


def test_readings_are_gathered_and_go_along_with_the_next_urgent_input_in_order(bench, toy, run):
    async def scenario():
        b = await bench().start()
        for _ in range(5):
            b.daemon.post_reading(a_reading())
        await b.settle()
        assert b.store.waiting == []
        await b.command(toy.Pay("c1", "ada", 500))
        assert len(b.store.waiting) == 1
        batch = b.store.waiting[0][0]
        assert [type(record.input) for record in batch.records] == [bytes] * 6
        seqs = [record.stamp.seq for record in batch.records]
        assert seqs == list(range(seqs[0], seqs[0] + 6))

    run(scenario())


def test_readings_that_nobody_waits_for_are_on_their_way_within_a_second(bench, toy, run):
    async def scenario():
        b = await bench().start()
        timers = []
        with mock.patch.object(
            asyncio.get_running_loop(), "call_later", lambda *timer: timers.append(timer) or mock.Mock()
        ):
            b.daemon.post_reading(a_reading())
            b.daemon.post_reading(a_reading())
            await b.settle()
        assert b.store.waiting == []
        ((delay_s, flush),) = timers
        assert delay_s == 1.0
        flush()
        assert [len(batch.records) for batch, _ in b.store.waiting] == [2]

    run(scenario())


def test_safety_overtakes_a_full_inbox(bench, toy, run):
    async def scenario():
        b = await bench().start()
        for number in range(COMMANDS_MAX):
            assert b.daemon.post_command(toy.Pay(f"c{number}", "ada", 1)) is None
        assert b.daemon.post_command(toy.Pay("late", "ada", 1)) == "busy"
        assert b.daemon.post_command(toy.Stop("s1", "west")) is None
        b.daemon._enter(daemon_module.Entry(toy.Smoke("east"), daemon_module.EntryKind.READING))
        b.store.auto = True
        async with asyncio.timeout(60):
            while len(b.outlets.replies) <= COMMANDS_MAX:
                await asyncio.sleep(0)
        assert b.outlets.sent == ["relay-west", "relay-east"]
        assert b.outlets.replies[0] == ("s1", "ok")
        assert b.outlets.left[0][1] == "relay-west"
        assert b.daemon.health()["commands_busy"] == 1
        assert ("c0", "ok") in b.outlets.replies
        assert (f"c{COMMANDS_MAX - 1}", "ok") in b.outlets.replies

    run(scenario())


def test_a_flood_of_readings_pauses_the_pumps_and_only_then_drops_the_oldest_telemetry(bench, toy, run):
    async def scenario():
        b = await bench().start()
        health = DeviceReading("reader", 1, DeviceHealth(state=DeviceState.READY))
        assert b.daemon.post_reading(health)
        taken = [b.daemon.post_reading(a_reading()) for _ in range(READINGS_MAX + 20)]
        assert taken.index(False) == READINGS_PAUSE - 2
        assert b.daemon.health()["readings_dropped"] == 21
        assert b.devices.resumed == 0
        async with asyncio.timeout(60):
            while b.daemon.health()["waiting"]:
                await asyncio.sleep(0)
                if b.daemon.health()["waiting"] > READINGS_RESUME:
                    assert b.devices.resumed == 0
        assert b.devices.resumed == 1
        assert b.outlets.shown[0] == "state/reader"
        assert b.outlets.shown.count("passes") == READINGS_MAX - 1

    run(scenario())


def test_when_the_disk_hangs_only_safety_goes_on(bench, toy, run, monkeypatch):
    monkeypatch.setattr(daemon_module, "UNCOMMITTED_MAX", 50)

    async def scenario():
        b = await bench().start()
        for number in range(80):
            await b.command(toy.Pay(f"c{number}", "ada", 1))
        assert b.daemon.health()["uncommitted"] == 50
        await b.command(toy.Stop("s1", "west"))
        assert b.outlets.sent == ["relay-west"]
        while b.store.waiting:
            b.store.commit()
            await b.settle()
        assert len(b.outlets.replies) == 81
        assert b.store.tables[toy.AccountRow][("ada",)].fen == 80

    run(scenario())


def test_a_full_store_queue_delays_and_loses_nothing(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.busy = True
        await b.command(toy.Pay("c1", "ada", 1))
        await b.command(toy.Pay("c2", "ada", 1))
        assert b.store.waiting == []
        b.store.busy = False
        b.store.auto = True
        async with asyncio.timeout(60):
            while len(b.outlets.replies) < 2:
                await asyncio.sleep(0.01)
        assert b.outlets.replies == [("c1", "ok"), ("c2", "ok")]
        assert b.daemon.health()["store_busy"] >= 1

    run(scenario())


def test_a_timer_comes_at_its_deadline_and_one_without_effects_leaves_no_trace(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Wait("w1", 20))
        b.store.commit()
        await b.settle()
        records = len(b.store.records)
        await asyncio.sleep(0.03)
        assert "timers" not in b.outlets.shown  # by the daemon's clock no time has passed
        b.clock.advance(20_000_000)
        b.daemon.tick()
        async with asyncio.timeout(60):
            while "timers" not in b.outlets.shown:
                await asyncio.sleep(0.005)
        b.daemon._enter(daemon_module.Entry(toy.Timer(), daemon_module.EntryKind.TIMER))
        await b.settle()
        b.daemon._journal.flush()
        b.store.commit()
        assert len(b.store.records) == records + 1
        assert b.daemon.health()["timers"] == 2

    run(scenario())


def test_a_kernel_that_keeps_its_timers_has_each_of_them_logged(bench, toy, run, monkeypatch):
    async def scenario():
        monkeypatch.setattr(toy.ToyKernel, "keeps_timers", True, raising=False)
        b = await bench().start()
        records = len(b.store.records)
        for _ in range(2):
            b.daemon._enter(daemon_module.Entry(toy.Timer(), daemon_module.EntryKind.TIMER))
        await b.settle()
        b.daemon._journal.flush()
        b.store.commit()
        assert len(b.store.records) == records + 2

    run(scenario())


def test_a_deadline_that_stays_in_the_past_does_not_spin(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Wait("w1", 0, stuck=True))
        b.store.commit()
        await asyncio.sleep(0.1)
        b.clock.advance(1_000_000_000)
        b.daemon.tick()
        await asyncio.sleep(0.05)
        assert 1 <= b.daemon.health()["timer_spins"] <= 3

    run(scenario())


def test_a_kernel_that_cannot_say_its_deadline_goes_on_and_its_timer_is_set_aside(bench, toy, run, monkeypatch):
    async def scenario():
        def deadline(_kernel, world):
            if world.boom:
                raise RuntimeError("no deadline")
            return world.due_ns

        monkeypatch.setattr(toy.ToyKernel, "deadline", deadline)
        b = await bench().start()
        await b.command(toy.Wait("w1", 3_600_000, boom=True))
        b.store.commit()
        async with asyncio.timeout(60):
            while not b.daemon.health()["inputs_set_aside"]:
                b.store.commit()
                b.clock.advance(1_000_000_000)
                await asyncio.sleep(0.005)
            while not b.daemon.health()["running"]:
                b.store.commit()
                await asyncio.sleep(0.005)
        assert b.daemon.health()["deadlines_failed"] >= 1
        await b.command(toy.Pay("c1", "an", 5))
        b.store.commit()
        async with asyncio.timeout(60):
            while ("c1", "ok") not in b.outlets.replies:
                await asyncio.sleep(0.005)

    run(scenario())


def test_the_day_enters_at_start_at_midnight_and_when_the_clock_becomes_trustworthy(bench, toy, run):
    async def scenario():
        b = bench()
        b.clock.now_wall_ns = 1_790_000_000_000_000_000  # 2026-09-21T21:33:20+08:00
        b.clock.trusted = False
        await b.start()
        assert b.store.tables[toy.WordRow][("day",)].value == "2026-09-21"
        records = len(b.store.records)
        b.daemon.tick()
        await b.settle()
        assert b.store.waiting == []
        b.clock.trusted = True
        b.daemon.tick()
        await b.settle()
        b.daemon._journal.flush()
        b.store.commit()
        assert len(b.store.records) == records + 1
        b.clock.advance(3 * 3600 * 1_000_000_000)
        b.daemon.tick()
        await b.settle()
        b.store.commit()
        assert b.store.tables[toy.WordRow][("day",)].value == "2026-09-22"

    run(scenario())


def test_snapshots_at_start_and_hourly_hold_the_world_after_their_record(bench, toy, run):
    import msgspec

    async def scenario():
        b = await bench().start(toy.Config("one"))
        first = b.store.batches[0].snapshot
        assert (first.seq, first.reason) == (1, "start")
        await b.command(toy.Pay("c1", "ada", 5))
        b.store.commit()
        assert [batch.snapshot.reason for batch in b.store.batches if batch.snapshot] == ["start"]
        b.clock.advance(3_600_000_000_000)
        await b.command(toy.Pay("c2", "ada", 5))
        await b.command(toy.Pay("c3", "ada", 5))
        b.store.commit()
        hourly = [batch.snapshot for batch in b.store.batches if batch.snapshot][1:]
        assert [snapshot.reason for snapshot in hourly] == ["hourly"]
        world = msgspec.msgpack.decode(hourly[0].world, type=toy.World)
        assert world.accounts == {"ada": 10}
        assert hourly[0].seq == b.store.records[-2].stamp.seq

    run(scenario())


def test_a_second_start_begins_from_rows_and_counts_on(bench, toy, held_store, run):
    store = held_store()

    async def scenario(first):
        b = await bench(store=store).start(toy.Config("one"))
        if first:
            await b.command(toy.Pay("c1", "ada", 5))
            store.commit()
            return
        await b.command(toy.Pay("c1", "ada", 5))
        store.commit()
        await b.settle()
        assert b.outlets.replies == [("c1", "ok")]
        assert store.tables[toy.AccountRow][("ada",)].fen == 5
        seqs = [record.stamp.seq for record in store.records]
        assert seqs == list(range(1, len(seqs) + 1))
        assert b.kinds().count("RESUMED") == 2

    run(scenario(first=True))
    run(scenario(first=False))


def test_a_device_that_is_not_in_the_site_file_is_counted_and_does_no_harm(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.outlets.unknown = {"relay-west"}
        await b.command(toy.Stop("s1", "west"))
        b.store.commit()
        await b.settle()
        assert b.outlets.replies == [("s1", "ok")]
        assert b.daemon.health()["unknown_device"] == 1

    run(scenario())


def test_an_outlet_that_raises_holds_up_nobody(bench, toy, run):
    async def scenario():
        b = await bench().start()

        def broken(key, view):
            raise OSError("no screen")

        b.outlets.show = broken
        await b.command(toy.Pay("c1", "ada", 5))
        b.store.commit()
        await b.settle()
        assert b.outlets.replies == [("c1", "ok")]
        assert b.daemon.health()["effects_failed"] == 1

    run(scenario())


@pytest.mark.parametrize("waiting", [0, 40])
def test_a_stop_decides_what_waits_and_sees_it_on_disk(bench, toy, run, waiting):
    async def scenario():
        b = await bench().start()
        b.store.auto = True
        for number in range(waiting):
            b.daemon.post_command(toy.Pay(f"c{number}", "ada", 1))
        b.daemon.post_reading(a_reading())
        assert await b.daemon.stop()
        assert len(b.outlets.replies) == waiting
        assert b.daemon.post_command(toy.Pay("late", "ada", 1)) == "busy"
        assert b.daemon.health()["uncommitted"] == 0

    run(scenario())


def test_a_stop_with_a_dead_disk_ends_in_time_and_says_so(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 1))
        assert not await b.daemon.stop(timeout_s=0.05)
        assert b.outlets.replies == []

    run(scenario())
