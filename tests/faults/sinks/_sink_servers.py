"""Servers that a campaign may kill: the strict fake InfluxDB and real VictoriaMetrics, each on its port, life after
life; and what they hold, read back as (measurement, tags, field) -> {key in ns or ms: value}."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path

from edge.demo_garage import free_ports

ROOT = Path(__file__).parents[3]
#: A server reads all that it holds at each start, and a busy machine takes its time.
WAIT_S = 600
TOKEN = "campaign-token"


def get(url, data=None, timeout=30):
    with urllib.request.urlopen(urllib.request.Request(url, data=data), timeout=timeout) as answer:
        return answer.read()


class Server:
    """A program on ``port`` with its files in ``folder``."""

    def __init__(self, folder, port=0):
        self.folder, self.port, self.process = folder, port or free_ports(1)[0], None
        folder.mkdir(parents=True, exist_ok=True)
        self.kills = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=ROOT, stdout=log, stderr=log)
        until = time.monotonic() + WAIT_S
        while True:
            with contextlib.suppress(urllib.error.URLError, OSError):
                get(f"{self.url}/health", timeout=60)
                return self
            assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, "the server does not come up"
            time.sleep(0.05)

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)
            self.kills += 1


class Fake(Server):
    """The strict one; what it acknowledged reaches its file ``sync_s`` later."""

    def __init__(self, folder, sync_s=0.5):
        super().__init__(folder)
        self.sync_s = sync_s
        self.token = folder / "token"
        self.token.write_text(TOKEN + "\n")
        self.token.chmod(0o600)

    def command(self):
        return [
            *(sys.executable, "-m", "firmware_sim.influx_fake", "--port", str(self.port), "--token-file"),
            *(str(self.token), "--journal", str(self.folder / "journal"), "--sync-s", str(self.sync_s)),
        ]

    def script(self, *steps):
        get(f"{self.url}/fake/script", json.dumps(steps).encode())

    def stats(self):
        return json.loads(get(f"{self.url}/fake/stats"))

    def held(self):
        """(measurement, sorted tags, field) -> {key ns: value}."""
        found = defaultdict(dict)
        for line in get(f"{self.url}/fake/points", timeout=60).splitlines():
            measurement, tags, field, time_ns, value, _writes = json.loads(line)
            found[measurement, tuple(sorted(tags.items())), field][time_ns] = value
        return found


class Victoria(Server):
    """VictoriaMetrics, one node; keys are cut to milliseconds there."""

    PROGRAM = shutil.which("victoria-metrics")

    def command(self):
        return [
            *(str(self.PROGRAM), "-storageDataPath", str(self.folder / "data"), "-httpListenAddr"),
            *(f"127.0.0.1:{self.port}", "-retentionPeriod=100y", "-dedup.minScrapeInterval=1ms"),
            *("-search.latencyOffset=0s", "-memory.allowedBytes=128MB"),
        ]

    def held(self):
        """(metric name, sorted tags) -> {key ms: value}."""
        get(f"{self.url}/internal/force_flush")
        found = {}
        for line in get(f"{self.url}/api/v1/export?match[]=%7B__name__!=%22%22%7D", timeout=60).splitlines():
            series = json.loads(line)
            labels = series["metric"]
            name = labels.pop("__name__")
            pairs = zip(series["timestamps"], series["values"], strict=True)
            times = series["timestamps"]
            assert len(times) == len(set(times)), f"{name}: a key stands twice"
            found[name, tuple(sorted(labels.items()))] = dict(pairs)
        return found
