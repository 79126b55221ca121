"""Reads the site for a command, and tells everything that is wrong with it in one go."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from edge.cli_errors import BAD_CONFIG, UNREACHABLE, CliError
from edge.runtime.clock import local_day
from edge.site import Site, SiteErrors, load_site, render_mistakes

CHINA_UTC_OFFSET_MIN = 480


def today() -> date:
    """The local day in China, by the wall clock."""
    return date.fromisoformat(local_day(time.time_ns(), CHINA_UTC_OFFSET_MIN))


def load_site_or_fail(site_dir: Path) -> Site:
    """The site in ``site_dir``; every mistake at once, and exit status 3, when it is not usable."""
    if not (site_dir / "site.toml").is_file():
        raise CliError(f"no site.toml in {site_dir}. Name the folder with --site; the example is config/.", UNREACHABLE)
    try:
        return load_site(site_dir, today())
    except SiteErrors as errors:
        count = len(errors.mistakes)
        text = render_mistakes(errors.mistakes, "en")
        raise CliError(f"{count} mistake{'s' * (count != 1)} in the site {site_dir}:\n{text}", BAD_CONFIG) from None
