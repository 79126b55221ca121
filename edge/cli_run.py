"""``kangle run``, ``up`` and ``replay``: hand over to the runtime."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import click

from edge.cli_click import site_option

RAW = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@click.command()
@click.argument("name", type=click.Choice(["canteen", "garage", "gym", "history", "api"]))
@site_option
def run(name: str, site_dir: Path) -> int:
    """Run one process of the site in the foreground: NAME is canteen, garage, gym, history or api."""
    from edge.cli_paths import require_site

    _leave_rich_out()
    require_site(site_dir)
    if name == "history":
        from edge.runtime.history import run_history

        return run_history(site_dir)
    gc.disable()  # a twelfth of a start; on again by ``edge.runtime.lag.settle_memory`` at its end
    if name == "api":
        from edge.api.server import run_api

        return run_api(site_dir)
    from edge.runtime.run import run_daemon

    return run_daemon(site_dir, name)


def _leave_rich_out() -> None:
    """Structlog imports rich, where it finds it, for coloured tracebacks: a quarter of a daemon's start, for a log that
    is written as JSON. A name that is None in ``sys.modules`` counts as not installed (Python's import system)."""
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # None is the documented way


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
