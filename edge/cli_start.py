"""Starts one process of a site. ``kangle run NAME [--site DIR]`` comes here without click, whose import alone is a
fifteenth of a daemon's start: while that lasts nobody watches the garage. Other words go through click.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path

PROCESSES = ("canteen", "garage", "gym", "history", "api")
SITE_DIR = "config"


def plainly(words: Sequence[str]) -> tuple[str, Path] | None:
    """Process and site folder of ``NAME`` or ``NAME --site DIR``; None for anything else, a mistake among them."""
    match words:
        case [name] if name in PROCESSES:
            return name, Path(SITE_DIR)
        case [name, "--site", folder] if name in PROCESSES:
            return name, Path(folder)
    return None


def start(name: str, site_dir: Path) -> int:
    """Run the process ``name`` of the site until it is told to stop; gives its exit status."""
    from edge.cli_paths import require_site

    require_site(site_dir)
    gc.disable()  # a twelfth of a start; on again by ``edge.runtime.lag.settle_memory`` at its end
    if name == "history":
        from edge.runtime.history import run_history

        return run_history(site_dir)
    if name == "api":
        from edge.api.server import run_api

        return run_api(site_dir)
    from edge.runtime.run import run_daemon

    return run_daemon(site_dir, name)
