"""``kangle decode PROTOCOL [--option value ...] < inputs > outputs``. Without click: it is run in loops."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from edge.cli_errors import OK, USAGE

USAGE_TEXT = """Usage: kangle decode PROTOCOL [--option value ...] < inputs > outputs

One input per line on stdin (hex, spaces allowed; MQTT: {"topic", "payload", "retain"}; OCPP: the message), one JSON
object per line on stdout:
{"frames": [...], "errors": [{"kind", "detail"}...], "pending_bytes": n}. Every line gets a fresh decoder.
"""


def decode(words: Sequence[str]) -> int:
    """Run the command; ``words`` are those behind ``decode``. Returns the exit status."""
    from drivers.decoding import main
    from drivers.registry import PROTOCOLS, decode_option_form

    if not words or {"-h", "--help"} & set(words):
        (sys.stdout if words else sys.stderr).write(f"{USAGE_TEXT}\nProtocols and options (the default first):\n")
        for protocol, entry in PROTOCOLS.items():
            options = " ".join(f"--{name} {decode_option_form(each)}" for name, each in entry.decode_options.items())
            (sys.stdout if words else sys.stderr).write(f"  {protocol:<14}{options}\n")
        return OK if words else USAGE
    return main(words[0], list(words[1:]), sys.stdin, sys.stdout, sys.stderr)
