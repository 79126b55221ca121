"""The field of the gym bench: simulated machines and straps on a played Bluetooth gateway, and the gym they stand in.

Their records are made before the clock starts; what is measured is what the box does with them.
"""

from __future__ import annotations

import asyncio
import json

from drivers.links.link import Link, LinkHandler
from edge.domain.gym.settings import AssetKind, AssetSettings, GymConfig, ZoneSettings
from edge.domain.places import Place
from edge.domain.words import Text
from firmware_sim.exercise import Exercise
from firmware_sim.ftms.machine import FtmsMachine
from firmware_sim.heart_rate.strap import Strap
from firmware_sim.peripheral import Peripheral

DEVICE = "ble"
ZONE = "hall"
_KINDS = ("treadmill", "bike", "cross_trainer", "rower")
NS_PER_S = 1_000_000_000


def point(number: int) -> str:
    """The machine's name."""
    return f"m{number}"


class Field:
    """A link opener that plays the broker: ``machines`` of which all are in use, ``straps`` on the first of them."""

    sticky = True

    def __init__(self, machines: int, straps: int) -> None:
        self.room = asyncio.Event()
        self.room.set()
        self._handler: LinkHandler | None = None
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
                message = {"topic": f"bench/{ZONE}/{name}/raw", "payload": json.dumps(payload), "retain": False}
                found.append(json.dumps(message).encode())
        return found

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


def gym(machines: int) -> GymConfig:
    """One hall in which limits are watched."""
    assets = tuple(
        AssetSettings(
            asset=point(n), zone=ZONE, kind=AssetKind(_KINDS[n % 4]), name=Text(point(n), point(n)),
            at=(Place(DEVICE, f"{ZONE}/{point(n)}"),), heart=(Place(DEVICE, f"{ZONE}/s{n}"),),
        )
        for n in range(machines)
    )  # fmt: skip
    zone = ZoneSettings(zone=ZONE, name=Text(ZONE, ZONE), open_min=0, limits=True, queue=True)
    return GymConfig(version="1", site=Text("bench", "bench"), zones=(zone,), assets=assets)
