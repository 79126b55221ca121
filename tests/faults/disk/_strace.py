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
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
WRITER = Path(__file__).with_name("_writer.py")
HISTORY = Path(__file__).with_name("_history_writer.py")
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


def write_attached(directory: Path, acks: Path, count: int, *options: str) -> Ran:
    """Run ``_writer.py``; strace with ``options`` takes hold of it when its store is open."""
    command = [sys.executable, WRITER, directory, acks, str(count), "wait"]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    strace = None
    try:
        assert writer.stdout is not None
        opened = writer.stdout.readline()
        assert opened, "the owner of the store did not come up"
        strace = subprocess.Popen(
            ["strace", "-f", *options, "-p", str(writer.pid)], stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert strace.stderr is not None
        assert "attached" in strace.stderr.readline()
        told, _ = writer.communicate("go\n", timeout=LIMIT_S)
        return Ran(writer.returncode, json.loads((told or opened).splitlines()[-1]))
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"the owner of the store did not end: {late.cmd}") from late
    finally:
        writer.kill()
        writer.wait(60)
        if strace is not None:
            strace.communicate(timeout=60)


def write_plainly(directory: Path, acks: Path, count: int) -> Ran:
    """The same without strace, in a process forked from one that has its imports done."""
    return _nursery(WRITER).run([str(directory), str(acks), str(count)])


def live_under(lives: Sequence[Life], *options: str) -> list[Ran]:
    """Play these lives of a history, one after the other, each a process of its own, under one strace: it counts the
    calls of each process (and thread) anew, so that ``when`` means the same to all."""
    command = ["strace", "-f", "--seccomp-bpf", "-qq", *options, "--", sys.executable, HISTORY]
    ran = _bounded([*command, *(json.dumps(life.words()) for life in lives)], LIMIT_S * len(lives))
    found = [Ran(*json.loads(line)) for line in ran.stdout.splitlines()]
    assert len(found) == len(lives), f"{ran.returncode}: {ran.stderr[-2000:]}"
    return found


def live_plainly(life: Life, kill_after_s: float | None = None) -> Ran:
    """One life without strace; ``kill_after_s``: it is killed from outside then."""
    words = life.words()
    return _nursery(HISTORY).run(words if kill_after_s is None else [["kill", kill_after_s], *words])


class Life(NamedTuple):
    """What ``_history_writer.py`` plays. ``die_at``: see there, 0 for never."""

    directory: Path
    sent: Path
    count: int
    seed: int
    retention: str = "keep"
    die_at: int = 0

    def words(self) -> list:
        """As it is told to the program."""
        return [str(self.directory), str(self.sent), *self[2:]]


class _Nursery:
    """A program that forks for each line it reads; it ends when its input does."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        atexit.register(self._end)

    def run(self, words: list) -> Ran:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], LIMIT_S)
        assert ready, "the owner of the store did not end"
        line = self._process.stdout.readline()
        assert line, f"the owner of the store broke down: {words}"
        return Ran(*json.loads(line))

    def _end(self) -> None:
        self._process.communicate()


_nursery = functools.cache(_Nursery)


def _bounded(command: list, limit_s: float) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit_s, cwd=ROOT)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"the owner of the store did not end: {late.cmd}") from late


def _run(command: list) -> Ran:
    ran = _bounded(command, LIMIT_S)
    lines = ran.stdout.splitlines()
    assert lines, f"{ran.returncode}: {ran.stderr[-2000:]}"
    return Ran(ran.returncode, json.loads(lines[-1]))
