"""One step of setting up: a program that runs quietly, a line that says how it goes, the end of its output if it fails.

On a terminal the line counts seconds; elsewhere it is written once, when the step is done. What the programs print goes
to ``.kangle/setup.log``. stdout is never used: it belongs to the command that runs afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TAIL_LINES = 15
POLL_S = 0.1
#: A mirror that is being renewed, a proxy that starts, a packet that is lost: over in a moment.
AGAIN_AFTER_S = 10.0


class SetupError(Exception):
    """Setting up cannot go on. ``args[0]`` says why and what to do; ``status`` is the exit status."""

    def __init__(self, message: str, status: int = 4) -> None:
        super().__init__(message)
        self.status = status


class Steps:
    """Runs the steps of one set-up in ``root`` and tells how they go."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = root / ".kangle" / "setup.log"
        self._tty = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def say(self, text: str) -> None:
        """One line for the person."""
        sys.stderr.write(f"kangle: {text}\n")
        sys.stderr.flush()

    def fetch(
        self, title: str, command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, remedy: str
    ) -> None:
        """As ``run``, for what needs the network: one failure is told and tried once more."""
        try:
            self.run(title, command, cwd=cwd, env=env, remedy=remedy)
        except SetupError as error:
            self.say(f"{error}\nkangle: trying once more in {AGAIN_AFTER_S:.0f} s")
            time.sleep(AGAIN_AFTER_S)
            self.run(title, command, cwd=cwd, env=env, remedy=remedy)

    def run(
        self, title: str, command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, remedy: str
    ) -> None:
        """Run ``command`` to its end. Raises ``SetupError`` with the end of its output and ``remedy`` if it fails."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            log.write(f"\n=== {title}: {' '.join(command)}\n".encode())
            log.flush()
            start = log.tell()
            try:
                process = subprocess.Popen(
                    command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
            except OSError as error:
                raise SetupError(f"{title}: cannot start {command[0]}: {error.strerror}. {remedy}") from None
            status = self._wait(process, title, began)
        if status != 0:
            raise SetupError(f"{title} failed (exit {status}).\n{self._tail(start)}\n{remedy}\nAll of it: {self.log}")
        end = "\n" if not self._tty else "\x1b[K\n"
        sys.stderr.write(f"{self._lead()}kangle: {title}: {time.monotonic() - began:.1f} s{end}")
        sys.stderr.flush()

    def _wait(self, process: subprocess.Popen[bytes], title: str, began: float) -> int:
        try:
            while True:
                try:
                    return process.wait(POLL_S)
                except subprocess.TimeoutExpired:
                    if self._tty:
                        sys.stderr.write(f"\rkangle: {title} ... {time.monotonic() - began:.0f} s\x1b[K")
                        sys.stderr.flush()
        except BaseException:
            process.terminate()
            process.wait()
            raise

    def _lead(self) -> str:
        return "\r" if self._tty else ""

    def _tail(self, start: int) -> str:
        with self.log.open("rb") as log:
            log.seek(start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(f"  | {line}" for line in lines[-TAIL_LINES:])
