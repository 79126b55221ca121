"""A pump on a pseudo-terminal: re-plug, garbage, silence, back-pressure, a failing driver, a hanging neighbour."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import random
import time
import tty
from types import SimpleNamespace

import pytest

from drivers.driver import Output
from drivers.links.link import LinkError
from drivers.links.opening import opener_of
from edge.domain.devices import DeviceHealth, DeviceIdentity, DeviceState, FieldOn, PlatePass, ResidualPass
from edge.runtime import pump as pump_module
from edge.runtime.clock import RealClock
from edge.runtime.device_hub import DeviceHub
from edge.runtime.pump import Pump


class LineDriver:
    """Asks "?" every 5 ms; each line "!n" is a reading; other lines are refused; "boom" makes it fail."""

    protocol = "line"

    def __init__(self, poll_ns=5_000_000) -> None:
        self._poll_ns = poll_ns
        self._buffer = b""
        self._next = None
        self.refused = 0

    def opened(self, now_ns):
        self._buffer, self._next = b"", now_ns
        return Output(
            [
                DeviceIdentity(protocol="line", model="toy", firmware="1"),
                DeviceHealth(state=DeviceState.READY),
            ],
            [b"hello\n"],
        )

    def received(self, data, now_ns):
        *lines, self._buffer = (self._buffer + data)[-64:].split(b"\n")
        readings = []
        for line in lines:
            if line == b"boom":
                raise ValueError("boom in driver")
            if line.startswith(b"!"):
                readings.append(a_pass(int(line[1:])))
            else:
                self.refused += 1
        return Output(readings, [])

    def command(self, command, now_ns):
        return Output([], [b"residual\n" if isinstance(command, ResidualPass) else b"field\n"])

    def tick(self, now_ns):
        self._next = now_ns + self._poll_ns
        return Output([], [b"?\n"])

    def closed(self, now_ns):
        self._next = None
        return Output([DeviceHealth(state=DeviceState.LOST, problem="link_closed")], [])

    def deadline(self):
        return self._next


def a_pass(status):
    return PlatePass(
        tags=(),
        complete=True,
        residual=False,
        independent=True,
        status=status,
        status_name="",
        started_ns=0,
        ended_ns=0,
    )


class Stepped:
    """A clock that a slow machine does not move."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def mono_ns(self):
        return self.now_ns


class Line:
    """The far end of a pty behind a stable path."""

    def __init__(self, path) -> None:
        self.path, self.fds = path, None

    def plug(self):
        self.fds = pty.openpty()
        tty.setraw(self.fds[1])
        os.set_blocking(self.fds[0], False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self.fds[1]))

    def unplug(self):
        self.path.unlink(missing_ok=True)  # before the number is anybody's
        if self.fds:
            for fd in self.fds:
                os.close(fd)
        self.fds = None

    def say(self, data):
        os.write(self.fds[0], data)

    def heard(self):
        with contextlib.suppress(BlockingIOError):
            return os.read(self.fds[0], 65536)
        return b""


class Collector:
    """Stands for the daemon's inbox."""

    def __init__(self) -> None:
        self.readings = []
        self.room = True
        self.changed = asyncio.Event()

    def post(self, reading):
        self.readings.append(reading)
        self.changed.set()
        return self.room

    def passes(self):
        return [reading.body.status for reading in self.readings if isinstance(reading.body, PlatePass)]

    def states(self):
        return [
            (reading.epoch, reading.body.state.value)
            for reading in self.readings
            if isinstance(reading.body, DeviceHealth)
        ]

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), 0.05)


@pytest.fixture
def line(tmp_path):
    line = Line(tmp_path / "reader")
    line.plug()
    yield line
    line.unplug()


@contextlib.asynccontextmanager
async def pumping(line, collector, driver=None, opener=None, clock=None, **options):
    pump = Pump(
        "reader",
        opener or opener_of(f"serial://{line.path}"),
        driver or LineDriver(),
        collector.post,
        clock=clock or RealClock(),
        rng=random.Random(1),
        **options,
    )
    task = asyncio.create_task(pump.run())
    try:
        yield pump
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_a_replugged_device_goes_on_under_a_new_epoch(line, run):
    async def scenario():
        c = Collector()
        async with pumping(line, c) as pump:
            await c.until(lambda: (1, "ready") in c.states())
            line.say(b"!1\n!2")
            await c.until(lambda: c.passes() == [1])
            line.unplug()
            await c.until(lambda: (1, "lost") in c.states())
            pump.send(ResidualPass())
            assert pump.counters.commands_dropped == 1
            await c.until(lambda: pump.counters.open_failed >= 2)
            line.plug()
            await c.until(lambda: (2, "ready") in c.states())
            line.say(b"\n!3\n")
            await c.until(lambda: 3 in c.passes())
            assert c.passes() == [1, 3]
            assert pump.epoch == 2
            assert [reading.epoch for reading in c.readings if isinstance(reading.body, PlatePass)] == [1, 2]
            cannot = [r.body for r in c.readings if getattr(r.body, "problem", "") == "cannot_open"]
            assert len(cannot) == 1, "told once, not at every attempt"
            assert "is it plugged in" in cannot[0].detail

    run(scenario())


