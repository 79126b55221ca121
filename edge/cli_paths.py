"""Where this program lies: in a checkout, or installed from its wheel."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
# The checkout's root; None for an installed wheel.
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None


def pages_dist() -> Path:
    """The built pages."""
    return PACKAGE / "web" / "dist"


def example_site() -> Path:
    """The example site: ``config/`` of a checkout, its copy in the wheel."""
    return CHECKOUT / "config" if CHECKOUT is not None else PACKAGE / "example_site"
