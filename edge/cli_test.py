"""``kangle test``: all suites as one pytest run whose summary is the last line, and the checks beside it.

The results of the checks go into that run as its last tests (``tests/architecture/test_checks.py``), so that the
closing line tells the whole truth. They run beside the suites because these wait a good part of their time: one after
the other took a minute and a half longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from edge.cli_check import checkout

REPORT = "KANGLE_CHECK_REPORT"
CHECKS_NICE = 5
RAW = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.command(context_settings=RAW)
@click.option("--full", is_flag=True, help="Also the long campaigns; they may take hours.")
@click.option("--workers", type=click.IntRange(0, 64), default=3, show_default=True, help="pytest-xdist processes.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(full: bool, workers: int, arguments: tuple[str, ...]) -> None:  # noqa: FBT001 - click gives it by name
    """Run the tests, and the checks beside them. ARGUMENTS go to pytest; with a path, -k or -m without the checks."""
    root = checkout()
    # The suites start some hundred Python programs; each would compile all that it imports (measured: 28 s instead of
    # 8 s to collect the tests, 1.0 s instead of 0.5 s for one command).
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    words = [absolute(word) for word in arguments]
    if any(word != before for word, before in zip(words, arguments, strict=True)) or {"-k", "-m"} & set(words):
        click.echo("kangle: a part of the tests; the checks are left out (kangle check runs them)", err=True)
    else:
        os.environ[REPORT] = begin_checking(root)
        compile_suites(root)
    os.environ["KANGLE_REQUIRE_BROWSER"] = "1"
    sys.stderr.flush()
    os.chdir(root)
    flags = ["-n", str(workers), "--dist", "loadscope", "--max-worker-restart", "0", *(["--full"] if full else [])]
    os.execv(sys.executable, [sys.executable, "-P", "-m", "pytest", *flags, *words])


def begin_checking(root: Path) -> str:
    """Start the checks, as a process that gives way to the suites and says nothing. The file with their results: it is
    there when they have ended."""
    report = Path(tempfile.mkdtemp(prefix="kangle-check-")) / "report.json"
    command = [sys.executable, "-P", "-m", "edge.cli", "check", "--report", str(report)]
    nothing = subprocess.DEVNULL
    checking = subprocess.Popen(command, cwd=root, stdin=nothing, stdout=nothing, stderr=nothing)
    os.setpriority(os.PRIO_PROCESS, checking.pid, os.getpriority(os.PRIO_PROCESS, 0) + CHECKS_NICE)
    return str(report)


def compile_suites(root: Path) -> None:
    """In a fresh checkout, let one process compile the suites. Else each of the test processes would do it for itself,
    at the same moment (28 s of CPU each, and 9 s when it is done)."""
    if not any(root.glob("tests/*/__pycache__/*-pytest-*.pyc")):
        collect = ["--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
        subprocess.run(
            [sys.executable, "-P", "-m", "pytest", *collect], cwd=root, stdout=subprocess.DEVNULL, check=False
        )


def absolute(word: str) -> str:
    """A path of the user's working directory as one that holds anywhere; other words as they are."""
    path, colons, test_name = word.partition("::")
    return f"{Path(path).resolve()}{colons}{test_name}" if not word.startswith("-") and Path(path).exists() else word
