"""A real site for a bench: one FEIG lane on a scripted reader, the canteen daemon and the API as processes."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from _ears import ears_first
from _reader import ScriptedReader

from edge.api.accounts import Accounts
from edge.demo_site import DemoFolder, copy_site, make_accounts

ROOT = Path(__file__).parents[2]
READY_S = 60.0


class Stream(threading.Thread):
    """Reads the lane's event stream and keeps (arrival perf_counter_ns, view) of the newest lane view."""

    def __init__(self, port: int, token: str) -> None:
        super().__init__(daemon=True, name="event stream")
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = (
            f"GET /api/v1/live?keys=lane/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        self._socket.sendall(request.encode())
        self._changed = threading.Condition()
        self._seen: list[tuple[int, dict[str, Any]]] = []
        self.view: dict[str, Any] = {}

    def run(self) -> None:
        buffer = b""
        with ears_first():  # a till is a machine of its own: it does not wait for the box's processor
            while data := self._socket.recv(65536):
                now_ns = time.perf_counter_ns()
                buffer += data
                *lines, buffer = buffer.split(b"\n")
                for line in lines:
                    if line.startswith(b"data: {") and b'"key"' in line[:12]:
                        self._take(now_ns, json.loads(line[6:])["view"])

    def _take(self, now_ns: int, view: dict[str, Any]) -> None:
        with self._changed:
            self.view = view
            self._seen.append((now_ns, view))
            self._changed.notify_all()

    def wait(self, wanted: Callable[[dict[str, Any]], bool], timeout_s: float = 60.0) -> int:
        """Arrival of the first view from now on (or the present one) that is wanted."""
        with self._changed:
            start = len(self._seen) - 1
            found: list[int] = []

            def look() -> bool:
                nonlocal start
                while start < len(self._seen):
                    if start >= 0 and wanted(self._seen[start][1]):
                        found.append(self._seen[start][0])
                        return True
                    start += 1
                return False

            if not self._changed.wait_for(look, timeout_s):
                raise TimeoutError(f"no such view in {timeout_s} s; the last: {str(self.view)[:500]}")
            return found[0]


class BenchSite:
    """The running site. ``call`` speaks HTTP with a kept-alive connection."""

    def __init__(self, folder: DemoFolder, port: int) -> None:
        self.port = port
        self.folder = folder
        self.site = copy_site(ROOT / "config", folder, 1, port, date.today())
        folder.accounts_file.parent.mkdir(parents=True, exist_ok=True)
        accounts = Accounts(folder.accounts_file)
        tokens = make_accounts(accounts, self.site)
        accounts.close()
        self.kitchen, self.cashier, self.terminal = tokens["kitchen"], tokens["cashier"], tokens["terminal"]["1"]
        self.reader = ScriptedReader(folder.link(1))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.start_s: dict[str, float] = {}
        self._http: http.client.HTTPConnection | None = None

    def start(self) -> None:
        self.reader.start()
        for name in ("canteen", "api"):
            begun = time.perf_counter()
            command = [sys.executable, "-m", "edge.cli", "run", name, "--site", str(self.folder.site)]
            log = (self.folder.root / f"{name}.log").open("wb")
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)
            self._await(name)
            self.start_s[name] = time.perf_counter() - begun

    def _await(self, name: str) -> None:
        deadline = time.perf_counter() + READY_S
        while time.perf_counter() < deadline:
            if self.processes[name].poll() is not None:
                break
            try:
                if name == "api":
                    socket.create_connection(("127.0.0.1", self.port), 1).close()
                else:
                    with socket.socket(socket.AF_UNIX) as probe:
                        probe.connect(str(self.site.run_dir / "canteen.sock"))
            except OSError:
                time.sleep(0.005)
            else:
                return
        tail = (self.folder.root / f"{name}.log").read_text()[-2000:]
        raise RuntimeError(f"{name} did not come up:\n{tail}")

    def rss_mib(self, name: str) -> float:
        status = Path(f"/proc/{self.processes[name].pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def call(self, token: str, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """POST; raises with the problem when it is refused."""
        if self._http is None:
            self._http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            self._http.connect()
            self._http.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}
        try:
            self._http.request("POST", f"/api/v1{path}", json.dumps(body), headers)
            answer = self._http.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self._http = None  # the server closes idle connections; the same key makes sending again harmless
            return self.call(token, path, body, key)
        data = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"POST {path}: {answer.status} {data}")
        return data

    def stop(self) -> None:
        for process in reversed(list(self.processes.values())):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.reader.stop()


@contextmanager
def running_site() -> Iterator[BenchSite]:
    """A site in a temporary folder; nothing is left behind."""
    root = Path(tempfile.mkdtemp(prefix="kangle-bench-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = BenchSite(DemoFolder(root), port)
    try:
        site.start()
        yield site
    finally:
        site.stop()
        shutil.rmtree(root, ignore_errors=True)
