"""A daemon as a process: what it tells the service manager, how it ends, what it says when it cannot begin."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import psutil
import pytest
import structlog

from edge.runtime import service as service_module
from edge.runtime.ipc import IpcClient
from edge.runtime.kernels import KERNELS
from edge.runtime.run import Service, run_daemon
from edge.runtime.service import Notifier, set_up_log
from edge.site import load_site
from edge.storage.facts import FactsStore

ROOT = Path(__file__).parents[2]
RSS_MAX_MIB = 80


@pytest.fixture
def site_dir(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "site")
    return tmp_path / "site"


@contextlib.contextmanager
def canteen(site_dir, **env):
    process = subprocess.Popen(
        [sys.executable, "-m", "edge.cli", "run", "canteen", "--site", str(site_dir)],
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **env},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)
        process.stderr.close()


def test_the_canteen_is_light_tells_the_manager_and_ends_cleanly(site_dir, tmp_path, run):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(60)
    env = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "10000000"}

    async def talk(process):
        assert manager.recv(100) == b"READY=1"
        client = IpcClient(site_dir / "data" / "run" / "canteen.sock", "test")
        await client.start()
        assert await client.wait_connected(60)
        async with asyncio.timeout(60):
            while "menu" not in client.views or not (client.status().counters and client.status().alive):
                await asyncio.sleep(0.01)
        assert psutil.Process(process.pid).memory_info().rss < RSS_MAX_MIB * 2**20
        assert manager.recv(100) == b"WATCHDOG=1"
        site_toml = site_dir / "site.toml"
        site_toml.write_text(site_toml.read_text().replace("refund_days = 7", "refund_days = 8"))
        seq = client.status().counters["seq"]
        process.send_signal(signal.SIGHUP)
        async with asyncio.timeout(60):
            while client.status().counters["seq"] == seq:
                await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            while client.status().alive:
                await asyncio.sleep(0.01)
        await client.close()

    try:
        with canteen(site_dir, **env) as process:
            run(talk(process))
            assert process.wait(60) == 0
            lines = [json.loads(line) for line in process.stderr]
        while (told := manager.recv(100)) == b"WATCHDOG=1":
            pass
        assert told == b"STOPPING=1"
    finally:
        manager.close()
    assert not (site_dir / "data" / "run" / "canteen.sock").exists()
    assert "ready" in {line["event"] for line in lines}
    assert [line["changed"] for line in lines if line["event"] == "site files read again"] == [True]
    assert all({"timestamp", "level", "daemon"} <= line.keys() for line in lines)


class Refusing:
    """A daemon whose kernel takes no configuration now."""

    day = "2026-11-22"

    def __init__(self):
        self.given = []

    def post_config(self, item):
        self.given.append(item)


@pytest.mark.parametrize(("asked", "given"), [(True, 2), (False, 1)])
def test_a_configuration_that_was_refused_is_handed_on_when_it_is_asked_for_again(site_dir, run, asked, given):
    """A zone was latched: after its reset another SIGHUP found nothing new in the files, and nothing happened."""
    service = Service.__new__(Service)
    service._daemon, service._adapter, service._site_dir = Refusing(), KERNELS["garage"](), site_dir
    service._configs = service._adapter.configs(load_site(site_dir, date(2026, 11, 22)))
    zones_toml = site_dir / "garage" / "zones.toml"
    zones_toml.write_text(zones_toml.read_text().replace("limit_w = 1200", "limit_w = 1300"))
    for _ in range(2):
        run(service.reload(asked=asked))
    assert len(service._daemon.given) == given


def test_a_second_daemon_of_the_same_site_does_not_begin(site_dir, capfd):
    from edge.domain.canteen.rows import ROW_TYPES

    store = FactsStore.open(site_dir / "data" / "canteen", ROW_TYPES, ballast_bytes=1 << 20)
    try:
        assert run_daemon(site_dir, "canteen") == 4
    finally:
        store.close()
    assert "kangle run canteen:" in capfd.readouterr().err


def test_wrong_names_and_wrong_files_have_their_status_and_a_remedy(site_dir, capfd):
    assert run_daemon(site_dir, "pool") == 2
    assert "it has: canteen, garage, gym" in capfd.readouterr().err
    site_toml = site_dir / "site.toml"
    site_toml.write_text(site_toml.read_text().replace("refund_days", "refund_dayz"))
    assert run_daemon(site_dir, "canteen") == 3
    assert 'did you mean "refund_days"' in capfd.readouterr().err


def test_a_daemon_loads_nothing_heavy():
    heavy = {"numpy", "pydantic", "fastapi", "starlette", "uvicorn", "aiomqtt", "paho", "influxdb_client"}
    heavy |= {"click", "difflib", "importlib.resources", "rich"}
    code = f"import sys, edge.runtime.run; print(sorted({heavy!r} & set(sys.modules))); import rich.console"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"


def test_without_a_manager_nothing_is_sent_and_a_deaf_one_does_no_harm(monkeypatch, tmp_path):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Notifier().tell("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    monkeypatch.setenv("WATCHDOG_USEC", "3000000")
    notifier = Notifier()
    assert notifier.watchdog_s == 1.5
    notifier.tell("READY=1")
    name = f"kangle-test-notify-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        Notifier().tell("READY=1")
        assert manager.recv(100) == b"READY=1"
        begun = time.monotonic()
        for _ in range(10_000):  # a manager that does not read fills its queue
            Notifier().tell("WATCHDOG=1")
            if time.monotonic() - begun > 0.2:
                break


def test_a_log_that_nobody_reads_stops_nothing(monkeypatch):
    class Closed(io.StringIO):
        def write(self, _):
            raise BrokenPipeError

    monkeypatch.setattr(service_module.sys, "stderr", Closed())
    try:
        set_up_log()
        structlog.get_logger("x").warning("nobody hears this")
    finally:
        structlog.reset_defaults()
