"""strace as a broken disk: system calls of one program fail, are late, or are written down with every byte.

strace(1): ``inject=CALL:error=ERRNO:when=FIRST..LAST`` answers without asking the kernel; ``delay_exit`` holds the
answer back; ``-P`` bounds all of it to some files.
"""

from __future__ import annotations

import atexit
import functools
import json
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
WRITER = Path(__file__).with_name("_writer.py")
LIMIT_S = 110


class Ran(NamedTuple):
    """Exit status of the writer and what it told at its end."""

    status: int
    told: dict


@functools.cache
def why_not() -> str:
    """Why strace cannot be used here; "" when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed: apt-get install strace"
    probe = ["strace", "-f", "-e", "inject=getppid:error=EIO", "-e", "trace=getppid", "-o", "/dev/null", "true"]
    ran = subprocess.run(probe, capture_output=True, text=True, check=False, timeout=60)
    return "" if ran.returncode == 0 else f"ptrace is not permitted here: {ran.stderr.strip()}"


def write_under(directory: Path, acks: Path, count: int, *options: str, planted: str = "") -> Ran:
    """Run ``_writer.py`` to ``count`` inputs under strace with ``options``."""
    command = ["strace", "-f", "--seccomp-bpf", "-qq", *options, "--", sys.executable, WRITER, directory, acks]
    return _run([*command, str(count), *([planted] if planted else [])])


def write_plainly(directory: Path, acks: Path, count: int) -> Ran:
    """The same without strace, in a process forked from one that has its imports done."""
    return _nursery().run(directory, acks, count)


class _Nursery:
    """The program that forks writers (``_writer.py`` without arguments); it ends when its input does."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, WRITER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        atexit.register(self._end)

    def run(self, *words: object) -> Ran:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(word) for word in words]) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], LIMIT_S)
        assert ready, "the owner of the store did not end"
        line = self._process.stdout.readline()
        assert line, f"the owner of the store broke down: {words}"
        return Ran(*json.loads(line))

    def _end(self) -> None:
        self._process.communicate()


_nursery = functools.cache(_Nursery)


def _run(command) -> Ran:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd=ROOT)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"the owner of the store did not end: {late.cmd}") from late
    lines = ran.stdout.splitlines()
    assert lines, f"{ran.returncode}: {ran.stderr[-2000:]}"
    return Ran(ran.returncode, json.loads(lines[-1]))
