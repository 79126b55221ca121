"""``kangle sink`` beside a real history process: a service refuses lines; they are listed, dropped, sent again."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from firmware_sim.influx_fake.thread import InfluxThread

S = 1_000_000_000
T0 = 1_795_000_000 * S
WAIT_S = 60


def until(holds):
    end = time.monotonic() + WAIT_S
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


def write_site(site, run_dir, urls):
    path = site / "site.toml"
    text = path.read_text().replace('verticals = ["canteen", "garage", "gym"]', 'verticals = ["canteen"]')
    sinks = "".join(
        f'\n[[sinks]]\nsink = "{name}"\nkind = "influx"\nurl = "{url}"\norg = "kangle"\nbucket = "edge"\n'
        'token_file = "influx.token"\nverticals = ["canteen"]\n'
        for name, url in urls.items()
    )
    path.write_text(f'run_dir = "{run_dir}"\n{text}{sinks}')
    (site / "influx.token").write_text("secret\n")
    (site / "influx.token").chmod(0o600)


def say(site, times_ns):
    """Readings of one meter at these times, an input each."""
    store = FactsStore.open(site / "data" / "canteen", (), ballast_bytes=0)
    records = []
    for number, wall_ns in enumerate(times_ns, 1):
        stamp = Stamp(number, "boot", number, wall_ns, wall_trusted=True)
        body = msgspec.msgpack.encode(DeviceReading("meter", 1, MeterReading(point="p", power_w=number / 2)))
        records.append(LogRecord(stamp, body))
    done = threading.Event()
    store.submit(Batch(records=records), lambda _error: done.set())
    assert done.wait(WAIT_S)
    store.close()


@pytest.fixture
def running(site):
    """A site whose service keeps nothing before T0: three of its twenty samples are refused."""
    server = InfluxThread()
    server.server.bucket.oldest_ns = T0
    with tempfile.TemporaryDirectory(prefix="kangle-") as run_dir:
        write_site(site, Path(run_dir), {"up": server.url})
        say(site, [T0 - (3 - n) * S for n in range(20)])
        command = [sys.executable, "-m", "edge.cli", "run", "history", "--site", str(site)]
        child = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            until(lambda: len(server.server.bucket.values) == 17)
            until(lambda: len(rows(site)) == 3)
            yield site, server.server.bucket, child
        finally:
            child.terminate()
            child.wait(WAIT_S)
            server.close()


def rows(site):
    with closing(sqlite3.connect(site / "data" / "canteen" / "samples.db", timeout=WAIT_S)) as db:
        return db.execute("SELECT id, again FROM quarantine ORDER BY id").fetchall()


def test_refused_lines_are_listed_dropped_and_sent_again(running, command):
    site, bucket, child = running
    at = ("--site", str(site))
    wanted = "canteen: sink up: live, at input 20; nothing behind; 3 lines set aside (kangle sink aside)"
    until(lambda: wanted in command("sink", "list", *at).out)
    shown = command("sink", "aside", *at).out
    assert shown.count("points beyond retention policy") == 3
    assert "canteen.1  sink up" in shown
    told = json.loads(command("sink", "aside", "--json", "--limit", "2", *at).out)
    assert [each["ref"] for each in told] == ["canteen.1", "canteen.2"]
    assert told[0]["line"].startswith("canteen,site=")
    dropped = command("sink", "drop", "canteen.2", *at)
    assert (dropped.status, dropped.err) == (0, "kangle: canteen up: 1 lines dropped\n")
    assert [number for number, _ in rows(site)] == [1, 3]
    bucket.oldest_ns = None
    again = command("sink", "resend", "--sink", "up", "--all", *at)
    assert (again.status, again.err) == (0, "kangle: canteen: 2 lines to be sent again\n")
    until(lambda: len(bucket.values) == 19)
    until(lambda: rows(site) == [(1, 2), (3, 2)])
    assert command("sink", "aside", *at).out.count("[sent again, not certain yet]") == 2
    refused = command("sink", "forget", "up", *at)
    assert refused.status == 1
    assert "take it out" in refused.err
    child.terminate()
    child.wait(WAIT_S)
    away = command("sink", "drop", "canteen.1", *at)
    assert away.status == 4
    assert "history process" in away.err
    assert len(rows(site)) == 2
    assert "sink up: " in command("sink", "list", *at).out, "looking needs no process"


def test_a_sink_that_is_named_no_longer_is_forgotten(running, command):
    site, _, _ = running
    at = ("--site", str(site))
    with closing(sqlite3.connect(site / "data" / "canteen" / "samples.db", timeout=WAIT_S)) as db, db:
        db.execute("INSERT INTO cursor SELECT 'old', 4, wall_ns, replace(state, '\"up\"', '\"old\"') FROM cursor"
                   " WHERE sink = 'up'")  # fmt: skip
    listed = command("sink", "list", *at)
    assert "the site file names no sink old: kangle sink forget old" in listed.err
    assert command("sink", "forget", "old", *at).status == 0
    assert "sink old" not in command("sink", "list", *at).out
    for words in (("forget", "old"), ("drop", "--sink", "old", "--all")):
        again = command("sink", *words, *at)
        assert (again.status, "there is no sink old; there are: up" in again.err) == (1, True)
    nobody = command("sink", "resend", "--sink", "old", "--all", *at)
    assert nobody.status == 1
    assert "there are: up" in nobody.err


def test_lag_in_every_unit_is_told_by_store_info(running, command):
    """The head of the log goes on while the history is away: counted from the files alone."""
    site, _, child = running
    at = ("--site", str(site))
    child.terminate()
    child.wait(WAIT_S)
    store = FactsStore.open(site / "data" / "canteen", (), ballast_bytes=0)
    now_ns = time.time_ns()
    body = msgspec.msgpack.encode(DeviceReading("meter", 1, MeterReading(point="p", power_w=1.0)))
    records = [
        LogRecord(Stamp(20 + n, "boot", 20 + n, now_ns - 3 * 86_400 * S, wall_trusted=True), body) for n in range(1, 11)
    ]
    done = threading.Event()
    store.submit(Batch(records=records), lambda _error: done.set())
    assert done.wait(WAIT_S)
    store.close()
    (told,) = json.loads(command("sink", "list", "--json", *at).out)["canteen"]
    assert (told["behind"], told["behind_samples"]) == (10, 10)
    assert 10 * 40 < told["behind_bytes"] < 10 * 120
    assert 3 * 86_400 <= told["behind_s"] < 3 * 86_400 + 3600
    assert "10 inputs behind, about 10 samples, " in command("store", "info", *at).out
    assert "3.0 days" in command("store", "info", *at).out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["resend"], 2, "name lines"),
        (["drop", "canteen.1", "--all", "--sink", "up"], 2, "name lines"),
        (["drop", "--all"], 2, "name lines"),
        (["aside"], 4, "no samples yet"),
        (["list"], 4, "no store yet"),
        (["forget", "up"], 4, "no samples yet"),
    ],
)
def test_what_cannot_be_done_is_one_line(example, command, words, status, said):
    ran = command("sink", *words, "--site", str(example))
    assert ran.status == status
    assert said in ran.err
    assert "Traceback" not in ran.err
