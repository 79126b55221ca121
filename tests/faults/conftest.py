"""A toy daemon in a real process that tests may kill."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

RUNTIME = Path(__file__).parents[1] / "runtime"


class ToyDaemon:
    """Starts lives of a toy daemon in ``directory``, one after the other."""

    def __init__(self, directory) -> None:
        self.directory = directory
        self.socket = directory / "toy.sock"
        self.pid = 0
        self._log = (directory / "log").open("w")
        self._forker = subprocess.Popen(
            [sys.executable, str(RUNTIME / "toy_process.py"), str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def start(self, point="never", count=1):
        self._forker.stdin.write(f"start {point} {count}\n")
        self._forker.stdin.flush()
        self.pid = int(self._forker.stdout.readline())

    def kill(self, number=signal.SIGKILL):
        if self.pid:  # 0 would be all of us
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def ended(self):
        line = await asyncio.wait_for(asyncio.to_thread(self._forker.stdout.readline), 60)
        assert line == "ended\n", (self.directory / "log").read_text()[-2000:]
        self.pid = 0

    def close(self):
        self.kill()
        self._forker.kill()
        self._forker.wait(60)
        self._forker.stdin.close()
        self._forker.stdout.close()
        self._log.close()


@pytest.fixture
def toy_daemon(tmp_path):
    daemon = ToyDaemon(tmp_path)
    yield daemon
    daemon.close()


@pytest.fixture(scope="session")
def toy():
    name = "kangle_toy"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, RUNTIME / "toy.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
