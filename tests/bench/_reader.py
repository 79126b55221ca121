"""A scripted FEIG reader on a pseudo-terminal that answers at once and notes when its last byte was written.

No physics: the bench asks how long the box takes after the last byte, so the reader must cost nothing and hide nothing.
Frames are encoded by firmware_sim, which shares no code with the driver.
"""

from __future__ import annotations

import os
import threading
import time
import tty
from pathlib import Path

from firmware_sim.feig import frames

INVENTORY, RESET, OK, NONE = 0xB0, 0x69, 0x00, 0x01
NEW, MORE = 0x00, 0x80


class ScriptedReader(threading.Thread):
    """Put ``tray`` (UIDs, hex) down by assigning it. ``written_ns``: perf_counter_ns after the first answer with
    tags."""

    def __init__(self, link: Path) -> None:
        super().__init__(daemon=True, name="scripted reader")
        self._master, slave = os.openpty()
        tty.setraw(self._master)
        tty.setraw(slave)
        self._slave = slave
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(slave))
        self._tray: tuple[str, ...] = ()
        self._told = False
        self.written_ns: int | None = None
        self.stopping = False

    @property
    def tray(self) -> tuple[str, ...]:
        return self._tray

    @tray.setter
    def tray(self, uids: tuple[str, ...]) -> None:
        self.written_ns = None
        self._tray = uids

    def run(self) -> None:
        buffer = b""
        while not self.stopping:
            buffer += os.read(self._master, 4096)
            while (length := frames.claimed_length(buffer)) and len(buffer) >= length:
                request, buffer = frames.parse_request(buffer[:length]), buffer[length:]
                if request is not None:
                    self._answer(request)

    def _answer(self, request: frames.Request) -> None:
        if request.command == RESET:
            self._told = False
        if request.command != INVENTORY:
            data = bytes.fromhex("0102000021") + bytes(8) if request.command in {0x65, 0x66} else b""
            os.write(self._master, frames.encode_reply(0, request.command, OK, data))
            return
        tray = () if self._told else self._tray
        self._told = bool(tray)
        sets = b"".join(b"\x03\x00" + bytes.fromhex(uid) for uid in tray)
        status, data = (OK, bytes([len(tray)]) + sets) if tray else (NONE, b"")
        reply = frames.encode_reply(0, INVENTORY, status, data)
        if tray and self.written_ns is None:
            self.written_ns = time.perf_counter_ns()
        os.write(self._master, reply)

    def stop(self) -> None:
        self.stopping = True
