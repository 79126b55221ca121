"""``python -m firmware_sim.tasmota --config FILE.json``: Tasmota plugs on a broker.

``{"port": 1883, "devices": [{"topic": "plug1", "outlets": [{"load_w": 120}], "max_power_w": 600}]}``
"""

from __future__ import annotations

import sys

from firmware_sim.control import ControlError, Json
from firmware_sim.jsonconfig import ConfigReader
from firmware_sim.mqttprogram import Fleet, read_outlets, start
from firmware_sim.tasmota.plug import TasmotaPlug

KNOWN = {"topic", "outlets", "max_power_w", "power_on_state", "retained_power"}


def build(reader: ConfigReader, rows: list[tuple[str, dict[str, object]]], seed: int) -> Fleet:
    """The plugs of the file, and the operation ``reboot``."""
    fleet = Fleet()
    for index, (place, row) in enumerate(rows):
        name = reader.get(row, "topic", place, str)
        outlets = read_outlets(reader, row, place, seed + 100 * index)
        retained = reader.get(row, "retained_power", place, bool, default=False)
        plug = TasmotaPlug(name, outlets, seed=seed + index, retained_power=retained)
        plug.max_power_w = reader.get(row, "max_power_w", place, int, 0)
        plug.power_on_state = reader.get(row, "power_on_state", place, int, 3)
        if name in fleet.devices:
            reader.say(f"{place}.topic", f"{name} is there twice")
        fleet.devices[name] = plug
        fleet.outlets |= {f"{name}:{channel}": outlet for channel, outlet in enumerate(outlets, 1)}

    async def reboot(request: Json) -> Json:
        plug = fleet.device(request)
        if not isinstance(plug, TasmotaPlug):
            raise ControlError("no plug")
        plug.reboot()
        return {}

    fleet.operations["reboot"] = reboot
    return fleet


if __name__ == "__main__":
    sys.exit(start("firmware_sim.tasmota", build, KNOWN, __doc__))
