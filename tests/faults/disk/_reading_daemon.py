"""A toy daemon with one device that only gives readings: `_reading_daemon.py DIRECTORY GIVEN COUNT`.

Byte n of a pseudo-terminal is reading n (1 to 250). Before a byte is put on the line, its number is appended to GIVEN
in one write. When all are given and two seconds have passed, the daemon is told to stop.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import tty
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "runtime"))
import toy_process

from edge.storage import facts

EVERY_S = 0.02


def feed(master: int, given: int, socket: Path, count: int) -> None:
    """Give the readings once the daemon serves."""
    until = time.monotonic() + 60
    while not socket.exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    for number in range(1, count + 1):
        os.write(given, b"%d\n" % number)
        os.write(master, bytes((number,)))
        time.sleep(EVERY_S)
    time.sleep(2)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    directory, given, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    facts.CHECKPOINT_PAGES = 16
    master, slave = os.openpty()
    tty.setraw(slave)
    (directory / "line").symlink_to(os.ttyname(slave))
    acks = os.open(given, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    threading.Thread(target=feed, args=(master, acks, directory / "toy.sock", count), daemon=True).start()
    return toy_process.serve(directory, "never", -1)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
