"""``python -m firmware_sim.zigbee2mqtt --config FILE.json``: one Zigbee2MQTT with its network on a broker.

``{"port": 1883, "devices": [{"name": "B1/smoke1", "kind": "smoke", "report_s": 60}, {"name": "B1/siren", "kind":
"siren"}]}``; kinds: smoke, heat, gas, carbon_monoxide, contact, button, siren, plug.
"""

from __future__ import annotations

import sys

from firmware_sim.control import ControlError, Json, Operation, text
from firmware_sim.jsonconfig import ConfigReader
from firmware_sim.mqttprogram import Fleet, start
from firmware_sim.outlet import Outlet
from firmware_sim.zigbee2mqtt.bridge import Bridge
from firmware_sim.zigbee2mqtt.things import Button, Contact, Detector, Plug, Siren, Thing

KNOWN = {"name", "kind", "report_s", "battery", "inverted", "test_as_tamper", "load_w"}
HEADS = ("smoke", "heat", "gas", "carbon_monoxide")
KINDS = (*HEADS, "contact", "button", "siren", "plug")
FLAGS = ("dead", "alarm", "test", "tamper", "trouble", "open", "deaf")


def build(reader: ConfigReader, rows: list[tuple[str, dict[str, object]]], seed: int) -> Fleet:
    """The bridge with the things of the file; operations ``set`` (name, flag, on), ``press``, ``network``."""
    things: dict[str, Thing] = {}
    fleet = Fleet()
    for index, (place, row) in enumerate(rows):
        thing = _thing(reader, row, place, seed + index)
        if thing.name in things:
            reader.say(f"{place}.name", f"{thing.name} is there twice")
        things[thing.name] = thing
        if isinstance(thing, Plug):
            fleet.outlets[thing.name] = thing.outlet
    bridge = Bridge(things.values(), seed=seed)
    fleet.devices["bridge"] = bridge
    fleet.operations |= _operations(bridge)
    return fleet


def _thing(reader: ConfigReader, row: dict[str, object], place: str, seed: int) -> Thing:
    name = reader.get(row, "name", place, str)
    kind = reader.get(row, "kind", place, str, "smoke")
    report_s = reader.get(row, "report_s", place, float, 3600.0)
    battery = reader.get(row, "battery", place, float, 100.0)
    match kind:
        case "contact":
            return Contact(name, report_s, battery)
        case "button":
            return Button(name, report_s, battery)
        case "siren":
            return Siren(name, report_s, battery)
        case "plug":
            outlet = Outlet(load_w=reader.get(row, "load_w", place, float, 0.0), seed=seed)
            return Plug(name, report_s, battery, outlet=outlet)
        case _:
            if kind not in HEADS:
                reader.say(f"{place}.kind", f"{kind!r} is none of {', '.join(KINDS)}")
            inverted = reader.get(row, "inverted", place, bool, default=False)
            as_tamper = reader.get(row, "test_as_tamper", place, bool, default=False)
            return Detector(name, report_s, battery, key=kind, inverted=inverted, test_as_tamper=as_tamper)


def _operations(bridge: Bridge) -> dict[str, Operation]:
    def thing_of(request: Json) -> Thing:
        name = text(request, "name")
        if name not in bridge.things:
            raise ControlError(f'"name" must be one of: {", ".join(bridge.things)}')
        return bridge.things[name]

    async def set_flag(request: Json) -> Json:
        thing, flag = thing_of(request), text(request, "flag")
        if flag not in FLAGS or not hasattr(thing, flag):
            raise ControlError(f'"flag" must be one of: {", ".join(each for each in FLAGS if hasattr(thing, each))}')
        setattr(thing, flag, request.get("on", True) is True)
        bridge.tell(thing.name)
        return {}

    async def press(request: Json) -> Json:
        thing = thing_of(request)
        if not isinstance(thing, Button):
            raise ControlError(f"{thing.name} is no button")
        bridge.press(thing.name, text(request, "action", "emergency"))
        return {}

    async def network(request: Json) -> Json:
        if request.get("up", True) is True:
            bridge.find_network()
        else:
            bridge.lose_network()
        return {}

    return {"set": set_flag, "press": press, "network": network}


if __name__ == "__main__":
    sys.exit(start("firmware_sim.zigbee2mqtt", build, KNOWN, __doc__))
