"""A garage of any size in a temporary folder: zones of smoke heads on Zigbee2MQTT, contactors as Shelly relays, outlets
as Tasmota plugs, and the daemon as a process. Written as a site file, read by the product's own reader.

The contactors stand on a link of their own: a flood of telemetry from the plugs cannot stand before them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.demo_site import inline_toml

ROOT = Path(__file__).parents[2]
READY_S = 60.0
CLIENTS = ("heads", "relays", "plugs")


@dataclass(frozen=True, slots=True)
class Layout:
    """How many of what. Zone ``z1`` has all others as neighbours: its call point cuts the whole garage."""

    zones: int = 8
    heads: int = 25
    ports: int = 50
    clear_s: int = 1
    prove_hold_s: int = 0
    contactor_first: bool = True
    supervision_s: int = 86_400

    def zone_names(self) -> list[str]:
        return [f"z{number}" for number in range(1, self.zones + 1)]

    def head_names(self, zone: str) -> list[str]:
        return [f"{zone}-s{number}" for number in range(1, self.heads + 1)]

    def port_names(self, zone: str) -> list[str]:
        return [f"{zone}-p{number}" for number in range(1, self.ports + 1)]


def words(name: str) -> dict[str, str]:
    return {"zh": name, "en": name}


def mqtt_devices(port: int, run: str) -> list[dict[str, Any]]:
    """``run`` makes the client names one run's own."""
    link = f"mqtt://127.0.0.1:{port}?client=kangle-{run}-"
    return [
        {"device": "heads", "protocol": "zigbee2mqtt", "link": link + "heads"},
        {
            "device": "relays",
            "protocol": "shelly",
            "link": link + "relays",
            "options": {"prefix": "relay", "source": f"kangle-{run}-relays", "set_up": False},
        },
        {"device": "plugs", "protocol": "tasmota", "link": link + "plugs", "options": {"set_up": False}},
    ]


def zone_table(layout: Layout, zone: str) -> dict[str, Any]:
    sources = [
        {"source": head, "kind": "smoke", "device": "heads", "point": head, "name": words(head)}
        for head in layout.head_names(zone)
    ]
    call = f"{zone}-call"
    sources.append({"source": call, "kind": "call_point", "device": "heads", "point": call, "name": words(call)})
    relay = f"relay/{zone}-k:0"
    contactor = {
        "output": f"{zone}-k",
        "kind": "contactor",
        "device": "relays",
        "point": relay,
        "name": words(f"{zone}-k"),
        "meter": {"device": "relays", "point": relay},
    }
    return {
        "zone": zone,
        "name": words(zone),
        "neighbours": [each for each in layout.zone_names() if each != zone] if zone == "z1" else [],
        "panels": [f"panel-{zone}"],
        "contactor_first": layout.contactor_first,
        "clear_s": layout.clear_s,
        "prove_hold_s": layout.prove_hold_s,
        "limit_w": 100_000,
        "sources": [{**source, "supervision_s": layout.supervision_s} for source in sources],
        "outputs": [contactor],
        "ports": [
            {"port": name, "device": "plugs", "point": name, "name": words(name), "hold_s": 0}
            for name in layout.port_names(zone)
        ],
    }


class GarageFolder:
    """The site's folder; ``write`` may be called again for a reload."""

    def __init__(self, root: Path, *, api_port: int = 1, verticals: Sequence[str] = ("garage",)) -> None:
        self.site = root / "site"
        self.run_dir = root / "run"
        self.store = self.site / "data" / "garage"
        self._api_port = api_port
        self._verticals = tuple(verticals)
        shutil.copytree(ROOT / "config", self.site, ignore=shutil.ignore_patterns("data", "run", "*.sock"))
        (self.site / "garage" / "credentials.csv").unlink(missing_ok=True)  # of doors that stand in other zones

    @property
    def socket(self) -> Path:
        return self.run_dir / "garage.sock"

    def write(self, devices: Sequence[dict[str, Any]], zones: Sequence[dict[str, Any]]) -> None:
        with (ROOT / "config" / "site.toml").open("rb") as file:
            values = tomllib.load(file)
        values |= {
            "verticals": list(self._verticals),
            "data_dir": "data",
            "run_dir": str(self.run_dir),
            "api": {"host": "127.0.0.1", "port": self._api_port},
        }
        garage = {key: value for key, value in values["garage"].items() if key != "devices"}
        values["garage"] = {**garage, "devices": list(devices)}
        _write_toml(self.site / "site.toml", values)
        _write_toml(self.site / "garage" / "zones.toml", {"zones": list(zones)})

    def write_mqtt(self, layout: Layout, port: int, run: str = "bench") -> None:
        self.write(mqtt_devices(port, run), [zone_table(layout, zone) for zone in layout.zone_names()])


def _write_toml(path: Path, values: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)} = {inline_toml(value)}" for key, value in values.items()]
    new = path.with_suffix(".new")
    new.write_text("\n".join(lines) + "\n", encoding="utf-8")
    new.replace(path)


class Process:
    """``kangle run NAME`` of the site."""

    def __init__(self, folder: GarageFolder, name: str, log: Path) -> None:
        command = [sys.executable, "-m", "edge.cli", "run", name, "--site", str(folder.site)]
        self.name = name
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)

    def rss_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def check(self) -> None:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


def wait_for(condition: Any, timeout_s: float, what: str, process: Process | None = None) -> None:
    deadline_s = time.perf_counter() + timeout_s
    while not condition():
        if process is not None:
            process.check()
        if time.perf_counter() > deadline_s:
            tail = process.log.read_text()[-2000:] if process is not None else ""
            raise TimeoutError(f"{what}: not within {timeout_s} s\n{tail}")
        time.sleep(0.002)
