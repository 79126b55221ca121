"""The demo's access doors: what the simulated garage is told of the example's readers, and whose cards people carry.

A user would notice a mistake here as a card that opens a door of the example and does nothing in the demo.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.domain.garage.settings import GarageConfig
from edge.site import DeviceSettings

PROTOCOL = "osdp"
BAUD = 9600


def doors_and_readers(
    garage: GarageConfig, devices: Mapping[str, DeviceSettings], ports: Mapping[str, int], key: str
) -> dict[str, Any]:
    """``readers`` and ``doors`` of ``firmware_sim.garage.doorconfig``; ``key`` is that of every reader."""
    lines = [name for name, device in devices.items() if device.protocol == PROTOCOL]
    return {
        "readers": [{"name": name, "port": ports[name], "baud": BAUD, "key": key} for name in lines],
        "doors": [
            {
                "door": door.door,
                "zone": door.zone,
                "line": door.reader.device,
                "address": int(door.reader.point),
                "cards": [each.card for each in garage.credentials if each.opens(door.door)],
            }
            for door in garage.doors
            if door.reader.device in lines
        ],
    }
