"""What may be done to the simulated garage while it runs: the operations of its control socket.

``state`` · ``smoke`` {zone, one} · ``heat`` ``gas`` ``call`` ``panel`` ``key`` ``clear`` {zone} · ``plug`` {port,
start} · ``unplug`` ``swap`` ``splitter`` ``loose`` ``overload`` ``stuck`` ``reboot`` ``dark`` {port} · ``weld`` ``lie``
{name: a port, or a zone for its contactor} · ``dead`` ``blind`` ``jam`` ``stale`` {head} · ``gateway`` ``people``
{on} · ``cable`` {wire, on} · ``broker`` · ``speed`` {times} · ``mend`` {name: zone, port, head; "" = everything}. What
may be done at its doors is in ``doors``.
Names are taken in any case, and by a beginning that only one has.
"""

from __future__ import annotations

import asyncio

from firmware_sim.control import ControlError, Json, Operation, number, text
from firmware_sim.dlt645 import Meter
from firmware_sim.garage.building import Bay, Head, Zone
from firmware_sim.garage.config import GarageConfig
from firmware_sim.garage.devices import Devices, Relay
from firmware_sim.garage.doors import DoorOrders
from firmware_sim.garage.naming import flag, named
from firmware_sim.garage.people import People
from firmware_sim.garage.picture import picture
from firmware_sim.garage.repair import mend_all, mend_bay, mend_head, mend_zone
from firmware_sim.outlet import Outlet
from firmware_sim.shelly import ShellyPlug
from firmware_sim.stage import stop_broker

OVERLOAD_W = 700.0
#: A key is held turned for so long.
KEY_S = 1.5
MAX_SPEED = 3600
_BY_KIND = {"heat": "heat", "gas": "gas", "call": "call_point", "panel": "panel_fire", "key": "key_switch"}


