"""A TCP connection as a link: we dial the device (or its serial server), or it dials us.

The hard part is small and costs much when forgotten: without TCP_NODELAY a command that follows an acknowledgement
waits for the peer's delayed acknowledgement, 43 ms instead of 0.5 ms (measured for this project, ``latency.md`` 1);
without keepalive a peer that lost its power looks alive for hours. Both are set on the socket itself before the loop
gets it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import cast

from drivers.links.link import WRITE_BUFFER_BYTES_MAX, LinkError, LinkHandler
from drivers.links.url import ListenUrl, TcpUrl

CONNECT_TIMEOUT_S = 5.0

#: A silent peer is asked after 10 s, then every 5 s; three missing answers, or 20 s of unacknowledged data, end the
#: connection (tcp(7)).
KEEPALIVE_IDLE_S = 10
KEEPALIVE_INTERVAL_S = 5
KEEPALIVE_PROBES = 3
USER_TIMEOUT_MS = 20_000


def configure_socket(sock: socket.socket) -> None:
    """Set TCP_NODELAY and keepalive; every TCP socket of the product goes through here."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


def forget_unsent(transport: asyncio.BaseTransport) -> None:
    """Let what the peer has not taken yet die with the connection. Otherwise the system goes on sending it for
    ``USER_TIMEOUT_MS``, and a start would reach a board long after it was given up."""
    held = transport.get_extra_info("socket")
    number = -1 if held is None else held.fileno()  # some loops hand out sockets that take no options
    with contextlib.suppress(OSError), socket.socket(fileno=socket.dup(number)) as sock:  # it may be closed already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class TcpLink(asyncio.Protocol):
    """One connection."""

    def __init__(self, handler: LinkHandler) -> None:
        self._handler: LinkHandler | None = handler
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._handler is not None:
            self._handler.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose(f"the connection broke: {exc}" if exc else "the peer closed the connection")

    def write(self, data: bytes) -> None:
        """Send ``data`` without waiting."""
        transport = self._transport
        if transport is None:
            return
        if transport.get_write_buffer_size() + len(data) > WRITE_BUFFER_BYTES_MAX:
            reason = f"the peer takes no data: over {WRITE_BUFFER_BYTES_MAX} bytes wait"
            asyncio.get_running_loop().call_soon(self.lose, reason)
        else:
            transport.write(data)

    def pause_reading(self) -> None:
        """Leave bytes in the socket; TCP slows the peer down."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on after ``pause_reading``; harmless when not paused."""
        if self._transport is not None and not self._transport.is_reading():
            self._transport.resume_reading()

    def close(self) -> None:
        """End the connection at once; unsent bytes are for a device that has been given up."""
        self._handler = None
        transport, self._transport = self._transport, None
        if transport is not None:
            forget_unsent(transport)
            transport.abort()

    def lose(self, reason: str) -> None:
        """End the connection and tell the handler."""
        handler = self._handler
        self.close()
        if handler is not None:
            handler.link_lost(reason)


class TcpOpener:
    """Dials a device."""

    def __init__(self, url: TcpUrl, timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        self._url = url
        self._timeout_s = timeout_s

    async def open(self, handler: LinkHandler) -> TcpLink:
        """Connect. Raises ``LinkError`` with the remedy."""
        where = f"{self._url.host}:{self._url.port}"
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._connect(handler)
        except TimeoutError:
            raise LinkError(f"{where}: no answer within {self._timeout_s:g} s; is it switched on and wired?") from None
        except OSError as error:
            raise LinkError(f"{where}: {error.strerror or error}; check address and port in site.toml") from error

    def close(self) -> None:
        """Nothing stays open between links."""

    async def _connect(self, handler: LinkHandler) -> TcpLink:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._url.host, self._url.port, type=socket.SOCK_STREAM)
        problem: OSError = LinkError("the name has no address")
        for family, kind, protocol, _name, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                configure_socket(sock)
                await loop.sock_connect(sock, address)
                _transport, link = await loop.create_connection(lambda: TcpLink(handler), sock=sock)
            except OSError as error:
                sock.close()
                problem = error
            except asyncio.CancelledError:
                sock.close()
                raise
            else:
                return link
        raise problem


class ListenOpener:
    """Waits for the device to dial us. The newest connection wins: a device that restarts without saying goodbye dials
    again while its old connection still looks alive.
    """

    def __init__(self, url: ListenUrl) -> None:
        self._url = url
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._newest: socket.socket | None = None
        self._arrived = asyncio.Event()
        self._link: TcpLink | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, 0 before the first ``open``."""
        return int(self._listener.getsockname()[1]) if self._listener is not None else 0

    async def open(self, handler: LinkHandler) -> TcpLink:
        """Wait, without a limit, until a device has connected. Raises ``LinkError`` when the port cannot be had."""
        if self._listener is None:
            self._listen()
        while self._newest is None:
            self._arrived.clear()
            await self._arrived.wait()
        sock, self._newest = self._newest, None
        try:
            _transport, link = await asyncio.get_running_loop().create_connection(lambda: TcpLink(handler), sock=sock)
        except OSError as error:
            sock.close()
            raise LinkError(f"the connection broke at once: {error}") from error
        self._link = link
        return link

    def close(self) -> None:
        """Stop listening."""
        if self._accepting is not None:
            self._accepting.cancel()
        for sock in (self._listener, self._newest):
            if sock is not None:
                sock.close()
        self._listener = self._newest = self._accepting = None

    def _listen(self) -> None:
        where = f"{self._url.host}:{self._url.port}"
        family = socket.AF_INET6 if ":" in self._url.host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)
            sock.bind((self._url.host, self._url.port))
            sock.listen(4)
        except OSError as error:
            sock.close()
            raise LinkError(f"cannot listen on {where}: {error.strerror}; choose a free port in site.toml") from error
        self._listener = sock
        self._accepting = asyncio.create_task(self._accept(sock), name=f"listen {where}")

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _address = await loop.sock_accept(listener)
            except OSError:  # out of descriptors, or the peer gave up in between: neither may end the listening
                await asyncio.sleep(0.1)
                continue
            with contextlib.suppress(OSError):
                configure_socket(sock)
            if self._newest is not None:
                self._newest.close()
            self._newest = sock
            if self._link is not None:
                self._link.lose("the device connected anew")
                self._link = None
            self._arrived.set()
