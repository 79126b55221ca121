"""``kangle test``: the checks, then all suites as one pytest run whose summary is the last line.

The result of the checks goes into that run as tests (``tests/architecture/test_checks.py``), so that the closing line
tells the whole truth.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from edge.cli_check import CHECKS, checkout, run_checks

REPORT = "KANGLE_CHECK_REPORT"
RAW = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.command(context_settings=RAW)
@click.option("--full", is_flag=True, help="Also the long campaigns; they may take hours.")
@click.option("--workers", type=click.IntRange(0, 64), default=3, show_default=True, help="pytest-xdist processes.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(full: bool, workers: int, arguments: tuple[str, ...]) -> None:  # noqa: FBT001 - click gives it by name
    """Run the checks, then the tests. ARGUMENTS go to pytest; with a path, -k or -m the checks are left out."""
    root = checkout()
    # The suites start some hundred Python programs; each would compile all that it imports (measured: 28 s instead of
    # 8 s to collect the tests, 1.0 s instead of 0.5 s for one command).
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    words = [absolute(word) for word in arguments]
    if any(word != before for word, before in zip(words, arguments, strict=True)) or {"-k", "-m"} & set(words):
        click.echo("kangle: a part of the tests; the checks are left out (kangle check runs them)", err=True)
    else:
        compiling = begin_compiling(root)
        results = [result._asdict() for result in run_checks(CHECKS)]
        if compiling is not None:
            compiling.wait()
        handle, report = tempfile.mkstemp(prefix="kangle-check-", suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(results, file)
        os.environ[REPORT] = report
    os.environ["KANGLE_REQUIRE_BROWSER"] = "1"
    sys.stderr.flush()
    os.chdir(root)
    flags = ["-n", str(workers), "--dist", "loadscope", "--max-worker-restart", "0", *(["--full"] if full else [])]
    os.execv(sys.executable, [sys.executable, "-P", "-m", "pytest", *flags, *words])


def begin_compiling(root: Path) -> subprocess.Popen[bytes] | None:
    """In a fresh checkout: one process compiles the suites while the checks run. Else each of the test processes would
    do it for itself, at the same moment (28 s of CPU each, and 9 s when it is done). None where it was done before."""
    if any(root.glob("tests/*/__pycache__/*-pytest-*.pyc")):
        return None
    command = [sys.executable, "-P", "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def absolute(word: str) -> str:
    """A path of the user's working directory as one that holds anywhere; other words as they are."""
    path, colons, test_name = word.partition("::")
    return f"{Path(path).resolve()}{colons}{test_name}" if not word.startswith("-") and Path(path).exists() else word
