"""A simulated line (``firmware_sim.linedevice``) behind a TCP port, as behind a serial server or in a Modbus/TCP board.

One master at a time, the newest: a box that was killed dials again while its old connection still looks alive.
TCP_NODELAY is set, so that the simulator adds nothing to the time of a cut.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Protocol

READ_BYTES = 4096


class WireDevice(Protocol):
    def receive(self, data: bytes, now_ns: int) -> None: ...
    def deadline(self) -> int | None: ...
    def take(self, now_ns: int) -> bytes: ...


class TcpPort:
    """``device`` at ``host:port``. ``dead``: nobody is let in, who is in is thrown out (cable cut)."""

    def __init__(self, device: WireDevice, host: str, port: int) -> None:
        self.device = device
        self.port = port
        self.dead = False
        self._host = host
        self._writer: asyncio.StreamWriter | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen; OSError when the port cannot be had. ``port`` 0 takes a free one."""
        self._server = await asyncio.start_server(self._serve, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self, *, dead: bool) -> None:
        """Cut the cable, or mend it."""
        self.dead = dead
        if dead:
            self._drop()

    def close(self) -> None:
        self.cut(dead=True)
        if self._timer is not None:
            self._timer.cancel()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.dead:
            writer.transport.abort()
            return
        self._drop()
        self._writer = writer
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            while data := await reader.read(READ_BYTES):
                self.device.receive(data, time.monotonic_ns())
                self._wake()
        if self._writer is writer:
            self._drop()

    def _drop(self) -> None:
        """The connection goes; the device's own timers (a watchdog) run on."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.transport.abort()

    def _wake(self) -> None:
        """Send what is due, and come back when more will be."""
        if self._timer is not None:
            self._timer.cancel()
        now_ns = time.monotonic_ns()
        data = self.device.take(now_ns)
        if data and self._writer is not None:
            self._writer.write(data)
        deadline = self.device.deadline()
        if deadline is None:
            self._timer = None
            return
        wait_s = max(0.0005, (deadline - now_ns) / 1e9)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._wake)
