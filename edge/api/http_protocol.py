"""uvicorn's HTTP/1.1 protocol with a time limit on the request's head.

uvicorn waits for ever for a head that arrives a byte at a time, so a few hundred sockets could use up all connections
(slowloris). Bodies are limited by the app's own time-out. A user would notice a mistake here as pages that do not open
while nothing seems busy.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

#: From the connection's opening, or the first byte of the next request on it, to the end of the head.
HEAD_TIMEOUT_S = 10.0


class BoundedHeadProtocol(H11Protocol):
    """Closes a connection whose request head is not complete after ``HEAD_TIMEOUT_S``."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._forget()

    def _watch_head(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn declares it never None, and begins with None
        if cycle is not None and not cycle.response_complete:
            self._forget()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._too_slow)

    def _forget(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        self.transport.close()
