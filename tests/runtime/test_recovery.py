"""The crash rule and failed commits: nothing promised is lost, nothing raises twice, smoke is acted upon throughout."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState
from edge.runtime import quarantine as quarantine_module
from edge.runtime import recovery as recovery_module
from edge.runtime.inbox import Entry, EntryKind


def smoke(b, zone, **how):
    b.daemon._enter(Entry(b.toy.Smoke(zone, **how), EntryKind.READING))


@pytest.mark.parametrize("how", ["raise", "row", "twice"])
def test_an_input_that_raises_is_set_aside_and_the_world_comes_anew_from_rows(bench, toy, run, how):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 5))
        await b.command(toy.Boom("b1", how))
        await b.command(toy.Pay("c2", "ada", 7))
        assert b.outlets.replies == []
        b.store.commit()
        await b.settle()
        assert b.outlets.replies == [("c1", "ok")]
        b.store.commit()
        await b.settle()
        b.store.commit()
        await b.settle()
        assert b.outlets.replies == [("c1", "ok"), ("b1", "internal"), ("c2", "ok")]
        assert b.store.tables[toy.AccountRow] == {("ada",): toy.AccountRow(name="ada", fen=12)}
        assert b.kinds()[-2:] == ["RAISED", "INPUT"]
        (kept,) = b.store.set_aside
        assert msgspec.msgpack.decode(kept.input, type=toy.Input) == toy.Boom("b1", how)
        assert "Traceback" in kept.error
        batch = next(batch for batch in b.store.batches if batch.set_aside)
        assert (batch.snapshot.reason, batch.snapshot.seq) == ("rebuild", kept.stamp.seq)
        world = msgspec.msgpack.decode(batch.snapshot.world, type=toy.World)
        assert world.accounts == {"ada": 5}
        assert world.lost == ([] if how == "twice" else ["Boom"])

    run(scenario())


def test_an_effect_that_cannot_be_encoded_fails_alone(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Boom("b1", "view"))
        b.store.commit()
        await b.settle()
        assert b.daemon.health()["digests_failed"] == 1
        assert b.outlets.replies == [("b1", "ok")]
        assert b.kinds()[-1] == "INPUT"

    run(scenario())


def test_an_input_that_no_log_can_hold_is_left_out_and_the_daemon_goes_on(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.auto = True
        await b.command(toy.Pay("huge", "ada", 2**70))
        await b.command(toy.Pay("c1", "ada", 7))
        await b.settle()
        assert b.daemon.health()["inputs_unwritable"] == 1
        assert b.outlets.replies == [("huge", "internal"), ("c1", "ok")]
        assert b.store.tables[toy.AccountRow] == {("ada",): toy.AccountRow(name="ada", fen=7)}

    run(scenario())


def test_the_same_input_is_not_decided_a_second_time(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.auto = True
        await b.command(toy.Boom("b1"))
        await b.recovered()
        rebuilds = b.daemon.health()["rebuilds"]
        for _ in range(5):
            await b.command(toy.Boom("b1"))
            await b.settle()
        assert b.outlets.replies == [("b1", "internal")] * 6
        assert b.daemon.health()["rebuilds"] == rebuilds == 1
        assert b.daemon.health()["inputs_refused"] == 5
        b.clock.advance(quarantine_module.POISON_NS)
        await b.command(toy.Boom("b1"))
        await b.recovered()
        assert b.daemon.health()["inputs_set_aside"] == 2

    run(scenario())


def test_a_timer_that_raised_does_not_silence_later_timers(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.auto = True
        await b.command(toy.Wait("w1", 0, boom=True))
        async with asyncio.timeout(60):
            while b.kinds()[-1] != "RAISED":
                await asyncio.sleep(0.001)
        await b.recovered()
        assert b.kinds()[-1] == "RAISED"
        await b.command(toy.Wait("w2", 0))
        await asyncio.sleep(0.02)
        assert "timers" not in b.outlets.shown  # the next one waits, so that raising timers cannot spin
        b.clock.advance(1_000_000_000)
        async with asyncio.timeout(60):
            while "timers" not in b.outlets.shown:
                await asyncio.sleep(0.01)

    run(scenario())


def test_a_store_that_disagrees_on_the_order_is_met_with_a_new_world(bench, toy, run):
    async def scenario():
        b = await bench().start()
        submit = b.store.submit

        def refuse(batch, done):
            b.store.submit = submit
            raise ValueError("not gapless")

        b.store.submit = refuse
        await b.command(toy.Pay("c1", "ada", 5))
        await b.settle()
        assert b.outlets.replies == [("c1", "storage")]
        await b.recovered()
        b.store.auto = True
        b.store.commit()
        await b.command(toy.Pay("c1", "ada", 5))
        await b.settle()
        assert b.outlets.replies[-1] == ("c1", "ok")

    run(scenario())


def test_many_raising_inputs_pause_the_rest_but_not_safety(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.auto = True
        for number in range(quarantine_module.RAISES_PER_MIN + 1):
            await b.command(toy.Boom(f"b{number}"))
            await b.recovered()
        await b.command(toy.Pay("c1", "ada", 1))
        await b.command(toy.Stop("s1", "west"))
        assert ("s1", "ok") in b.outlets.replies
        assert ("c1", "ok") not in b.outlets.replies
        b.clock.advance(quarantine_module.RAISES_PAUSE_NS)
        b.daemon.tick()
        await b.settle()
        assert ("c1", "ok") in b.outlets.replies

    run(scenario())


def test_smoke_that_raises_cuts_its_zone_and_later_smoke_is_still_decided(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.auto = True
        smoke(b, "west", boom=True)
        await b.settle()
        await b.recovered()
        assert b.outlets.sent == ["relay-west"]
        smoke(b, "west", boom=True)
        await b.settle()
        await b.recovered()
        smoke(b, "east")
        await b.settle()
        assert b.outlets.sent[-1] == "relay-east"
        assert b.store.tables[toy.LatchRow].keys() == {("east",), ("west",)}

    run(scenario())


def test_smoke_does_not_wait_for_a_disk_that_is_slow_after_a_raise(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 5))
        await b.command(toy.Boom("b1"))
        assert b.daemon.state.value == "draining"
        smoke(b, "west")
        smoke(b, "north", boom=True)
        smoke(b, "east")
        await b.command(toy.Stop("s1", "south"))
        assert b.outlets.sent == ["relay-west", "relay-east", "relay-south"]
        assert b.outlets.replies == []
        for _ in range(6):
            b.store.commit()
            await b.settle()
        assert b.store.tables[toy.LatchRow].keys() == {("east",), ("north",), ("south",), ("west",)}
        assert b.outlets.replies == [("c1", "ok"), ("b1", "internal"), ("s1", "ok")]
        assert len(b.store.set_aside) == 2

    run(scenario())


def test_what_devices_said_of_themselves_is_told_to_the_new_world(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.auto = True
        b.devices.health = [DeviceReading("reader", 3, DeviceHealth(state=DeviceState.READY))]
        await b.command(toy.Boom("b1"))
        await b.recovered()
        assert ("show", "state/reader", {"state": "ready", "epoch": 3}) in [entry[:3] for entry in b.outlets.left]

    run(scenario())


def test_a_disk_that_does_not_catch_up_after_a_raise_ends_the_process(bench, toy, run, monkeypatch):
    monkeypatch.setattr(recovery_module, "DRAIN_TIMEOUT_S", 0.05)

    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 5))
        await b.command(toy.Boom("b1"))
        assert "did not catch up" in await asyncio.wait_for(b.daemon.fatal, 60)
        assert b.daemon.post_command(toy.Pay("c2", "ada", 5)) == "busy"

    run(scenario())


def test_a_failed_commit_fails_all_in_flight_and_no_promise_of_it_ever_leaves(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 5))
        b.store.commit()
        await b.settle()
        b.outlets.take()
        await b.command(toy.Pay("c2", "ada", 7))
        await b.command(toy.Pay("c3", "bob", 9))
        b.store.fail()
        await b.settle()
        assert b.outlets.replies == [("c2", "storage"), ("c3", "storage")]
        assert b.daemon.post_command(toy.Pay("c4", "ada", 1)) == "storage"
        await b.recovered()
        b.store.commit()
        await b.settle()
        assert ("account/bob") not in b.outlets.shown
        shown = [entry[2].fen for entry in b.outlets.left if entry[1] == "account/ada"]
        assert shown == [5]
        await b.command(toy.Pay("c2", "ada", 7))
        b.store.commit()
        await b.settle()
        assert b.outlets.replies[-1] == ("c2", "ok")
        assert b.store.tables[toy.AccountRow] == {("ada",): toy.AccountRow(name="ada", fen=12)}
        assert b.kinds() == ["RESUMED", "INPUT", "INPUT", "RESUMED", "INPUT"]

    run(scenario())


def test_what_was_gathered_or_waiting_fails_too_and_configuration_enters_again(bench, toy, run):
    async def scenario():
        b = bench()
        b.daemon.start([toy.Config("one")])
        await b.settle()
        b.store.fail()
        await b.settle()
        await b.recovered()
        b.store.commit()
        await b.settle()
        b.store.commit()
        assert b.store.tables[toy.WordRow][("config",)].value == "one"
        assert b.store.tables[toy.WordRow][("day",)].value

    run(scenario())


def test_what_the_store_had_not_taken_yet_fails_with_the_rest(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 5))
        b.store.busy = True
        await b.command(toy.Pay("c2", "ada", 7))
        b.daemon._enter(Entry(DeviceReading("reader", 1, DeviceHealth(state=DeviceState.READY)), EntryKind.READING))
        await b.settle()
        assert b.outlets.replies == []
        b.store.fail()
        await b.settle()
        assert sorted(b.outlets.replies) == [("c1", "storage"), ("c2", "storage")]
        assert b.daemon.health()["readings_lost"] == 1
        b.store.busy = False
        await b.recovered()
        b.store.commit()
        await b.settle()
        assert len(b.outlets.replies) == 2
        assert b.daemon.health()["uncommitted"] == 0

    run(scenario())


def test_smoke_is_acted_upon_while_the_store_is_away_and_kept_when_it_is_back(bench, toy, run, monkeypatch):
    monkeypatch.setattr(recovery_module, "RETRY_FIRST_S", 0.03)

    async def scenario():
        b = await bench().start()
        b.daemon._recovery._retry_s = 0.03
        b.store.reset_fails = 2
        smoke(b, "west")
        await b.settle()
        assert b.outlets.sent == ["relay-west"]
        b.store.fail()
        await b.settle()
        smoke(b, "east")
        await b.command(toy.Stop("s1", "south"))
        assert b.outlets.sent == ["relay-west", "relay-east", "relay-south"]
        assert b.outlets.replies == []
        await b.recovered()
        assert b.store.resets == 3
        b.store.commit()
        await b.settle()
        b.store.commit()
        await b.settle()
        assert b.store.tables[toy.LatchRow].keys() == {("east",), ("south",), ("west",)}
        assert b.outlets.replies == [("s1", "ok")]

    run(scenario())


def test_a_raise_while_the_store_is_away_is_set_aside_when_it_is_back(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.daemon._recovery._retry_s = 0.05
        await b.command(toy.Pay("c1", "ada", 5))
        b.store.fail()
        await b.settle()
        smoke(b, "west", boom=True)
        smoke(b, "east")
        await b.recovered()
        b.store.commit()
        await b.settle()
        b.store.commit()
        await b.settle()
        assert b.kinds()[-2:] == ["RESUMED", "INPUT"]
        assert len(b.store.set_aside) == 1
        assert b.store.tables[toy.LatchRow].keys() == {("east",), ("west",)}

    run(scenario())


def test_two_inputs_to_set_aside_get_a_world_each_and_a_replay_is_asked_only_what_it_can_repeat(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", -5))
        await b.command(toy.Boom("b1", "twice"))
        b.store.fail("row")
        await b.settle()
        await b.recovered_or_draining()
        for _ in range(4):
            b.store.commit()
            await b.settle()
        assert b.outlets.replies == [("b1", "internal"), ("c1", "internal")]
        assert b.kinds()[-2:] == ["RESUMED", "RESUMED"]
        assert [type(msgspec.msgpack.decode(kept.input, type=toy.Input)) for kept in b.store.set_aside] == [
            toy.Boom,
            toy.Pay,
        ]
        assert b.daemon.state.value == "running"

    run(scenario())


def test_a_row_that_breaks_a_rule_sets_only_its_own_input_aside(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Pay("c1", "ada", 5))
        await b.command(toy.Pay("c2", "ada", -99))
        await b.command(toy.Pay("c3", "ada", 1))
        b.store.fail("row", index=1)
        await b.settle()
        assert b.outlets.replies == [("c1", "storage"), ("c3", "storage")]
        await b.recovered()
        b.store.commit()
        await b.settle()
        assert b.outlets.replies[-1] == ("c2", "internal")
        assert b.kinds()[-1] == "RESUMED"
        (kept,) = b.store.set_aside
        assert msgspec.msgpack.decode(kept.input, type=toy.Input) == toy.Pay("c2", "ada", -99)
        await b.command(toy.Pay("c2", "ada", -99))
        assert b.outlets.replies[-1] == ("c2", "internal")
        assert b.daemon.health()["inputs_refused"] == 1

    run(scenario())


def test_a_failing_commit_of_a_set_aside_is_tried_again_without_asking_the_kernel_again(bench, toy, run):
    async def scenario():
        b = await bench().start()
        await b.command(toy.Boom("b1"))
        b.store.commit()
        await b.settle()
        assert b.store.waiting
        b.store.fail()
        await b.settle()
        await b.recovered()
        b.store.commit()
        await b.settle()
        assert b.outlets.replies == [("b1", "internal")]
        assert b.daemon.health()["inputs_set_aside"] == 1
        assert b.kinds()[-1] == "RAISED"

    run(scenario())


def test_a_fresh_world_whose_rows_break_a_rule_ends_the_process(bench, toy, run):
    async def scenario():
        b = bench()
        b.daemon.start()
        await b.settle()
        b.store.fail("row")
        await b.settle()
        assert "break a rule" in await asyncio.wait_for(b.daemon.fatal, 60)

    run(scenario())


def test_rows_that_cannot_be_read_end_the_process(bench, toy, run):
    async def scenario():
        b = await bench().start()
        b.store.auto = True

        def unreadable():
            raise OSError("i/o error")

        b.store.rows = unreadable
        await b.command(toy.Boom("b1"))
        assert "cannot be made anew" in await asyncio.wait_for(b.daemon.fatal, 60)

    run(scenario())
