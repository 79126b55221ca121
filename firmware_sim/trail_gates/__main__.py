"""``python -m firmware_sim.trail_gates --config FILE.json``: trail posts and usage counters on a broker.

``{"port": 1883, "devices": [{"name": "trail/gate1"}, {"name": "court/swing2"}]}``. Control: ``walk`` (device, tag),
``use`` (device), beside ``way`` of all MQTT devices.
"""

from __future__ import annotations

import sys
import time

from firmware_sim.control import ControlError, Json, text
from firmware_sim.jsonconfig import ConfigReader
from firmware_sim.mqttprogram import Fleet, start
from firmware_sim.trail_gates.gate import TrailPost

KNOWN = {"name"}


def build(reader: ConfigReader, rows: list[tuple[str, dict[str, object]]], seed: int) -> Fleet:
    fleet = Fleet()
    for index, (place, row) in enumerate(rows):
        name = reader.get(row, "name", place, str)
        if name.count("/") != 1 or name in fleet.devices:
            reader.say(f"{place}.name", f"{name!r} must be <zone>/<post>, once")
        fleet.devices[name] = TrailPost(name, seed=seed + index, unix_ms=time.time_ns() // 1_000_000)

    def post_of(request: Json) -> TrailPost:
        post = fleet.device(request)
        assert isinstance(post, TrailPost)
        return post

    async def walk(request: Json) -> Json:
        tag = text(request, "tag")
        if not 4 <= len(tag) <= 64 or set(tag) - set("0123456789abcdef"):
            raise ControlError('"tag" must be 4 to 64 hex digits')
        post_of(request).walk_by(tag)
        return {}

    async def use(request: Json) -> Json:
        post_of(request).use()
        return {}

    fleet.operations |= {"walk": walk, "use": use}
    return fleet


if __name__ == "__main__":
    sys.exit(start("firmware_sim.trail_gates", build, KNOWN, __doc__))
