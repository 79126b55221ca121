"""Words that wait for a moment: for how long, in which order, what never waits, what is left after an end. In a time of
its own, which leaps to the next timer: no machine is too slow for these."""

from __future__ import annotations

import asyncio
import random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.driver import Output
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState, PlatePass, ResidualPass
from edge.domain.field_devices import SetClock
from edge.runtime.clock import ManualClock
from edge.runtime.daemon import Daemon
from edge.runtime.device_hub import DeviceHub
from edge.runtime.gathering import WORDS_MAX, Gathering
from edge.runtime.journal import AWAITED_MAX
from edge.runtime.kernels import KERNELS
from edge.runtime.pump import Pump

WAIT_S = KERNELS["gym"]().gather_s
WAIT_NS = round(WAIT_S * 1e9)
#: A loop's timers may come so much early or late by the rounding of its floats.
ROUNDING_NS = 1000


class LeapingLoop(asyncio.SelectorEventLoop):
    """A loop whose time leaps to the next timer instead of waiting for it."""

    def __init__(self):
        super().__init__()
        self._leapt_s = 1.0
        select = self._selector.select
        self._selector.select = lambda timeout=None: (self._leap(timeout), select(0))[1]

    def _leap(self, timeout):
        assert timeout is not None, "nothing will ever happen"
        self._leapt_s += timeout

    def time(self):
        return self._leapt_s


class LoopClock(ManualClock):
    """The loop's own time."""

    def mono_ns(self):
        return round(asyncio.get_running_loop().time() * 1e9)


class Numbers:
    """A driver whose every message is one reading with its number, the first with a word about itself before it (upon
    which it is told the time); ``told`` is what it heard and was told, in order."""

    protocol = "numbers"

    def __init__(self):
        self.told = []

    def opened(self, now_ns):
        return Output()

    def received(self, data, now_ns):
        self.told.append(data)
        first = [] if len(self.told) > 1 else [DeviceHealth(state=DeviceState.READY)]
        return Output([*first, number(int(data))], [])

    def command(self, command, now_ns):
        if not isinstance(command, SetClock):
            self.told.append(command)
        return Output()

    def tick(self, now_ns):
        return Output()

    def closed(self, now_ns):
        self.told.append("closed")
        return Output()

    def deadline(self):
        return None


def number(status):
    return PlatePass(
        tags=(), complete=True, residual=False, independent=True, status=status, status_name="", started_ns=0,
        ended_ns=0,
    )  # fmt: skip


class Line:
    """An opener whose one link the test speaks for."""

    def __init__(self):
        self.handler = None
        self.written = []
        self.is_closed = False

    async def open(self, handler):
        self.handler = handler
        return self

    def say(self, data, settled=None):
        if settled is None:
            self.handler.data_received(data)
        else:
            self.handler.message_received(data, settled)

    def write(self, data):
        self.written.append(data)

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def close(self):
        self.is_closed = True


class Floor:
    """The toy's daemon with two gathered links, ``lines``, and one that is not, ``wired``."""

    def __init__(self, toy, store, outlets) -> None:
        self.store, self.clock = store, LoopClock()
        self.gathering = Gathering(WAIT_S)
        self.hub = DeviceHub(self.clock, lambda key, view: None, self.gathering)
        self.daemon = Daemon(toy.adapter(), store, self.clock, outlets, self.hub)
        self.lines, self.wired = (Line(), Line()), Line()
        self.drivers = [Numbers() for _ in range(3)]
        openers = [self.gathering.over(line) for line in self.lines] + [self.wired]
        for name, opener, driver in zip("abw", openers, self.drivers, strict=True):
            pump = Pump(
                name, opener, driver, self.daemon.post_reading, clock=self.clock, rng=random.Random(1), silence_s=1e9
            )
            self.hub.add(pump, "numbers", "played")

    async def start(self):
        self.daemon.start()
        self.hub.start()
        await asyncio.sleep(0.01)
        return self

    async def soon(self):
        """Let the loop do what it can do now; no time passes."""
        now_s = asyncio.get_running_loop().time()
        for _ in range(200):
            await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() == now_s

    async def log(self, toy):
        """Every input in the store, with the time at which it was decided, after a clean end."""
        await self.hub.stop()
        assert await self.daemon.stop()
        decode = msgspec.msgpack.Decoder(toy.Input).decode
        return [(decode(record.input), record.stamp.mono_ns) for record in self.store.records if record.input]

    def numbers(self):
        """The numbers that a pump has heard, of all, in no order."""
        return sorted(int(one) for driver in self.drivers for one in driver.told if isinstance(one, bytes))


