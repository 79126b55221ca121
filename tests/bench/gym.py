"""``kangle bench gym``: what 200 machines and 100 straps at one word a second cost, from the driver to the disk, beside
232 outdoor points in 63 compounds and a trail as they speak in the evening.

Pump, driver, daemon loop, kernel, executor, log and commit run in this process in real time; only the link is played.
Processor time of all threads counts. Beside it the peak of taps at the readers: how long a claim takes to be on disk
while all that goes on. Floor: a claim on the same daemon with nothing else to do.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
import uvloop

sys.path.insert(0, str(Path(__file__).parent))

from _gym_field import DEVICE, TRAIL, Field, Outdoors, Played, gym, point
from _gym_site import Layout
from _report import Result, publish, quantile, result

from drivers.registry import make_driver
from edge.domain.actors import Actor, Role
from edge.domain.gym.messages import ClaimAsset, Command, ConfigApplied, RecordVitals, SetPerson
from edge.runtime.clock import RealClock
from edge.runtime.daemon import Daemon
from edge.runtime.device_hub import DeviceHub
from edge.runtime.gathering import Gathering
from edge.runtime.kernels import KERNELS
from edge.runtime.lag import settle_memory
from edge.runtime.pump import SILENCE_NEVER_S, Pump
from edge.storage.facts import FactsStore

CORE_SHARE, MEMORY_MIB, TAP_MS = 0.20, 120.0, 100.0
SLICE_S = 0.005
WARM_UP_S = 4
TAPS_PER_S = 2.0
"""Twelve times the peak that the reference names (ten a minute), so that a short run has enough of them."""


class _Outlets:
    """Views are counted, answers awaited; nothing may be sent to a machine."""

    def __init__(self) -> None:
        self.hub: DeviceHub | None = None
        self.views = 0
        self.heard: set[str] = set()
        self.answers: dict[str, asyncio.Future[str]] = {}

    def show(self, key: str, view: Any) -> None:
        self.views += 1
        if key.startswith("asset/out-") and view.heard_ago_s is not None:
            self.heard.add(key)

    def send(self, device: str, command: Any) -> bool:
        return True

    def reply(self, command_id: str, code: str, body: Any, *, replayed: bool = False) -> None:
        self.answers[command_id].set_result(code)


@dataclass(frozen=True, slots=True)
class _Size:
    machines: int
    straps: int
    layout: Layout
    seconds: int


class _Run:
    def __init__(self, store: FactsStore, size: _Size) -> None:
        machines = size.machines
        self.field, self.outdoors = Field(machines, size.straps), Outdoors(size.layout, WARM_UP_S + size.seconds)
        self.outlets = _Outlets()
        clock = RealClock(newest_wall_ns=store.newest_wall_ns())
        adapter = KERNELS["gym"]()
        gathering = Gathering(adapter.gather_s)
        self.hub = DeviceHub(clock, self.outlets.show, gathering)
        self.outlets.hub = self.hub
        self.daemon = Daemon(adapter, store, clock, self.outlets, self.hub)
        for device, link, protocol in ((DEVICE, self.field, "ble_gateway"), (TRAIL, self.outdoors, "trail_gates")):
            pump = Pump(
                device, gathering.over(link), make_driver(protocol, {}), self.daemon.post_reading, clock=clock,
                rng=random.Random(0), silence_s=SILENCE_NEVER_S,
            )  # fmt: skip
            self.hub.add(pump, protocol, "played")
        self.machines, self.taps, self.asked = machines, [], 0
        self.tapped = self.refused = self.said = 0

    async def command(self, body: Any) -> str:
        """Give a command and wait for its durable answer."""
        self.asked += 1
        command_id = f"c-{self.asked}"
        answer = self.outlets.answers[command_id] = asyncio.get_running_loop().create_future()
        self.daemon.post_command(Command(command_id, Actor(Role.MANAGER, "bench"), body))
        return await answer

    async def people(self) -> None:
        for number in range(self.machines):
            await self.command(SetPerson(person=f"p{number}", birth_year=1955, cards=(f"c{number}",)))
            await self.command(RecordVitals(person=f"p{number}", systolic_mmhg=125, diastolic_mmhg=80, pulse_bpm=70))

    async def tap(self) -> None:
        """The next machine's own person holds a card to its reader: takes it, or is done with it."""
        number = self.tapped % self.machines
        self.tapped += 1
        begun_s = time.perf_counter()
        self.refused += await self.command(ClaimAsset(asset=point(number), person=f"p{number}")) != "ok"
        self.taps.append((time.perf_counter() - begun_s) * 1000)

    async def talk(self, second: int, *, taps: bool) -> None:
        """One second of the hall, evenly."""
        messages, begun_s, said = self._messages(second), time.perf_counter(), 0
        asked = [asyncio.create_task(self.tap()) for _ in range(round(TAPS_PER_S))] if taps else []
        while said < len(messages):
            await asyncio.sleep(SLICE_S)
            due = min(len(messages), int((time.perf_counter() - begun_s) * len(messages)))
            while said < due:
                link, message = messages[said]
                await link.room.wait()  # as a link that the box asked to stop reading
                link.say(message)
                said += 1
        self.said += said
        await asyncio.gather(*asked)

    def _messages(self, second: int) -> list[tuple[Played, bytes]]:
        """What is said in a second over both links, each evenly."""
        found = [
            (place / max(1, len(said)), link, message)
            for link, said in ((self.field, self.field.second(second)), (self.outdoors, self.outdoors.second(second)))
            for place, message in enumerate(said)
        ]
        return [(link, message) for _, link, message in sorted(found, key=lambda one: one[0])]


