"""What a process needs of the service manager and of its log: readiness, watchdog, one JSON line an event.

systemd's protocol is a datagram to the socket named by NOTIFY_SOCKET (sd_notify(3)); without it nothing is sent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from typing import TextIO

from edge.log import structlog


def set_up_log() -> None:
    """Events on stderr: JSON lines for a journal, plain text for a person at a terminal."""
    plain = sys.stderr.isatty()
    renderer = structlog.dev.ConsoleRenderer(colors=False) if plain else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: _Lines(sys.stderr),
        cache_logger_on_first_use=True,
    )


class _Lines:
    """Writes each line at once. A log that nobody reads any more is no reason to stop a checkout."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, message: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(message + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg


class Notifier:
    """Tells the service manager. ``watchdog_s`` is how often it wants to hear that we live (half its limit), or
    None.
    """

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        limit_us = os.environ.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(limit_us) / 2e6 if limit_us.isdigit() and int(limit_us) else None

    def tell(self, state: str) -> None:
        """Send e.g. ``READY=1``. A manager that does not listen is its own trouble, not ours."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            try:
                sock.sendto(state.encode(), address)
            except OSError:
                structlog.get_logger("service").warning("the service manager does not listen", state=state)
