"""How the API asks the history process. A user would notice a mistake here as a page that waits for ever: every
question ends, with an answer or with ``HistoryAway``."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from edge.runtime.history_client import ask_history
from edge.runtime.history_messages import Ask, Part

TIMEOUT_S = 8.0


class HistoryAway(Exception):  # noqa: N818 - a state of the world, not a fault of the program
    """The history process does not answer now."""


class HistoryGateway(Protocol):
    """Asks one question."""

    async def ask(self, ask: Ask) -> Part:
        """The answer. Raises ``HistoryAway``."""
        ...


class NoHistory:
    """Where none runs."""

    async def ask(self, ask: Ask) -> Part:
        raise HistoryAway("this API was built without a history")


class SocketHistory:
    """The history process behind a Unix socket."""

    def __init__(self, socket: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket
        self._timeout_s = timeout_s

    async def ask(self, ask: Ask) -> Part:
        try:
            return await ask_history(self._socket, ask, self._timeout_s)
        except (OSError, TimeoutError) as exc:
            raise HistoryAway(str(exc) or type(exc).__name__) from exc
