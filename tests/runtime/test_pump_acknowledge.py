"""What a driver acknowledges is written when its readings are on disk, and to no other connection."""

from __future__ import annotations

import asyncio
import contextlib
import random

from drivers.driver import Output
from edge.domain.field_devices import PointHealth
from edge.runtime.clock import RealClock
from edge.runtime.pump import Pump


class FireDriver:
    """Each piece of bytes is two readings and one acknowledgement."""

    protocol = "fire"

    def opened(self, now_ns):
        return Output(write=[b"hello"])

    def received(self, data, now_ns):
        readings = [PointHealth(point=name, online=True) for name in "ab"]
        return Output(readings, [b"at once"], [b"ack " + data])

    def command(self, command, now_ns):
        return Output()

    def tick(self, now_ns):
        return Output()

    def closed(self, now_ns):
        return Output()

    def deadline(self):
        return None


class FakeLink:
    def __init__(self, handler):
        self.handler, self.written = handler, []

    def write(self, data):
        self.written.append(data)

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def close(self):
        pass


class FakeOpener:
    def __init__(self):
        self.links = []

    async def open(self, handler):
        self.links.append(FakeLink(handler))
        return self.links[-1]

    def close(self):
        pass


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def pumping(opener, settled):
    def post(reading, done=None):
        settled.append(done)
        return True

    pump = Pump("unit", opener, FireDriver(), post, clock=RealClock(), rng=random.Random(1))
    task = asyncio.create_task(pump.run())
    try:
        await until(lambda: opener.links and opener.links[0].written == [b"hello"])
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_the_acknowledgement_waits_for_the_last_reading(run):
    async def scenario():
        opener, settled = FakeOpener(), []
        async with pumping(opener, settled):
            link = opener.links[0]
            link.handler.data_received(b"1")
            assert link.written == [b"hello", b"at once"]
            settled[0]()
            assert link.written == [b"hello", b"at once"]
            settled[1]()
            assert link.written == [b"hello", b"at once", b"ack 1"]

    run(scenario())


def test_nothing_is_acknowledged_on_a_connection_that_was_lost_meanwhile(run):
    async def scenario():
        opener, settled = FakeOpener(), []
        async with pumping(opener, settled):
            opener.links[0].handler.data_received(b"1")
            opener.links[0].handler.link_lost("gone")
            await until(lambda: len(opener.links) == 2)
            for done in settled:
                done()
            assert b"ack 1" not in opener.links[0].written + opener.links[1].written

    run(scenario())


def test_a_message_with_its_own_promise_gets_both(run):
    async def scenario():
        opener, settled, kept = FakeOpener(), [], []
        async with pumping(opener, settled):
            opener.links[0].handler.message_received(b"2", lambda: kept.append(True))
            for done in settled:
                done()
            assert opener.links[0].written[-1] == b"ack 2"
            assert kept == [True]

    run(scenario())