def test_garbage_and_split_lines_do_no_harm(line, run):
    async def scenario():
        c = Collector()
        driver = LineDriver()
        async with pumping(line, c, driver):
            await c.until(lambda: (1, "ready") in c.states())
            noise = random.Random(7)
            for number in range(20):
                line.say(bytes(noise.randrange(256) for _ in range(300)) + b"\n")
                for byte in b"!%d\n" % number:
                    line.say(bytes([byte]))
                await c.until(lambda number=number: number in c.passes())
            assert driver.refused >= 20

    run(scenario())


def test_a_device_that_is_asked_and_tells_nothing_sensible_is_opened_anew(line, run):
    async def scenario():
        c = Collector()
        clock = Stepped()
        async with pumping(line, c, silence_s=0.15, clock=clock) as pump:
            await c.until(lambda: (1, "ready") in c.states())
            for number in range(12):  # as long as it talks sense the link stays
                clock.now_ns += 20_000_000
                line.say(b"!%d\n" % number)
                await c.until(lambda number=number: number in c.passes())
            assert pump.epoch == 1
            async with asyncio.timeout(60):
                while pump.epoch == 1:
                    clock.now_ns += 10_000_000
                    if line.fds:
                        line.say(b"babble\n")
                    await asyncio.sleep(0.01)
            assert pump.counters.silences == 1
            assert (1, "lost") in c.states()

    run(scenario())


def test_a_quiet_device_that_nobody_asks_is_left_in_peace(line, run):
    async def scenario():
        c = Collector()
        driver = LineDriver()
        driver.tick = lambda now_ns: setattr(driver, "_next", None) or Output()
        async with pumping(line, c, driver, silence_s=0.05) as pump:
            await c.until(lambda: (1, "ready") in c.states())
            await asyncio.sleep(0.25)
            assert pump.epoch == 1
            assert pump.counters.silences == 0

    run(scenario())


def test_commands_reach_the_device_and_polling_goes_on(line, run):
    async def scenario():
        c = Collector()
        async with pumping(line, c) as pump:
            await c.until(lambda: pump.is_open)
            pump.send(ResidualPass())
            pump.send(FieldOn(on=False))
            heard = b""
            async with asyncio.timeout(60):
                while heard.count(b"?\n") < 5:
                    await asyncio.sleep(0.005)
                    heard += line.heard()
            assert heard.startswith(b"hello\n")
            assert b"residual\nfield\n" in heard

    run(scenario())


def test_a_full_inbox_pauses_the_link_and_room_resumes_it(line, run):
    async def scenario():
        c = Collector()
        async with pumping(line, c) as pump:
            await c.until(lambda: (1, "ready") in c.states())
            c.room = False
            line.say(b"!1\n")
            await c.until(lambda: c.passes() == [1])
            line.say(b"!2\n")
            await asyncio.sleep(0.05)
            assert c.passes() == [1]
            assert pump.counters.paused == 1
            c.room = True
            pump.resume()
            await c.until(lambda: c.passes() == [1, 2])

    run(scenario())


def test_a_driver_that_fails_costs_a_reopening_and_nothing_else(line, run):
    async def scenario():
        c = Collector()
        async with pumping(line, c) as pump:
            await c.until(lambda: (1, "ready") in c.states())
            line.say(b"boom\n")
            await c.until(lambda: (2, "ready") in c.states())
            assert pump.counters.driver_errors == 1
            assert c.states()[1:3] == [(1, "fault"), (1, "lost")]
            line.say(b"!5\n")
            await c.until(lambda: c.passes() == [5])

    run(scenario())


