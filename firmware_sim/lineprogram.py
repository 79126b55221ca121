"""Simulated line devices as a program: ``python -m firmware_sim.dlt645`` and its sisters.

On a pty (``--link PATH``), behind a TCP port (``--listen HOST:PORT``), or dialling (``--dial HOST:PORT``). With
``--control SOCKET`` anything of any device can be read and changed while it runs: ``{"op": "state"}``,
``{"op": "set", "device": "m01", "load_w": 350, "welded": true}``, ``{"op": "fault", "fault": "noise"}``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from firmware_sim.control import ControlError, Json, serve, text
from firmware_sim.dialport import dial
from firmware_sim.garage.tcpport import TcpPort
from firmware_sim.line import NAMED_FAULTS, LineSettings
from firmware_sim.linedevice import LineDevice
from firmware_sim.program import PLUG_FAULTS, run, switch
from firmware_sim.ptyport import PtyPort

LINE_SWITCHES = ("echo", "no_echo", "wrong_parity", "right_parity")


def common_arguments(parser: argparse.ArgumentParser, baud: int, parity: str) -> None:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--link", type=Path, help="path of the symbolic link to make to a pty")
    where.add_argument("--listen", metavar="HOST:PORT", help="wait for a TCP connection")
    where.add_argument("--dial", metavar="HOST:PORT", help="connect to whoever listens there")
    parser.add_argument("--baud", type=int, default=baud, help=f"default {baud}")
    parser.add_argument("--parity", choices="NEO", default=parity, help=f"default {parity}; sets the wire time")
    parser.add_argument("--any-baud", action="store_true", help="answer hosts that opened the pty at another baud rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--control", type=Path, help="Unix socket to look at and change devices while it runs")


def line_of(options: argparse.Namespace) -> LineSettings:
    return LineSettings(options.baud, options.parity)


def start(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    device: LineDevice,
    parts: Mapping[str, Any],
) -> int:
    """Serve until told to stop. ``parts`` are the devices on the line by name, dataclasses. Exit 2 for bad options, 4
    when a path or port cannot be used."""
    for name in ("listen", "dial"):
        value = getattr(options, name)
        if value and not value.rpartition(":")[2].isdigit():
            parser.error(f"--{name} {value!r}: give HOST:PORT")
    try:
        return run(lambda: _serve(options, device, parts))
    except (OSError, ControlError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 4


async def _serve(options: argparse.Namespace, device: LineDevice, parts: Mapping[str, Any]) -> int:
    device.begin(time.monotonic_ns())
    pty = PtyPort(device, options.link, any_baud=options.any_baud) if options.link else None
    async with contextlib.AsyncExitStack() as stack:
        if options.control:
            controls = _Controls(device, parts, pty)
            operations = {"state": controls.state, "set": controls.set, "fault": controls.fault}
            server = await serve(options.control, operations)
            stack.callback(options.control.unlink, missing_ok=True)
            stack.callback(server.close)
        if pty is not None:
            stack.callback(pty.unplug)
            pty.plug(0)
        elif options.listen:
            host, _, port = options.listen.rpartition(":")
            listener = TcpPort(device, host, int(port))
            await listener.open()
            stack.callback(listener.close)
        else:
            host, _, port = options.dial.rpartition(":")
            dialling = asyncio.create_task(dial(device, host, int(port)))
            stack.callback(dialling.cancel)
        sys.stderr.write(f"ready: {options.link or options.listen or options.dial}\n")
        await asyncio.Event().wait()
    return 0


class _Controls:
    def __init__(self, device: LineDevice, parts: Mapping[str, Any], pty: PtyPort | None) -> None:
        self._device = device
        self._parts = parts
        self._pty = pty

    async def state(self, _request: Json) -> Json:
        line = {"echo": self._device.echo, "wrong_parity": self._device.wrong_parity}
        return {"line": line, "devices": {name: _told(part) for name, part in self._parts.items()}}

    async def set(self, request: Json) -> Json:
        """Change fields of one device; a set or list is given as a list, a table as an object."""
        name = text(request, "device")
        if name not in self._parts:
            raise ControlError(f'"device" must be one of: {", ".join(self._parts)}')
        part = self._parts[name]
        for key, value in request.items():
            if key in {"op", "device"}:
                continue
            if key not in _told(part):
                raise ControlError(f"{key!r} is none of: {', '.join(_told(part))}")
            _change(part, key, value)
        return {"device": _told(part)}

    async def fault(self, request: Json) -> Json:
        """A line fault by name."""
        name = text(request, "fault")
        if name in LINE_SWITCHES:
            self._device.echo = {"echo": True, "no_echo": False}.get(name, self._device.echo)
            parity = {"wrong_parity": True, "right_parity": False}
            self._device.wrong_parity = parity.get(name, self._device.wrong_parity)
        elif self._pty is not None:
            switch(self._pty, name)
        elif name in NAMED_FAULTS:
            self._device.set_faults(name, 0)
        else:
            raise ControlError(f'"fault" must be one of: {", ".join([*NAMED_FAULTS, *PLUG_FAULTS, *LINE_SWITCHES])}')
        return {}


def _told(part: Any) -> dict[str, Any]:
    """The public fields as JSON takes them."""
    told = {}
    for each in fields(part):
        if not each.name.startswith("_"):
            value = getattr(part, each.name)
            told[each.name] = sorted(value) if isinstance(value, set | frozenset) else value
            if isinstance(value, bytes):
                told[each.name] = value.hex()
    return told


def _change(part: Any, key: str, value: Any) -> None:
    old = getattr(part, key)
    if isinstance(old, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    elif isinstance(old, set) and isinstance(value, list):
        value = set(value)
    if isinstance(old, frozenset | None) and isinstance(value, list):
        value = frozenset(value)
        old = frozenset()
    if type(value) is not type(old) or isinstance(old, bytes | dict):
        raise ControlError(f"{key} must be like {old!r}")
    setattr(part, key, value)
