"""A pseudo-terminal that can be unplugged and plugged in again behind a stable path, and a handler that records."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import tty
from pathlib import Path

import pytest


class PtyDevice:
    """The far end of a serial line; ``path`` is a symlink like those of /dev/serial/by-id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fds: tuple[int, int] | None = None

    @property
    def url(self) -> str:
        return f"serial://{self.path}?baud=115200"

    def plug(self) -> None:
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._fds = master, slave
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(slave))

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)  # before the number is anybody's
        if self._fds is not None:
            for fd in self._fds:
                os.close(fd)
        self._fds = None

    @property
    def master(self) -> int:
        assert self._fds is not None
        return self._fds[0]

    def say(self, data: bytes) -> None:
        assert os.write(self.master, data) == len(data)

    def heard(self) -> bytes:
        data = b""
        with contextlib.suppress(BlockingIOError, OSError):
            while chunk := os.read(self.master, 65536):
                data += chunk
        return data


class Recorder:
    """A link handler that keeps what it was told."""

    def __init__(self) -> None:
        self.data = b""
        self.lost: list[str] = []
        self.changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.changed.set()

    def link_lost(self, reason: str) -> None:
        self.lost.append(reason)
        self.changed.set()

    async def until(self, condition) -> None:
        async with asyncio.timeout(60):
            while not condition(self):
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def device(tmp_path):
    device = PtyDevice(tmp_path / "reader")
    device.plug()
    yield device
    device.unplug()


@pytest.fixture
def recorder():
    return Recorder


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Run a coroutine on each kind of loop that the daemons may have."""
    if request.param == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    else:
        factory = asyncio.new_event_loop

    def run_one(coroutine):
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(coroutine, 110))

    return run_one
