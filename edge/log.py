"""Structlog, imported without rich. Whoever logs writes ``from edge.log import structlog``.

Structlog loads rich where it finds it, for coloured tracebacks: a quarter of the start of a daemon, and half of what a
short program of the store takes, for a log that is written as JSON. A name that is None in ``sys.modules`` counts as
not installed (Python's import system); it is None only meanwhile, for whoever else wants rich may have it.
"""

from __future__ import annotations

import sys

_known = "rich" in sys.modules
sys.modules.setdefault("rich", None)  # type: ignore[arg-type] # None is the documented way
import structlog  # noqa: E402 - see above

if not _known:
    del sys.modules["rich"]

__all__ = ["is_told", "structlog"]


def is_told(times: int) -> bool:
    """True for the 1st, 2nd, 4th, 8th ... time: what goes wrong again and again is not told each time."""
    return times & (times - 1) == 0
