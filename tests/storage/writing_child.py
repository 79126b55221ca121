"""Processes that write until they are killed.

Started once: imports what is slow, then forks a writer for each line "directory seed acks" on stdin (seed of the point
at which the writer kills itself; 0: it is killed from outside), answers with its pid, and when that has ended with its
status. A writer's two producers number inputs under one lock; each input carries an audit row and a purse with the seq
as its balance. Every acknowledged seq is appended to the file ``acks`` in one write, as the owner of a store would show
"paid".
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from pathlib import Path

from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import PurseRow
from edge.domain.kernel import Stamp
from edge.storage import facts
from edge.storage.batch import Batch, LogRecord, WorldSnapshot
from edge.storage.errors import StoreBusy, StoreError
from edge.storage.facts import FactsStore

ROWS = (AuditRow, PurseRow)


def kill_at(seed: int):
    """Kill this process at some point of some transaction, both drawn from ``seed``."""
    draw = random.Random(seed)
    point, left = draw.choice(["begin", "before_commit", "after_commit"]), draw.randrange(1, 40)

    def on_point(name: str) -> None:
        nonlocal left
        if seed and name == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return on_point


def batch_of(seq: int) -> Batch:
    record = LogRecord(Stamp(seq, "boot", seq, seq, wall_trusted=True), b"input %d" % seq * (seq % 7), b"digest!!")
    rows = [
        AuditRow(seq=seq, role="r", user="u", action="a", ref=str(seq), at_ns=seq),
        PurseRow(member=f"m{seq % 5}", balance_fen=seq),
    ]
    snapshot = WorldSnapshot(seq, "hourly", b"world %d" % seq) if seq % 50 == 0 else None
    return Batch(records=[record], rows=rows, snapshot=snapshot)


def write_on(directory: Path, seed: int, acks: int) -> None:
    facts.CHECKPOINT_PAGES = 16
    store = FactsStore.open(directory, ROWS, ballast_bytes=0, on_point=kill_at(seed))
    order = threading.Lock()
    seq = store.last_seq()

    def produce() -> None:
        nonlocal seq
        while True:
            waiting = threading.Event()
            with order:
                number = seq + 1

                def done(error: StoreError | None, number: int = number, waiting: threading.Event = waiting) -> None:
                    if error is None:
                        os.write(acks, b"%d\n" % number)
                    waiting.set()

                try:
                    store.submit(batch_of(number), done)
                except StoreBusy:
                    continue
                seq = number
            if number % 3:
                waiting.wait()

    for _ in range(2):
        threading.Thread(target=produce, daemon=True).start()
    signal.pause()


def main() -> None:
    for line in sys.stdin:
        directory, seed, acks = line.split()
        pid = os.fork()
        if pid == 0:
            write_on(Path(directory), int(seed), os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
