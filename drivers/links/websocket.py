"""A WebSocket that a charger dials, as a link: one message a line (see ``drivers.ocpp16.lines``).

The hard part is that many chargers dial one port: each has a link of its own, found by the identity at the end of the
path, and one that dials again replaces its old connection, which may look alive for minutes. A user would notice a
mistake as a charger that comes back after a power cut and is not let in.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidHeader
from websockets.headers import parse_authorization_basic
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from drivers.links.link import WRITE_BUFFER_BYTES_MAX, LinkError, LinkHandler
from drivers.links.tcp import configure_socket, forget_unsent
from drivers.links.ws_url import WsUrl

SUBPROTOCOL = Subprotocol("ocpp1.6")
MESSAGE_MAX = 256 * 1024
PING_S = 20
"""A connection that does not answer a ping within this time is dead."""
_SPACE = bytes.maketrans(b"\r\n", b"  ")


class WsLink:
    """One connection."""

    def __init__(self, handler: LinkHandler, connection: ServerConnection) -> None:
        self._handler: LinkHandler | None = handler
        self._connection = connection
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self._waiting = 0
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._send())]

    def write(self, data: bytes) -> None:
        """Send one message without waiting."""
        if self._waiting + len(data) > WRITE_BUFFER_BYTES_MAX:
            reason = f"the charger takes no data: over {WRITE_BUFFER_BYTES_MAX} bytes wait"
            asyncio.get_running_loop().call_soon(self.lose, reason)
            return
        self._waiting += len(data)
        self._out.put_nowait(data)

    def pause_reading(self) -> None:
        self._may_read.clear()

    def resume_reading(self) -> None:
        self._may_read.set()

    def close(self) -> None:
        """End the connection at once; the handler hears nothing more."""
        self._handler = None
        for task in self._tasks:
            task.cancel()
        forget_unsent(self._connection.transport)
        self._connection.transport.abort()

    def lose(self, reason: str) -> None:
        """End the connection and tell the handler."""
        handler = self._handler
        self.close()
        if handler is not None:
            handler.link_lost(reason)

    async def _read(self) -> None:
        reason = "the charger closed the connection"
        try:
            while True:
                await self._may_read.wait()
                message = await self._connection.recv()
                if isinstance(message, str) and self._handler is not None:
                    self._handler.data_received(message.encode().translate(_SPACE) + b"\n")
        except ConnectionClosed as error:
            reason = f"the connection broke: {error}"
        except UnicodeError:  # a lone surrogate cannot come over a WebSocket; whatever did is not believed
            reason = "the charger sent a text that is none"
        asyncio.get_running_loop().call_soon(self.lose, reason)

    async def _send(self) -> None:
        with contextlib.suppress(ConnectionClosed):  # the reading side tells it
            while True:
                data = await self._out.get()
                await self._connection.send(data.decode())
                self._waiting -= len(data)


class _Port:
    """One listening port with the chargers that may dial it."""

    def __init__(self) -> None:
        self.openers: dict[str, WsListenOpener] = {}
        self.server: Server | None = None
        self.starting = asyncio.Lock()

    async def listen(self, host: str, port: int) -> None:
        async with self.starting:
            if self.server is not None:
                return
            self.server = await serve(
                self._serve,
                host,
                port,
                subprotocols=[SUBPROTOCOL],
                process_request=self._judge,
                max_size=MESSAGE_MAX,
                max_queue=16,
                ping_interval=PING_S,
                ping_timeout=PING_S,
                open_timeout=10,
                close_timeout=2,
                compression=None,
                server_header=None,
            )

    def _opener(self, path: str) -> WsListenOpener | None:
        return self.openers.get(unquote(urlsplit(path).path.rpartition("/")[2]))

    def _judge(self, connection: ServerConnection, request: Request) -> Response | None:
        """None lets the charger in."""
        opener = self._opener(request.path)
        if opener is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "no such charger\n")
        if not opener.is_authorised(request.headers.get("Authorization")):
            response = connection.respond(HTTPStatus.UNAUTHORIZED, "wrong or no password\n")
            response.headers["WWW-Authenticate"] = 'Basic realm="charger"'
            return response
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        request = connection.request
        opener = self._opener(request.path) if request is not None else None
        if opener is None:
            return
        sock = connection.transport.get_extra_info("socket")
        if sock is not None:
            with contextlib.suppress(OSError):
                configure_socket(sock)
        opener.arrived(connection)
        await connection.wait_closed()


_ports: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], _Port]] = WeakKeyDictionary()


class WsListenOpener:
    """Waits for one charger to dial. The newest connection wins."""

    def __init__(self, url: WsUrl) -> None:
        self._url = url
        self._newest: ServerConnection | None = None
        self._arrived = asyncio.Event()
        self._link: WsLink | None = None
        self._port: _Port | None = None

    @property
    def port(self) -> int:
        """The port that is listened on, 0 before the first ``open``."""
        server = self._port.server if self._port is not None else None
        return int(next(iter(server.sockets)).getsockname()[1]) if server is not None else 0

    async def open(self, handler: LinkHandler) -> WsLink:
        """Wait, without a limit, until the charger has connected. Raises ``LinkError`` when the port cannot be had, or
        another link has the same charger."""
        if self._port is None:
            await self._listen()
        while self._newest is None:
            self._arrived.clear()
            await self._arrived.wait()
        connection, self._newest = self._newest, None
        self._link = WsLink(handler, connection)
        return self._link

    def close(self) -> None:
        """No charger is let in any more; the last one to go closes the port."""
        port, self._port = self._port, None
        if port is None:
            return
        port.openers.pop(self._url.charger, None)
        if not port.openers and port.server is not None:
            port.server.close()
            _ports[asyncio.get_running_loop()].pop((self._url.host, self._url.port), None)

    def is_authorised(self, header: str | None) -> bool:
        """Whether ``header`` (HTTP Basic) carries this charger's password. A password that is configured and cannot be
        read, or is empty, lets nobody in."""
        if not self._url.password_file and not self._url.password_env:
            return True  # the URL allows this on the loopback only
        password = self._password()
        try:
            user, given = parse_authorization_basic(header or "")
        except InvalidHeader:
            return False
        right = hmac.compare_digest(given.encode(), password.encode())
        return bool(password) and right and hmac.compare_digest(user.encode(), self._url.charger.encode())

    def arrived(self, connection: ServerConnection) -> None:
        if self._newest is not None:
            self._newest.transport.abort()
        self._newest = connection
        if self._link is not None:
            self._link.lose("the charger connected anew")
            self._link = None
        self._arrived.set()

    async def _listen(self) -> None:
        url = self._url
        ports = _ports.setdefault(asyncio.get_running_loop(), {})
        port = ports.setdefault((url.host, url.port), _Port())
        if url.charger in port.openers:
            raise LinkError(f"two links want the charger {url.charger!r}; give each its own in site.toml")
        port.openers[url.charger] = self
        try:
            await port.listen(url.host, url.port)
        except OSError as error:
            del port.openers[url.charger]
            reason = error.strerror or error
            message = f"cannot listen on {url.host}:{url.port}: {reason}; choose a free port in site.toml"
            raise LinkError(message) from error
        self._port = port

    def _password(self) -> str:
        """Read anew for each connection, so that it can be changed."""
        if self._url.password_env:
            return os.environ.get(self._url.password_env, "")
        try:
            return Path(self._url.password_file).read_text(encoding="utf-8").strip()
        except OSError:
            return ""
