"""The demo's garage: links of the example site turned to simulated wires, and the simulated garage's settings.

The simulation is told by the site itself (zones, points, register maps), so that it cannot show another garage than
the example describes. A user would notice a mistake here as a head that smokes and that no zone has heard of.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import socket
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from drivers.modbus.mapping import CONTACT, OUTPUT, Entry, read_map
from drivers.options import OptionReader
from drivers.registry import make_driver
from edge.demo_doors import doors_and_readers
from edge.domain.garage.settings import GarageConfig, SourceSettings
from edge.domain.places import Place
from edge.runtime.broker import broker_command, make_users
from edge.site import DeviceSettings, Site

HOST = "127.0.0.1"
PORTS = range(12_000, 32_000)
MQTT = frozenset({"zigbee2mqtt", "shelly", "tasmota"})
#: How often simulated radio heads report; real ones do once an hour.
REPORT_S = 10.0
BIKES_PER_HOUR = 90
#: Sockets that hold ports for listeners to come.
HELD_MAX = 128
_held: deque[int] = deque()
BOX, FIELD = "box", "field"
#: All simulated devices share one process, which a busy machine may hold up longer than any real board waits.
PATIENCE: Mapping[str, Mapping[str, int]] = {
    "modbus": {"timeout_ms": 1500},
    "dlt645": {"turn_round_ms": 1500},
    "osdp": {"reply_timeout_ms": 1500},
}


@dataclass(frozen=True, slots=True)
class GarageFolder:
    """Files of the simulated garage in the demo's folder, and the ports that are its own."""

    root: Path
    ports: dict[str, int] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    reader_key: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def control(self) -> Path:
        return self.root / "garage.sock"

    @property
    def settings(self) -> Path:
        return self.root / "garage.json"

    @property
    def users(self) -> Path:
        return self.root / "mqtt-users"

    @property
    def password(self) -> Path:
        """The file that the site's links name."""
        return self.root / "mqtt-password"

    @property
    def broker_pid(self) -> Path:
        return self.root / "broker.pid"

    def broker(self) -> list[str]:
        """The command line of the broker."""
        return broker_command(self.ports["broker"], self.users)

    def link(self, device: Mapping[str, Any]) -> str:
        """The simulated wire of a device of the site file."""
        if device["protocol"] in MQTT:
            query = f"client=demo-{device['device']}&password_file={quote(str(self.password))}"
            return f"mqtt://{BOX}@{HOST}:{self.ports['broker']}?{query}"
        kind = "tcp-listen" if device["protocol"] == "gb26875" else "tcp"
        return f"{kind}://{HOST}:{self.ports[device['device']]}"


def prepare(root: Path, garage: Mapping[str, Any]) -> GarageFolder:
    """Choose free ports for the broker and every wire of ``[garage]``, and make the broker's users."""
    names = ["broker", *(each["device"] for each in garage["devices"] if each["protocol"] not in MQTT)]
    folder = GarageFolder(root, dict(zip(names, free_ports(len(names)), strict=True)))
    folder.passwords.update(make_users(folder.users, (BOX, FIELD)))
    folder.password.touch(mode=0o600)
    folder.password.write_text(folder.passwords[BOX], encoding="utf-8")
    return folder


def demo_garage(garage: Mapping[str, Any], folder: GarageFolder) -> dict[str, Any]:
    """``[garage]`` of the site file with simulated wires."""
    devices = []
    for each in garage["devices"]:
        more: dict[str, Any] = dict(PATIENCE.get(each["protocol"], {}))
        if each["protocol"] == "osdp":
            more["scbk"] = folder.reader_key
        options = {"options": {**each.get("options", {}), **more}} if more else {}
        devices.append({**each, "link": folder.link(each), **options})
    return {**garage, "devices": devices}


def free_ports(count: int) -> list[int]:
    """Ports that are free now, all different, from below those that Linux gives to connections: one that the system
    itself picks may be somebody's connection before its listener comes. Each stays bound here, without listening, so
    that no other demo picks it either before its listener comes; one with SO_REUSEADDR may bind it beside us. Only the
    newest ``HELD_MAX`` stay so: more listeners no demo has."""
    found: list[int] = []
    dice = random.SystemRandom()
    for _ in PORTS:
        if len(found) == count:
            return found
        port = dice.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.append(port)
            if len(_held) == HELD_MAX:
                os.close(_held.popleft())
            _held.append(probe.detach())
    raise OSError(f"no {count} ports of {HOST} are free in {PORTS.start} to {PORTS.stop}: end other demos")


