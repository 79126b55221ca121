"""strace as a broken disk: system calls of one program fail, are late, or are written down with every byte.

strace(1): ``inject=CALL:error=ERRNO:when=FIRST..LAST`` answers without asking the kernel; ``delay_exit`` holds the
answer back; ``-P`` bounds all of it to some files.
"""

from __future__ import annotations

import functools
import json
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
    """The same without strace."""
    return _run([sys.executable, WRITER, directory, acks, str(count)])


def _run(command) -> Ran:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd=ROOT)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"the owner of the store did not end: {late.cmd}") from late
    lines = ran.stdout.splitlines()
    assert lines, f"{ran.returncode}: {ran.stderr[-2000:]}"
    return Ran(ran.returncode, json.loads(lines[-1]))
