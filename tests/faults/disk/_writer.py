"""A store's owner that goes on through failures: `_writer.py DIRECTORY ACKS COUNT [SYNCHRONOUS|wait]`.

Without arguments it reads such lists as JSON lines and plays each in a process of its own; [exit status, what it told]
is the answer.

Writes the inputs that are missing up to COUNT (``writing_child.batch_of``: their content follows from their number),
some alone, some in groups. Every acknowledged number is appended to ACKS in one write. After a failed batch it does
what the daemon does: reset, read the last committed number, go on from there. Exit status 0: all written; 3: the store
could not be had back; 4: it could not be opened. The last line on stdout tells how often what failed. SYNCHRONOUS
(NORMAL, OFF) plants a store that syncs less than it promises: what the tests must notice. With "wait" it tells when the
store is open, and goes on at the next line from stdin.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _forks import fork_each

from edge.storage import chores, facts
from edge.storage.errors import StoreBusy, StoreError
from edge.storage.facts import FactsStore

STORAGE = Path(__file__).parents[2] / "storage"
RESETS = 40
#: Batches that fail one after the other until the owner gives up.
IN_VAIN = 60


def _child():
    spec = importlib.util.spec_from_file_location("writing_child", STORAGE / "writing_child.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHILD = _child()


class Owner:
    """One life of a store."""

    def __init__(self, store: FactsStore, acks: int) -> None:
        self.store = store
        self.acks = acks
        self.told = {"failed": 0, "resets": 0, "codes": []}

    def write(self, count: int) -> int:
        seq, in_vain = self.store.last_seq(), 0
        while seq < count:
            group = 1 + (seq * 7) % 4
            outcomes = self._submit(range(seq + 1, min(seq + group, count) + 1))
            if all(outcome is None for outcome in outcomes):
                seq += len(outcomes)
                continue
            self.told["failed"] += 1
            self.told["codes"] = sorted({*self.told["codes"], *(each.code for each in outcomes if each is not None)})
            if not self._had_back():
                return 3
            in_vain = in_vain + 1 if self.store.last_seq() == seq else 0
            if in_vain == IN_VAIN:
                return 3
            seq = self.store.last_seq()
        return 0

    def _submit(self, numbers) -> list[StoreError | None]:
        outcomes: list[StoreError | None] = []
        answered = threading.Semaphore(0)

        def told(number: int):
            def done(error: StoreError | None) -> None:
                if error is None:
                    os.write(self.acks, b"%d\n" % number)
                outcomes.append(error)
                answered.release()

            return done

        submitted = 0
        for number in numbers:
            try:
                self.store.submit(CHILD.batch_of(number), told(number))
                submitted += 1
            except (StoreBusy, StoreError) as error:
                outcomes.append(error)
                break
        for _ in range(submitted):
            assert answered.acquire(timeout=100), "done was never called"
        return outcomes

    def _had_back(self) -> bool:
        for _ in range(RESETS):
            self.told["resets"] += 1
            try:
                self.store.reset()
                return True
            except StoreError:
                time.sleep(0.002)
        return False


def plant(synchronous: str) -> None:
    """Every connection of the store gets another ``synchronous``."""
    real = facts.open_writer

    def open_writer(path):
        connection = real(path)
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        return connection

    facts.open_writer = open_writer


def main(words: list[str]) -> int:
    directory, acks, count = Path(words[0]), words[1], int(words[2])
    wait = "wait" in words
    for synchronous in words[3:]:
        if synchronous != "wait":
            plant(synchronous)
    facts.CHECKPOINT_PAGES = 16
    try:
        store = FactsStore.open(directory, CHILD.ROWS, ballast_bytes=1 << 20)
    except (StoreError, OSError) as error:
        print(json.dumps({"refused": getattr(error, "code", "os"), "text": str(error)}), flush=True)
        return 4
    owner = Owner(store, os.open(acks, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    if wait:
        store.last_seq()
        print(json.dumps({"open": True}), flush=True)
        sys.stdin.readline()
    chores.CHECKPOINT_PAGES = 40  # checkpoints every few commits, so that faults meet them too
    try:
        status = owner.write(count)
    except StoreError as error:  # what it holds cannot be read: a daemon ends here too, and is started anew
        owner.told["unreadable"] = error.code
        status = 3
    owner.told["counters"] = store.counters()
    owner.told["degraded"] = store.degraded
    print(json.dumps(owner.told), flush=True)
    if status == 0:
        store.close()
    return status


if __name__ == "__main__":
    if not sys.argv[1:]:
        fork_each(main, sys.stdin)
        sys.exit(0)
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
