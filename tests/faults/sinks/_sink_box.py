"""The box of a sink campaign: a site with sinks, a log that grows by the hand of the test, the real history process."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import msgspec

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.sinks.cursors import read_statuses

ROOT = Path(__file__).parents[3]
WAIT_S = 60
#: After ten faults in a row the box waits a minute between tries, and a slow machine adds to it.
SENT_S = 900
MS, S = 1_000_000, 1_000_000_000
T0 = 1_795_000_000 * S
ROWS_AT_ONCE = 400


class Box:
    """``series`` devices that report together, and one ("twin") that reports twice in each millisecond."""

    def __init__(self, folder, sinks, series=20):
        self.site, self.run_dir = folder / "site", folder / "run"
        _copy_site(self.site, self.run_dir, sinks)
        self.store_dir = self.site / "data" / "canteen"
        self.store = FactsStore.open(self.store_dir, ROW_TYPES, ballast_bytes=0)
        self.series = series
        self.seq, self.wall_ns, self.child, self.kills, self.hangs = 0, T0, None, 0, 0
        self.told = defaultdict(Counter)
        self._log_path = folder / "history.log"
        self._log = self._log_path.open("ab")

    # --- the log ------------------------------------------------------------------------------------------------------

    def say(self, count, every_ms=1000):
        """``count`` rounds of readings, ``every_ms`` apart."""
        records = []
        for _ in range(count):
            self.wall_ns += every_ms * MS
            records += [self._read(f"dev-{n}", "", self.seq % 9973 + n / 8) for n in range(self.series)]
            records += [self._read("meter", "twin", self.seq + extra) for extra in (0.25, 0.5)]
            if len(records) >= ROWS_AT_ONCE:
                self._commit(records)
                records = []
        self._commit(records)

    def _read(self, device, point, power_w):
        self.seq += 1
        self.told[device, point, "power_w"][self.wall_ns // MS, power_w] += 1
        data = msgspec.msgpack.encode(DeviceReading(device, 1, MeterReading(point=point, power_w=power_w)))
        stamp = Stamp(self.seq, "boot", self.seq * MS, self.wall_ns, wall_trusted=True)
        return LogRecord(stamp, data)

    def _commit(self, records):
        if records:
            done = threading.Event()
            self.store.submit(Batch(records=records), lambda _error: done.set())
            assert done.wait(WAIT_S)

    def step_clock(self, seconds):
        """Set the wall clock; readings then fall between the milliseconds of the ones that were there before."""
        self.wall_ns += seconds * S + 3 * MS

    # --- the process --------------------------------------------------------------------------------------------------

    def start(self):
        command = [sys.executable, "-m", "edge.cli", "run", "history", "--site", str(self.site)]
        self.child = subprocess.Popen(command, cwd=ROOT, stdout=self._log, stderr=self._log)

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait(20)
        self.kills += 1

    def close(self):
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self.store.close()
        self._log.close()

    def statuses(self):
        try:
            return {status.sink: status for status in read_statuses(self.store_dir / "samples.db")}
        except sqlite3.Error:
            return {}

    def until_sent(self, names, seconds=SENT_S):
        """Wait until these sinks have everything that the log holds."""
        until = time.monotonic() + seconds
        while True:
            known = self.statuses()
            if all(name in known and known[name].acked_seq >= self.seq for name in names):
                return known
            self.see_to_it()
            assert time.monotonic() < until, (self.seq, {name: known.get(name) for name in names})
            time.sleep(0.1)

    def until_settled(self, names, seconds=SENT_S):
        """Wait until everything that was there is settled at these sinks: no rewind goes back behind it. That takes
        a minute of answers, by the sink's own clock, so now and then something is said."""
        wanted, until, say_at_s = self.seq, time.monotonic() + seconds, 0.0
        while True:
            known = self.statuses()
            if all(name in known and known[name].settled_seq >= wanted for name in names):
                return
            self.see_to_it()
            assert time.monotonic() < until, (wanted, {name: known.get(name) for name in names})
            if time.monotonic() >= say_at_s:
                self.say(1)
                say_at_s = time.monotonic() + 5
            time.sleep(0.5)

    def see_to_it(self):
        """What the supervisor of a site does: a process that gave itself up for hanging (five minutes without a round,
        which a starved machine can bring about) is started anew. Any other end is a failure."""
        if self.child.poll() is None:
            return
        words = self._log_path.read_text()[-4000:]
        text = f"the history process ended with {self.child.poll()}: {words}"
        assert "a follower hangs" in words.rsplit('"event": "ready"', 1)[-1], text
        self.hangs += 1
        self.start()

    # --- comparing ----------------------------------------------------------------------------------------------------

    def compare_strict(self, held):
        """(missing, more) samples of a server that keeps ns keys: each is there once, twins of a millisecond too."""
        missing, more = 0, 0
        found = defaultdict(Counter)
        for (_measurement, tags, field), points in held.items():
            labels = dict(tags)
            name = (labels["device"], labels.get("point", ""), field)
            found[name].update((key_ns // MS, value) for key_ns, value in points.items())
        for name in self.told.keys() | found.keys():
            missing += (self.told[name] - found[name]).total()
            more += (found[name] - self.told[name]).total()
        return missing, more

    def compare_ms(self, held):
        """(missing, more, other) keys of a server that keeps milliseconds; a twin's key holds one of its two values."""
        missing = more = other = 0
        for name, points in self.told.items():
            device, point, quantity = name
            tags = {"site": "campaign", "device": device, **({"point": point} if point else {})}
            there = held.get((f"canteen_{quantity}", tuple(sorted(tags.items()))), {})
            wanted = defaultdict(set)
            for key_ms, value in points:
                wanted[key_ms].add(value)
            missing += len(wanted.keys() - there.keys())
            more += len(there.keys() - wanted.keys())
            other += sum(value not in wanted[key] for key, value in there.items() if key in wanted)
        return missing, more, other


def _copy_site(site, run_dir, sinks):
    shutil.copytree(ROOT / "config", site, ignore=shutil.ignore_patterns("data", "run", "*.sock"))
    text = (site / "site.toml").read_text(encoding="utf-8")
    own = ("verticals", "run_dir", "data_dir", "site_id")
    lines = [line for line in text.splitlines() if not line.startswith(own)]
    head = [f'run_dir = "{run_dir}"', 'verticals = ["canteen"]', 'site_id = "campaign"']
    (site / "site.toml").write_text("\n".join([*head, *lines, *sinks]), encoding="utf-8")
