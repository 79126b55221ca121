"""A simulator of MQTT devices as a program: ``python -m firmware_sim.shelly --config FILE.json`` and its sisters.

The file names the broker and the devices; ``control`` a Unix socket on which faults and loads are switched while it
runs. The hard part is telling a person what is wrong with the file, all of it at once. A user would notice a mistake as
a simulator that runs and simulates nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from firmware_sim.control import ControlError, Json, Operation, number, serve, text
from firmware_sim.jsonconfig import ConfigError, ConfigReader
from firmware_sim.mqttdevice import MqttDevice
from firmware_sim.mqttnet import run_device
from firmware_sim.outlet import Outlet
from firmware_sim.program import run

BROKER = {"host", "port", "user", "password_file", "seed", "control", "devices"}
OUTLET = {"load_w", "volts"}
WAY_FAULTS = ("none", "dark", "late", "twice", "lossy")
OUTLET_FAULTS = ("welded", "lying", "deaf", "stuck_meter")


@dataclass(slots=True)
class Fleet:
    """What a program simulates: devices by name, their outlets (``name:channel``), and its own control operations."""

    devices: dict[str, MqttDevice] = field(default_factory=dict)
    outlets: dict[str, Outlet] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)

    def device(self, request: Json) -> MqttDevice:
        name = text(request, "device")
        if name not in self.devices:
            raise ControlError(f'"device" must be one of: {", ".join(self.devices)}')
        return self.devices[name]

    def outlet(self, request: Json) -> Outlet:
        name = text(request, "outlet")
        if name not in self.outlets:
            raise ControlError(f'"outlet" must be one of: {", ".join(self.outlets)}')
        return self.outlets[name]


Build = Callable[[ConfigReader, list[tuple[str, dict[str, object]]], int], Fleet]


def read_outlets(reader: ConfigReader, table: dict[str, object], place: str, seed: int) -> list[Outlet]:
    """The ``outlets`` of a device: ``[{"load_w": 120}, ..]``; one without a load when none are named."""
    if "outlets" not in table:
        return [Outlet(seed=seed)]
    rows = reader.rows(table, "outlets", OUTLET)
    return [
        Outlet(
            load_w=reader.get(row, "load_w", where, float, 0.0),
            volts=reader.get(row, "volts", where, float, 230.0),
            seed=seed + index,
        )
        for index, (where, row) in enumerate((f"{place}.{where}", row) for where, row in rows)
    ]


def common_operations(fleet: Fleet) -> dict[str, Operation]:
    """``state``, ``way`` (device, fault), ``outlet`` (outlet, fault, on), ``plug`` (outlet, load_w)."""

    async def state(_request: Json) -> Json:
        devices = {name: {"connected": device.is_connected} for name, device in fleet.devices.items()}
        return {"devices": devices, "outlets": {name: _outlet_state(each) for name, each in fleet.outlets.items()}}

    async def way(request: Json) -> Json:
        fault = text(request, "fault")
        if fault not in WAY_FAULTS:
            raise ControlError(f'"fault" must be one of: {", ".join(WAY_FAULTS)}')
        faulty = fleet.device(request).way
        faulty.dark = fault == "dark"
        faulty.delay_ms = (500, 3000) if fault == "late" else (0, 0)
        faulty.duplicate_p = 1.0 if fault == "twice" else 0.0
        faulty.lose_p = 0.3 if fault == "lossy" else 0.0
        return {}

    async def outlet(request: Json) -> Json:
        fault = text(request, "fault")
        if fault not in OUTLET_FAULTS:
            raise ControlError(f'"fault" must be one of: {", ".join(OUTLET_FAULTS)}')
        setattr(fleet.outlet(request), fault, request.get("on", True) is True)
        return {}

    async def plug(request: Json) -> Json:
        loop_ns = int(asyncio.get_running_loop().time() * 1e9)
        fleet.outlet(request).plug(loop_ns, float(number(request, "load_w", 0, 20_000)))
        return {}

    return {"state": state, "way": way, "outlet": outlet, "plug": plug}


def _outlet_state(outlet: Outlet) -> Json:
    return {
        "relay": outlet.relay,
        "conducts": outlet.conducts,
        "reported": outlet.reported,
        "power_w": outlet.power_w,
        "switched": outlet.switched,
    }


def start(prog: str, build: Build, known: set[str], description: str | None) -> int:
    """Parse the command line and serve until told to stop. Exit 2 for a wrong file, 4 when a socket cannot be made."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--config", type=Path, required=True, help="JSON: host, port, devices, control, seed ...")
    options = parser.parse_args()
    try:
        settings, fleet = read(options.config, build, known)
    except ConfigError as error:
        sys.stderr.write(f"{prog}: {options.config}:\n{error}\n")
        return 2
    try:
        return run(lambda: _serve(settings, fleet))
    except (OSError, ControlError) as error:
        sys.stderr.write(f"{prog}: {error}\n")
        return 4


def read(path: Path, build: Build, known: set[str]) -> tuple[Mapping[str, object], Fleet]:
    """The file's settings and what it makes. Raises ``ConfigError`` naming all mistakes."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(str(error)) from error
    reader = ConfigReader()
    table = reader.table(content, "the file", BROKER)
    settings = {
        "host": reader.get(table, "host", "", str, "127.0.0.1"),
        "port": reader.get(table, "port", "", int),
        "user": reader.get(table, "user", "", str, ""),
        "password": _password(reader, reader.get(table, "password_file", "", str, "")),
        "control": reader.get(table, "control", "", str, ""),
    }
    rows = reader.rows(table, "devices", known)
    fleet = build(reader, rows, reader.get(table, "seed", "", int, 0))
    if not rows:
        reader.say("devices", "names none")
    if reader.mistakes:
        raise ConfigError("\n".join(reader.mistakes))
    return settings, fleet


def _password(reader: ConfigReader, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()[0] if path else ""
    except (OSError, IndexError) as error:
        reader.say("password_file", str(error))
        return ""


async def _serve(settings: Mapping[str, object], fleet: Fleet) -> int:
    control = Path(str(settings["control"])) if settings["control"] else None
    server = None
    host, port = str(settings["host"]), int(str(settings["port"]))
    try:
        if control is not None:
            server = await serve(control, {**common_operations(fleet), **fleet.operations})
        async with asyncio.TaskGroup() as group:
            for device in fleet.devices.values():
                login = (str(settings["user"]), str(settings["password"]))
                group.create_task(run_device(device, host, port, *login), name=device.client_id)
            sys.stderr.write(f"ready: {len(fleet.devices)} on {host}:{port}\n")
    finally:
        if server is not None and control is not None:
            server.close()
            control.unlink(missing_ok=True)
    return 0