def test_a_driver_whose_deadline_stays_in_the_past_does_not_starve_the_loop(line, run):
    async def scenario():
        c = Collector()
        driver, loop, ticks = LineDriver(), asyncio.get_running_loop(), []
        driver.deadline = lambda: 1
        driver.tick = lambda now_ns: ticks.append(now_ns) or Output()
        async with pumping(line, c, driver):
            await c.until(lambda: (1, "ready") in c.states())
            begun_s, before = loop.time(), len(ticks)
            await asyncio.sleep(0.1)
            assert len(ticks) - before <= (loop.time() - begun_s) / pump_module.TICK_MIN_S + 2

    run(scenario())


def test_a_device_that_cannot_be_opened_delays_no_other(line, run, monkeypatch):
    monkeypatch.setattr(pump_module, "BACKOFF_FIRST_S", 0.01)

    class Hanging:
        async def open(self, handler):
            await asyncio.sleep(30)
            raise LinkError("never")

        def close(self):
            pass

    async def scenario():
        c, other = Collector(), Collector()
        async with pumping(line, other, opener=Hanging()), pumping(line, c):
            await c.until(lambda: (1, "ready") in c.states())
            line.say(b"!1\n")
            await c.until(lambda: c.passes() == [1])
            assert other.readings == []

    run(scenario())


def test_back_off_grows_and_is_bounded(run):
    class Refusing:
        def __init__(self):
            self.at = []

        async def open(self, handler):
            self.at.append(asyncio.get_running_loop().time())
            raise LinkError("no")

        def close(self):
            pass

    async def scenario():
        waits = []
        real = asyncio.sleep

        async def sleep(delay):
            waits.append(delay)
            await real(0)

        opener, c = Refusing(), Collector()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pump_module.asyncio, "sleep", sleep)
            async with pumping(None, c, opener=opener):
                while len(waits) < 12:
                    await real(0.001)
        assert 0.07 <= waits[0] <= 0.13
        assert waits[3] > 4 * waits[0]
        assert max(waits) <= 1.25 * pump_module.BACKOFF_MAX_S
        assert len(set(waits[-4:])) > 1, "jitter"
        assert len(c.readings) == 1

    run(scenario())


def test_a_gateway_that_hangs_up_at_once_does_not_fill_the_log(run):
    class HangingUp:
        async def open(self, handler):
            handler.link_lost("the peer closed the connection")
            return Closable()

        def close(self):
            pass

    class Closable:
        def write(self, data):
            pass

        def close(self):
            pass

    async def scenario():
        real, told = asyncio.sleep, []

        def tell(event, **facts):
            told.append((event, facts["epoch"]))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pump_module, "_log", SimpleNamespace(info=tell, warning=tell))
            patch.setattr(pump_module.asyncio, "sleep", lambda _delay: real(0))
            async with pumping(None, Collector(), opener=HangingUp()) as pump:
                while pump.counters.lost < 100:
                    await real(0.001)
        for event in ("link open", "link lost"):
            assert [epoch for said, epoch in told if said == event and epoch <= 100] == [1, 2, 4, 8, 16, 32, 64]

    run(scenario())


def test_the_hub_shows_devices_with_state_identity_and_age_and_names_unknown_ones(line, run):
    async def scenario():
        c = Collector()
        shown = {}
        hub = DeviceHub(RealClock(), shown.__setitem__)

        def post(reading):
            hub.passing(reading)
            return c.post(reading)

        pump = Pump(
            "reader",
            opener_of(f"serial://{line.path}"),
            LineDriver(),
            post,
            clock=RealClock(),
            rng=random.Random(1),
        )
        hub.add(pump, "line", f"serial://{line.path}")
        assert shown["device/reader"].state == "connecting"
        before_ns = time.time_ns()
        hub.start()
        await c.until(lambda: (1, "ready") in c.states())
        view = shown["device/reader"]
        assert (view.state, view.model, view.epoch, view.protocol) == ("ready", "toy", 1, "line")
        assert before_ns <= view.told_wall_ns <= time.time_ns()
        assert [reading.body.state for reading in hub.last_health()] == [DeviceState.READY]
        line.unplug()
        await c.until(lambda: (1, "lost") in c.states())
        assert shown["device/reader"].state == "lost"
        assert shown["device/reader"].since_wall_ns >= view.since_wall_ns
        assert hub.send("reader", ResidualPass())
        assert not hub.send("relay-9", ResidualPass())
        assert shown["device/relay-9"].state == "unknown"
        assert "site.toml" in shown["device/relay-9"].detail
        for number in range(100):
            hub.send(f"ghost-{number}", ResidualPass())
        assert len(shown) <= 20
        assert hub.counters()["device_commands_dropped"] == 1
        await hub.stop()

    run(scenario())
