"""One replay, step by step: where its world comes from, and what it thinks of each record.

See ``edge.runtime.replay`` for what is compared and why.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from edge.domain.digest import DIGEST_BYTES, effect_digest
from edge.domain.kernel import Effect, Kernel
from edge.runtime.replay_report import Difference, ReplayReport, Span
from edge.storage import log_table, snapshots
from edge.storage.log import LogDamage, LogRecord, RecordKind
from edge.storage.snapshots import StoredSnapshot

MAX_SPANS = 100
PROGRESS_EVERY = 2000


class ReplayRun:
    """One replay. ``_world`` is None while there is no world to trust: after damage, until the next snapshot."""

    def __init__(
        self, connection: sqlite3.Connection, kernel: Kernel[Any, Any], from_seq: int | None, to_seq: int | None
    ) -> None:
        self._connection = connection
        self._kernel = kernel
        self._decode = msgspec.msgpack.Decoder(kernel.input_type).decode
        self._end = log_table.last_seq(connection)
        if to_seq is not None:
            self._end = min(self._end, to_seq)
        self._snapshot_seqs = snapshots.seqs(connection)
        self._world: Any = None
        self._first = from_seq or 0
        self._counts = dict.fromkeys(("inputs", "effects", "differing", "raised", "starts", "copies"), 0)
        self._chain = blake2b(digest_size=16)
        self._difference: Difference | None = None
        self._spans: list[Span] = []
        self._more_spans = 0
        self._builds: dict[str, None] = {}

    def all(self, progress: Callable[[int, int], None] | None) -> None:
        """Run to the end."""
        at = self._begin()
        for number, item in enumerate(log_table.read(self._connection, at, self._end)):
            if isinstance(item, LogDamage):
                self._lost(item.seq_first, item.seq_last, item.reason)
                self._world = None
                self._after(item.seq_last)
            else:
                self._record(item)
            if progress is not None and number % PROGRESS_EVERY == 0 and isinstance(item, LogRecord):
                progress(item.stamp.seq, self._end)

    def report(self, store: str, seconds: float) -> ReplayReport:
        """What was found."""
        return ReplayReport(
            store=store,
            kernel=self._kernel.name,
            builds=tuple(self._builds),
            first_seq=self._first,
            last_seq=self._end,
            **self._counts,
            first_difference=self._difference,
            unreadable=tuple(self._spans),
            more_unreadable=self._more_spans,
            chain=self._chain.hexdigest(),
            seconds=round(seconds, 3),
        )

    # --- where the world comes from -----------------------------------------------------------------------------------

    def _begin(self) -> int:
        """Load the newest world before the first input that is asked for, when there is one; returns the seq to begin
        at. Without one the world comes with the first start, rebuild or copy in the log."""
        if not self._first:
            self._first = log_table.oldest_kept(self._connection) or self._end + 1
        start = snapshots.last_until(self._connection, self._first - 1)
        return start.seq + 1 if start is not None and self._load(start) else self._first

    def _load(self, snapshot: StoredSnapshot) -> bool:
        try:
            self._world = msgspec.msgpack.decode(snapshot.world, type=self._kernel.world_type)
        except msgspec.MsgspecError as error:
            self._world = None
            self._lost(snapshot.seq, snapshot.seq, f"snapshot of build {snapshot.build!r} does not fit: {error}")
            return False
        self._builds[snapshot.build] = None
        if snapshot.reason != "hourly":
            self._counts["starts"] += 1
        return True

    def _after(self, seq: int) -> None:
        """Take over, or compare with, the snapshot of ``seq`` when there is one."""
        if seq not in self._snapshot_seqs or seq > self._end:
            return
        snapshot = snapshots.at(self._connection, seq)
        if snapshot is None:
            self._lost(seq, seq, "snapshot is damaged")
        elif self._world is None or snapshot.reason != "hourly":
            self._load(snapshot)
        else:
            self._compare_world(snapshot)

    def _compare_world(self, snapshot: StoredSnapshot) -> None:
        try:
            kept = msgspec.msgpack.decode(snapshot.world, type=self._kernel.world_type)
        except msgspec.MsgspecError as error:
            self._lost(snapshot.seq, snapshot.seq, f"snapshot of build {snapshot.build!r} does not fit: {error}")
            return
        self._builds[snapshot.build] = None
        self._counts["copies"] += 1
        if snapshots.canonical(kept) != snapshots.canonical(self._world):
            self._differs(Difference(seq=snapshot.seq, what="world", detail="the replayed world is not the kept copy"))

    # --- one record ---------------------------------------------------------------------------------------------------

    def _record(self, record: LogRecord) -> None:
        seq = record.stamp.seq
        if record.kind is RecordKind.RESUMED:
            self._world = None
        elif self._world is None:
            self._lost(seq, seq, "no world to replay it in")
        else:
            self._handle(record)
        self._after(seq)
        if self._world is None and record.kind is not RecordKind.INPUT and seq not in self._snapshot_seqs:
            self._lost(seq, seq, "the snapshot of this start or rebuild is missing")

    def _handle(self, record: LogRecord) -> None:
        counted = record.stamp.seq >= self._first
        try:
            item = self._decode(record.input)
        except msgspec.MsgspecError as error:
            self._world = None
            self._lost(record.stamp.seq, record.stamp.seq, f"input does not fit this build: {error}")
            return
        effects, raised = self._ask(item, record)
        if counted:
            self._counts["inputs"] += 1
            self._counts["effects"] += len(effects)
            self._counts["raised"] += raised is not None
        self._judge(record, item, effects, raised, counted=counted)
        if raised is not None or record.kind is RecordKind.RAISED:
            self._world = None

    def _ask(self, item: Any, record: LogRecord) -> tuple[list[Effect], Exception | None]:
        try:
            return self._kernel.handle(self._world, item, record.stamp), None
        except Exception as error:  # noqa: BLE001 - the crash rule: whatever the kernel raises is an outcome to compare
            return [], error

    def _judge(
        self, record: LogRecord, item: Any, effects: list[Effect], raised: Exception | None, *, counted: bool
    ) -> None:
        digests = [effect_digest(effect) for effect in effects]
        if counted:
            self._chain.update(record.stamp.seq.to_bytes(8, "big"))
            self._chain.update(b"raised" if raised is not None else b"".join(digests))
        should_raise = record.kind is RecordKind.RAISED
        if should_raise and raised is not None:
            return
        if should_raise or raised is not None:
            what = "did not raise" if raised is None else "raised"
            detail = "it raised at the time" if raised is None else repr(raised)
            effect = msgspec.to_builtins(effects[0], str_keys=True) if effects else None
            found = Difference(seq=record.stamp.seq, what=what, detail=detail, input=_plain(item), effect=effect)
        elif b"".join(digests) == record.digests:
            return
        else:
            found = _first_difference(record, item, effects, digests)
        if counted:
            self._differs(found)

    def _differs(self, found: Difference) -> None:
        self._counts["differing"] += 1
        if self._difference is None:
            self._difference = found

    def _lost(self, seq_first: int, seq_last: int, reason: str) -> None:
        """Note a span, joined to the one before it when it goes on for the same reason."""
        last = self._spans[-1] if self._spans else None
        if last is not None and last.reason == reason and last.seq_last == seq_first - 1:
            self._spans[-1] = Span(last.seq_first, seq_last, reason)
        elif len(self._spans) < MAX_SPANS:
            self._spans.append(Span(seq_first, seq_last, reason))
        else:
            self._more_spans += 1


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True)


def _first_difference(record: LogRecord, item: Any, effects: list[Effect], digests: list[bytes]) -> Difference:
    kept = [record.digests[at : at + DIGEST_BYTES] for at in range(0, len(record.digests), DIGEST_BYTES)]
    index = next((i for i, pair in enumerate(zip(kept, digests, strict=False)) if pair[0] != pair[1]), None)
    if index is None:
        index = min(len(kept), len(digests))
    return Difference(
        seq=record.stamp.seq,
        what="effect",
        detail=f"{len(digests)} effects, {len(kept)} at the time; the first that differs is number {index}",
        input=_plain(item),
        effect=_plain(effects[index]) if index < len(effects) else None,
        kept_digest=kept[index].hex() if index < len(kept) else "",
        new_digest=digests[index].hex() if index < len(digests) else "",
    )
