"""Load on the API while smoke is measured: the API process of the same site, one watcher of all views on its event
stream and a client that asks for pages and books as fast as ``RATE`` allows. ``_smoke_load.py hammer PORT TOKEN
FILE`` is that client.
"""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from pathlib import Path

RATE = 100
PATHS = ("/api/v1/garage", "/api/v1/livez", "/api/v1/readyz", "/api/v1/openapi.json")
ROLE = "panel"


class ApiLoad:
    """``start`` begins it, ``answered`` counts, ``stop`` ends it (again and again)."""

    def __init__(self, root: Path) -> None:
        from _mqtt import free_port

        self.port = free_port()
        self._root = root
        self._count = root / "answered"
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def answered(self) -> int:
        try:
            return int(self._count.read_text() or 0)
        except FileNotFoundError:
            return 0

    def start(self, folder: object) -> None:
        from _garage_site import GarageFolder, Process, wait_for

        from edge.api.accounts import Accounts
        from edge.domain.actors import Role

        assert isinstance(folder, GarageFolder)
        accounts = Accounts(folder.site / "data" / "api.db")
        accounts.create_user("bench", None, Role.ADMIN, None, "bench")
        _, token = accounts.tokens.create("bench", Role.MAINTENANCE, None, 1, "bench")
        accounts.close()
        api = Process(folder, "api", self._root / "api.log")
        self._processes.append(api.process)
        wait_for(self._reachable, 60.0, "the API", api)
        self._processes += [self._run("hammer", token), self._run("watch", token)]

    def _run(self, what: str, token: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, __file__, what, str(self.port), token, str(self._count)])

    def _reachable(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        while self._processes:
            process = self._processes.pop()
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def hammer(port: int, token: str, count: Path) -> None:
    """Ask, in turn, at ``RATE``; whatever is not served by this build (404) still costs the API its work."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"}
    begun_s, asked = time.perf_counter(), 0
    while True:
        connection.request("GET", PATHS[asked % len(PATHS)], headers=headers)
        connection.getresponse().read()
        asked += 1
        if asked % 20 == 0:
            count.write_text(str(asked))
        time.sleep(max(0.0, begun_s + asked / RATE - time.perf_counter()))


def watch(port: int, token: str) -> None:
    """A wall screen: the event stream of all zones and ports."""
    with socket.create_connection(("127.0.0.1", port)) as stream:
        keys = "keys=zone/&keys=port/&keys=garage"
        request = f"GET /api/v1/live?{keys} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        stream.sendall(request.encode())
        while stream.recv(1 << 16):
            pass


if __name__ == "__main__":
    what, port, token, count = sys.argv[1:]
    if what == "hammer":
        hammer(int(port), token, Path(count))
    else:
        watch(int(port), token)
