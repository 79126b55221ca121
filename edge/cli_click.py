"""Runs a click command so that the exit status is ours, and holds the options that several commands share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli_errors import BAD_CONFIG, INTERRUPTED, OK, UNREACHABLE, CliError
from edge.runtime.clock import local_day

if TYPE_CHECKING:
    from edge.site import Site

CHINA_UTC_OFFSET_MIN = 480

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


def today() -> date:
    """The local day in China, by the wall clock."""
    return date.fromisoformat(local_day(time.time_ns(), CHINA_UTC_OFFSET_MIN))


def load_site_or_fail(site_dir: Path) -> Site:
    """The site in ``site_dir``; every mistake at once, and exit status 3, when it is not usable."""
    from edge.site import SiteErrors, load_site, render_mistakes

    if not (site_dir / "site.toml").is_file():
        raise CliError(f"no site.toml in {site_dir}. Name the folder with --site; the example is config/.", UNREACHABLE)
    try:
        return load_site(site_dir, today())
    except SiteErrors as errors:
        count = len(errors.mistakes)
        text = render_mistakes(errors.mistakes, "en")
        raise CliError(f"{count} mistake{'s' * (count != 1)} in the site {site_dir}:\n{text}", BAD_CONFIG) from None
