"""``kangle demo`` as a process: one link, a page that answers, and nothing left behind however it ends."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from starlette.routing import Match

from edge.api.routers import pages
from edge.demo import DemoOptions, _print_panels, _serve, short_parent
from edge.demo_control import ask_garage

READY_S = 150  # more than the demo itself waits, which then says what is missing
STOP_S = 60


class Demo:
    """A running demo whose temporary files all lie in ``folder``."""

    def __init__(self, folder, *words):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "edge.cli", "demo", *words],
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.family = []

    def brokers(self):
        """Process ids of its brokers."""
        found = set()
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with suppress(psutil.Error):
                if "edge.runtime.broker" in child.cmdline():
                    found.add(child.pid)
        return found

    def link(self):
        """The one line of stdout; the processes that have come up by then are remembered."""
        ready, _, _ = select.select([self.process.stdout], [], [], READY_S)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"no link within {READY_S} s: {self.end(signal.SIGKILL)}"
        self.look()
        return line.rstrip("\n")

    def look(self):
        """The processes that have come up by now."""
        self.family = psutil.Process(self.process.pid).children(recursive=True)
        return self.family

    def end(self, number):
        """(exit status, rest of stdout, stderr) after a signal."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=STOP_S)
        return self.process.returncode, out, err

    def gone(self):
        """True when no process of the family is left within a few seconds."""
        _, alive = psutil.wait_procs(self.family, timeout=STOP_S)
        return not alive

    def files(self):
        return sorted(path for path in self.folder.rglob("*"))


@pytest.fixture
def short_path():
    """A folder whose name leaves room for the names of sockets."""
    with tempfile.TemporaryDirectory(prefix="kd-", dir="/tmp") as folder:
        yield Path(folder)


@contextmanager
def demo(folder, *words):
    folder.mkdir(exist_ok=True)
    running = Demo(folder, *words)
    try:
        yield running
    finally:
        for process in running.family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()
        running.process.stdout.close()
        running.process.stderr.close()


class Browser:
    """The demo's link, opened: a cookie, and JSON under /api/v1."""

    def __init__(self, link):
        self.base, _, self.token = link.partition("/demo#link=")
        assert self.base.startswith("http://127.0.0.1:")
        assert self.token
        self.cookie = ""

    def open(self, path, data=None):
        request = urllib.request.Request(f"{self.base}{path}", headers={"Cookie": self.cookie})
        if data is not None:
            request.data = json.dumps(data).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers, answer.read()

    def api(self, path, data=None):
        return json.loads(self.open(f"/api/v1{path}", data)[1])

    def log_in(self):
        headers, body = self.open("/api/v1/auth/link", {"token": self.token})
        self.cookie = headers["set-cookie"].partition(";")[0]
        return json.loads(body)


