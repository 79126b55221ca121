"""``kangle setup`` (the bootstrap has done it all by now) and ``kangle version``."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

import click

from edge.cli_paths import CHECKOUT, pages_dist


@click.command()
def setup() -> None:
    """Install what the box needs and build the pages; does nothing when all is in place."""
    pages = "built" if (pages_dist() / "index.html").is_file() else "NOT built"
    click.echo(f"kangle: ready. Python {sys.version.split()[0]}, pages {pages}. Next: ./kangle demo", err=True)


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(kangle_version())


def kangle_version() -> str:
    """The version of the installed wheel, or of pyproject.toml in a checkout."""
    if CHECKOUT is None:
        try:
            return installed_version("kangle-edge")
        except PackageNotFoundError:
            return "unknown"
    import tomllib

    with (CHECKOUT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
