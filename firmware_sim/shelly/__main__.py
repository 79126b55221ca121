"""``python -m firmware_sim.shelly --config FILE.json``: Shelly plugs on a broker.

``{"port": 1883, "devices": [{"device": "garage/plug1", "outlets": [{"load_w": 120}], "initial_state": "on"}]}``
"""

from __future__ import annotations

import sys

from firmware_sim.control import ControlError, Json
from firmware_sim.jsonconfig import ConfigReader
from firmware_sim.mqttprogram import Fleet, read_outlets, start
from firmware_sim.shelly.plug import ShellyPlug

KNOWN = {"device", "outlets", "initial_state", "power_limit", "notify"}


def build(reader: ConfigReader, rows: list[tuple[str, dict[str, object]]], seed: int) -> Fleet:
    """The plugs of the file, and the operation ``reboot``."""
    fleet = Fleet()
    for index, (place, row) in enumerate(rows):
        name = reader.get(row, "device", place, str)
        outlets = read_outlets(reader, row, place, seed + 100 * index)
        plug = ShellyPlug(name, outlets, seed=seed + index, notify=reader.get(row, "notify", place, bool, default=True))
        for switch in plug.switches:
            switch.settings.initial_state = reader.get(row, "initial_state", place, str, "restore_last")
            switch.settings.power_limit = reader.get(row, "power_limit", place, float, 2500.0)
        if name in fleet.devices:
            reader.say(f"{place}.device", f"{name} is there twice")
        fleet.devices[name] = plug
        fleet.outlets |= {f"{name}:{channel}": outlet for channel, outlet in enumerate(outlets)}

    async def reboot(request: Json) -> Json:
        plug = fleet.device(request)
        if not isinstance(plug, ShellyPlug):
            raise ControlError("no plug")
        plug.reboot()
        return {}

    fleet.operations["reboot"] = reboot
    return fleet


if __name__ == "__main__":
    sys.exit(start("firmware_sim.shelly", build, KNOWN, __doc__))
