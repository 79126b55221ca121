"""Server-sent events to one client: from its mailbox to the socket, until either end is gone.

FastAPI's own SSE support passes each event through two streams and three tasks (twice the CPU of a plain send in our
measurement, ``latency.md`` 5), so this is a plain ASGI response. It ends when the client disconnects, when the login
behind it ends, when the client takes nothing for ``STALL_S``, or when the server stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge.api.hub import Hub, Mailbox

#: A healthy client takes a pulse each second; one that takes nothing for this long is dropped and may come again.
STALL_S = 20.0
#: How often a stream asks whether its login still holds.
RECHECK_S = 5.0

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class LiveResponse(Response):
    """Streams ``client``'s mailbox. ``still_valid`` is asked every ``RECHECK_S`` whether the caller may go on."""

    def __init__(self, hub: Hub, client: Mailbox, still_valid: Callable[[], bool]) -> None:
        super().__init__()
        self._hub = hub
        self._client = client
        self._still_valid = still_valid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watcher = asyncio.create_task(self._watch(receive), name="api-live-watch")
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._stream(send)
        finally:
            watcher.cancel()
            self._hub.leave(self._client)

    async def _stream(self, send: Send) -> None:
        while True:
            chunk = await self._client.take()
            if self._client.closed:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            try:
                async with asyncio.timeout(STALL_S):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            except TimeoutError:
                self._hub.counters["stalled_streams"] += 1
                return

    async def _watch(self, receive: Receive) -> None:
        """Close the mailbox when the client is gone or the login ended."""
        gone = asyncio.create_task(self._disconnected(receive), name="api-live-disconnect")
        try:
            while not gone.done() and self._still_valid():
                await asyncio.wait({gone}, timeout=RECHECK_S)
        finally:
            gone.cancel()
            self._client.close()

    async def _disconnected(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
