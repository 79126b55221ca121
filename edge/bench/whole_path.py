"""What one message costs from the driver to the disk: pump, driver, daemon loop, kernel, executor, log, commit.

All of it runs in this process; only the link is played (``whole_field``). Messages come evenly and in real time, as
they do in the field, so that timers, the commits of each second and the writer's thread take their true share. What is
measured is processor time of all threads; on a machine that is too busy to keep up, messages wait and the run takes
longer, which changes little of it. A user would notice a mistake here as a box that is said to carry 2,000 devices and
does not.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from drivers.registry import make_driver
from edge.bench.whole_field import DEVICE, Field, garage, is_charging, point
from edge.domain.actors import Actor, Role
from edge.domain.garage.messages import Command, ConfigApplied, StartSession
from edge.runtime.clock import RealClock
from edge.runtime.daemon import Daemon
from edge.runtime.device_hub import DeviceHub
from edge.runtime.kernels import KERNELS
from edge.runtime.lag import settle_memory
from edge.runtime.pump import SILENCE_NEVER_S, Pump
from edge.storage.facts import FactsStore

#: Messages that come together: as many as within so long.
SLICE_S = 0.005
WARM_UP_S = 2.0
START_S = 60.0
#: Below what the daemon lets wait.
COMMANDS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class WholePath:
    """``messages`` of devices in ``wall_s`` seconds took ``cpu_s`` seconds of processor time; ``idle_share`` of a core
    is what the same daemon takes when nothing is said. ``inputs`` entered the kernel (a plug's message is two: figures,
    and the relay's state). ``dropped``: readings
    lost to a full inbox (0: messages wait)."""

    devices: int
    rate_hz: float
    messages: int
    inputs: int
    dropped: int
    wall_s: float
    cpu_s: float
    idle_share: float
    commits: int

    @property
    def cpu_us_per_message(self) -> float:
        return self.cpu_s / self.messages * 1e6

    @property
    def core_share(self) -> float:
        """Of one core at the asked rate, all in."""
        return self.cpu_us_per_message * self.devices * self.rate_hz / 1e6


def whole_path(directory: Path, *, devices: int = 2000, rate_hz: float = 1.0, seconds: float = 10.0) -> WholePath:
    """Run ``devices`` at ``rate_hz`` for ``seconds`` with the store in ``directory`` (made when it is not there)."""
    return uvloop.run(_run(directory, devices, rate_hz, seconds))


class _Outlets:
    """What the daemon says reaches the bridge; views and answers are counted."""

    def __init__(self) -> None:
        self.hub: DeviceHub | None = None
        self.views = 0
        self.answers: dict[str, asyncio.Future[str]] = {}

    def show(self, key: str, view: Any) -> None:
        self.views += 1

    def send(self, device: str, command: Any) -> bool:
        return self.hub is not None and self.hub.send(device, command)

    def reply(self, command_id: str, code: str, body: Any, *, replayed: bool = False) -> None:
        self.answers[command_id].set_result(code)


class _Bench:
    def __init__(self, store: FactsStore, devices: int) -> None:
        self.store = store
        self.field = Field(devices)
        self.outlets = _Outlets()
        clock = RealClock(newest_wall_ns=store.newest_wall_ns())
        self.hub = DeviceHub(clock, self.outlets.show)
        self.outlets.hub = self.hub
        self.daemon = Daemon(KERNELS["garage"](), store, clock, self.outlets, self.hub)
        driver = make_driver("zigbee2mqtt", {})
        rng = random.Random(0)  # noqa: S311 - jitter of the back-off, not secrets
        self.hub.add(
            Pump(DEVICE, self.field, driver, self.daemon.post_reading, clock=clock, rng=rng, silence_s=SILENCE_NEVER_S),
            "zigbee2mqtt",
            "played",
        )

    async def begin(self) -> None:
        """All devices have spoken and the sessions run."""
        self.daemon.start([ConfigApplied(garage(self.field.devices))])
        self.hub.start()
        await asyncio.sleep(0)
        await self.talk([self.field.message(number) for number in range(self.field.devices)], WARM_UP_S)
        numbers = [number for number in range(self.field.devices) if is_charging(number)]
        refused: set[str] = set()
        for at in range(0, len(numbers), COMMANDS_AT_ONCE):
            asked = [self._begin_session(number) for number in numbers[at : at + COMMANDS_AT_ONCE]]
            async with asyncio.timeout(START_S):
                refused |= {code for code in await asyncio.gather(*asked) if code != "ok"}
        if refused:
            raise RuntimeError(f"sessions were refused: {refused}")
        self.field.charging = True
        await self.talk([self.field.message(number) for number in numbers], WARM_UP_S / 2)

    def _begin_session(self, number: int) -> asyncio.Future[str]:
        command_id = f"c-{number}"
        answer = self.outlets.answers[command_id] = asyncio.get_running_loop().create_future()
        body = StartSession(session_id=f"s-{number}", port=point(number))
        self.daemon.post_command(Command(command_id, Actor(Role.MANAGER, "bench"), body))
        return answer

    async def talk(self, messages: list[bytes], seconds: float) -> None:
        """Let ``messages`` arrive evenly within ``seconds``."""
        begun_s, said = time.perf_counter(), 0
        while said < len(messages):
            await asyncio.sleep(SLICE_S)
            due = min(len(messages), int((time.perf_counter() - begun_s) / seconds * len(messages)))
            while said < due and self.field.room.is_set():
                self.field.say(messages[said])
                said += 1
            await self.field.room.wait()

    async def taken(self) -> None:
        """Until the kernel has taken all that was said."""
        while self.daemon.health()["waiting"]:  # noqa: ASYNC110 - the daemon tells nobody when it is idle
            await asyncio.sleep(SLICE_S)

    async def end(self) -> None:
        await self.hub.stop()
        await self.daemon.stop()


async def _run(directory: Path, devices: int, rate_hz: float, seconds: float) -> WholePath:
    row_types = KERNELS["garage"]().kernel.row_types
    store = FactsStore.open(directory, row_types, vertical="garage", build="bench")
    try:
        bench = _Bench(store, devices)
        await bench.begin()
        each = [bench.field.message(number) for _ in range(int(seconds * rate_hz)) for number in range(devices)]
        settle_memory()
        before, commits = bench.daemon.health(), store.counters()["commits"]
        begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
        await bench.talk(each, seconds)
        await bench.taken()
        cpu_s, wall_s = time.process_time() - begun_cpu_s, time.perf_counter() - begun_s
        after, commits = bench.daemon.health(), store.counters()["commits"] - commits
        idle_s, idle_cpu_s = time.perf_counter(), time.process_time()
        await asyncio.sleep(min(2.0, seconds))
        idle = (time.process_time() - idle_cpu_s) / (time.perf_counter() - idle_s)
        await bench.end()
        return WholePath(
            devices=devices,
            rate_hz=rate_hz,
            messages=len(each),
            inputs=after["inputs"] - before["inputs"],
            dropped=after["readings_dropped"] - before["readings_dropped"],
            wall_s=wall_s,
            cpu_s=cpu_s,
            idle_share=idle,
            commits=commits,
        )
    finally:
        store.close()