def wait_for(condition, seconds=READY_S):
    """The first true answer of ``condition``, asked again and again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if answer := condition():
                return answer
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 503:  # the daemon may be away for a moment
                raise
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def price_a_tray(browser):
    """Put one bound dish on the only lane; the lane says what the menu says."""
    bound = wait_for(lambda: [item for item in browser.api("/canteen/menu")["items"] if item["bound"]])
    dish = next(item for item in bound if item["priced_by"] == "portion")
    browser.api("/demo/lanes/1/tray", {"dishes": [dish["dish_id"]]})
    lane = wait_for(lambda: (view := browser.api("/canteen/lanes/1"))["firm"] and view)
    assert lane["list_fen"] == dish["price_fen"]
    assert [plate["state"] for plate in lane["plates"]] == ["priced"]


def light_a_fire(running, browser):
    """From another terminal, with a bike that charges and a broker that dies; the page sees what becomes of it."""

    def states():
        return {zone: (state, cut) for zone, state, cut in browser.api("/garage")["zones"]}

    def sim(*words):
        ran = subprocess.run(
            [sys.executable, "-P", "-m", "edge.cli", "sim", "--json", *words],
            env={**os.environ, "TMPDIR": str(running.folder)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return json.loads(ran.stdout)

    wait_for(lambda: set(states().values()) == {("normal", "none")})

    def power():
        """Asked for again: the garage may have copied the purses before the demo filled them."""
        told = sim("plug", "b1w-01")
        if told["start"] != "ok":
            sim("unplug", "b1w-01")
        return told

    assert wait_for(lambda: (told := power())["start"] == "ok" and told) == {"port": "b1w-01", "start": "ok"}
    (control,) = running.folder.glob("kangle-demo-*/garage.sock")
    wait_for(lambda: ask_garage(control, {"op": "state"})["zones"]["b1-west"]["flows_w"] > 20)
    before = running.brokers()
    sim("broker")
    sim("smoke", "B1-WEST")
    wait_for(lambda: states()["b1-west"] == ("fire", "proven"))
    wait_for(lambda: states()["b1-east"][0] == "pre_alarm")  # the neighbour
    assert states()["stair-3"][0] in {"normal", "watch"}
    assert sim("list")["zones"]["b1-west"]["flows_w"] == 0
    wait_for(lambda: running.brokers() - before)  # the fire by wire may be over before the demo misses its broker


def everything_is_there(running, browser):
    # Broker, three floors, supervisor, canteen, garage, gym, history, api.
    wait_for(lambda: len(running.look()) >= 10)
    assert b"<html" in browser.open("/demo")[1]
    assert browser.log_in()["role"] == "admin"
    with pytest.raises(urllib.error.HTTPError) as refused:
        browser.log_in()
    refused.value.close()
    state = wait_for(lambda: browser.api("/demo/state"))
    assert sorted(state["lanes"]) == ["1", "2"]
    assert state["diners"]["on"]
    wait_for(lambda: browser.api("/garage")["armed"])
    wait_for(lambda: all(zone["open"] for zone in browser.api("/gym")["zones"]))  # at any hour
    wait_for(lambda: sum(zone["busy"] for zone in browser.api("/gym")["zones"]))


@pytest.mark.timeout(600)  # two demos start, one after the other
def test_a_tray_a_fire_kill_9_and_the_next_demo_that_clears_up_and_ctrl_c_that_leaves_nothing(short_path):
    """One demo serves all that wants a fresh one: to start one costs as much as ten other tests."""
    folder = short_path / "t"
    with demo(folder, "--no-diners", "--lanes", "1") as running:
        browser = Browser(running.link())
        browser.log_in()
        price_a_tray(browser)
        light_a_fire(running, browser)
        running.look()
        _, out, err = running.end(signal.SIGKILL)
        assert out == ""
        assert "the broker was stopped; starting it anew" in err
        assert running.gone()
        (left,) = folder.glob("kangle-demo-*")
    with demo(folder) as running:
        browser = Browser(running.link())
        assert not left.exists()
        everything_is_there(running, browser)
        ended_in_order(running, signal.SIGINT)


def ended_in_order(running, number):
    running.look()
    status, out, err = running.end(number)
    assert (status, out) == (0, "")
    assert "simulated" in err
    assert "Traceback" not in err
    assert "nothing is left behind" in err
    assert running.gone()
    assert running.files() == []


def test_ended_while_it_starts_it_leaves_nothing_either(short_path):
    """By the other signal: whoever stops the service of a demo sends SIGTERM."""
    with demo(short_path / "t") as running:
        wait_for(lambda: len(running.look()) >= 3)
        ended_in_order(running, signal.SIGTERM)


@pytest.mark.parametrize(("seconds", "looks"), [(0, 0), (0.25, 3)])
def test_it_ends_by_itself_after_the_seconds_that_were_asked_for(monkeypatch, capfd, seconds, looks):
    """What ends it matters to nothing that comes after; the other tests see all of that."""
    clock, waited = SimpleNamespace(monotonic=lambda: 0.1 * len(waited)), []
    monkeypatch.setattr("edge.demo.time", clock)
    wakeup = SimpleNamespace(wait=lambda *_, **__: waited.append(1))
    site = SimpleNamespace(api=SimpleNamespace(port=8600))
    accounts = SimpleNamespace(issue_link=lambda _: "secret")
    _serve(DemoOptions(Path("config"), seconds=seconds), site, accounts, wakeup, [])
    assert len(waited) == looks
    assert capfd.readouterr().out == "http://127.0.0.1:8600/demo#link=secret\n"


def test_the_addresses_of_the_wall_panels_are_pages(capfd):
    _print_panels(SimpleNamespace(api=SimpleNamespace(port=8600)), {"b1-east": "one", "stair-3": "two"}, "123456")
    told = re.findall(r"http://127\.0\.0\.1:8600(/\S+)#terminal=(\S+)", capfd.readouterr().err)
    assert [token for _, token in told] == ["one", "two"]
    for path, _ in told:
        looks = [route.matches({"type": "http", "method": "GET", "path": path})[0] for route in pages.router.routes]
        assert Match.FULL in looks, path


def test_a_taken_port_is_said_and_nothing_is_started(short_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with demo(short_path / "t", "--port", str(taken.getsockname()[1])) as running:
            out, err = running.process.communicate(timeout=READY_S)
            assert (running.process.returncode, out) == (4, "")
            assert "Choose another" in err
            assert running.files() == []


def test_a_temporary_folder_with_a_long_name_is_left_for_tmp(tmp_path):
    assert short_parent(Path("/var/tmp")) == Path("/var/tmp")
    assert short_parent(Path("/var") / ("x" * 90)) == Path("/tmp")