def garage_settings(site: Site, folder: GarageFolder, token: str, *, people: bool) -> dict[str, Any]:
    """The settings of ``firmware_sim.garage`` (described in its ``config``) for this site."""
    garage = site.garage
    assert garage is not None
    devices = {each.device: each for each in site.devices["garage"]}
    maps = {name: list(_entries(each)) for name, each in devices.items() if each.protocol == "modbus"}
    sirens = [each.at.point for each in garage.outputs if devices[each.at.device].protocol == "zigbee2mqtt"]
    broker = {"host": HOST, "port": folder.ports["broker"], "user": FIELD, "password": folder.passwords[FIELD]}
    settings = {
        "control": str(folder.control),
        "mqtt": broker,
        "zones": [zone.zone for zone in garage.zones],
        "bays": [
            {"port": port.port, "zone": port.zone, **_bay(port.at, devices[port.at.device])} for port in garage.ports
        ],
        "heads": [head for source in garage.sources for head in _head(source, devices, maps)],
        "sirens": sirens,
        "boards": [{"name": name, "port": folder.ports[name]} for name in maps],
        "coils": list(_coils(garage, maps)),
        "lines": [
            {"name": name, "port": folder.ports[name], "baud": int(each.options.get("baud", 2400))}
            for name, each in devices.items()
            if each.protocol == "dlt645"
        ],
        "api": f"http://{HOST}:{site.api.port}",
        "token": token,
        "cards": [member.card for member in site.canteen.members],
        "people": people,
        "per_hour": BIKES_PER_HOUR,
        "report_s": REPORT_S,
        "broker_pid": str(folder.broker_pid),
        "seed": secrets.randbelow(1 << 20),
    }
    settings |= doors_and_readers(garage, devices, folder.ports, folder.reader_key)
    units = [folder.ports[name] for name, each in devices.items() if each.protocol == "gb26875"]
    return {**settings, "unit": {"port": units[0]}} if units else settings


def _entries(device: DeviceSettings) -> Iterator[Entry]:
    given = {name: value for name, value in device.options.items() if name == "map"}
    yield from read_map(OptionReader("modbus", given), 1000)


def _bay(at: Place, device: DeviceSettings) -> dict[str, Any]:
    if device.protocol == "dlt645":
        driver: Any = make_driver(device.protocol, device.options)
        return {"kind": "dlt645", "line": at.device, "address": driver.settings.meters[at.point]}
    return {"kind": device.protocol, "topic": at.point.partition(":")[0]}


def _head(
    source: SourceSettings, devices: Mapping[str, DeviceSettings], maps: Mapping[str, list[Entry]]
) -> Iterator[dict[str, Any]]:
    """How the simulation reaches a source; nothing for a kind of device that it has not."""
    head = {"source": source.source, "zone": source.zone, "kind": source.kind.value}
    match devices[source.at.device].protocol:
        case "zigbee2mqtt":
            yield {**head, "via": "zigbee", "name": source.at.point}
        case "gb26875":
            names = ("system", "address", "area", "position")
            numbers = [int(word) for word in source.at.point.split(":")]
            yield {**head, "via": "unit", **dict(zip(names, numbers, strict=False))}
        case "modbus":
            for entry in maps[source.at.device]:
                if (entry.point, entry.role) == (source.at.point, source.kind.value):
                    place = {"board": source.at.device, "unit": entry.unit, "input": entry.address}
                    yield {**head, "via": "modbus", **place}
        case _:
            return


def _coils(garage: GarageConfig, maps: Mapping[str, list[Entry]]) -> Iterator[dict[str, Any]]:
    for output in garage.outputs:
        entries = [entry for entry in maps.get(output.at.device, ()) if entry.point == output.at.point]
        for entry in entries:
            if entry.role == OUTPUT:
                contact = next((each.address for each in entries if each.role == CONTACT), -1)
                yield {
                    "output": output.output,
                    "zone": output.zone,
                    "kind": output.kind.value,
                    "board": output.at.device,
                    "unit": entry.unit,
                    "coil": entry.address,
                    "contact": contact,
                    "hold": entry.hold[0] if entry.hold is not None else -1,
                }
