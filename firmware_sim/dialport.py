"""A simulated terminal that dials its centre over TCP, in real time, again and again.

The hard part is that time goes on while nobody is connected: what the terminal says then is lost, as on a radio without
coverage. A user would notice as yesterday's readings after a reconnect.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import time

from firmware_sim.linedevice import LineDevice

READ_BYTES = 4096
REDIAL_S = 1.0
#: Longest sleep between two looks at the device.
LOOK_S = 0.25


async def dial(device: LineDevice, host: str, port: int) -> None:
    """Connect ``device`` to ``host:port`` until cancelled."""
    while True:
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            sys.stderr.write(f"cannot reach {host}:{port}: {error.strerror or error}; trying again\n")
        else:
            await _converse(device, reader, writer)
        await asyncio.sleep(REDIAL_S)
        device.take(time.monotonic_ns())


async def _converse(device: LineDevice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    talking = asyncio.create_task(_talk(device, writer))
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(READ_BYTES):
                device.receive(data, time.monotonic_ns())
    finally:
        talking.cancel()
        writer.close()


async def _talk(device: LineDevice, writer: asyncio.StreamWriter) -> None:
    """Hand over what has crossed the wire, for ever."""
    while True:
        data = device.take(time.monotonic_ns())
        if data:
            writer.write(data)
        due_ns = device.deadline()
        wait_s = LOOK_S if due_ns is None else min(LOOK_S, max(0, due_ns - time.monotonic_ns()) / 1e9)
        await asyncio.sleep(wait_s)
