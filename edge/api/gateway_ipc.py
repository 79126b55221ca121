"""``Gateway`` over the daemons' sockets: one client per daemon, all of them seen as one.

The client keeps the connection; this only translates. A user would notice a mistake here as a "nothing happened" for a
payment that did happen: both "nothing was sent" and "no answer came" are ``DaemonAway``, whose words allow for either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from edge.api.gateway import (
    GONE,
    AnyCommand,
    CommandAnswer,
    DaemonAway,
    DaemonLife,
    KeyedView,
    ViewListener,
    vertical_of,
)
from edge.log import structlog
from edge.runtime.ipc import AnswerUnknownError, DaemonUnreachableError, IpcClient, ViewUpdate

log = structlog.get_logger("edge.api.gateway")


class IpcGateway:
    """The daemon ``name`` behind ``socket``."""

    def __init__(self, socket: Path, name: str = "canteen", command_timeout_s: float = 10.0) -> None:
        self.name = name
        self._client = IpcClient(socket, "api")
        self._timeout_s = command_timeout_s
        self._listeners: list[ViewListener] = []
        self._pump: asyncio.Task[None] | None = None
        self._alive = False

    async def start(self) -> None:
        """Begin to connect; returns at once. The daemon may come later."""
        await self._client.start()
        self._pump = asyncio.create_task(self._deliver(), name=f"api-gateway-{self.name}")

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()
        if self._pump is not None:
            await self._pump

    def present(self) -> Iterable[KeyedView]:
        return [self._keyed(update) for update in self._client.views.values() if update.json != GONE]

    def listen(self, listener: ViewListener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def daemons(self) -> dict[str, DaemonLife]:
        status = self._client.status()
        if status.alive != self._alive:
            self._alive = status.alive
            log.info("daemon heard" if status.alive else "daemon silent", daemon=self.name, age_ms=status.age_ms)
        return {self.name: DaemonLife(status.alive, status.age_ms if status.boot_id else -1)}

    async def submit(self, command: AnyCommand) -> CommandAnswer:
        try:
            answer = await self._client.submit(command, self._timeout_s)
        except (DaemonUnreachableError, AnswerUnknownError) as exc:
            log.warning("command unanswered", command_id=command.command_id, reason=str(exc))
            raise DaemonAway(str(exc)) from exc
        return CommandAnswer(answer.code, answer.json, answer.replayed)

    async def _deliver(self) -> None:
        async for update in self._client.watch():
            view = self._keyed(update)
            for listener in list(self._listeners):
                listener(view)

    def _keyed(self, update: ViewUpdate) -> KeyedView:
        return KeyedView(update.key, update.version, update.json, self._client.status().boot_id)


class SiteGateway:
    """All daemons of a site, each behind its own socket: one that is away takes nothing from the others."""

    def __init__(self, gateways: Mapping[str, IpcGateway]) -> None:
        self._gateways = dict(gateways)

    async def start(self) -> None:
        """Begin to connect to each."""
        for gateway in self._gateways.values():
            await gateway.start()

    async def close(self) -> None:
        """End all connections."""
        for gateway in self._gateways.values():
            await gateway.close()

    def present(self) -> Iterable[KeyedView]:
        return [view for gateway in self._gateways.values() for view in gateway.present()]

    def listen(self, listener: ViewListener) -> Callable[[], None]:
        undo = [gateway.listen(listener) for gateway in self._gateways.values()]

        def stop() -> None:
            for one in undo:
                one()

        return stop

    def daemons(self) -> dict[str, DaemonLife]:
        return {name: life for gateway in self._gateways.values() for name, life in gateway.daemons().items()}

    async def submit(self, command: AnyCommand) -> CommandAnswer:
        gateway = self._gateways.get(vertical_of(command))
        if gateway is None:
            raise DaemonAway(f"this site has no {vertical_of(command)}")
        return await gateway.submit(command)
