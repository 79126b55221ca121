"""A simulated reader behind a pseudo-terminal, in real time, with a stable link path.

The hard part is what a pty does not do by itself: a host that is not there must lose bytes (a pty would keep them for
the next one), a wrong baud rate must give garbage, and pulling the plug must look to the host like a vanished device
whose path comes back as a new one. A user would notice as a demo that works and a real cable that does not.

Parity cannot be told: Linux strips the parity flag from pseudo-terminals.
"""

from __future__ import annotations

import asyncio
import os
import select
import sys
import termios
import time
import tty
from pathlib import Path
from typing import Protocol

from firmware_sim.line import LineFaults
from firmware_sim.reader import REBOOT_NS

READ_BYTES = 4096
#: How often we look whether a host has opened the port again.
HOST_LOOK_S = 0.05
_SPEEDS = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}


class PluggableReader(Protocol):
    """What a port needs of a reader (see ``firmware_sim.reader.ReaderBase``)."""

    def receive(self, data: bytes, now_ns: int) -> None: ...
    def deadline(self) -> int | None: ...
    def take(self, now_ns: int) -> bytes: ...
    def unplugged(self, now_ns: int) -> None: ...
    def plugged(self, now_ns: int, boot_ns: int = ...) -> None: ...
    def restart(self, now_ns: int, boot_ns: int = ...) -> None: ...
    def set_faults(self, faults: LineFaults | str, now_ns: int) -> None: ...
    def is_awake(self, now_ns: int) -> bool: ...
    def baud(self) -> int: ...


class PtyPort:
    """``reader`` on a pty, reachable by the symbolic link ``link``, driven by the running asyncio loop.

    ``any_baud``: do not hold the host to the reader's baud rate.
    """

    def __init__(self, reader: PluggableReader, link: Path, *, name: str = "", any_baud: bool = False) -> None:
        self._reader = reader
        self._link = link
        self._name = name or link.name
        self._any_baud = any_baud
        self._loop = asyncio.get_running_loop()
        self._master = -1
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._host = False
        self._baud_told = 0
        self.lost_bytes = 0

    @property
    def plugged(self) -> bool:
        return self._master >= 0

    def plug(self, boot_ns: int = REBOOT_NS) -> None:
        """Open a new pty and point the link at it. Does nothing while plugged in."""
        if self.plugged:
            return
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        replace_link(self._link, os.ttyname(slave))
        os.close(slave)  # from now on the pty tells us whether a host has it open
        self._master = master
        self._reader.plugged(time.monotonic_ns(), boot_ns)
        self._look_for_host()

    def unplug(self) -> None:
        """Pull the plug: the host's open file fails, the link path is gone. Does nothing while unplugged."""
        if not self.plugged:
            return
        self._forget_host()
        if self._look is not None:
            self._look.cancel()
        self._link.unlink(missing_ok=True)
        os.close(self._master)
        self._master = -1
        self._reader.unplugged(time.monotonic_ns())

    def restart(self) -> None:
        """The reader resets; the port stays."""
        self._reader.restart(time.monotonic_ns())
        self._pump()

    def set_faults(self, faults: LineFaults | str) -> None:
        self._reader.set_faults(faults, time.monotonic_ns())
        self._pump()

    # --- the host

    def _look_for_host(self) -> None:
        poller = select.poll()
        poller.register(self._master, select.POLLIN)
        hung_up = any(flags & select.POLLHUP for _, flags in poller.poll(0))
        if hung_up:
            # Nobody listens: what the reader says meanwhile is lost, and its time goes on.
            self.lost_bytes += len(self._reader.take(time.monotonic_ns()))
            self._look = self._loop.call_later(HOST_LOOK_S, self._look_for_host)
            return
        self._look = None
        self._host = True
        self._loop.add_reader(self._master, self._readable)
        self._pump()

    def _forget_host(self) -> None:
        if self._host:
            self._loop.remove_reader(self._master)
            self._host = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _readable(self) -> None:
        now_ns = time.monotonic_ns()
        try:
            data = os.read(self._master, READ_BYTES)
        except OSError:  # EIO: the host closed the port
            self._forget_host()
            self._look_for_host()
            return
        if self._baud_fits():
            self._reader.receive(data, now_ns)
        self._pump()

    def _pump(self) -> None:
        """Hand over what has crossed the wire, and sleep until the next byte or round is due."""
        if not self._host:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ns = time.monotonic_ns()
        data = self._reader.take(now_ns)
        if data:
            self._write(data)
        due_ns = self._reader.deadline()
        if due_ns is not None:
            self._timer = self._loop.call_later(max(0, due_ns - time.monotonic_ns()) / 1e9, self._pump)

    def _write(self, data: bytes) -> None:
        if not self._baud_fits():
            data = bytes((byte * 167 + 13) & 0xFF for byte in data[: len(data) // 2 + 1])
        try:
            written = os.write(self._master, data)
        except OSError:  # the host does not read (EAGAIN) or has just gone (EIO)
            written = 0
        self.lost_bytes += len(data) - written

    def _baud_fits(self) -> bool:
        """Whether the host opened the port at the reader's rate; says it once when not."""
        if self._any_baud:
            return True
        host_baud = _SPEEDS.get(termios.tcgetattr(self._master)[4], 0)
        if host_baud == self._reader.baud():
            self._baud_told = 0
            return True
        if self._baud_told != host_baud:
            self._baud_told = host_baud
            sys.stderr.write(
                f"{self._name}: the host talks at {host_baud} baud, the reader at {self._reader.baud()}: "
                f"both see garbage. Open the port at {self._reader.baud()}.\n"
            )
        return False


def replace_link(link: Path, target: str) -> None:
    """Point ``link`` at ``target`` in one step: whoever opens it finds the old device or the new one, never nothing."""
    if link.exists() and not link.is_symlink():
        raise FileExistsError(f"{link} exists and is no symbolic link; give a path that this program may create")
    link.parent.mkdir(parents=True, exist_ok=True)
    beside = link.with_name(f".{link.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.replace(link)
