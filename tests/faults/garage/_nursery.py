"""A process that has imported the garage's daemon once and forks a life of it for each line on stdin (JSON:
``site``, ``log``, and ``point``, ``count``, ``act``, ``seconds``: what befalls the store the ``count``-th time that it
passes ``point``).

Acts: ``kill`` SIGKILL there and then; ``slow`` the disk does not answer; ``full`` and ``readonly`` the disk refuses.
While one of these lasts the file ``SITE/fault`` exists; it is over when somebody removes that file, at the latest after
``seconds``. Answers: the pid, then (when it has ended) its wait status.
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

import msgspec

from edge.runtime import run
from edge.runtime.kernels import KERNELS
from edge.storage.facts import FactsStore
from edge.storage.migrate import packaged
from edge.storage.tables import table_of

WORDS = {"full": "database or disk is full", "readonly": "attempt to write a readonly database"}
LOOK_S = 0.005


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
        if self._lasts():
            raise sqlite3.OperationalError(WORDS[self._act])

    def _begin(self) -> None:
        if self._act == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        self._until_s = time.monotonic() + self._seconds
        self._flag.touch()
        while self._act == "slow" and self._lasts():
            time.sleep(LOOK_S)

    def _lasts(self) -> bool:
        if not self._until_s:
            return False
        if time.monotonic() > self._until_s:
            self._flag.unlink(missing_ok=True)
        return self._flag.exists()


def live(order: dict[str, Any]) -> int:
    with Path(order["log"]).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    fault = Fault(order)

    class Store(FactsStore):
        open = partial(FactsStore.open, on_point=fault, ballast_bytes=1 << 20)

    run.FactsStore = Store
    return run.run_daemon(Path(order["site"]), "garage")


def main() -> None:
    adapter = KERNELS["garage"]()  # a vertical is imported when it is first asked for; so are its types understood
    packaged("garage")
    list(map(table_of, adapter.kernel.row_types))
    msgspec.msgpack.Decoder(adapter.command_type)
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
