"""The simulated garage as its control socket shows it: what is true, beside what the devices say."""

from __future__ import annotations

from firmware_sim.control import Json
from firmware_sim.dlt645 import Meter
from firmware_sim.garage.building import Bay
from firmware_sim.garage.config import GarageConfig
from firmware_sim.garage.devices import Devices
from firmware_sim.garage.people import People
from firmware_sim.outlet import Outlet


def picture(devices: Devices, people: People, config: GarageConfig) -> Json:
    """All zones with their bays, heads and outputs. ``flows_w`` is what really flows."""
    building = devices.building
    return {
        "zones": {name: _zone(devices, name) for name in config.zones},
        "wires": {name: {"port": wire.port, "dead": wire.dead} for name, wire in devices.wires.items()},
        "gateway": devices.bridge.network_up and not devices.bridge.way.dark,
        "people": people.on,
        "speed": building.speed,
    }


def _zone(devices: Devices, name: str) -> Json:
    building = devices.building
    zone = building.zones[name]
    bays = [bay for bay in building.bays.values() if bay.zone == name]
    heads = [head for head in building.heads.values() if head.zone == name]
    return {
        "smoke": round(zone.smoke, 2),
        "burning": zone.burning,
        "live": zone.live,
        "flows_w": round(sum(flows_w(bay) for bay in bays), 1),
        "outputs": {each.config.output: each.copper for each in devices.relays.values() if each.config.zone == name},
        "heads": {head.source: head.alarm for head in heads},
        "ports": {bay.port: _bay(devices, bay) for bay in bays},
        "doors": {
            door: {"locked": each.locked, "open": each.is_open}
            for door, each in devices.doors.items()
            if each.config.zone == name
        },
    }


def _bay(devices: Devices, bay: Bay) -> Json:
    plug = devices.plugs.get(bay.port)
    return {
        "bikes": [f"{each.name} {each.soc:.0%}" for each in bay.chargers],
        "flows_w": round(flows_w(bay), 1),
        "conducts": bay.socket.conducts,
        "welded": bay.socket.welded,
        "dark": plug.way.dark if plug is not None else False,
        "loose": bay.loose,
    }


def flows_w(bay: Bay) -> float:
    """The power that really flows through a bay, W."""
    match bay.socket:
        case Outlet() as outlet:
            return outlet.power_w
        case Meter() as meter:
            return meter.true_w
