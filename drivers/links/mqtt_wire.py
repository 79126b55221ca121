"""The bytes of an MQTT connection: a socket that the loop reads and writes without ever waiting.

The hard part is when to write. A publication leaves at once when none has left just before: it is a contactor's cut,
and the kernel has not finished with its zone. What follows within a moment leaves together, at the end of the moment or
of the turn of the loop: four hundred cuts are a few system calls, and as few wake-ups of the broker. A user would
notice the first as a cut that waits for its own paperwork, the second as the last plug that is cut late.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable

from drivers.links.mqtt_socket import drop

RECEIVE_BYTES = 64 * 1024

#: What is sent within so long of the last write waits for company, up to so many bytes.
BURST_S = 0.0005
BURST_BYTES = 32 * 1024


class Wire:
    """``readable`` is called while there is something to read and reading is on; ``lost`` once, with the reason."""

    def __init__(self, sock: socket.socket, readable: Callable[[], None], lost: Callable[[str], None]) -> None:
        self.socket = sock
        self.reading = False
        self.sent_s = 0.0
        self._readable = readable
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._fd = sock.fileno()
        self._out = bytearray()
        self._in_burst = False
        self._full = False
        self._flushed_s = 0.0
        self.sent_s = self._loop.time()

    def send(self, data: bytes) -> None:
        """Write now, or soon when something was written a moment ago."""
        if self._full or time.monotonic() - self._flushed_s < BURST_S:
            self.send_soon(data)
        else:
            self._out += data
            self._flush()

    def send_soon(self, data: bytes) -> None:
        """Write at the end of this turn of the loop."""
        self._out += data
        if self._full:
            return
        if len(self._out) >= BURST_BYTES:
            self._flush()
        elif not self._in_burst:
            self._in_burst = True
            self._loop.call_soon(self._end_burst)

    def receive(self) -> bytes:
        """What there is, empty when there is nothing (or nothing more, ever: then ``lost`` was called)."""
        if self._fd < 0:
            return b""
        try:
            data = self.socket.recv(RECEIVE_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except OSError as error:
            self._lose(f"the connection to the broker ended: {error.strerror or error}")
            return b""
        if not data:
            self._lose("the connection to the broker ended: the broker closed it")
        return data

    def is_drained(self, data: bytes) -> bool:
        """Whether there was no more than ``data``, so that asking again is in vain (TLS keeps what it read ahead)."""
        return len(data) < RECEIVE_BYTES and not isinstance(self.socket, ssl.SSLSocket)

    def read(self, *, on: bool) -> None:
        """Begin or stop to call ``readable``."""
        if on and not self.reading and self._fd >= 0:
            self._loop.add_reader(self._fd, self._readable)
        elif not on and self.reading:
            self._loop.remove_reader(self._fd)
        self.reading = on and self._fd >= 0

    def close(self, goodbye: bytes) -> None:
        """Say ``goodbye`` if nothing waits, and let go; what was not sent is forgotten."""
        if self._fd >= 0 and not self._out and not isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError):
                self.socket.send(goodbye)
        self._let_go()
        with contextlib.suppress(OSError):
            drop(self.socket)
        self.socket.close()

    def _end_burst(self) -> None:
        self._in_burst = False
        if self._out and not self._full:
            self._flush()

    def _flush(self) -> None:
        """Write what the socket takes; the rest when it takes more."""
        while self._out and self._fd >= 0:
            try:
                sent = self.socket.send(self._out)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError as error:
                self._lose(f"the connection to the broker ended: {error.strerror or error}")
                return
            del self._out[:sent]
            self.sent_s = self._loop.time()
        self._flushed_s = time.monotonic()
        full = bool(self._out) and self._fd >= 0
        if full and not self._full:
            self._loop.add_writer(self._fd, self._flush)
        elif self._full and not full and self._fd >= 0:
            self._loop.remove_writer(self._fd)
        self._full = full

    def _lose(self, reason: str) -> None:
        self._let_go()
        self._lost(reason)

    def _let_go(self) -> None:
        """Leave the loop; the socket is closed by ``close`` alone."""
        if self._fd >= 0:
            self.read(on=False)
            self._loop.remove_writer(self._fd)
            self._fd = -1
        self._out.clear()
