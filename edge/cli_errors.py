"""What ends a command with one line for the person instead of a traceback."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
BAD_CONFIG = 3
UNREACHABLE = 4
INTERRUPTED = 130


class CliError(Exception):
    """The command cannot go on. The message says why and names the remedy; ``status`` is the exit status."""

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status
