"""Where things lie: this program (in a checkout, or installed from its wheel), its example, a site."""

from __future__ import annotations

from pathlib import Path

from edge.cli_errors import UNREACHABLE, CliError

PACKAGE = Path(__file__).resolve().parent
# The checkout's root; None for an installed wheel.
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None


def pages_dist() -> Path:
    """The built pages."""
    return PACKAGE / "web" / "dist"


def example_site() -> Path:
    """The example site: ``config/`` of a checkout, its copy in the wheel."""
    return CHECKOUT / "config" if CHECKOUT is not None else PACKAGE / "example_site"


def require_site(site_dir: Path) -> None:
    """Refuse a folder that holds no site at all; what is wrong inside one is told by whoever reads it."""
    if not (site_dir / "site.toml").is_file():
        raise CliError(f"no site.toml in {site_dir}. Name the folder with --site; the example is config/.", UNREACHABLE)
