"""The field of the whole-path bench: a garage of any size on one Zigbee2MQTT bridge, and what its devices say.

Of ``HEAD_EVERY`` devices one is a smoke head, the others are plugs, of which each ``CHARGING_EVERY``-th charges. The
hard part is to be as uneven as a field: powers drift, energies count up, batteries and link qualities flicker, so that
neither the kernel nor the log's compression is spared anything. A user would notice a mistake as a box that carries a
bench and not a garage.
"""

from __future__ import annotations

import asyncio
import random

import msgspec

from drivers.links.link import Link, LinkHandler
from edge.domain.field_devices import SignalKind
from edge.domain.garage.settings import (
    GarageConfig,
    OutputKind,
    OutputSettings,
    PortSettings,
    SourceSettings,
    TariffBand,
    TariffSettings,
    ZoneSettings,
)
from edge.domain.places import Place
from edge.domain.words import Text

DEVICE = "bridge"
ZONES = 20
HEAD_EVERY = 20
CHARGING_EVERY = 4

_HEAD = '{"smoke":false,"battery":97,"linkquality":%d}'
_PLUG = '{"state":"%s","power":%s,"current":%s,"voltage":%d,"energy":%s,"linkquality":%d}'


def is_head(number: int) -> bool:
    return number % HEAD_EVERY == 0


def is_charging(number: int) -> bool:
    return not is_head(number) and number % CHARGING_EVERY == 1


def point(number: int) -> str:
    """The device's name at the bridge; also the name of its port or source."""
    return f"head-{number}" if is_head(number) else f"plug-{number}"


class Field:
    """The bridge's end of the link (``drivers.links.link.Opener`` and ``Link`` in one), seeded. Nothing charges before
    ``charging`` is set: the interlock would cut what draws without a session."""

    def __init__(self, devices: int) -> None:
        self.devices = devices
        self.commands = 0
        self.charging = False
        self.room = asyncio.Event()
        self.room.set()
        self._handler: LinkHandler | None = None
        self._random = random.Random(devices)  # noqa: S311 - a repeatable play, no secret
        self._energy_wh = [self._random.randrange(1000, 900_000) for _ in range(devices)]
        self._power_dw = [self._random.randrange(600, 2400) for _ in range(devices)]

    async def open(self, handler: LinkHandler) -> Link:
        self._handler = handler
        return self

    def close(self) -> None:
        self._handler = None

    def write(self, data: bytes) -> None:
        """Commands are counted and go nowhere."""
        self.commands += 1

    def pause_reading(self) -> None:
        """The daemon has no room: messages wait with the bridge, as they would in its socket."""
        self.room.clear()

    def resume_reading(self) -> None:
        self.room.set()

    def say(self, message: bytes) -> None:
        """A message of ``message`` arrives."""
        assert self._handler is not None, "the bridge is not open"
        self._handler.data_received(message)

    def message(self, number: int) -> bytes:
        """What a device says next, as an MQTT link would hand it over."""
        draw = self._random.randrange
        if is_head(number):
            payload = _HEAD % draw(80, 120)
        elif self.charging and is_charging(number):
            self._power_dw[number] += draw(-3, 4)
            self._energy_wh[number] += draw(2)
            power_w = self._power_dw[number] / 10
            energy_kwh = self._energy_wh[number] / 1000
            payload = _PLUG % ("ON", power_w, round(power_w / 217, 3), draw(226, 233), energy_kwh, draw(80, 120))
        else:
            payload = _PLUG % ("OFF", 0, 0, draw(226, 233), self._energy_wh[number] / 1000, draw(80, 120))
        return msgspec.json.encode({"topic": f"zigbee2mqtt/{point(number)}", "payload": payload, "retain": False})


def garage(devices: int) -> GarageConfig:
    """Zones of heads and plugs, each with a contactor; limits far away."""
    zones = [f"z{number}" for number in range(min(ZONES, -(-devices // HEAD_EVERY)))]
    heads: list[SourceSettings] = []
    plugs: list[PortSettings] = []
    for number in range(devices):
        name, zone = point(number), zones[number // HEAD_EVERY % len(zones)]
        at = Place(DEVICE, name)
        if is_head(number):
            heads.append(SourceSettings(source=name, zone=zone, kind=SignalKind.SMOKE, at=at, name=_text(name)))
        else:
            plugs.append(PortSettings(port=name, zone=zone, at=at, name=_text(name)))
    band = TariffBand(start_min=0, end_min=1440, energy_fen_per_kwh=60, service_fen_per_kwh=40)
    return GarageConfig(
        version="1",
        site=_text("bench"),
        utc_offset_min=480,
        zones=tuple(ZoneSettings(zone=zone, name=_text(zone), limit_w=1_000_000, panels=(zone,)) for zone in zones),
        sources=tuple(heads),
        outputs=tuple(_contactor(zone) for zone in zones),
        ports=tuple(plugs),
        tariff=TariffSettings(version="1", bands=(band,)),
    )


def _contactor(zone: str) -> OutputSettings:
    name = f"{zone}-k"
    return OutputSettings(output=name, zone=zone, kind=OutputKind.CONTACTOR, at=Place(DEVICE, name), name=_text(name))


def _text(word: str) -> Text:
    return Text(zh=word, en=word)
