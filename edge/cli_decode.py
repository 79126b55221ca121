"""``kangle decode PROTOCOL [--option value ...] < inputs > outputs``. Without click: it is run in loops."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from edge.cli_errors import OK, USAGE

USAGE_TEXT = """Usage: kangle decode PROTOCOL [--option value ...] < inputs > outputs

One input per line on stdin (hex, spaces allowed), one JSON object per line on stdout:
{"frames": [...], "errors": [{"kind", "detail"}...], "pending_bytes": n}. Every line gets a fresh decoder.
"""


def decode(words: Sequence[str]) -> int:
    """Run the command; ``words`` are those behind ``decode``. Returns the exit status."""
    from drivers.decoding import main
    from drivers.registry import PROTOCOLS

    if not words or words[0] in {"-h", "--help"}:
        (sys.stdout if words else sys.stderr).write(f"{USAGE_TEXT}\nProtocols and options (the default first):\n")
        for name, entry in PROTOCOLS.items():
            options = " ".join(f"--{option} {'|'.join(values)}" for option, values in entry.decode_options.items())
            (sys.stdout if words else sys.stderr).write(f"  {name:<10}{options}\n")
        return OK if words else USAGE
    return main(words[0], list(words[1:]), sys.stdin, sys.stdout, sys.stderr)
