"""Facts in the store bench: payments as a till's lane logs them, one commit each, and 32 that wait together.

The hard part is to measure the store and not the bench: records are made before the clock runs, and the two are asked
in turn, so that a slow moment of the disk is both's."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from _report import Result, quantile, result

from edge.domain.actors import Actor, Role
from edge.domain.canteen.messages import Command, Pay
from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

WAITING = 32
TURNS = 7
SINGLES, GROUPS = 60, 40
#: A payment puts an order with its lines, the purse and the answer, and tells till and screen: 8 bytes of digest each.
DIGESTS = 10
BOOT = "3f2a9c41-81736"


def payments(seqs: Iterable[int]) -> Iterator[Batch]:
    """What the log keeps of a payment: about 300 bytes, of which half are ids and digests that nothing packs."""
    rng = random.Random(3)
    for seq in seqs:
        pay = Pay(
            lane=f"lane-{seq % 8}",
            order_id=f"{rng.getrandbits(128):032x}",
            tray_id=f"{rng.getrandbits(64):016x}",
            tray_version=rng.randrange(1, 40),
            payable_fen=rng.randrange(300, 3000),
            method="purse",
        )
        command = Command(f"{rng.getrandbits(128):032x}", Actor(Role.DINER_TERMINAL, f"till-{seq % 8}"), pay)
        at_ns = seq * 700_000_000 + rng.randrange(300_000_000)
        stamp = Stamp(seq, BOOT, at_ns, 1_795_000_000_000_000_000 + at_ns, wall_trusted=True)
        record = LogRecord(stamp, msgspec.msgpack.encode(command), rng.randbytes(8 * DIGESTS))
        yield Batch(records=[record])


class _Asker:
    """Hands batches over and waits until all of them are on disk."""

    def __init__(self, store: FactsStore) -> None:
        self._store = store
        self._seq = 0
        self._left = 0
        self._answered = threading.Event()

    def _done(self, error: StoreError | None) -> None:
        if error is not None:
            raise error
        self._left -= 1
        if self._left == 0:
            self._answered.set()

    def rate(self, waiting: int, rounds: int) -> float:
        """Commits a second when ``waiting`` wait at a time."""
        first, self._seq = self._seq + 1, self._seq + waiting * rounds
        batches = iter(list(payments(range(first, self._seq + 1))))
        begun = time.perf_counter()
        for _ in range(rounds):
            self._left = waiting
            self._answered.clear()
            for batch in itertools.islice(batches, waiting):
                self._store.submit(batch, self._done)
            self._answered.wait()
        return waiting * rounds / (time.perf_counter() - begun)


def facts(folder: Path, out: list[Result]) -> None:
    """One by one, against ``WAITING`` together."""
    store = FactsStore.open(folder / "facts", ROW_TYPES, ballast_bytes=0)
    asker = _Asker(store)
    asker.rate(1, SINGLES)
    turns = [(asker.rate(1, SINGLES), asker.rate(WAITING, GROUPS)) for _ in range(TURNS)]
    store.close()
    single, grouped = (quantile(list(rates), 0.5) for rates in zip(*turns, strict=True))
    out.append(result("facts: commits/s one by one", single, "1/s"))
    out.append(result(f"facts: commits/s, {WAITING} waiting", grouped, "1/s", floor=single, target=10, at_least=True))
