"""The demo's gym: links of the example site turned to simulated wires, and the simulated gym's settings.

The simulation is told by the site itself (rooms, machines, points, readers), so that it cannot show another gym than
the example describes; only the hours are opened, for a demo may be shown at night. A user would notice a mistake here
as a machine on which somebody trains and that the wall has never heard of.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edge.demo_garage import BOX, FIELD, HOST, PATIENCE, GarageFolder, free_ports
from edge.domain.gym.settings import AssetSettings, GymConfig
from edge.domain.places import Place
from edge.site import DeviceSettings, Site

MQTT = frozenset({"ble_gateway", "strength", "trail_gates"})
VISITORS_PER_HOUR = 90
MAX_PERSONS = 24
#: Cards of the demo: facility code and first number. Drawn here, as whoever hands out real cards does.
FACILITY, FIRST_CARD = 66, 10_001
#: What the demo's coach sets for every third, fourth and tenth person; all others train by the table.
CEILINGS_BPM = (112, 118, 108)
#: How the simulation hears of a machine.
VIAS: Mapping[str, str] = {"ble_gateway": "ble", "csafe": "csafe", "strength": "strength", "trail_gates": "count"}


@dataclass(frozen=True, slots=True)
class GymFolder:
    """Files of the simulated gym in the demo's folder, and the ports that are its own. ``wires`` has the broker, which
    all simulated devices share."""

    root: Path
    wires: GarageFolder
    ports: dict[str, int] = field(default_factory=dict)
    reader_key: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def control(self) -> Path:
        return self.root / "gym.sock"

    @property
    def settings(self) -> Path:
        return self.root / "gym.json"

    def link(self, device: Mapping[str, Any]) -> str:
        """The simulated wire of a device of the site file."""
        if device["protocol"] in MQTT:
            query = f"client=demo-{device['device']}&password_file={quote(str(self.wires.password))}"
            return f"mqtt://{BOX}@{HOST}:{self.wires.ports['broker']}?{query}"
        return f"tcp://{HOST}:{self.ports[device['device']]}"


def prepare_gym(root: Path, gym: Mapping[str, Any], wires: GarageFolder) -> GymFolder:
    """Choose free ports for every wire of ``[gym]``."""
    names = [each["device"] for each in gym["devices"] if each["protocol"] not in MQTT]
    return GymFolder(root, wires, dict(zip(names, free_ports(len(names)), strict=True)))


def demo_gym(gym: Mapping[str, Any], folder: GymFolder) -> dict[str, Any]:
    """``[gym]`` of the site file with simulated wires."""
    patience = {**PATIENCE, "csafe": {"timeout_ms": 3000}}
    devices = []
    for each in gym["devices"]:
        more: dict[str, Any] = dict(patience.get(each["protocol"], {}))
        if each["protocol"] == "osdp":
            more["scbk"] = folder.reader_key
        options = {"options": {**each.get("options", {}), **more}} if more else {}
        devices.append({**each, "link": folder.link(each), **options})
    return {**gym, "devices": devices}


def open_all_day(site: Path, gym: Mapping[str, Any]) -> None:
    """The demo's rooms are open around the clock."""
    file = site / str(gym.get("tables", "gym")) / "machines.toml"
    text = re.sub(r"(?m)^open\s*=.*$", 'open = "0:00"', file.read_text(encoding="utf-8"))
    file.write_text(re.sub(r"(?m)^close\s*=.*$", 'close = "24:00"', text), encoding="utf-8")


def gym_settings(site: Site, folder: GymFolder, token: str, *, people: bool) -> dict[str, Any]:
    """The settings of ``firmware_sim.gym`` (described in its ``config``) for this site."""
    gym = site.gym
    assert gym is not None
    devices = {each.device: each for each in site.devices["gym"]}
    ports, broker = folder.ports, folder.wires
    return {
        "control": str(folder.control),
        "site": site.site_id,
        "mqtt": {"host": HOST, "port": broker.ports["broker"], "user": FIELD, "password": broker.passwords[FIELD]},
        "machines": [machine for asset in gym.assets for machine in _machine(asset, devices)],
        "consoles": [{"name": name, "port": ports[name]} for name, each in devices.items() if each.protocol == "csafe"],
        "readers": [
            {
                "name": name,
                "port": ports[name],
                "baud": 9600,
                "key": folder.reader_key,
                "addresses": [int(word) for word in str(each.options.get("addresses", "0")).split(",")],
            }
            for name, each in devices.items()
            if each.protocol == "osdp"
        ],
        "desks": _desks(gym, devices),
        "trails": _trails(gym),
        "persons": persons(site),
        "api": f"http://{HOST}:{site.api.port}",
        "token": token,
        "people": people,
        "per_hour": VISITORS_PER_HOUR,
        "broker_pid": str(broker.broker_pid),
        "seed": secrets.randbelow(1 << 10),
    }


def persons(site: Site) -> list[dict[str, Any]]:
    """Those who train in the demo: the canteen's members (one token everywhere) with cards of the gym, and what the
    coach set for some of them."""
    found = []
    for number, member in enumerate(site.canteen.members[:MAX_PERSONS]):
        person: dict[str, Any] = {
            "person": member.token,
            "card": f"{FACILITY}:{FIRST_CARD + number}",
            "birth_year": int(member.born[:4]),
        }
        if number % 3 == 0:
            person |= {"ceiling_bpm": CEILINGS_BPM[number // 3 % len(CEILINGS_BPM)], "rest_bpm": 68, "max_bpm": 140}
        elif number % 10 == 4:
            person["beta_blocker"] = True
        found.append(person)
    return found


def _machine(asset: AssetSettings, devices: Mapping[str, DeviceSettings]) -> list[dict[str, Any]]:
    """One machine; nothing for one of which the simulation has no kind of device."""
    at = next((place for place in asset.at if devices[place.device].protocol in VIAS), None)
    if at is None:
        return []
    via = VIAS[devices[at.device].protocol]
    straps = [place.point for place in asset.heart if devices[place.device].protocol == "ble_gateway"]
    machine = {
        "asset": asset.asset,
        "zone": asset.zone,
        "kind": asset.kind.value,
        "via": via,
        "place": at.device if via == "csafe" else at.point,
        "straps": straps,
        "lies": asset.quirks.speed_from_distance,
    }
    return [machine | (_reader(asset.reader, devices) if asset.reader is not None else {})]


def _reader(place: Place, devices: Mapping[str, DeviceSettings]) -> dict[str, Any]:
    """Line and address of a card reader."""
    if devices[place.device].protocol != "osdp":
        return {}
    return {"reader": place.device, "address": int(place.point)}


def _desks(gym: GymConfig, devices: Mapping[str, DeviceSettings]) -> list[dict[str, Any]]:
    """Measuring desks whose reader the simulation has."""
    return [
        {
            "desk": kiosk.kiosk,
            "zone": kiosk.zone,
            **_reader(kiosk.reader, devices),
            "cuff": kiosk.cuff.point,
            **({} if kiosk.scale is None else {"scale": kiosk.scale.point}),
        }
        for kiosk in gym.kiosks
        if _reader(kiosk.reader, devices)
    ]


def _trails(gym: GymConfig) -> list[dict[str, Any]]:
    return [
        {
            "trail": trail.trail,
            "length_m": trail.length_m,
            "gates": [{"place": gate.at.point, "at_m": gate.at_m} for gate in trail.gates],
        }
        for trail in gym.trails
    ]
