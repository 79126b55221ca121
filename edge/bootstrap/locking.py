"""One set-up at a time per checkout: a second ``./kangle`` waits for the first and then finds all in place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.bootstrap.steps import SetupError, Steps


@contextmanager
def only_one(root: Path, steps: Steps) -> Iterator[None]:
    """Hold the lock of this checkout. The kernel releases it however the holder ends, so it is never stale."""
    folder = root / ".kangle"
    try:
        folder.mkdir(exist_ok=True)
        file = (folder / "setup.lock").open("a+")
    except OSError as error:
        remedy = "Let its owner run ./kangle setup there, or use a checkout that belongs to you."
        raise SetupError(f"cannot write in {root}: {error.strerror}. {remedy}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            steps.say(f"another ./kangle is setting up (pid {file.read().strip() or '?'}); waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
