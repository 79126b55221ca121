"""A real canteen daemon as its own process, killed and started again on the same store.

Each life of the daemon is forked from a process that has only imported it, read the site's files and looked at the
types of its rows and commands: a hundred lives then cost a hundred starts, not a hundred imports. What a life has
inherited is out of its garbage collector's sight.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from edge.demo_site import DemoFolder, copy_site
from edge.domain.actors import Actor, Role
from edge.domain.canteen.messages import Command
from edge.runtime.ipc import IpcClient

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
NURSERY = """
import gc, msgspec, os, sys
from functools import cache
from pathlib import Path
from edge.runtime import run
from edge.runtime.kernels import KERNELS
from edge.storage.migrate import packaged
from edge.storage.tables import table_of
adapter = KERNELS["canteen"]()
packaged("canteen")
list(map(table_of, adapter.kernel.row_types))
msgspec.msgpack.Decoder(adapter.command_type)
run.load_site = cache(run.load_site)
for line in sys.stdin:
    site = Path(line.strip())
    run.load_site(site, run.local_today())
    gc.collect()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        os._exit(run.run_daemon(site, "canteen"))
    print(pid, flush=True)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


def _scripted_reader() -> Any:
    spec = importlib.util.spec_from_file_location("scripted_reader", ROOT / "tests" / "bench" / "_reader.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ScriptedReader


class Victim:
    """The daemon under test. ``reader.tray`` is what lies on lane 1."""

    def __init__(self, root: Path) -> None:
        self.folder = DemoFolder(root)
        self.site = copy_site(ROOT / "config", self.folder, 1, 1, date.today())
        self.store = self.site.data_dir / "canteen"
        self.reader = _scripted_reader()(self.folder.link(1))
        self.reader.start()
        self.client: IpcClient | None = None
        self.pid = 0
        self.log = (root / "daemon.log").open("ab")
        self.nursery = subprocess.Popen(
            [sys.executable, "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            cwd=ROOT,
            text=True,
        )

    async def start(self) -> None:
        self.nursery.stdin.write(f"{self.folder.site}\n")
        self.nursery.stdin.flush()
        self.pid = int(self.nursery.stdout.readline())
        path = self.site.run_dir / "canteen.sock"
        await self._listens(path)
        self.client = IpcClient(path, "test")
        await self.client.start()
        assert await self.client.wait_connected(PATIENCE_S), (self.folder.root / "daemon.log").read_text()[-3000:]

    async def _listens(self, path: Path) -> None:
        """Wait for the daemon's socket: a client that dials too early waits longer and longer before it dials again,
        which a hundred lives would make a minute of."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
                    line.connect(str(path))
                    return
                await asyncio.sleep(0.005)

    async def kill(self) -> None:
        assert self.client is not None
        self._end_life(signal.SIGKILL)
        await self.client.close()

    def _end_life(self, number: signal.Signals) -> None:
        """Signal the daemon and wait until it is gone (the nursery reaps it)."""
        os.kill(self.pid, number)
        self.nursery.stdout.readline()
        self.pid = 0

    async def submit(self, body: Any, command_id: str, role: Role = Role.ADMIN) -> Any:
        assert self.client is not None
        return await self.client.submit(Command(command_id, Actor(role, "test"), body), PATIENCE_S)

    async def lane(self, wanted: Any, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The first view of lane 1 that is wanted."""
        import msgspec

        assert self.client is not None
        view = None
        try:
            async with asyncio.timeout(timeout_s):
                async for update in self.client.watch("lane/1"):
                    view = msgspec.json.decode(update.json)
                    if wanted(view):
                        return view
        except TimeoutError:
            pass
        log = (self.folder.root / "daemon.log").read_text()[-2000:]
        raise AssertionError(f"no such view in {timeout_s} s; the last: {view}\n{self.client.status()}\n{log}")

    def end(self) -> None:
        if self.pid:
            self._end_life(signal.SIGTERM)
        self.nursery.stdin.close()
        self.nursery.wait(60)
        self.nursery.stdout.close()
        self.reader.stop()
        self.log.close()


@pytest.fixture
def victim(tmp_path: Path) -> Any:
    daemon = Victim(tmp_path)
    yield daemon
    daemon.end()
