"""Zigbee2MQTT messages: topic and JSON payload to frames (decode contract, zigbee2mqtt).

The hard part is the difference between "false" and "not said". A detector's message often carries only what changed;
reading a missing ``smoke`` as false would take back an alarm. And a message that is damaged but still says smoke must
not vanish: it is refused, with ``alarm: fire``. A user would notice the first as an alarm that ends by itself, the
second as one that never came.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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


def unchecked(name: str, message: Message) -> DeviceState | None:
    """A device's message that was refused for one of its keys: with all of them, none checked. None when it is no
    device's, or cannot be read at all."""
    try:
        fields = json_object(message) if _is_device(name) else None
    except PayloadError:
        return None
    return None if fields is None else DeviceState(device=name, retained=message.retain, fields=fields)


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
    """Only what is there is looked at: smoke waits for it."""
    fields = json_object(message)
    named = [key for key in fields if key in _CHECKS]
    if len(named) > 1:
        named.sort(key=_ORDER.__getitem__)
    checked = {_CHECKS[key][0]: _CHECKS[key][1](fields, key) for key in named}
    return DeviceState(device=device, retained=message.retain, fields=fields, **checked)


def _smoke(fields: dict[str, Any], key: str) -> bool:
    smoke = fields[key]
    if smoke is True or smoke is False:
        return smoke
    raise PayloadError("bad_value", f"smoke is {smoke!r:.40}, not true or false")


def _text_number(fields: dict[str, Any], key: str) -> float | None:
    return number(fields, key, texts=True)


#: Key -> (what ``DeviceState`` calls it, how it is checked), in the order in which a message is judged.
_CHECKS: dict[str, tuple[str, Callable[[dict[str, Any], str], Any]]] = {
    "smoke": ("smoke", _smoke),
    **{key: (key, boolean) for key in ("test", "tamper", "battery_low", "battery_defect", "trouble")},
    "battery": ("battery_pct", _text_number),
    "linkquality": ("link_quality", _text_number),
    "smoke_density": ("smoke_density", _text_number),
}
_ORDER = {key: place for place, key in enumerate(_CHECKS)}


def _says_smoke(payload: str) -> bool:
    """Whether a refused message is whole, to its last brace, and says smoke: true among repeated keys, as text, 1."""
    within = outermost(payload)
    return within is not None and _SAYS_SMOKE.search(within) is not None
