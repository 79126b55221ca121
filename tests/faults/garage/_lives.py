"""Lives of the garage's daemon, forked one after the other from one warm process (``_nursery.py``) that serves all the
garages of a test run.

The hard part is that a life may end at any moment, also before anybody spoke to it: its end is always read before the
next one is asked for.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from _garage_site import ROOT


@functools.cache
def nursery() -> subprocess.Popen[str]:
    """Started with the first garage, ended with this process."""
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "_nursery.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.wait(60)
    process.stdout.close()


class Life:
    """One life of the daemon, with an ``order`` as the nursery takes them."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._nursery = nursery()
        assert self._nursery.stdin is not None
        assert self._nursery.stdout is not None
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        self.pid = int(self._nursery.stdout.readline())
        self.status: int | None = None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ended(self) -> int:
        """Wait until it is gone; its wait status."""
        if self.status is None:
            assert self._nursery.stdout is not None
            self.status = int(self._nursery.stdout.readline())
        return self.status

    def is_over(self) -> bool:
        """Whether it is a zombie, or gone."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    def stop(self) -> None:
        if self.status is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            self.ended()
