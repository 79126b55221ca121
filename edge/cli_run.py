"""``kangle run``, ``up`` and ``replay``: hand over to the runtime."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli_click import site_option
from edge.cli_start import PROCESSES, start

RAW = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@click.command()
@click.argument("name", type=click.Choice(PROCESSES))
@site_option
def run(name: str, site_dir: Path) -> int:
    """Run one process of the site in the foreground: NAME is canteen, garage, gym, history or api."""
    return start(name, site_dir)


@click.command()
@site_option
def up(site_dir: Path) -> int:
    """Run and supervise all processes that the site file names, until Ctrl-C."""
    from edge.cli_paths import require_site
    from edge.runtime.supervisor import run_up

    require_site(site_dir)
    return run_up(site_dir)


@click.command(context_settings=RAW)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def replay(arguments: tuple[str, ...]) -> int:
    """Replay a kept log and compare every effect."""
    from edge.runtime.replay import main

    return main(arguments)
