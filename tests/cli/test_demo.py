"""``kangle demo`` as a process: one link, a page that answers, and nothing left behind however it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

import psutil
import pytest

READY_S = 60
STOP_S = 20

pytestmark = pytest.mark.xdist_group("demo")


class Demo:
    """A running demo whose temporary files all lie in ``folder``."""

    def __init__(self, root, folder, *words):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(root / "kangle"), "demo", *words],
            env={**os.environ, "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.family = []

    def link(self):
        """The one line of stdout; the processes that have come up by then are remembered."""
        ready, _, _ = select.select([self.process.stdout], [], [], READY_S)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"no link within {READY_S} s: {self.end(signal.SIGKILL)}"
        self.family = psutil.Process(self.process.pid).children(recursive=True)
        return line.rstrip("\n")

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


@contextmanager
def demo(root, folder, *words):
    folder.mkdir(exist_ok=True)
    running = Demo(root, folder, *words)
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


def get(url, data=None, cookie=""):
    headers = {"Content-Type": "application/json", "Cookie": cookie} if data is not None or cookie else {}
    request = urllib.request.Request(url, data=None if data is None else json.dumps(data).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, dict(answer.headers), answer.read()


def test_the_main_job_runs_and_ctrl_c_leaves_nothing(root, tmp_path):
    with demo(root, tmp_path / "t") as running:
        link = running.link()
        base, _, token = link.partition("/demo#link=")
        assert base.startswith("http://127.0.0.1:")
        assert token
        assert len(running.family) >= 4, "supervisor, canteen, api, floor"
        status, headers, body = get(f"{base}/demo")
        assert status == 200
        assert b"<html" in body
        status, headers, body = get(f"{base}/api/v1/auth/link", {"token": token})
        assert json.loads(body)["role"] == "admin"
        cookie = headers["set-cookie"].partition(";")[0]
        with pytest.raises(urllib.error.HTTPError):
            get(f"{base}/api/v1/auth/link", {"token": token})
        deadline = time.monotonic() + READY_S
        while not (lanes := both_lanes_live(base, cookie)) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert lanes, "both readers are heard"
        status, out, err = running.end(signal.SIGINT)
        assert (status, out) == (0, "")
        assert "simulated" in err
        assert "Traceback" not in err
        assert running.gone()
        assert running.files() == []


def both_lanes_live(base, cookie):
    _, _, body = get(f"{base}/api/v1/demo/state", cookie=cookie)
    lanes = json.loads(body)["lanes"]
    return set(lanes) == {"1", "2"} and all(lane["link"] == "up" for lane in lanes.values())


def test_killed_outright_its_processes_die_and_the_next_demo_clears_up(root, tmp_path):
    folder = tmp_path / "t"
    with demo(root, folder, "--no-diners", "--lanes", "1") as running:
        running.link()
        running.end(signal.SIGKILL)
        assert running.gone()
        assert len(list(folder.glob("kangle-demo-*"))) == 1
    with demo(root, folder, "--seconds", "0", "--no-diners", "--lanes", "1") as running:
        running.link()
        assert running.process.wait(STOP_S) == 0
        assert running.gone()
        assert running.files() == []


def test_a_taken_port_is_said_and_nothing_is_started(root, tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with demo(root, tmp_path / "t", "--port", str(taken.getsockname()[1])) as running:
            out, err = running.process.communicate(timeout=READY_S)
            assert (running.process.returncode, out) == (4, "")
            assert "Choose another" in err
            assert running.files() == []
