"""Driver of everything that Bluetooth gateways bring: values by the raw contract, and decoded adverts.

The hard part is whom not to hear: a gateway reports every telephone that walks by. Only devices that the site names
are listened to, and no person is told by a radio address. A user would notice a mistake as a stranger's watch on the
wall. What raw values mean is given from outside (``drivers.registry``): protocols do not know each other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from drivers.ble_gateway.frames import Advert, mac_of, parse
from drivers.engine import NS_PER_MS
from drivers.messages import Message, Problem
from drivers.options import OptionReader, OptionValue
from drivers.presence import STATUS
from drivers.rawtopics import RawDriver, Sessions, Stoppers
from drivers.rawvalue import RAW
from drivers.topics import POINTS_MAX
from edge.domain.devices import DeviceState
from edge.domain.field_devices import MeterReading
from edge.domain.machine_readings import HeartRateReading, WeightReading

SAME_NS = 30_000 * NS_PER_MS
"""A scale repeats its last weight in every advert; the same one within this time is one measurement."""

LWT = "LWT"
"""Where a gateway of the OpenMQTTGateway family says ``online``, and the broker ``offline`` in its place."""

_GATEWAYS_MAX = 64
_DEVICES = "MAC=POINT, separated by commas"


class BleGatewayDriver(RawDriver):
    """Options as PROTOCOL.md section 4 lists them. ``makers``: what gives the sessions of the raw channels, each told
    which points are Life Fitness bikes."""

    protocol = "ble_gateway"

    def __init__(
        self,
        options: Mapping[str, OptionValue],
        makers: Sequence[Callable[[frozenset[str]], Sessions]],
        stoppers: Stoppers,
    ) -> None:
        reader = OptionReader(self.protocol, options)
        self._base = reader.topic("base_topic", "home")
        life_fitness = reader.names("life_fitness")
        self._names = _names(reader)
        sessions = {channel: make for maker in makers for channel, make in maker(life_fitness).items()}
        super().__init__(reader, sessions, stoppers)
        reader.finish()
        self.topics = (*self.topics, f"{self._base}/+/BTtoMQTT/#", f"{self._base}/+/{LWT}")
        self._weights: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._gone: dict[str, None] = {}

    def on_message(self, message: Message) -> None:
        if message.topic.endswith((f"/{RAW}", f"/{STATUS}")):
            super().on_message(message)
            return
        if message.topic.endswith(f"/{LWT}"):
            self._gateway_said(message)
            return
        advert = parse(message, self._base)
        if isinstance(advert, Problem):
            self.refused += 1
            return
        self.heard()
        point = self._names.get(advert.mac)
        if point is None:
            self.foreign += 1
            return
        self._tell(point, advert)

    def on_opened(self) -> None:
        super().on_opened()
        self._gone.clear()

    def _gateway_said(self, message: Message) -> None:
        """A gateway's last will. Which devices it carries nobody knows, so the link is at fault until it is back."""
        word, gateway = message.payload.strip().lower(), message.topic.removeprefix(self._base + "/").split("/")[0]
        if word == "offline" and (gateway in self._gone or len(self._gone) < _GATEWAYS_MAX):
            self._gone[gateway] = None
        elif word == "online":
            self._gone.pop(gateway, None)
        else:
            self.refused += 1
            return
        if self._gone:
            names = ", ".join(sorted(self._gone))
            self.health(DeviceState.FAULT, "gateway_offline", f"{names}; one that is no more: clear its retained {LWT}")
        else:
            self.health(DeviceState.READY)

    def _tell(self, point: str, advert: Advert) -> None:
        if advert.weight_kg is not None and self._is_new_weight(point, advert.weight_kg):
            weight = WeightReading(
                point=point,
                weight_kg=advert.weight_kg,
                impedance_ohm=advert.impedance_ohm,
                retained=advert.retained,
            )
            self.say(weight)
        if advert.heart_rate_bpm is not None:
            self.say(HeartRateReading(point=point, heart_rate_bpm=advert.heart_rate_bpm, retained=advert.retained))
        if advert.temperature_c is not None:
            self.say(MeterReading(point=point, temperature_c=advert.temperature_c, retained=advert.retained))

    def _is_new_weight(self, point: str, weight_kg: float) -> bool:
        last_kg, told_ns = self._weights.get(point, (-1.0, 0))
        fresh = last_kg != weight_kg or self.now_ns - told_ns > SAME_NS
        self._weights[point] = (weight_kg, self.now_ns)
        if len(self._weights) > POINTS_MAX:
            self._weights.popitem(last=False)
        return fresh


def _names(reader: OptionReader) -> dict[str, str]:
    names: dict[str, str] = {}
    for pair in sorted(reader.names("devices")):
        mac, equals, point = pair.partition("=")
        plain = mac_of(mac.strip())
        if plain is None or not equals or not point.strip():
            reader.refuse("devices", pair, _DEVICES)
        names[plain] = point.strip()
    return names