class NoOutlets:
    def show(self, key, view):
        pass

    def send(self, device, command):
        return True

    def reply(self, command_id, code, body, *, replayed=False):
        pass


@pytest.fixture
def in_leaps():
    def run_one(coroutine):
        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            return runner.run(coroutine)

    return run_one


@pytest.fixture
def floor(toy, held_store):
    def make():
        store = held_store()
        store.auto = True
        return Floor(toy, store, NoOutlets())

    return make


def is_word(item):
    return isinstance(item, DeviceReading) and isinstance(item.body, PlatePass)


def said_in(log):
    return [(item.body.status, at_ns) for item, at_ns in log if is_word(item)]


def test_only_the_gym_gathers_and_its_kernel_lets_nothing_go_before_all_others():
    waits = {name: make().gather_s for name, make in KERNELS.items()}
    assert {name for name, wait_s in waits.items() if wait_s} == {"gym"}
    assert waits["gym"] <= 0.05, "a pulse is unknown after 5 s: what waits must stay far below"
    assert KERNELS["gym"]().kernel.is_safety(DeviceReading("belt", 1, number(0))) is False


def test_a_gathering_is_never_larger_than_what_the_journal_waits_for():
    assert WORDS_MAX <= AWAITED_MAX


def test_words_of_a_moment_are_one_turn_and_none_waits_longer(floor, toy, in_leaps):
    async def scenario():
        f = await floor().start()
        began_ns = f.clock.mono_ns()
        f.lines[0].say(b"1")
        await asyncio.sleep(0.010)
        f.lines[1].say(b"2")
        await asyncio.sleep(0.010)
        f.lines[0].say(b"3")
        assert f.numbers() == []
        await asyncio.sleep(WAIT_S)
        assert f.gathering.counters == {"words_gathered": 3, "gatherings": 1}
        return began_ns, said_in(await f.log(toy))

    began_ns, log = in_leaps(scenario())
    assert [status for status, _ in log] == [1, 2, 3]
    assert all(abs(at_ns - began_ns - WAIT_NS) <= ROUNDING_NS for _, at_ns in log)


def test_a_flood_waits_for_nothing(floor, toy, in_leaps):
    async def scenario():
        f = await floor().start()
        for status in range(3 * WORDS_MAX + 1):
            f.lines[status % 2].say(b"%d" % status)
        await f.soon()
        assert f.numbers() == list(range(3 * WORDS_MAX))
        return [status for status, _ in said_in(await f.log(toy))]

    assert in_leaps(scenario()) == list(range(3 * WORDS_MAX + 1))


async def play(f, toy, steps):
    """Say and ask what ``steps`` tell; gives (what, when it was said, who) of each."""
    said = []
    for turn, (gap_ms, who) in enumerate(steps):
        await asyncio.sleep(gap_ms / 1000)
        item = turn
        match who:
            case "a" | "b":
                f.lines["ab".index(who)].say(b"%d" % turn)
            case "w":
                f.wired.say(b"%d" % turn)
            case "config":
                f.daemon.post_config(item := toy.Config(f"word-{turn}"))
            case _:
                made = {"pay": (toy.Pay, "ada", 1), "stop": (toy.Stop, "west"), "wait": (toy.Wait, 7)}[who]
                item = made[0](f"c{turn}", *made[1:])
                assert f.daemon.post_command(item) is None
        said.append((item, f.clock.mono_ns(), who))
    return said


STEPS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["a", "a", "b", "b", "w", "pay", "stop", "wait", "config"])),
    max_size=40,
)


