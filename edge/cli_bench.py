"""``kangle bench NAME``: the programs of ``tests/bench``, which measure a thing and its floor in the same run."""

from __future__ import annotations

import os
import sys

import click

from edge.cli_check import checkout
from edge.cli_errors import USAGE, CliError

RAW = {"ignore_unknown_options": True, "allow_extra_args": True}


@click.command(context_settings=RAW)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, arguments: tuple[str, ...]) -> None:
    """Run the bench NAME. --json gives {"bench", "machine", "results": [{name, value, unit, floor, ratio, ...}]}."""
    folder = checkout() / "tests" / "bench"
    known = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith(("_", "test_", "conftest")))
    if name not in known:
        raise CliError(f"there is no bench {name!r}; there are: {', '.join(known)}", USAGE)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a site's processes keep what they have compiled
    os.execv(sys.executable, [sys.executable, "-P", str(folder / f"{name}.py"), *arguments])
