"""Groups of the fault campaign with real processes: 1 and 2 the broker, 4 floods, 8 the disk, 9 kills, stops and
starvation, 14 a reload. Every case ends with smoke that must cut and a latch that must hold.
"""

from __future__ import annotations

import asyncio
import dataclasses
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from _case import Case
from _real import LAYOUT, RealGarage

#: Two descriptions that differ in what a reload may change.
LAYOUTS = (dataclasses.replace(LAYOUT, clear_s=2), LAYOUT)
POINTS = ("begin", "before_commit", "after_commit")
#: A fault of the disk that nobody ends is over after so long.
FAULT_S = 120


def with_garage(play: Callable[[Case, RealGarage], Awaitable[None]]) -> Callable[[Case], None]:
    """A case on one real garage, which is stopped whatever happens."""

    async def run(case: Case) -> None:
        garage = RealGarage(case)
        try:
            await play(case, garage)
        finally:
            await garage.stop()

    def group(case: Case) -> None:
        asyncio.run(run(case))

    group.__doc__ = play.__doc__
    return group


async def smoke_cuts(case: Case, garage: RealGarage, zone: str, what: str, head: str = "s1") -> None:
    """Smoke now: the contactor opens, the latch shows."""
    garage.mqtt.receive(0)
    garage.speak(f"{zone}-{head}", smoke=True)
    took_s = await garage.cut_comes(zone)
    await garage.latch_holds(zone, f"{zone}-{head}")
    garage.note("cut", after=what, zone=zone, took_s=round(took_s, 4))
    case.numbers[f"cut_after_{what}_s"] = round(took_s, 3)
    case.count("fires")


@with_garage
async def broker(case: Case, garage: RealGarage) -> None:
    """1: the broker dies and returns; falls silent on open connections; refuses everybody for a while."""
    await garage.begin()
    for _ in range(case.pick(1, 50)):
        await garage.broker_dies()
        garage.broker_returns()
        await garage.sees(garage.links_open, "the links do not come back")
        await smoke_cuts(case, garage, "z1", "broker_killed")
        await garage.reset("z1")
        process = garage.broker.process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        garage.speak("z2-s1", smoke=True)
        await asyncio.sleep(case.pick(1, 12))
        process.send_signal(signal.SIGCONT)
        await garage.cut_comes("z2")
        await garage.latch_holds("z2", "z2-s1")
        case.count("fires")
        await garage.reset("z2")
        await garage.broker_dies()
        await garage.broker_refuses()
        garage.broker_returns()
        await garage.sees(garage.links_open, "the links do not come back")
        await smoke_cuts(case, garage, "z1", "auth_refused", "s2")
        await garage.reset("z1")
        case.count("brokers", 3)


@with_garage
async def stale_broker(case: Case, garage: RealGarage) -> None:
    """2: the broker returns with stored words: clear heads (nothing), a head in smoke (cut), a stored command to a
    plug."""
    await garage.begin()
    for head in ("z1-s1", "z1-s2"):
        garage.speak(head, smoke=False, retain=True)
    garage.mqtt.publish("cmnd/z1-p1/POWER", b"ON", qos=1, retain=True)
    assert garage.life is not None
    garage.life.signal(signal.SIGKILL)
    garage.life.ended()
    await garage.keeps_only_stored_words()
    await garage.broker_dies()
    garage.broker_returns()
    garage.speak("z2-s1", smoke=True, retain=True)
    garage.is_told()
    garage.heard.clear()
    await garage.next_life()
    await garage.cut_comes("z2")
    await garage.latch_holds("z2", "z2-s1")
    garage.speak("z2-s2", smoke=True)  # when this is heard, so is all that was stored
    await garage.sees(lambda: garage.state("z2") == "fire", "z2 does not burn")
    if garage.state("z1") == "normal":
        raise AssertionError("stored words made a zone normal that no head has spoken in")
    garage.is_told()
    for packet in (*garage.heard, *garage.mqtt.receive(0)):
        if packet.payload == b"ON" and not packet.retain:
            raise AssertionError(f"switched on by itself: {packet}")
    case.count("restarts")
    garage.speak("z2-s1", smoke=False, retain=True)
    garage.mqtt.publish("cmnd/z1-p1/POWER", b"", qos=1, retain=True)
    await garage.reset("z2")
    await smoke_cuts(case, garage, "z1", "stale_set")


@with_garage
async def floods(case: Case, garage: RealGarage) -> None:
    """4: 5,000 messages a second over all topics, then one topic alone; smoke passes."""
    await garage.begin()
    rate = case.pick(1000, 5000)
    layout = garage.layout
    for zones, ports, what in ((layout.zones, layout.ports, "flood"), (1, 1, "noisy_topic")):
        flood = garage.help("flood", garage.broker.port, rate, zones, ports, layout.heads)
        await asyncio.sleep(case.pick(1, 30))
        for number in range(case.pick(1, 30)):
            zone = f"z{1 + number % 2}"
            await smoke_cuts(case, garage, zone, what)
            await garage.reset(zone)
        garage.end_helper(flood)
    case.numbers["rate"] = rate


