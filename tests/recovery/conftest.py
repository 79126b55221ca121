"""A real canteen daemon as its own process, killed and started again on the same store."""

from __future__ import annotations

import asyncio
import importlib.util
import signal
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
        self.process: subprocess.Popen[bytes] | None = None
        self.client: IpcClient | None = None
        self.log = (root / "daemon.log").open("ab")

    async def start(self) -> None:
        command = [sys.executable, "-m", "edge.cli", "run", "canteen", "--site", str(self.folder.site)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, cwd=ROOT)
        self.client = IpcClient(self.site.run_dir / "canteen.sock", "test")
        await self.client.start()
        assert await self.client.wait_connected(20), (self.folder.root / "daemon.log").read_text()[-3000:]

    async def kill(self) -> None:
        assert self.process is not None
        assert self.client is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        await self.client.close()

    async def submit(self, body: Any, command_id: str, role: Role = Role.ADMIN) -> Any:
        assert self.client is not None
        return await self.client.submit(Command(command_id, Actor(role, "test"), body))

    async def lane(self, wanted: Any, timeout_s: float = 10.0) -> dict[str, Any]:
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
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.stop()
        self.log.close()


@pytest.fixture
def victim(tmp_path: Path) -> Any:
    daemon = Victim(tmp_path)
    yield daemon
    daemon.end()
