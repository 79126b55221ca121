"""A history that lives on a faulty disk: `_history_writer.py LIFE ...`, each LIFE a JSON list [DIRECTORY, SENT, COUNT,
SEED, RETENTION, DIE_AT], played in a process of its own; without arguments lives are read as lines.

One life: readings are committed to facts.db, followed, sealed, rolled up, dropped by age, carried to a sink, and the
log is pruned, in an order drawn from SEED, until COUNT inputs are through all of it. What fails is tried again, as the
history process does. What the sink takes is appended to SENT ("last first") before it answers. With DIE_AT the process
kills itself after so many steps of SQLite's machine on samples.db. Exit status 0: all is through; 3: it never would be;
4: it could not be opened. The last line on stdout tells what failed how often.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sqlite3
import sys
import threading
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _forks import fork_each
from _history_life import RETENTION, SINK, batch_of, small, wall_ns

from edge.domain.canteen.rows import ROW_TYPES
from edge.log import structlog
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.sample_history import SampleHistory
from edge.storage.sinks.answers import Answer, Verdict
from edge.storage.sinks.cursors import Cursors
from edge.storage.sinks.line_protocol import LineFormer
from edge.storage.sinks.settings import SinkKind, SinkSettings
from edge.storage.sinks.worker import SinkWorker

SETTINGS = SinkSettings(sink=SINK, kind=SinkKind.INFLUX, url="http://127.0.0.1:1", verticals=("canteen",),
                        batch_samples=40)  # fmt: skip
#: Acts that change nothing, one after the other, until the owner gives up.
IN_VAIN = 60
VM_STEPS = 20


class Far:
    """The sink: takes everything, and writes down what. ``wrong``: what it was sent that nobody said."""

    def __init__(self, sent: int, rng: random.Random) -> None:
        self._sent, self._rng = sent, rng
        self.wrong = ""

    def send(self, items) -> Answer:
        if self._rng.random() < 0.1:
            return Answer(Verdict.BUSY, "come back", 0.0)
        numbers = [int(float(item.split("power_w=")[1].split(" ")[0])) for item in items]
        if numbers != sorted(set(numbers)):
            self.wrong = f"out of order or doubled: {numbers}"
        runs: list[list[int]] = []
        for number in numbers:
            if runs and runs[-1][1] == number - 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        for first, last in runs:
            os.write(self._sent, b"%d %d\n" % (last, first))
        return Answer(Verdict.STORED, life="one")

    def close(self) -> None:
        pass


class Clock:
    """Half a minute passes with each look."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def mono_s(self) -> float:
        self.now_s += 30.0
        return self.now_s

    def wall_ns(self) -> int:
        return wall_ns(0) + int(self.now_s * 1e9)


class Owner:
    """One life."""

    def __init__(self, words: list) -> None:
        directory, sent, self.count, seed, retention, self.die_at = words
        self.directory, self.retention = Path(directory), RETENTION[retention]
        self.rng = random.Random(seed)
        self.told: Counter[str] = Counter()
        self.far = Far(os.open(sent, os.O_WRONLY | os.O_CREAT | os.O_APPEND), self.rng)
        self.clock = Clock()
        self.store = FactsStore.open(self.directory, ROW_TYPES, ballast_bytes=0)
        self.seq = self.store.last_seq()
        self.history: SampleHistory | None = None
        self.worker: SinkWorker | None = None
        self.rolled = False
        self.open()

    def open(self) -> None:
        self.history = SampleHistory(self.directory, "canteen", self.retention)
        self.told["aside"] += self.history.db.set_aside is not None
        if self.die_at:
            self.history.db._connection.set_progress_handler(self._step_of_sqlite, VM_STEPS)

    def _step_of_sqlite(self) -> int:
        self.die_at -= 1
        if self.die_at <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    # --- acts ---------------------------------------------------------------------------------------------------------

    def say(self) -> None:
        if self.seq >= self.count:
            return
        last = min(self.count, self.seq + self.rng.randrange(1, 40))
        done = threading.Event()
        errors: list[StoreError | None] = []
        self.store.submit(batch_of(self.seq + 1, last), lambda error: (errors.append(error), done.set()))
        assert done.wait(100)
        assert errors == [None], errors
        self.seq, self.rolled = last, False

    def follow(self) -> None:
        while self.history.step():
            pass

    def seal(self) -> None:
        if self.history.through_seq > self.history.sealed_seq and not self.history._try_seal():
            self.told["seals_failed"] += 1

    def tidy(self) -> None:
        with self.history.db.read() as connection:  # what goes by age before there is a sink is told to none
            if connection.execute("SELECT 1 FROM cursor").fetchone() is None:
                return
        failures = self.history._tidy_failures
        self.rolled = True
        for _ in range(self.rng.randrange(1, 60)):
            if not self.history.tidy():
                break
        else:
            self.rolled = False
        if self.history._tidy_failures > failures:
            self.rolled = False
            self.told["tidies_failed"] += 1

    def carry(self) -> None:
        try:
            if self.worker is None:
                cursors = Cursors(self.history.db.path, SINK)
                source = self.history.source()
                self.worker = SinkWorker(
                    SETTINGS, "canteen", source=source, former=LineFormer("site", source.series), transport=self.far,
                    cursors=cursors, times=self.clock, rng=self.rng)  # fmt: skip
            for _ in range(self.rng.randrange(1, 12)):
                self.worker.step()
        except sqlite3.Error:
            self.worker = None
            raise

    def prune(self) -> None:
        self.store.prune(keep_after_wall_ns=wall_ns(self.seq), max_bytes=1 << 40)

    # --- the life -----------------------------------------------------------------------------------------------------

    def live(self) -> int:
        acts = [self.say, self.follow, self.follow, self.seal, self.tidy, self.tidy, self.carry, self.carry, self.prune]
        in_vain = 0
        while not self.through():
            before = self.where()
            act = self.rng.choice(acts)
            try:
                act()
            except (StoreError, sqlite3.Error) as error:
                self.told[f"{act.__name__}s_failed"] += 1
                self.told[getattr(error, "code", "sqlite")] += 1
            if self.history.broken:
                self.again()
            in_vain = 0 if self.where() != before else in_vain + 1
            if in_vain == IN_VAIN:
                return 3
        return 0

    def again(self) -> None:
        """The process ends and is started anew."""
        self.told["started_anew"] += 1
        self.worker = None
        self.history.close()
        self.open()

    def where(self) -> tuple:
        acked = self.worker.status.acked_seq if self.worker else 0
        rolled = self.history._roller.counts["rolled"], self.history._keeper.counts["slabs_dropped"]
        return self.seq, self.history.through_seq, self.history.sealed_seq, rolled, acked, self.rolled

    def through(self) -> bool:
        where = self.where()
        return where[0] == where[1] == where[2] == where[4] == self.count and self.rolled


def main(words: list) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with small():
        return play(words)


def play(words: list) -> int:
    """One life, to its end."""
    try:
        owner = Owner(words)
    except (StoreError, OSError) as error:
        print(json.dumps({"refused": getattr(error, "code", "os"), "text": str(error)}), flush=True)
        return 4
    try:
        status = owner.live()
    except StoreError as error:  # it could not be started anew
        owner.told[f"gone_{error.code}"] += 1
        status = 3
    print(json.dumps({**owner.told, "alarm": owner.history.alarm, "wrong": owner.far.wrong}), flush=True)
    if status == 0:
        owner.worker.close()
        owner.history.close()
        owner.store.close()
    return status


if __name__ == "__main__":
    fork_each(main, sys.argv[1:] or sys.stdin)
