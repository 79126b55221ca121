"""At most two password hashes at once: 19 MiB each, on boxes with little memory.

A user would notice a mistake here as a box that swaps while somebody guesses passwords.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from starlette.concurrency import run_in_threadpool

from edge.api.problems import ApiProblem

MAX_AT_ONCE = 2
MAX_WAITING = 16

T = TypeVar("T")


class HashGate:
    """Lets ``MAX_AT_ONCE`` hashing calls run in threads and ``MAX_WAITING`` wait; one more is told that we are busy."""

    def __init__(self) -> None:
        self._running = asyncio.Semaphore(MAX_AT_ONCE)
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, run in a thread."""
        if self._waiting >= MAX_WAITING:
            raise ApiProblem("busy")
        self._waiting += 1
        try:
            async with self._running:
                return await run_in_threadpool(work)
        finally:
            self._waiting -= 1
