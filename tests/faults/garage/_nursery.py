"""A process that has imported the garage's daemon once and forks a life of it for each line on stdin (JSON:
``site``, and ``point``, ``count``, ``act``, ``seconds``: what befalls the store the ``count``-th time that it
passes ``point``).

Acts: ``kill`` SIGKILL there and then; ``slow`` the disk takes ``seconds``; ``full`` and ``readonly`` the disk
refuses for ``seconds``. While one lasts, the file ``SITE/fault`` exists. Answers: the pid, then (when it has
ended) its wait status.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sqlite3
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from edge.runtime import run
from edge.runtime.kernels import KERNELS
from edge.storage.facts import FactsStore

WORDS = {"full": "database or disk is full", "readonly": "attempt to write a readonly database"}


class Fault:
    """What befalls the store."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._point, self._act = order.get("point", ""), order.get("act", "")
        self._left, self._seconds = order.get("count", 1), order.get("seconds", 0.0)
        self._flag = Path(order["site"]) / "fault"
        self._until_s = 0.0

    def __call__(self, point: str) -> None:
        if point != self._point:
            return
        self._left -= 1
        if self._left == 0:
            self._begin()
        if time.monotonic() < self._until_s:
            raise sqlite3.OperationalError(WORDS[self._act])
        self._flag.unlink(missing_ok=True)

    def _begin(self) -> None:
        if self._act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self._flag.touch()
        if self._act == "slow":
            time.sleep(self._seconds)
        else:
            self._until_s = time.monotonic() + self._seconds


def live(order: dict[str, Any]) -> int:
    fault = Fault(order)

    class Store(FactsStore):
        open = partial(FactsStore.open, on_point=fault, ballast_bytes=1 << 20)

    run.FactsStore = Store
    return run.run_daemon(Path(order["site"]), "garage")


def main() -> None:
    KERNELS["garage"]()  # a vertical is imported when it is first asked for
    gc.collect()
    gc.freeze()  # each life goes through its own things only when it settles its memory
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(0)
            status = 1
            try:
                status = live(json.loads(line))
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(pid, flush=True)
        print(os.waitpid(pid, 0)[1], flush=True)


if __name__ == "__main__":
    main()
