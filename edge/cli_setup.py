"""``kangle setup`` (the bootstrap has done it all by now) and ``kangle version``."""

from __future__ import annotations

import compileall
import re
import sys
from pathlib import Path

import click

from edge import __version__
from edge.cli_paths import pages_dist


@click.command()
def setup() -> None:
    """Install what the box needs and build the pages; does nothing when all is in place."""
    compile_modules(Path(__file__).resolve().parents[1])
    pages = "built" if (pages_dist() / "index.html").is_file() else "NOT built"
    click.echo(f"kangle: ready. Python {sys.version.split()[0]}, pages {pages}. Next: ./kangle demo", err=True)


def compile_modules(root: Path) -> None:
    """Compile what daemons import. One that runs as a user who may not write there (docs/systemd) would do it at every
    start: 0.5 s instead of 0.3 until the garage's modules are there, while smoke waits."""
    for package in ("edge", "drivers"):
        compileall.compile_dir(root / package, quiet=2, rx=re.compile("/node_modules/"))


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)
