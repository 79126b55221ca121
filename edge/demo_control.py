"""Talking to the simulated garage and gym of a running demo: finding the socket, one JSON line out, one back.

The hard part is to find the right one among what killed demos left behind: only a socket that answers counts. A user
would notice a mistake as "no demo is running" while one smokes on the screen.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from pathlib import Path
from typing import Any

ANSWER_S = 20.0
MAX_ANSWER_BYTES = 1 << 20
GARAGE, GYM = "garage", "gym"


class AwayError(Exception):
    """No simulator answers; the text says what to do."""


class RefusedError(Exception):
    """The simulator did not do it; the text is its own."""


def demo_sockets(simulator: str = GARAGE) -> list[Path]:
    """Sockets of demos, the newest first; some may be dead."""
    parents = {Path(tempfile.gettempdir()), Path("/tmp")}  # noqa: S108 - where demos with long paths go
    pattern = f"kangle-demo-*/{simulator}.sock"
    found: list[tuple[int, Path]] = []
    for path in (path for parent in parents for path in parent.glob(pattern)):
        with contextlib.suppress(OSError):  # its demo has just ended
            status = path.stat()
            if status.st_uid == os.getuid():
                found.append((status.st_mtime_ns, path))
    return [path for _, path in sorted(found, reverse=True)]


def ask_garage(control: Path | None, request: dict[str, Any]) -> dict[str, Any]:
    """As ``ask_simulator``, of the garage."""
    return ask_simulator(GARAGE, control, request)


def ask_simulator(simulator: str, control: Path | None, request: dict[str, Any]) -> dict[str, Any]:
    """The simulator's answer without its "ok". Raises ``AwayError`` and ``RefusedError``."""
    candidates = demo_sockets(simulator) if control is None else [control]
    for path in candidates:
        try:
            answer = _exchange(path, request)
        except (OSError, ValueError) as error:
            if control is not None:
                raise AwayError(f"{control} does not answer ({error}). Is the demo running?") from None
            continue
        if answer.pop("ok", None) is not True:
            raise RefusedError(str(answer.get("error", "refused")))
        return answer
    raise AwayError("no demo is running here. Start one in another terminal: kangle demo")


def _exchange(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_S)
        connection.connect(str(path))
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            line = lines.readline(MAX_ANSWER_BYTES)
    answer = json.loads(line) if line else None
    if not isinstance(answer, dict):
        raise ConnectionError("no answer")
    return answer
