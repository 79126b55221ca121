"""The history process: started as the supervisor starts it, asked over its socket, left hanging, killed."""

from __future__ import annotations

import asyncio
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.runtime.history import HANGS_S, HistoryService, _sinks_of
from edge.runtime.history_client import ask_history
from edge.runtime.history_messages import (
    AskGroup,
    AskLast,
    AskPlot,
    AskSamples,
    AskSeries,
    AskStatus,
    AskWindows,
    Refused,
)
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.seal_mark import seal_mark
from edge.storage.sinks.settings import SinkKind, SinkSettings

ROOT = Path(__file__).parents[2]
WAIT_S = 120  # the history gives way to all others (NICE), also to other tests
S = 1_000_000_000
T0 = 1_795_000_000 * S


class Process:
    """``kangle run history`` on a copy of the example site whose only vertical is the canteen."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site"
        self.socket = folder / "run" / "history.sock"
        self.store_dir = self.site / "data" / "canteen"
        _copy_site(self.site, folder / "run")
        self.store = FactsStore.open(self.store_dir, ROW_TYPES, ballast_bytes=0)
        self.seq = 0
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "edge.cli", "run", "history", "--site", str(self.site)]
        self.child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        self.until(self.answers)

    def answers(self) -> bool:
        """The socket's file is there before anybody listens."""
        try:
            self.ask(AskStatus())
        except OSError:
            return False
        return True

    def stop(self) -> int:
        if self.child is None:
            return 0
        self.child.terminate()
        status = self.child.wait(WAIT_S)
        self.child = None
        return status

    def say(self, count: int) -> None:
        records = []
        for _ in range(count):
            self.seq += 1
            wall_ns = T0 + self.seq * S
            body = MeterReading(point=f"p{self.seq % 2}", power_w=float(self.seq))
            data = msgspec.msgpack.encode(DeviceReading("meter", 1, body))
            records.append(LogRecord(Stamp(self.seq, "boot", wall_ns, wall_ns, wall_trusted=True), data))
        done = threading.Event()
        self.store.submit(Batch(records=records), lambda _error: done.set())
        assert done.wait(WAIT_S)

    def ask(self, ask):
        return asyncio.run(ask_history(self.socket, ask, WAIT_S))

    def until(self, holds):
        end = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < end
            assert self.child is not None
            assert self.child.poll() is None, "the process ended"
            time.sleep(0.05)

    def followed(self) -> None:
        self.until(lambda: self.ask(AskStatus()).verticals[0].through_seq == self.seq)


def _copy_site(site: Path, run_dir: Path) -> None:
    shutil.copytree(ROOT / "config", site, ignore=shutil.ignore_patterns("data", "run", "*.sock"))
    text = (site / "site.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("verticals", "run_dir", "data_dir"))]
    head = [f'run_dir = "{run_dir}"', 'verticals = ["canteen"]']
    (site / "site.toml").write_text("\n".join([*head, *lines]), encoding="utf-8")


@pytest.fixture
def process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("h")
    made = Process(folder)
    yield made
    made.stop()
    made.store.close()


def numbers(data, kind="<f8"):
    return np.frombuffer(data, kind).tolist()


def test_readings_can_be_asked_for_within_a_second_or_so(process):
    process.say(100)
    process.start()
    process.followed()
    series = process.ask(AskSeries("canteen", 0, 10))
    assert [(info.device, info.point, info.quantity, info.unit) for info in series.items] == [
        ("meter", "p1", "power_w", "W"),
        ("meter", "p0", "power_w", "W"),
    ]
    assert (series.items[0].last_value, series.items[0].last_ns) == (99.0, T0 + 99 * S)
    last = process.ask(AskLast("canteen"))
    assert (numbers(last.series, "<i8"), numbers(last.value)) == ([1, 2], [99.0, 100.0])
    page = process.ask(AskSamples("canteen", 1, 0, 2**62, 30))
    assert numbers(page.value) == [float(n) for n in range(1, 61, 2)]
    rest = process.ask(AskSamples("canteen", 1, 0, 2**62, 30, page.place))
    assert (numbers(rest.value), rest.place) == ([float(n) for n in range(61, 101, 2)], None)
    windows = process.ask(AskWindows("canteen", 2, T0, T0 + 200 * S, 3600))
    assert (sum(numbers(windows.n, "<i8")), max(numbers(windows.max))) == (50, 100.0)
    group = process.ask(AskGroup("canteen", (1, 2), T0, T0 + 200 * S, 3600))
    assert sum(numbers(group.n, "<i8")) == 100
    plot = process.ask(AskPlot("canteen", (1, 2), T0, T0 + 200 * S, 500))
    assert [len(numbers(curve.value)) for curve in plot.curves] == [50, 50]
    process.say(1)
    process.followed()
    assert process.stop() == 0


def test_wrong_questions_are_refused_and_end_nothing(process):
    process.say(2)
    process.start()
    process.followed()
    assert process.ask(AskSamples("canteen", 77, 0, 1, 1)) == Refused("absent", "there is no series 77")
    assert process.ask(AskSeries("pool", 0, 1)).code == "absent"
    assert process.ask(AskWindows("canteen", 1, 0, 2**62, 1)).code == "slow"
    for junk in (b"\x00\x00\x00\x03abc", b"\xff\xff\xff\xff", b""):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(process.socket))
            line.sendall(junk)
            line.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda line=line: line.recv(4096), b""))
        assert b"refused" in answer or answer == b""
    assert process.ask(AskStatus()).verticals[0].alarm == ""


