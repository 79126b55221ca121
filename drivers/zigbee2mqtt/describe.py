"""Zigbee2MQTT messages as the fields that ``kangle decode zigbee2mqtt`` prints (decode contract, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from drivers.decoded import Decoded, Fields
from drivers.messages import decode_with
from drivers.zigbee2mqtt.frames import Availability, BridgeInfo, DeviceState, Frame, parse


def decode(line: bytes, options: Mapping[str, str]) -> Decoded:
    """Decode one input line: a message as a JSON object."""
    return decode_with(line, partial(parse, base_topic=options["base-topic"]), describe)


def describe(frame: Frame) -> Fields:
    match frame:
        case Availability(device=device, online=online):
            fields: Fields = {"kind": "bridge_state"} if device is None else {"kind": "availability", "device": device}
            return {**fields, "online": online, "alarm_state_name": None if online else "fault"}
        case BridgeInfo(version=version, sends_cache=sends_cache):
            return {"kind": "bridge_info", "version": version, "sends_cache": sends_cache}
        case DeviceState():
            return {
                "kind": "device_state",
                "device": frame.device,
                "smoke": frame.smoke,
                "test": frame.test,
                "tamper": frame.tamper,
                "battery_low": frame.battery_low,
                "battery_pct": frame.battery_pct,
                "link_quality": frame.link_quality,
                "smoke_density": frame.smoke_density,
                "stale": frame.retained,
                "alarm_state_name": frame.alarm_state,
            }
