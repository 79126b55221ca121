"""Reads the site for a command, and tells everything that is wrong with it in one go."""

from __future__ import annotations

from pathlib import Path

from edge.cli_errors import BAD_CONFIG, CliError
from edge.cli_paths import require_site
from edge.runtime.clock import local_today
from edge.site import Site, SiteErrors, load_site, render_mistakes


def load_site_or_fail(site_dir: Path) -> Site:
    """The site in ``site_dir``; every mistake at once, and exit status 3, when it is not usable."""
    require_site(site_dir)
    try:
        return load_site(site_dir, local_today())
    except SiteErrors as errors:
        count = len(errors.mistakes)
        text = render_mistakes(errors.mistakes, "en")
        raise CliError(f"{count} mistake{'s' * (count != 1)} in the site {site_dir}:\n{text}", BAD_CONFIG) from None
