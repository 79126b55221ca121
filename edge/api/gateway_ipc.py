"""``Gateway`` over the daemon's socket.

The client keeps the connection; this only translates. A user would notice a mistake here as a "nothing happened" for a
payment that did happen: both "nothing was sent" and "no answer came" are ``DaemonAway``, whose words allow for either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from edge.api.gateway import CommandAnswer, DaemonAway, DaemonLife, KeyedView, ViewListener
from edge.domain.canteen.messages import Command
from edge.runtime.ipc import AnswerUnknownError, DaemonUnreachableError, IpcClient, ViewUpdate

log = structlog.get_logger("edge.api.gateway")


class IpcGateway:
    """The canteen daemon behind ``socket``."""

    def __init__(self, socket: Path, command_timeout_s: float = 10.0) -> None:
        self._client = IpcClient(socket, "api")
        self._timeout_s = command_timeout_s
        self._listeners: list[ViewListener] = []
        self._pump: asyncio.Task[None] | None = None
        self._alive = False

    async def start(self) -> None:
        """Begin to connect; returns at once. The daemon may come later."""
        await self._client.start()
        self._pump = asyncio.create_task(self._deliver(), name="api-gateway")

    async def close(self) -> None:
        """End the connection."""
        await self._client.close()
        if self._pump is not None:
            await self._pump

    def present(self) -> Iterable[KeyedView]:
        return [self._keyed(update) for update in self._client.views.values()]

    def listen(self, listener: ViewListener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def daemons(self) -> dict[str, DaemonLife]:
        status = self._client.status()
        if status.alive != self._alive:
            self._alive = status.alive
            log.info("canteen daemon heard" if status.alive else "canteen daemon silent", age_ms=status.age_ms)
        return {"canteen": DaemonLife(status.alive, status.age_ms if status.boot_id else -1)}

    async def submit(self, command: Command) -> CommandAnswer:
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
