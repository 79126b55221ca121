"""The preview server as a process of its own, and the hand that steers it."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: The preview costs some seconds of a processor to start, of which a busy machine gives it a twentieth.
START_S = 240.0


@contextlib.contextmanager
def serving(port: int, pages: Path) -> Iterator[str]:
    """``edge.api.preview`` as a process: its base address."""
    with tempfile.TemporaryFile() as log:
        command = [sys.executable, "-m", "edge.api.preview", "--port", str(port), "--pages", str(pages)]
        child = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        base = f"http://127.0.0.1:{port}"
        try:
            _wait_for(base, child, log)
            yield base
        finally:
            child.send_signal(signal.SIGINT)  # it ends as after Ctrl-C, and takes its folder away
            child.wait(60)


def _wait_for(base: str, child: subprocess.Popen[bytes], log: Any) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and child.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/livez", timeout=10):
            return
        time.sleep(0.05)
    log.seek(0)
    pytest.fail(f"the preview did not start: {log.read().decode()[-2000:]}")


class Preview:
    """Steers the preview server."""

    def __init__(self, base: str) -> None:
        self.base = base

    def post(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.base}/api/v1/preview/{path}", data=b"", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            answered: dict[str, Any] = json.load(answer)
        return answered

    def phase(self, lane: str, phase: str, problem: str = "", *, guest: bool = False) -> None:
        self.post(f"{lane}/{phase}?problem={problem}&guest={str(guest).lower()}")

    def scene(self, scene: str) -> None:
        self.post(f"garage/{scene}")

    def link(self, role: str = "admin") -> str:
        return str(self.post(f"links?role={role}")["token"])


def cookies_of(server: str, role: str) -> list[Any]:
    """Those of a role, fetched over a one-time link (which test_pages.py follows in a page)."""
    request = urllib.request.Request(
        f"{server}/api/v1/auth/link",
        data=json.dumps({"token": Preview(server).link(role)}).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": secrets.token_hex(8)},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        cookies = SimpleCookie(answer.headers["Set-Cookie"])
    kept = {"domain": "127.0.0.1", "path": "/", "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Strict"}
    return [{"name": one.key, "value": one.value, **kept} for one in cookies.values()]
