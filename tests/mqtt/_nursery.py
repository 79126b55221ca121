"""Embedded brokers that are forked from one process that has imported them: ``python _nursery.py``.

Each line of stdin is ``LOG WORDS``, the words those of ``edge.runtime.broker``'s command line; answered with the pid.
Who ends is reaped at once. An interpreter and its imports for each broker would cost twenty times as much as a fork.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys

from edge.runtime import broker


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.freeze()
    for line in sys.stdin:
        log, *words = json.loads(line)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            sys.argv = ["edge.runtime.broker", *words]
            os._exit(broker.main())
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