def test_readers_that_hang_disturb_nothing(process):
    """One on the socket that never takes its answer, one that holds a read transaction on each file."""
    process.say(5000)
    process.start()
    process.followed()
    held = []
    for name in ("samples.db", "facts.db"):
        reader = sqlite3.connect(f"file:{process.store_dir / name}?mode=ro", uri=True, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        held.append(reader)
    question = msgspec.msgpack.encode(AskSamples("canteen", 1, 0, 2**62, 10_000))
    deaf = []
    for _ in range(4):
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(process.socket))
        line.sendall((struct.pack(">I", len(question)) + question) * 50)
        deaf.append(line)
    for _ in range(3):
        process.say(100)
        process.followed()
        assert len(numbers(process.ask(AskSamples("canteen", 1, 0, 2**62, 10_000)).value)) == (process.seq + 1) // 2
    for reader in held:
        reader.close()
    for line in deaf:
        line.close()


def test_killed_it_goes_on_where_it_was(process):
    process.say(500)
    process.start()
    process.followed()
    assert process.child is not None
    process.child.kill()
    process.child.wait(WAIT_S)
    process.socket.unlink()
    process.say(500)
    process.start()
    process.followed()
    assert len(numbers(process.ask(AskSamples("canteen", 1, 0, 2**62, 10_000)).value)) == 500


def test_the_file_is_one_processes(process):
    process.start()
    command = [sys.executable, "-m", "edge.cli", "run", "history", "--site", str(process.site)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=WAIT_S, check=False)
    assert second.returncode == 4
    assert b"in use by process" in second.stderr
    assert seal_mark(process.store_dir) is not None
    assert process.socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_is_taken_away_under_it_is_begun_anew_from_the_log(process, replaced):
    """Else all that is sealed would go to a file without a name, until somebody restarts it a year later."""
    process.say(500)
    process.start()
    process.followed()
    path = process.store_dir / "samples.db"
    path.rename(path.with_name("gone.db"))
    path.with_name("samples.db-wal").unlink()
    if replaced:
        shutil.copy(path.with_name("gone.db"), path)
    assert process.child.wait(WAIT_S) == 1
    process.start()
    process.followed()
    assert path.exists()
    assert len(numbers(process.ask(AskSamples("canteen", 1, 0, 2**62, 10_000)).value)) == 250


@pytest.mark.parametrize(("silent_s", "broken", "named"), [(0, False, ""), (0, True, "b"), (HANGS_S + 60, False, "b")])
def test_it_starts_anew_when_a_follower_hangs_or_its_file_is_damaged(silent_s, broken, named):
    """It gives the name, ends with a failure, and whoever supervises it starts it again."""

    def follower(seconds, *, broken):
        history = SimpleNamespace(broken=broken, db=SimpleNamespace(in_place=lambda: True))
        return SimpleNamespace(came_round_s=time.monotonic() - seconds, history=history)

    service = HistoryService.__new__(HistoryService)
    service._notifier = SimpleNamespace(watchdog_s=None)
    service._followers = {"a": follower(0, broken=False), "b": follower(silent_s, broken=broken)}

    async def watch():
        stop = asyncio.Event()
        if not named:
            asyncio.get_running_loop().call_later(0.01, stop.set)
        return await service._watch(stop)

    assert asyncio.run(watch()) == named


@pytest.mark.parametrize("set_aside", [None, Path("samples.db.damaged-1")])
def test_a_sink_that_lost_its_cursor_with_the_file_begins_with_what_is_left(monkeypatch, tmp_path, set_aside):
    """Also one that was to leave history out: it may have been days behind."""
    made = []
    monkeypatch.setattr("edge.runtime.history.SinkRunner", lambda _home, sinks: made.extend(sinks))
    sink = SinkSettings(sink="lake", kind=SinkKind.INFLUX, url="http://x", verticals=("canteen",), history=False)
    site = SimpleNamespace(site_id="s", data_dir=tmp_path, sinks=(sink,))
    _sinks_of(site, "canteen", SimpleNamespace(source=None, db=SimpleNamespace(set_aside=set_aside)))
    assert [each.history for each in made] == [set_aside is not None]
