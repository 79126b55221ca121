"""``kangle setup`` (the bootstrap has done it all by now) and ``kangle version``."""

from __future__ import annotations

import sys

import click

from edge import __version__
from edge.cli_paths import pages_dist


@click.command()
def setup() -> None:
    """Install what the box needs and build the pages; does nothing when all is in place."""
    pages = "built" if (pages_dist() / "index.html").is_file() else "NOT built"
    click.echo(f"kangle: ready. Python {sys.version.split()[0]}, pages {pages}. Next: ./kangle demo", err=True)


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(__version__)
