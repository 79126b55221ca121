"""Zigbee2MQTT messages: topic and JSON payload to frames (decode contract, zigbee2mqtt).

The hard part is the difference between "false" and "not said". A detector's message often carries only what changed;
reading a missing ``smoke`` as false would take back an alarm. And a message that is damaged but still says smoke must
not vanish: it is refused, with ``alarm: fire``. A user would notice the first as an alarm that ends by itself, the
second as one that never came.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from drivers.messages import (
    Message,
    PayloadError,
    Problem,
    boolean,
    json_object,
    number,
    outermost,
)

BASE_TOPIC = "zigbee2mqtt"

#: What says smoke in a message that is refused for another reason.
_SAYS_SMOKE = re.compile(
    r'"smoke"\s*:\s*(?:true\b|1(?:\.0*)?\s*(?:[,}\s]|$)|"\s*(?:true|1|on|yes|alarm)\s*")', re.IGNORECASE
)


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """What the bridge thinks of a device, or (``bridge``) the broker's last will of the bridge itself."""

    device: str | None
    online: bool
    retained: bool


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """A device's message. ``fields`` are the payload's; the named ones are checked, None = not said."""

    device: str
    retained: bool
    smoke: bool | None = None
    test: bool | None = None
    tamper: bool | None = None
    battery_low: bool | None = None
    battery_defect: bool | None = None
    trouble: bool | None = None
    battery_pct: float | None = None
    link_quality: float | None = None
    smoke_density: float | None = None
    fields: dict[str, Any]

    @property
    def alarm_state(self) -> str:
        """The first that applies, in the contract's order."""
        if self.smoke:
            return "fire"
        if self.tamper:
            return "tamper"
        if self.battery_low or self.battery_defect or self.trouble:
            return "fault"
        if self.test:
            return "self_test"
        if self.smoke is None or self.retained:
            return "unknown"
        return "normal"


class BridgeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """``bridge/info``: which program serves the network. ``sends_cache``: at its start it sends what it remembers of
    its devices, and its settings put no ``last_seen`` beside it."""

    version: str
    sends_cache: bool = False


Frame = Availability | DeviceState | BridgeInfo


def parse(message: Message, base_topic: str = BASE_TOPIC) -> list[Frame | Problem]:
    """One message: one frame, one problem, or nothing where the bridge speaks of what is none of ours."""
    name = message.topic.removeprefix(base_topic + "/")
    if name == message.topic or not name:
        return [Problem("bad_message", f"the topic is not below {base_topic}/")]
    try:
        return [_parse(name, message)]
    except PayloadError as error:
        problem = error.problem
        alarm = "fire" if _is_device(name) and _says_smoke(message.payload) else ""
        return [problem._replace(alarm=alarm)]


def _is_device(name: str) -> bool:
    return not name.startswith("bridge/") and not name.endswith(("/availability", "/set", "/get"))


def _parse(name: str, message: Message) -> Frame:
    if "/" not in name:  # most that comes
        return _device_state(name, message)
    if name == "bridge/state":
        return Availability(device=None, online=_online(message), retained=message.retain)
    if name == "bridge/info":
        return _bridge_info(json_object(message))
    if name.endswith("/availability"):
        device = name.removesuffix("/availability")
        return Availability(device=device, online=_online(message), retained=message.retain)
    if not _is_device(name):
        raise PayloadError("bad_message", f"{name} is no message of a device")
    return _device_state(name, message)


def _bridge_info(fields: dict[str, Any]) -> BridgeInfo:
    version, config = fields.get("version"), fields.get("config")
    advanced = config.get("advanced") if isinstance(config, dict) else None
    sends = isinstance(advanced, dict) and not (
        advanced.get("cache_state") is False
        or advanced.get("cache_state_send_on_startup") is False
        or advanced.get("last_seen", "disable") != "disable"
    )
    return BridgeInfo(version=version if isinstance(version, str) else "", sends_cache=sends)


def _online(message: Message) -> bool:
    """JSON ``{"state": word}``, or the plain word of older versions."""
    word: object = message.payload.strip()
    if message.payload.lstrip().startswith(("{", "[", '"')):
        word = json_object(message).get("state")
    if word not in {"online", "offline"} or message.binary:
        raise PayloadError("bad_payload", "neither online nor offline")
    return word == "online"


def _device_state(device: str, message: Message) -> DeviceState:
    fields = json_object(message)
    if _NAMED.isdisjoint(fields):  # most that comes: plugs
        quality = number(fields, "linkquality", texts=True)
        return DeviceState(device=device, retained=message.retain, link_quality=quality, fields=fields)
    smoke = fields.get("smoke")
    if smoke is not True and smoke is not False and "smoke" in fields:
        raise PayloadError("bad_value", f"smoke is {smoke!r:.40}, not true or false")
    return DeviceState(
        device=device,
        retained=message.retain,
        smoke=smoke,
        test=boolean(fields, "test"),
        tamper=boolean(fields, "tamper"),
        battery_low=boolean(fields, "battery_low"),
        battery_defect=boolean(fields, "battery_defect"),
        trouble=boolean(fields, "trouble"),
        battery_pct=number(fields, "battery", texts=True),
        link_quality=number(fields, "linkquality", texts=True),
        smoke_density=number(fields, "smoke_density", texts=True),
        fields=fields,
    )


#: The keys that are checked, but for "linkquality", which everything has.
_NAMED = frozenset({"smoke", "test", "tamper", "battery_low", "battery_defect", "trouble", "battery", "smoke_density"})


def _says_smoke(payload: str) -> bool:
    """Whether a refused message is whole, to its last brace, and says smoke: true among repeated keys, as text, 1."""
    within = outermost(payload)
    return within is not None and _SAYS_SMOKE.search(within) is not None
