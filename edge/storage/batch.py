"""What the daemon hands to the store: one or more inputs and all that they caused, written in one transaction.

The hard part is agreement on order between the daemon and the log. The rules, checked by ``FactsStore.submit``:

* ``seq`` is gapless: the first record of a batch follows the last record of the batch before it (after open or
  ``reset``: ``last_seq() + 1``). An input that is not logged (a timer that changed nothing) uses up no seq.
* A snapshot of seq S is the world after the input S. Reasons "start" and "rebuild" mean that the world was loaded
  anew at S (replay takes it over); "hourly" means that it is only a copy (replay compares it).
* A snapshot's seq is that of a record of the same batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from edge.domain.kernel import Row, Stamp
from edge.storage.log import LogRecord, RecordKind

__all__ = ["Batch", "LogRecord", "RecordKind", "SetAside", "SnapshotReason", "WorldSnapshot"]

SnapshotReason = Literal["start", "hourly", "rebuild"]


class WorldSnapshot(NamedTuple):
    """The world as ``edge.storage.snapshots.encode_world`` gives it (msgpack, not compressed), after input ``seq``."""

    seq: int
    reason: SnapshotReason
    world: bytes


class SetAside(msgspec.Struct, frozen=True):
    """An input on which ``handle`` raised: kept for people to look at. ``input`` is msgpack as in the log, ``error``
    the exception with its traceback as text."""

    stamp: Stamp
    input: bytes
    error: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction's worth. All or nothing of it is on disk when ``done`` is called. An empty batch is a barrier:
    its ``done`` tells that everything before it is committed (or failed)."""

    records: Sequence[LogRecord] = ()
    rows: Sequence[Row] = ()
    snapshot: WorldSnapshot | None = None
    set_aside: Sequence[SetAside] = ()