async def _measure(folder: Path, size: _Size) -> list[Result]:
    store = FactsStore.open(folder, KERNELS["gym"]().kernel.row_types, vertical="gym", build="bench")
    try:
        run = _Run(store, size)
        run.daemon.start([ConfigApplied(gym(size.machines, size.layout))])
        run.hub.start()
        await run.people()
        for _ in range(20):
            await run.tap()
        floor, run.taps = quantile(run.taps, 0.5), []
        for second in range(1, WARM_UP_S + 1):
            await run.talk(second, taps=False)
        settle_memory()
        before, views, run.said = run.daemon.health(), run.outlets.views, 0
        begun_s, cpu_s = time.perf_counter(), time.process_time()
        made_s = 0.0
        for second in range(WARM_UP_S + 1, WARM_UP_S + 1 + size.seconds):
            start_s = time.process_time()
            Field.second(run.field, second)  # what the play itself costs: it is done once more in ``talk``
            made_s += 2 * (time.process_time() - start_s)
            await run.talk(second, taps=True)
        cpu_s, wall_s = time.process_time() - cpu_s - made_s, time.perf_counter() - begun_s
        after = run.daemon.health()
        await run.hub.stop()
        await run.daemon.stop()
    finally:
        store.close()
    outdoors = sum(len(run.outdoors.second(WARM_UP_S + 1 + second)) for second in range(size.seconds))
    return [
        result("share of a core at one word a second", cpu_s / size.seconds, "cores", target=CORE_SHARE),
        result("processor time of a word", cpu_s / run.said * 1e6, "us"),
        result("words per second", run.said / wall_s, "1/s"),
        result("of them outdoors", outdoors / wall_s, "1/s"),
        result("outdoor points heard", len(run.outlets.heard), "", target=size.layout.points, at_least=True),
        result("readings dropped", after["readings_dropped"] - before["readings_dropped"], "", target=0.0),
        result("views shown per second", (run.outlets.views - views) / wall_s, "1/s"),
        result("tap to durable answer p50", quantile(run.taps, 0.5), "ms", floor=floor),
        result("tap to durable answer p99", quantile(run.taps, 0.99), "ms", target=TAP_MS),
        result("taps refused", run.refused, "", target=0.0),
        result("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB", target=MEMORY_MIB),
    ]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kangle bench gym", description=__doc__)
    parser.add_argument("--machines", type=int, default=200)
    parser.add_argument("--straps", type=int, default=100)
    parser.add_argument("--points", type=int, default=232, help="outdoor points, in up to 63 compounds")
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(words)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(prefix="kangle-bench-gym-") as folder:
        layout = Layout(compounds=max(1, min(63, options.points)), points=options.points, machines=options.machines)
        size = _Size(options.machines, options.straps, layout, options.seconds)
        results = uvloop.run(_measure(Path(folder), size))
    return publish("gym", results, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
