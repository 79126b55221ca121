"""The demo's child processes: they die with it however it ends, and what they last said is kept for the person.

Each runs in a session of its own, so that Ctrl-C reaches the demo alone, which then stops them in order. The kernel
sends them SIGTERM when the demo is killed outright. Their output is read here, 200 lines are kept, nothing fills a
disk.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
KEPT_LINES = 200
READ_BYTES = 65_536
STOP_S = 8.0


class Child:
    """One process, started at once. ``verbose`` passes on what it says; ``pid_file`` is told its process id."""

    def __init__(
        self, title: str, command: Sequence[str], *, verbose: bool = False, pid_file: Path | None = None
    ) -> None:
        self.title = title
        self._command = tuple(command)
        self._verbose = verbose
        self._pid_file = pid_file
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._rest = b""
        self._start()

    @property
    def renewable(self) -> bool:
        """Whether somebody may end it on purpose, to see how the rest takes it."""
        return self._pid_file is not None

    def renew(self) -> None:
        """Start it again after it ended."""
        self.listen()
        os.close(self._output)
        self._process.stdout = None
        self._start()

    def _start(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        demo = os.getpid()

        def die_with_the_demo() -> None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != demo:
                os._exit(1)  # it was killed before we could ask

        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_the_demo,  # noqa: PLW1509 - the demo has one thread when it starts its children
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        os.set_blocking(self._output, False)
        if self._pid_file is not None:
            self._pid_file.write_text(str(self._process.pid), encoding="utf-8")

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def listen(self) -> None:
        """Take what it has said since."""
        try:
            data = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-READ_BYTES:]
        for line in lines:
            text = line.decode(errors="replace")
            self._lines.append(text)
            if self._verbose:
                sys.stderr.write(f"{self.title} | {text}\n")

    def last_words(self, count: int = 15) -> str:
        """The end of its output, for people."""
        self.listen()
        return "\n".join(f"  | {line}" for line in list(self._lines)[-count:])

    def stop(self) -> None:
        """SIGTERM; after ``STOP_S`` SIGKILL to its whole session. Returns when it is gone."""
        if self.alive:
            self._process.terminate()
        deadline = time.monotonic() + STOP_S
        while self.alive and time.monotonic() < deadline:
            self.listen()
            time.sleep(0.02)
        if self.alive:
            sys.stderr.write(f"kangle: {self.title} does not stop; killed\n")
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.listen()
        os.close(self._output)
        self._process.stdout = None
