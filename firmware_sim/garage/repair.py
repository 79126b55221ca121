"""Mending what was broken on purpose: one bay, one head, one zone, or everything."""

from __future__ import annotations

from firmware_sim.dlt645 import Meter
from firmware_sim.garage.building import Bay, Head, Zone
from firmware_sim.garage.devices import Devices
from firmware_sim.outlet import Outlet


def mend_all(devices: Devices) -> None:
    """Everything in the garage is as on the first day; what is plugged in stays."""
    for zone in devices.building.zones.values():
        mend_zone(devices, zone)
    devices.bridge.way.dark = False
    if not devices.bridge.network_up:
        devices.bridge.find_network()
    for wire in devices.wires.values():
        wire.cut(dead=False)


def mend_zone(devices: Devices, zone: Zone) -> None:
    """Contactors, feed, doors, bays and heads of a zone; the smoke is let out."""
    devices.building.air(zone.zone)
    for relay in devices.relays.values():
        if relay.config.zone == zone.zone:
            relay.mend()
    zone.fed = True
    for door in devices.doors.values():
        if door.config.zone == zone.zone:
            door.swing(is_open=False)
    for bay in devices.building.bays.values():
        if bay.zone == zone.zone:
            mend_bay(devices, bay)
    for head in devices.building.heads.values():
        if head.zone == zone.zone:
            mend_head(devices, head)


def mend_bay(devices: Devices, bay: Bay) -> None:
    """The socket works again, one bike hangs on it at most."""
    bay.loose = False
    bay.chargers = bay.chargers[:1]
    for charger in bay.chargers:
        charger.extra_w = 0.0
    devices.cut_off.discard(bay.port)
    socket = bay.socket
    match socket:
        case Outlet():
            socket.welded = socket.deaf = socket.lying = socket.stuck_meter = False
        case Meter():
            socket.welded = socket.deaf_relay = socket.stuck = socket.dead = False


def mend_head(devices: Devices, head: Head) -> None:
    """A new battery, a clean chamber; the bridge finds it again."""
    head.stuck = head.blind = False
    name = devices.zigbee.get(head.source)
    if name is None:
        return
    thing = devices.bridge.things[name]
    if thing.dead:
        thing.dead, thing.battery = False, 100.0
        devices.bridge.set_available(name, online=True)
        devices.bridge.tell(name)