@with_garage
async def disk(case: Case, garage: RealGarage) -> None:
    """8: the disk does not answer a commit, is full, is read-only: the cut leaves meanwhile and the latch is on disk
    after; then a torn tail of the log, and a damaged file, which is refused with its remedy."""
    await garage.begin()
    flag = garage.folder.site / "fault"
    for act in ("slow", "full", "readonly"):
        assert garage.life is not None
        garage.life.signal(signal.SIGKILL)
        await garage.next_life(point="before_commit", act=act, seconds=FAULT_S, count=6)
        await garage.all_clear_until(flag.exists)
        garage.speak("z1-s1", smoke=True)
        await garage.cut_comes("z1")
        if not flag.exists():
            raise AssertionError(f"the cut waited for the disk ({act})")
        case.count(f"cut_while_{act}")
        await asyncio.sleep(case.pick(0, 5))
        flag.unlink()
        await garage.latch_holds("z1", "z1-s1")
        await garage.latch_is_written("z1", "z1-s1")
        garage.life.signal(signal.SIGKILL)
        await garage.next_life()
        await garage.latch_holds("z1", "z1-s1")
        garage.note("disk", act=act)
        await garage.reset("z1")
        case.count("fires")
    await _damaged(case, garage)


async def _damaged(case: Case, garage: RealGarage) -> None:
    await smoke_cuts(case, garage, "z2", "disk")
    await garage.latch_is_written("z2", "z2-s1")
    assert garage.life is not None
    garage.life.signal(signal.SIGKILL)
    garage.life.ended()
    wal = garage.folder.store / "facts.db-wal"
    with wal.open("ab") as file:
        file.write(case.rng.randbytes(3000))
    await garage.next_life()
    await garage.latch_holds("z2", "z2-s1")
    case.count("torn_tails")
    garage.life.signal(signal.SIGTERM)
    garage.life.ended()
    with (garage.folder.store / "facts.db").open("r+b") as file:
        file.seek(4096)
        file.write(case.rng.randbytes(40_000))
    garage.start_daemon()
    status = garage.life.ended() >> 8
    if status != 4 or "facts.db" not in garage.tail():
        raise AssertionError(f"a damaged file was not refused: status {status}\n{garage.tail()}")
    case.count("refused_damaged")


@with_garage
async def kills(case: Case, garage: RealGarage) -> None:
    """9: kill -9 at every point of a transaction and at random moments around a smoke message: it is cut and
    latched after."""
    await garage.begin()
    for number in range(case.pick(6, 1000)):
        assert garage.life is not None
        garage.life.signal(signal.SIGKILL)
        order = {"point": POINTS[number % 3], "act": "kill", "count": case.rng.randint(2, 5)} if number % 2 else {}
        await garage.next_life(**order)
        source = ("s1", "call")[number // 2 % 2]
        garage.speak(f"z1-{source}", smoke=True)
        if not order:
            await asyncio.sleep(case.rng.random() * 0.02)
            garage.life.signal(signal.SIGKILL)
        else:
            await garage.poke_until_dead()
        await garage.next_life()
        await garage.is_open("z1")
        await garage.latch_holds("z1", f"z1-{source}")
        garage.note("killed", number=number, order=order)
        case.count("kills")
        await garage.settle()


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """So many processes that want all of a processor."""
    burning = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in burning:
            hog.kill()
            hog.wait()


@with_garage
async def starved(case: Case, garage: RealGarage) -> None:
    """9: stopped (SIGSTOP) for 20 s, then four hogs on the processor for 30 s; smoke meanwhile is cut."""
    await garage.begin()
    assert garage.life is not None
    garage.life.signal(signal.SIGSTOP)
    garage.speak("z1-s1", smoke=True)
    await asyncio.sleep(case.pick(1, 20))
    garage.life.signal(signal.SIGCONT)
    await garage.cut_comes("z1")
    await garage.latch_holds("z1", "z1-s1")
    await garage.reset("z1")
    with hogs(4):
        end_s = time.perf_counter() + case.pick(1, 30)
        while True:
            await smoke_cuts(case, garage, "z2", "starved")
            await garage.reset("z2")
            if time.perf_counter() > end_s:
                break


@with_garage
async def reload(case: Case, garage: RealGarage) -> None:
    """14: SIGHUP and smoke at the same instant, again and again; and a restart (SIGTERM) at that instant."""
    await garage.begin()
    for number in range(case.pick(3, 300)):
        assert garage.life is not None
        garage.folder.write_mqtt(LAYOUTS[number % 2], garage.broker.port)
        garage.mqtt.receive(0)
        pause_s = case.rng.random() * 0.4
        if number % 3 == 2:
            garage.life.signal(signal.SIGTERM)
            garage.speak("z1-s1", smoke=True)
            await garage.next_life()
        elif number % 3:
            garage.speak("z1-s1", smoke=True)
            garage.life.signal(signal.SIGHUP)
        else:
            garage.life.signal(signal.SIGHUP)
            await asyncio.sleep(pause_s)
            garage.speak("z1-s1", smoke=True)
        await garage.cut_comes("z1")
        await garage.latch_holds("z1", "z1-s1")
        case.count("fires")
        await garage.reset("z1")
