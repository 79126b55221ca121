"""The process: what it listens on, what it says, how it stops, and that a slow or silent socket cannot hold it up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest
import uvicorn
import uvloop

from edge.api import http_protocol, hub
from edge.api.server import ApiServer, Refused, check_exposure, is_loopback, listen, server_config
from edge.runtime.clock import local_today
from edge.site import load_site

ROOT = Path(__file__).parents[2]
START_S, STOP_S = 120, 60


def copy_site(folder, port, edit=lambda text: text):
    """The example site on another port."""
    shutil.copytree(ROOT / "config", folder)
    file = folder / "site.toml"
    text = file.read_text(encoding="utf-8").replace("port = 8600", f"port = {port}")
    file.write_text(edit(text), encoding="utf-8")


def command(site):
    code = f"import sys, pathlib; from edge.api.server import run_api; sys.exit(run_api(pathlib.Path({str(site)!r})))"
    return [sys.executable, "-c", code]


class Process:
    """``kangle run api`` on a copy of the example site."""

    def __init__(self, folder, port):
        self.site = folder / "site"
        copy_site(self.site, port)
        self.port = port
        self.log = folder / "stderr"
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(folder / "notify"))
        self.manager.settimeout(STOP_S)
        env = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "2000000"}
        with self.log.open("wb") as stderr:
            self.process = subprocess.Popen(command(self.site), stderr=stderr, stdout=stderr, cwd=ROOT, env=env)

    def ask(self, method, path, **options):
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60) as client:
            return client.request(method, path, **options)

    def wait_ready(self):
        until = time.monotonic() + START_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                if self.ask("GET", "/livez").status_code == 200:
                    return
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_S)


@pytest.fixture(scope="module")
def running(tmp_path_factory, free_port):
    process = Process(tmp_path_factory.mktemp("server"), free_port())
    try:
        process.wait_ready()
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
            process.process.wait()
        process.manager.close()


def test_the_service_manager_hears_that_it_is_ready_and_lives(running):
    assert [running.manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]


def test_it_listens_on_the_declared_loopback_port_and_on_nothing_else(running):
    listening = [
        connection.laddr
        for connection in psutil.Process(running.process.pid).net_connections("all")
        if connection.status == psutil.CONN_LISTEN or (connection.family == socket.AF_UNIX and connection.laddr)
    ]
    assert listening == [("127.0.0.1", running.port)]


def test_it_starts_without_daemons_and_says_what_is_missing(running):
    answer = running.ask("GET", "/readyz", headers={"Accept-Language": "en"})
    failed = {error["pointer"]: error["message"] for error in answer.json()["errors"]}
    assert answer.status_code == 503
    assert failed["/checks/daemon.canteen"] == "never heard"
    assert "/checks/books" in failed


def test_the_printed_token_makes_the_first_account_and_a_stop_ends_streams_and_forgets_nothing(running):
    """One life of the process, in order: the token, a login, a stream, SIGTERM."""
    said = running.log.read_text(encoding="utf-8")
    url = re.search(rf"http://127\.0\.0\.1:{running.port}/setup#token=(\S+)", said)
    body = {"token": url[1], "username": "boss", "password": "correct horse 7 battery"}
    answer = running.ask("POST", "/api/v1/auth/setup", json=body)
    assert answer.status_code == 200
    cookie = answer.headers["set-cookie"].partition(";")[0]
    address = f"http://127.0.0.1:{running.port}/api/v1/live"
    with httpx.Client(timeout=60) as client, client.stream("GET", address, headers={"Cookie": cookie}) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: pulse"
        assert json.loads(next(lines).removeprefix("data: "))["daemons"]["canteen"]["alive"] is False
        memory_mib = psutil.Process(running.process.pid).memory_info().rss / 2**20
        assert memory_mib < 80, f"{memory_mib:.0f} MiB"
        assert running.stop() == 0, running.log.read_text()
        # An open stream does not hold up a stop: it is ended, or reading it to its end would fail here.
        assert "event: view" not in list(lines)
    log = running.log.read_text(encoding="utf-8")
    assert "Traceback" not in log
    assert "graceful shutdown exceeded" not in log
    assert "battery" not in log
    assert cookie.partition("=")[2] not in log
    assert (running.site / "data" / "api.db").stat().st_mode & 0o077 == 0


def run_to_end(folder, port, edit=lambda text: text):
    """(exit status, what it said) of a process that cannot serve."""
    copy_site(folder / "site", port, edit)
    done = subprocess.run(command(folder / "site"), capture_output=True, timeout=START_S, cwd=ROOT, check=False)
    return done.returncode, done.stderr.decode()


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        status, said = run_to_end(tmp_path, other.getsockname()[1])
    assert status == 4
    assert "cannot listen on 127.0.0.1" in said
    assert "Traceback" not in said


def test_a_port_open_to_the_network_is_refused(tmp_path):
    status, said = run_to_end(tmp_path, 8600, lambda text: text.replace('host = "127.0.0.1"', 'host = "0.0.0.0"'))
    assert status == 3
    assert "0.0.0.0" in said


@pytest.mark.parametrize(
    ("host", "only_here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("kangle.local", False), ("", False)],
)  # fmt: skip
def test_what_is_loopback(host, only_here):
    assert is_loopback(host) is only_here


def test_plain_http_is_refused_off_the_loopback_whatever_the_site_says():
    import msgspec

    site = load_site(ROOT / "config", local_today())
    check_exposure(site)
    with pytest.raises(Refused, match="loopback"):
        check_exposure(msgspec.structs.replace(site, api=msgspec.structs.replace(site.api, host="192.168.1.5")))
    with pytest.raises(Refused, match="trust_loopback_http"):
        check_exposure(msgspec.structs.replace(site, api=msgspec.structs.replace(site.api, trust_loopback_http=False)))


# --- slow and odd sockets, in this process ----------------------------------------------------------------------------


class Served:
    """The in-memory API behind the real server, in a thread with its own loop."""

    def __init__(self, app):
        self.listener = listen("127.0.0.1", 0)
        self.port = self.listener.getsockname()[1]
        self.server = uvicorn.Server(server_config(app, "127.0.0.1", self.port))
        self.thread = threading.Thread(target=lambda: uvloop.run(self.server.serve([self.listener])))

    def __enter__(self):
        self.thread.start()
        until = time.monotonic() + 60
        while not self.server.started and time.monotonic() < until:
            time.sleep(0.005)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(60)
        self.listener.close()


@pytest.fixture
def served(api):
    api.run(asyncio.sleep(0))
    with Served(api.app) as served:
        yield served


def test_small_answers_are_not_held_back(served):
    """TCP_NODELAY on the very sockets that are served (Nagle would cost 40 ms)."""
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        transports = [connection.transport for connection in served.server.server_state.connections]
        flags = [t.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for t in transports]
        assert flags == [1]


def test_a_head_that_does_not_end_is_cut_off(served, monkeypatch):
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.2)
    for sent in (b"", b"GET /livez HTTP/1.1\r\nHost: 127.", b"G"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
            client.sendall(sent)
            assert client.recv(100) == b""


def test_a_head_that_drips_is_cut_off_all_the_same(served, monkeypatch):
    monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.3)

    def drip(client):
        until = time.monotonic() + 60
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        while time.monotonic() < until:
            client.sendall(b"X: y\r\n")
            time.sleep(0.05)

    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client, pytest.raises(ConnectionError):
        drip(client)


def watches(served):
    """How many connections have a limit running on a head."""
    return sum(one._head_timer is not None for one in served.server.server_state.connections)


def await_no_watch(served):
    """Waits until the server is done with what it was sent, and no limit runs."""
    until = time.monotonic() + 60
    while watches(served):
        assert time.monotonic() < until, "a limit still runs"
        time.sleep(0.005)


def test_a_second_request_on_a_kept_connection_is_watched_too(served, monkeypatch):
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
        for _ in range(3):
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
            await_no_watch(served)
        monkeypatch.setattr(http_protocol, "HEAD_TIMEOUT_S", 0.2)
        client.sendall(b"GET /livez HT")
        while client.recv(4096):
            pass


def test_a_stream_outlives_the_limit_of_the_head(served, api, monkeypatch):
    """The limit ends with the head; nothing else ends a stream."""
    monkeypatch.setattr(hub, "PULSE_S", 0.05)
    cookie = api.headers_of("manager")["Cookie"]
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
        client.sendall(f"GET /api/v1/live?keys=menu HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
        data = b""
        while data.count(b"event: pulse") < 3:
            part = client.recv(65536)
            assert part, "the stream was ended"
            data += part
            assert watches(served) == 0
    assert data.count(b"event: view") == 1


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_answered_and_closed(served, junk):
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
        client.sendall(junk)
        assert client.recv(4096).startswith(b"HTTP/1.1 400")


def test_a_head_that_is_too_long_is_refused(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
        with contextlib.suppress(OSError):
            client.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 40_000)
        with contextlib.suppress(ConnectionError):
            answer = client.recv(4096)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_answers_name_neither_program_nor_version(served):
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as client:
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        head = client.recv(4096).partition(b"\r\n\r\n")[0].lower()
    assert b"server:" not in head
    assert b"uvicorn" not in head


def test_the_server_is_ours():
    assert issubclass(ApiServer, uvicorn.Server)
    assert os.environ.get("NOTIFY_SOCKET") is None
