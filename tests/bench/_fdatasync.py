"""The floor of everything that is durable: write and fdatasync of 300 bytes after idleness."""

from __future__ import annotations

import os
import time
from pathlib import Path

IDLE_S = 0.02
RECORD = b"x" * 300


def bare_fdatasync(path: Path, count: int) -> list[float]:
    """Milliseconds of each."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    times = []
    for _ in range(count):
        time.sleep(IDLE_S)
        begun = time.perf_counter()
        os.write(fd, RECORD)
        os.fdatasync(fd)
        times.append((time.perf_counter() - begun) * 1e3)
    os.close(fd)
    return times
