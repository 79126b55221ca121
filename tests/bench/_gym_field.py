"""The field of the gym bench: simulated machines and straps on a played Bluetooth gateway, counters of outdoor points
and gates of a trail on a played broker, and the gym they stand in.

Their records are made before the clock starts; what is measured is what the box does with them.
"""

from __future__ import annotations

import asyncio
import json
import random

from _gym_site import Layout, gate_place, point_place

from drivers.links.link import Link, LinkHandler
from edge.domain.gym.settings import (
    AssetKind,
    AssetSettings,
    GateSettings,
    GymConfig,
    TrailSettings,
    WearSettings,
    ZoneSettings,
)
from edge.domain.places import Place
from edge.domain.words import Text
from firmware_sim.exercise import Exercise
from firmware_sim.ftms.machine import FtmsMachine
from firmware_sim.heart_rate.strap import Strap
from firmware_sim.peripheral import Peripheral
from firmware_sim.trail_gates import TrailPost

DEVICE, TRAIL = "ble", "trail"
ZONE = "hall"
_KINDS = ("treadmill", "bike", "cross_trainer", "rower")
NS_PER_S = 1_000_000_000
#: In the evening each outdoor point is used so often, as in the demo.
USED_EVERY_S = 45.0
WALKERS, GATES, LENGTH_M, WALK_M_S = 30, 6, 1800, 6.0 / 3.6


def point(number: int) -> str:
    """The machine's name."""
    return f"m{number}"


class Played:
    """A link opener that plays the broker."""

    sticky = True

    def __init__(self) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self._handler: LinkHandler | None = None

    async def open(self, handler: LinkHandler) -> Link:
        self._handler = handler
        return self

    def close(self) -> None:
        self._handler = None

    def write(self, data: bytes) -> None:
        """Nothing is written to a machine."""
        raise AssertionError(data)

    def pause_reading(self) -> None:
        self.room.clear()

    def resume_reading(self) -> None:
        self.room.set()

    def say(self, message: bytes) -> None:
        """A message of the gateway arrives."""
        assert self._handler is not None, "the gateway is not open"
        self._handler.data_received(message)


class Field(Played):
    """``machines`` of which all are in use, ``straps`` on the first of them."""

    def __init__(self, machines: int, straps: int) -> None:
        super().__init__()
        self._seq = 0
        exercises = [Exercise(_KINDS[n % 4], effort=0.3 + 0.5 * (n % 7) / 7) for n in range(machines)]
        for each in exercises:
            each.start(0)
        self._machines: list[tuple[str, Peripheral]] = [
            (point(n), FtmsMachine(each)) for n, each in enumerate(exercises)
        ]
        self._straps: list[tuple[str, Peripheral]] = [
            (f"s{n}", Strap(exercise=exercises[n])) for n in range(min(straps, machines))
        ]

    def second(self, number: int) -> list[bytes]:
        """All that is said in one second, as an MQTT link would hand it over."""
        found = []
        for name, peripheral in (*self._machines, *self._straps):
            for value in peripheral.values(number * NS_PER_S):
                self._seq += 1
                payload = {"transport": "ble", "char": value.char, "hex": value.data.hex(), "seq": self._seq}
                found.append(_mqtt(f"bench/{ZONE}/{name}/raw", json.dumps(payload)))
        return found


class Outdoors(Played):
    """Outdoor points that speak when they are used and gates that see walkers, for ``seconds`` from second 1 on; in
    the first one every point says where its counter stands."""

    def __init__(self, layout: Layout, seconds: int) -> None:
        super().__init__()
        rng = random.Random(7)
        points = [TrailPost(point_place(*one), seed=n) for n, one in enumerate(layout.all_points())]
        gates = [TrailPost(gate_place(n), seed=10_000 + n) for n in range(GATES if points else 0)]
        for post in (*points, *gates):
            post.begin(0)
            post.connected(0)
        self._said: list[list[bytes]] = [[]]
        for second in range(1, seconds + 1):
            for post in points:
                post.now_ns = second * NS_PER_S
                if second == 1 or rng.random() < 1 / USED_EVERY_S:
                    post.use()
            for number, post in enumerate(gates):
                for walker in range(WALKERS):
                    if self._passes(walker, number, second):
                        post.walk_by(f"{0xBEEF0000 + walker:08x}")
            self._said.append(
                [_mqtt(one.topic, one.payload) for post in (*points, *gates) for one in _out(post, second)]
            )

    @staticmethod
    def _passes(walker: int, gate: int, second: int) -> bool:
        """Whether a walker comes to this gate in this second; they are spread over the loop."""
        before, after = (LENGTH_M * walker / WALKERS + WALK_M_S * one for one in (second - 1, second))
        at_m = LENGTH_M * gate / GATES
        return (before - at_m) // LENGTH_M < (after - at_m) // LENGTH_M

    def second(self, number: int) -> list[bytes]:
        """All that is said in one second."""
        return self._said[number]


def _out(post: TrailPost, second: int) -> list[tuple[str, str]]:
    post.tick(second * NS_PER_S)
    return post.take(second * NS_PER_S)  # type: ignore[return-value] # a publication begins with both


def _mqtt(topic: str, payload: str) -> bytes:
    return json.dumps({"topic": topic, "payload": payload, "retain": False}).encode()


def _words(word: str) -> Text:
    return Text(word, word)


def gym(machines: int, layout: Layout) -> GymConfig:
    """One hall in which limits are watched, and the compounds of ``layout``, where inspections are long due."""
    assets = tuple(
        AssetSettings(
            asset=point(n), zone=ZONE, kind=AssetKind(_KINDS[n % 4]), name=_words(point(n)),
            at=(Place(DEVICE, f"{ZONE}/{point(n)}"),), heart=(Place(DEVICE, f"{ZONE}/s{n}"),),
        )
        for n in range(machines)
    )  # fmt: skip
    outdoors = tuple(
        AssetSettings(
            asset=name, zone=zone, kind=AssetKind.OUTDOOR, name=_words(name), installed="2024-05-01",
            at=(Place(TRAIL, point_place(zone, name)),),
        )
        for zone, name in layout.all_points()
    )  # fmt: skip
    gates = tuple(
        GateSettings(gate=f"g{n}", name=_words(f"g{n}"), at=Place(TRAIL, gate_place(n)), at_m=LENGTH_M * n // GATES)
        for n in range(GATES)
    )
    return GymConfig(
        version="1",
        site=_words("bench"),
        zones=(
            ZoneSettings(zone=ZONE, name=_words(ZONE), open_min=0, limits=True, queue=True),
            *(ZoneSettings(zone=zone, name=_words(zone), open_min=0) for zone in layout.compound_names()),
        ),
        assets=assets + outdoors,
        trails=(TrailSettings(trail="loop", zone=ZONE, name=_words("loop"), length_m=LENGTH_M, gates=gates),),
        wear=(WearSettings(kind=AssetKind.OUTDOOR, inspect_days=30, silent_days=7),),
    )
