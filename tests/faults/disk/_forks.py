"""Programs that fork: the imports are done once, each piece of work runs in a process of its own and may die there."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable


def fork_each(main: Callable[[list], int], lines: Iterable[str]) -> None:
    """Play each line (a JSON list) in a process of its own; [exit status, what it told last] is the answer on stdout.
    A first word ``["kill", S]`` kills that process with SIGKILL after so many seconds, unless it has ended."""
    for line in lines:
        words = json.loads(line)
        kill_after_s = words.pop(0)[1] if isinstance(words[0], list) else None
        ours, its = os.pipe()
        pid = os.fork()
        if pid == 0:
            _child(main, words, its)
        os.close(its)
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            os.kill(pid, signal.SIGKILL)
        with os.fdopen(ours) as told:
            lines_told = told.read().splitlines()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        print(json.dumps([status, json.loads(lines_told[-1]) if lines_told else {}]), flush=True)


def _child(main: Callable[[list], int], words: list, its: int) -> None:
    os.dup2(its, 1)
    status = 1
    try:
        status = main(words)
        sys.stdout.flush()
    finally:
        os._exit(status)
