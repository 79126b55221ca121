"""``python -m firmware_sim.ocpp16 --dial ws://HOST:PORT/CHARGER``: an OCPP charge point. With ``--control SOCKET``
``{"op": "set", "connector": 1, "car_w": 7000}`` plugs a car in, ``"fault": "GroundFailure"`` breaks it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from firmware_sim.control import ControlError, Json, number, serve
from firmware_sim.ocpp16.charger import Charger
from firmware_sim.program import run

LOOK_S = 0.1
REDIAL_S = 1.0
FIELDS = ("car_w", "fault", "sticky", "welded")


async def talk(charger: Charger, connection: ClientConnection) -> None:
    async def send() -> None:
        while True:
            for line in charger.take(time.monotonic_ns()).decode().splitlines():
                await connection.send(line)
            await asyncio.sleep(LOOK_S)

    sending = asyncio.create_task(send())
    try:
        async for message in connection:
            charger.receive(message.encode() if isinstance(message, str) else message, time.monotonic_ns())
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketException):
            await sending


async def dial(charger: Charger, url: str) -> None:
    """Connect again and again until cancelled. A password stands in the URL: ws://CHARGER:PASSWORD@HOST:PORT/CHARGER."""
    while True:
        try:
            async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], compression=None) as connection:
                charger.restart(time.monotonic_ns())
                await talk(charger, connection)
        except (OSError, WebSocketException) as error:
            sys.stderr.write(f"cannot reach the central system: {error}; trying again\n")
        await asyncio.sleep(REDIAL_S)


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.ocpp16", description=__doc__)
    parser.add_argument("--dial", required=True, metavar="URL", help="ws://HOST:PORT/CHARGER")
    parser.add_argument("--connectors", type=int, default=1, choices=range(1, 5))
    parser.add_argument("--control", type=Path, help="Unix socket to change the charger while it runs")
    options = parser.parse_args()
    charger = Charger(options.connectors)
    charger.begin(time.monotonic_ns())

    async def state(_request: Json) -> Json:
        return {"connectors": {str(key): _told(charger, key) for key in charger.connectors}, "booted": charger.booted}

    async def change(request: Json) -> Json:
        key = number(request, "connector", 1, 4)
        if key not in charger.connectors:
            raise ControlError(f'"connector" must be one of: {", ".join(map(str, charger.connectors))}')
        for name in FIELDS:
            if name in request:
                setattr(charger.connectors[key], name, request[name])
        return {"connector": _told(charger, key)}

    async def serve_all() -> int:
        server = await serve(options.control, {"state": state, "set": change}) if options.control else None
        try:
            await dial(charger, options.dial)
        finally:
            if server is not None:
                server.close()
                options.control.unlink(missing_ok=True)
        return 0

    return run(serve_all)


def _told(charger: Charger, key: int) -> Json:
    connector = charger.connectors[key]
    names = (*FIELDS, "closed", "available", "power_w", "transaction", "limit_a")
    return {name: getattr(connector, name) for name in names}


sys.exit(main())
