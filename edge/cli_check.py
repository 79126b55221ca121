"""``kangle check``: lint, format, types, import rules; Python and pages. All of them run, then the sum is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import click

from edge.cli_errors import FAILED, OK, USAGE, CliError
from edge.cli_paths import CHECKOUT

#: Beside the tests, which go first, the slowest check takes minutes.
TIMEOUT_S = 900
WORKERS = 2


class Check(NamedTuple):
    """A program that says yes by exit status 0."""

    name: str
    command: tuple[str, ...]
    folder: str = "."


class Result(NamedTuple):
    """How a check went; ``output`` is what it printed."""

    name: str
    ok: bool
    seconds: float
    output: str


IMPORT_LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"
TYPESCRIPT = ("node", "node_modules/typescript/bin/tsc", "--noEmit")
ESLINT = ("node", "node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0")

# The slowest first: with two at a time that ends soonest.
CHECKS = (
    Check("mypy", (sys.executable, "-m", "mypy")),
    Check("eslint", ESLINT, "edge/web"),
    Check("tsc", TYPESCRIPT, "edge/web"),
    Check("imports", (sys.executable, "-c", IMPORT_LINTER)),
    Check("lint", (sys.executable, "-m", "ruff", "check", "--no-fix", ".")),
    Check("format", (sys.executable, "-m", "ruff", "format", "--check", ".")),
)


def checkout() -> Path:
    """The root of the checkout; checks and tests need one."""
    if CHECKOUT is None:
        raise CliError("this command needs a checkout of the source; an installed wheel has no tests.", USAGE)
    return CHECKOUT


def run_check(check: Check) -> Result:
    """Run one check to its end. A program that cannot start or hangs is a failure, never a pass."""
    began = time.monotonic()
    env = {**os.environ, "NO_COLOR": "1"}
    try:
        ran = subprocess.run(
            check.command,
            cwd=checkout() / check.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        return Result(check.name, ok=False, seconds=0.0, output=f"cannot start {check.command[0]}: {error}\n")
    except subprocess.TimeoutExpired:
        return Result(check.name, ok=False, seconds=TIMEOUT_S, output=f"no answer within {TIMEOUT_S} s\n")
    output = ran.stdout.decode(errors="replace")
    return Result(check.name, ran.returncode == 0, time.monotonic() - began, output)


def run_checks(checks: Sequence[Check]) -> list[Result]:
    """Run all, two at a time; print each as it ends, and its output if it failed."""
    with ThreadPoolExecutor(WORKERS) as pool:
        results = []
        for result in pool.map(run_check, checks):
            if not result.ok:
                click.echo(f"--- {result.name}\n{result.output.rstrip()}\n", err=True)
            results.append(result)
    for result in results:
        click.echo(f"check {result.name:<8} {'ok' if result.ok else 'FAILED':<7}{result.seconds:5.1f} s", err=True)
    return results


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([check.name for check in CHECKS]))
@click.option("--report", type=click.Path(path_type=Path), help="Also leave the results there, as JSON.")
def check(names: tuple[str, ...], report: Path | None) -> int:
    """Run the checks (or those of NAMES): types, lint, format, import rules, pages. Exit 1 if one fails."""
    results = run_checks([check for check in CHECKS if check.name in names or not names])
    if report is not None:
        unfinished = report.with_suffix(".unfinished")
        unfinished.write_text(json.dumps([result._asdict() for result in results]), encoding="utf-8")
        unfinished.replace(report)  # it is there only when it is whole
    failed = [result.name for result in results if not result.ok]
    click.echo(f"check: {', '.join(failed)} failed" if failed else f"check: all {len(results)} ok", err=True)
    return FAILED if failed else OK
