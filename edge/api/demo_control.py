"""The demo's door to the simulator: one JSON line out, one JSON line back, over its Unix socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from edge.api.problems import ApiProblem

TIMEOUT_S = 3.0
MAX_LINE_BYTES = 256 * 1024


class DemoControl:
    """Asks the simulator. Every failure is the problem ``demo_away``; a refusal is ``demo_refused`` with its reason."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The simulator's answer to one request."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await self._exchange(request)
        except (OSError, TimeoutError, ValueError) as exc:
            raise ApiProblem("demo_away") from exc
        if answer.get("ok") is not True:
            raise ApiProblem("demo_refused", params={"reason": str(answer.get("error", "?"))[:200]})
        return {key: value for key, value in answer.items() if key not in {"ok", "error"}}

    async def _exchange(self, request: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=MAX_LINE_BYTES)
        try:
            writer.write(msgspec.json.encode(request) + b"\n")
            await writer.drain()
            return msgspec.json.decode(await reader.readline(), type=dict[str, Any])
        finally:
            writer.close()
