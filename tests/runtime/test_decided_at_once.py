"""A safety input is decided where it comes in; a crowd of them takes turns, and nobody decides within a decision."""

from __future__ import annotations

import asyncio
import time
from unittest import mock

from edge.runtime import daemon as daemon_module
from edge.runtime.inbox import Entry, EntryKind


def smoke(b, zone, **how):
    b.daemon._enter(Entry(b.toy.Smoke(zone, **how), EntryKind.READING))


def test_smoke_is_decided_before_the_loop_goes_on(bench, run):
    async def scenario():
        b = await bench().start()
        smoke(b, "west")
        assert b.outlets.sent == ["relay-west"], "the cut left before its link was heard to the end"
        b.store.commit()
        await b.settle()
        assert b.outlets.sent == ["relay-west"], "and it left once"
        assert b.kinds()[-1] == "INPUT"

    run(scenario())


def test_a_crowd_takes_turns_and_keeps_its_order(bench, run):
    async def scenario():
        b = await bench().start()
        zones = [f"z{number}" for number in range(20)]
        with mock.patch.object(daemon_module, "TURN_S", 3600.0):
            for zone in zones:
                smoke(b, zone)
            assert b.outlets.sent == ["relay-z0"], "the other links are heard before the second"
            await b.settle()
        assert b.outlets.sent == [f"relay-{zone}" for zone in zones]

    run(scenario())


def test_what_comes_of_a_cut_waits_until_the_cut_is_decided(bench, run):
    """A driver that is told to cut may have something to say at once, on the same stack."""

    async def scenario():
        b = await bench().start()
        deciding = []
        send = b.outlets.send

        def answers(device, command):
            deciding.append(b.daemon.health()["inputs"])
            if device == "relay-west":
                b.daemon._at_once_s = 0.0  # even if enough time had passed
                smoke(b, "east")
            return send(device, command)

        b.outlets.send = answers
        inputs = b.daemon.health()["inputs"]
        smoke(b, "west")
        assert deciding == [inputs + 1]
        await b.settle()
        assert b.outlets.sent == ["relay-west", "relay-east"]
        assert deciding == [inputs + 1, inputs + 2]

    run(scenario())


def test_smoke_that_cannot_be_handled_is_set_aside_where_it_comes_in(bench, run):
    async def scenario():
        b = await bench().start()
        smoke(b, "west", boom=True)
        smoke(b, "east")
        await b.settle()
        b.store.commit()
        await b.settle()
        assert set(b.outlets.sent) == {"relay-west", "relay-east"}
        async with asyncio.timeout(60):
            while b.daemon.state.value != "running":
                await asyncio.sleep(0.002)

    run(scenario())


def test_what_it_took_is_told(bench, run):
    """A decision outside of the loop's turns holds the loop up as well."""

    async def scenario():
        b = await bench().start()
        b.daemon._lag.take_worst_ms()
        send = b.outlets.send
        b.outlets.send = lambda device, command: (time.sleep(0.02), send(device, command))[1]
        smoke(b, "west")
        assert b.daemon._lag.take_worst_ms() >= 20

    run(scenario())