@given(steps=STEPS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_is_kept_the_bound_is_held_and_nothing_is_lost(floor, toy, in_leaps, steps):
    async def scenario():
        f = await floor().start()
        said = await play(f, toy, steps)
        return said, await f.log(toy)

    said, log = in_leaps(scenario())
    place = {item.body.status if is_word(item) else item: at for at, (item, _) in enumerate(log)}
    decided_ns = {item.body.status if is_word(item) else item: at_ns for item, at_ns in log}
    words = [item for item, _, who in said if who in "ab"]
    assert [status for status, _ in said_in(log) if status in words] == words, "in the order in which all was said"
    assert len(said_in(log)) == sum(who in "abw" for _, _, who in said), "each once"
    for at, (item, said_ns, who) in enumerate(said):
        waited_ns = decided_ns[item] - said_ns
        assert 0 <= waited_ns <= (WAIT_NS + ROUNDING_NS if who in "ab" else 0), who
        if who in {"pay", "wait", "config"}:
            assert all(place[before] < place[item] for before, _, _ in said[:at]), "it takes along what waits"
    for at, (item, at_ns) in enumerate(log):
        if isinstance(item, toy.Timer):
            before = [one for one, said_ns, _ in said if said_ns < at_ns - ROUNDING_NS]
            assert all(place[one] < at for one in before), "a timer overtakes no word"


def test_a_command_is_decided_at_once_after_what_was_heard_before(floor, toy, in_leaps):
    async def scenario():
        f = await floor().start()
        f.lines[0].say(b"1")
        f.lines[1].say(b"2")
        said_ns = f.clock.mono_ns()
        assert f.daemon.post_command(toy.Pay("c1", "ada", 5)) is None
        f.lines[0].say(b"3")
        await f.soon()
        return said_ns, await f.log(toy)

    said_ns, log = in_leaps(scenario())
    what = [
        item.body.status if is_word(item) else item for item, _ in log if is_word(item) or isinstance(item, toy.Pay)
    ]
    assert what == [1, 2, toy.Pay("c1", "ada", 5), 3]
    assert [at_ns for item, at_ns in log if isinstance(item, toy.Pay)] == [said_ns]


def test_a_driver_hears_what_was_said_before_it_is_told_something(floor, in_leaps):
    async def scenario():
        f = await floor().start()
        f.lines[0].say(b"1")
        f.hub.send("a", ResidualPass())
        f.lines[0].say(b"2")
        await asyncio.sleep(2 * WAIT_S)
        assert f.drivers[0].told == [b"1", ResidualPass(), b"2"]
        await f.hub.stop()

    in_leaps(scenario())


def test_a_lost_link_loses_no_word(floor, toy, in_leaps):
    async def scenario():
        f = await floor().start()
        f.lines[0].say(b"1")
        f.lines[0].handler.link_lost("cable")
        await f.soon()
        assert f.drivers[0].told == [b"1", "closed"]
        return said_in(await f.log(toy))

    assert [status for status, _ in in_leaps(scenario())] == [1]


def test_a_clean_stop_loses_no_word_and_settles_each(floor, toy, in_leaps):
    async def scenario():
        f = await floor().start()
        settled = []
        for status in range(3):
            f.lines[0].say(b"%d" % status, lambda status=status: settled.append(status))
        log = said_in(await f.log(toy))
        await f.soon()
        return [status for status, _ in log], settled

    assert in_leaps(scenario()) == ([0, 1, 2], [0, 1, 2])


def test_a_word_that_waits_is_not_settled_so_its_sender_still_has_it(floor, in_leaps):
    """As at a power cut: whatever was not settled comes again."""

    async def scenario():
        f = await floor().start()
        f.store.auto, settled = False, []
        f.lines[0].say(b"1", lambda: settled.append(1))
        await f.soon()
        assert (f.numbers(), settled) == ([], [])
        await asyncio.sleep(WAIT_S)
        await f.soon()
        assert (f.numbers(), settled) == ([1], []), "decided, but not on disk"
        await asyncio.sleep(1)
        f.store.commit()
        await f.soon()
        assert settled == [1]
        await f.hub.stop()

    in_leaps(scenario())


def test_a_closed_link_is_heard_no_more_and_its_neighbour_is(floor, in_leaps):
    async def scenario():
        f = await floor().start()
        heard, settled = [], []

        class Handler:
            def data_received(self, data):
                heard.append(data)

            def message_received(self, data, settled):
                heard.append(data)

        line = Line()
        link = await f.gathering.over(line).open(Handler())
        line.say(b"1", lambda: settled.append(1))
        f.lines[1].say(b"2")
        link.close()
        await asyncio.sleep(2 * WAIT_S)
        assert (heard, settled, f.numbers(), line.is_closed) == ([], [], [2], True)
        await f.hub.stop()

    in_leaps(scenario())
