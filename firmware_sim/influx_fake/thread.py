"""The fake server in a thread of its own, for tests of one process."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Mapping
from typing import Any

from firmware_sim.influx_fake.bucket import Bucket
from firmware_sim.influx_fake.server import FakeInflux, Options

START_S = 20.0


class InfluxThread:
    """Listens on a free port of loopback until ``close``. ``options`` are those of ``Options``; the token is "secret"
    unless given."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, **options: Any) -> None:
        self.server = FakeInflux(Options(**{"token": "secret", **options}), Bucket())
        self._tls = tls
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="fake influx", daemon=True)
        self._thread.start()
        if not self._ready.wait(START_S):
            raise TimeoutError("the fake server does not listen")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        ready = asyncio.Event()
        serving = asyncio.create_task(self.server.serve("127.0.0.1", 0, ready, self._tls))
        await ready.wait()
        self._ready.set()
        await self._stop.wait()
        serving.cancel()  # connections that hang end with the loop

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.server.port}"

    def script(self, *steps: Mapping[str, Any]) -> None:
        """What the server does wrong next (``firmware_sim.influx_fake.script``)."""
        self.server.script.set(steps)

    def close(self) -> None:
        """End it, with every connection."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(START_S)
