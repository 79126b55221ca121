"""Runs a click command so that the exit status is ours, and holds the options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from edge.cli_errors import INTERRUPTED, OK

site_option = click.option(
    "--site",
    "site_dir",
    type=click.Path(path_type=Path),
    default=Path("config"),
    show_default=True,
    help="The folder of site.toml.",
)


def invoke(command: click.Command, name: str, words: Sequence[str]) -> int:
    """Run ``command``; what it returns is the exit status (None = 0)."""
    try:
        result: Any = command.main(list(words), prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.exceptions.Exit as end:
        return end.exit_code
    return OK if result is None else int(result)