class Orders:
    """The operations, on one garage."""

    def __init__(self, config: GarageConfig, devices: Devices, people: People) -> None:
        self._config = config
        self._devices = devices
        self._building = devices.building
        self._people = people
        self._tasks: set[asyncio.Task[None]] = set()

    def operations(self) -> dict[str, Operation]:
        """By name, for ``firmware_sim.control.serve``."""
        names = (
            "state", "smoke", "clear", "plug", "unplug", "swap", "splitter", "loose", "overload", "weld", "lie",
            "stuck", "reboot", "dark", "dead", "blind", "jam", "stale", "gateway", "people", "cable", "broker",
            "speed", "mend",
        )  # fmt: skip
        found: dict[str, Operation] = {name: getattr(self, name) for name in names}
        found |= DoorOrders(self._devices.doors).operations()
        return found | {name: self._force(kind) for name, kind in _BY_KIND.items()}

    async def state(self, _request: Json) -> Json:
        return picture(self._devices, self._people, self._config)

    # --- the zone -----------------------------------------------------------------------------------------------------

    async def smoke(self, request: Json) -> Json:
        zone = self._zone(request)
        self._building.ignite(zone.zone, one_head=flag(request, "one", default=False))
        return {"zone": zone.zone}

    async def clear(self, request: Json) -> Json:
        zone = self._zone(request)
        self._building.air(zone.zone)
        return {"zone": zone.zone}

    def _force(self, kind: str) -> Operation:
        async def force(request: Json) -> Json:
            zone = self._zone(request)
            heads = [head for head in self._building.heads.values() if (head.zone, head.kind) == (zone.zone, kind)]
            if not heads:
                raise ControlError(f"zone {zone.zone} has no {kind.replace('_', ' ')}")
            heads[0].forced = True
            if kind == "key_switch":
                self._later(KEY_S, heads[0])
            return {"zone": zone.zone, "head": heads[0].source}

        return force

    def _later(self, seconds: float, head: Head) -> None:
        async def release() -> None:
            await asyncio.sleep(seconds)
            head.forced = False

        task = asyncio.get_running_loop().create_task(release())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- bays ---------------------------------------------------------------------------------------------------------

    async def plug(self, request: Json) -> Json:
        bay = self._bay(request)
        if bay.chargers:
            raise ControlError(f"{bay.port} is taken; unplug it first, or use swap or splitter")
        code = await self._people.plug(bay, start=flag(request, "start", default=True))
        return {"port": bay.port, "start": code}

    async def unplug(self, request: Json) -> Json:
        bay = self._bay(request)
        taken = [charger.name for charger in bay.chargers]
        self._people.unplug(bay)
        return {"port": bay.port, "taken": taken}

    async def swap(self, request: Json) -> Json:
        """Another bike takes the place of the one that charges; nobody asks the box."""
        bay = self._used_bay(request)
        self._people.unplug(bay)
        await self._people.plug(bay, start=False)
        return {"port": bay.port, "bike": bay.chargers[0].name}

    async def splitter(self, request: Json) -> Json:
        bay = self._used_bay(request)
        self._people.split(bay)
        return {"port": bay.port, "bikes": [charger.name for charger in bay.chargers]}

    async def loose(self, request: Json) -> Json:
        bay = self._used_bay(request)
        bay.loose = True
        return {"port": bay.port}

    async def overload(self, request: Json) -> Json:
        bay = self._used_bay(request)
        bay.chargers[0].extra_w = OVERLOAD_W
        return {"port": bay.port, "extra_w": OVERLOAD_W}

    async def stuck(self, request: Json) -> Json:
        bay = self._bay(request)
        match bay.socket:
            case Outlet() as outlet:
                outlet.stuck_meter = True
            case Meter() as meter:
                meter.stuck = True
        return {"port": bay.port}

    async def reboot(self, request: Json) -> Json:
        """The plug was without power for a moment, and comes back as it came from its maker: on."""
        bay = self._bay(request)
        plug = self._devices.plugs.get(bay.port)
        if plug is None:
            raise ControlError(f"{bay.port} is a breaker: it has no firmware that returns on")
        if isinstance(plug, ShellyPlug):
            plug.switches[0].settings.initial_state = "on"
        else:
            plug.power_on_state = 1
        plug.reboot()
        return {"port": bay.port}

    async def dark(self, request: Json) -> Json:
        """The plug or meter falls silent, with whatever it was doing."""
        bay = self._bay(request)
        if isinstance(bay.socket, Meter):
            bay.socket.dead = True
        else:
            self._devices.cut_off.add(bay.port)
        return {"port": bay.port}

    # --- contacts -----------------------------------------------------------------------------------------------------

    async def weld(self, request: Json) -> Json:
        """The contact of a bay, or of a zone's contactor, never opens again."""
        target = self._contact(request)
        if isinstance(target, Bay):
            target.socket.welded = True
            return {"port": target.port}
        target.weld()
        return {"contactor": target.config.output}

    async def lie(self, request: Json) -> Json:
        """It says "off" when told so, and does nothing."""
        target = self._contact(request)
        if isinstance(target, Relay):
            target.lie()
            return {"contactor": target.config.output}
        match target.socket:
            case Outlet() as outlet:
                outlet.deaf = outlet.lying = True
            case Meter() as meter:
                meter.deaf_relay = True
        return {"port": target.port}

    def _contact(self, request: Json) -> Bay | Relay:
        name = text(request, "name")
        contactors = {
            each.config.zone: each for each in self._devices.relays.values() if each.config.kind == "contactor"
        }
        found: dict[str, Bay | Relay] = {**self._building.bays, **contactors}
        return named(found, name, "port or zone")

    # --- heads and ways -----------------------------------------------------------------------------------------------

    async def dead(self, request: Json) -> Json:
        """The battery of a radio head is empty; the bridge notices that it is gone."""
        head = self._head(request)
        name = self._devices.zigbee.get(head.source)
        if name is None:
            raise ControlError(f"{head.source} has no battery; cut its cable instead (cable)")
        self._devices.bridge.things[name].dead = True
        self._devices.bridge.set_available(name, online=False)
        return {"head": head.source}

    async def blind(self, request: Json) -> Json:
        """It is well and notices nothing (a plastic bag over it)."""
        head = self._head(request)
        head.blind = True
        return {"head": head.source}

    async def jam(self, request: Json) -> Json:
        """It says alarm for ever (dust)."""
        head = self._head(request)
        head.stuck = True
        return {"head": head.source}

    async def stale(self, request: Json) -> Json:
        """An old "smoke" stands at the broker, retained, from before."""
        head = self._head(request)
        name = self._devices.zigbee.get(head.source)
        if name is None:
            raise ControlError(f"{head.source} does not speak by the broker")
        self._devices.bridge.replay_stale(name, smoke=True, battery=100, linkquality=90)
        return {"head": head.source}

    async def gateway(self, request: Json) -> Json:
        """The radio network loses its coordinator, or finds it again."""
        on = flag(request, "on", default=False)
        if on:
            self._devices.bridge.find_network()
        else:
            self._devices.bridge.lose_network()
        return {"gateway": on}

    async def cable(self, request: Json) -> Json:
        on = flag(request, "on", default=False)
        wire = text(request, "wire")
        named(self._devices.wires, wire, "cable").cut(dead=not on)
        return {"cable": wire, "on": on}

    async def broker(self, _request: Json) -> Json:
        return stop_broker(self._config.broker_pid)

    # --- the rest -----------------------------------------------------------------------------------------------------

    async def people(self, request: Json) -> Json:
        self._people.on = flag(request, "on", default=True)
        return {"people": self._people.on}

    async def speed(self, request: Json) -> Json:
        self._building.speed = float(max(1, number(request, "times", 1, MAX_SPEED)))
        return {"speed": self._building.speed}

    async def mend(self, request: Json) -> Json:
        name = text(request, "name", "")
        if not name:
            mend_all(self._devices)
            return {"mended": "all"}
        found: dict[str, Bay | Head | Zone] = {**self._building.zones, **self._building.bays, **self._building.heads}
        match named(found, name, "zone, port or head"):
            case Zone() as zone:
                mend_zone(self._devices, zone)
            case Bay() as bay:
                mend_bay(self._devices, bay)
            case head:
                mend_head(self._devices, head)
        return {"mended": name.lower()}

    def _zone(self, request: Json) -> Zone:
        return named(self._building.zones, text(request, "zone"), "zone")

    def _bay(self, request: Json) -> Bay:
        return named(self._building.bays, text(request, "port"), "port")

    def _used_bay(self, request: Json) -> Bay:
        bay = self._bay(request)
        if not bay.chargers:
            raise ControlError(f"nothing is plugged in at {bay.port}; plug a bike in first")
        return bay

    def _head(self, request: Json) -> Head:
        return named(self._building.heads, text(request, "head"), "head")
