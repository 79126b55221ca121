"""The room of the write-ahead log: commits stay within it, and only while nobody commits is it made."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from edge.storage.batch import Batch
from edge.storage.chores import Chores
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
Wait = Callable[[Callable[[], bool]], None]


@pytest.mark.parametrize("size", [30, 300, 1000, 2000, 3900, 4200, 6000, 9000, 20_000])
def test_no_more_pages_are_written_than_are_counted(
    wait_until: Wait, open_store: Open, write: Write, record: Record, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Else a checkpoint comes late, and commits append to the write-ahead log, which costs each sync a journal."""
    counted: list[int] = []
    monkeypatch.setattr("edge.storage.chores.Chores.wrote", lambda _chores, pages: counted.append(pages))
    store = open_store()
    for seq in range(1, 201):
        assert write(store, Batch(records=[record(seq, os.urandom(size))])) is None
    wait_until(lambda: len(counted) == 200)  # the last is counted after its answer
    frames = sqlite3.connect(store._path).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    assert frames <= sum(counted)


def test_a_log_whose_checkpoints_keep_up_never_grows_beyond_the_room_that_was_made(
    open_store: Open, write: Write, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("facts", "chores"):
        monkeypatch.setattr(f"edge.storage.{place}.CHECKPOINT_PAGES", 200)
    monkeypatch.setattr("edge.storage.checkpoint.Checkpointer.start", lambda checkpointer: checkpointer._checkpoint())
    store = open_store()
    wal = store._path.with_name(store._path.name + "-wal")
    room = wal.stat().st_size
    assert room == 32 + (200 + 50) * 4120
    for seq in range(1, 501):
        assert write(store, Batch(records=[record(seq, os.urandom(3900))])) is None
    assert store.counters()["checkpoints"] > 3
    assert wal.stat().st_size == room


def test_a_checkpoint_never_writes_into_the_log_beside_a_commit(
    wait_until: Wait, open_store: Open, write: Write, record: Record, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A disk that was full at the start left no room in the log; when it is made later, a commit may be under way whose
    frames the zeros would overwrite."""
    lengthened_by: list[str] = []

    def lengthen(_path: Path, _pages: int) -> None:
        lengthened_by.append(threading.current_thread().name)

    monkeypatch.setattr("edge.storage.facts.lengthen_wal", lengthen)
    monkeypatch.setattr("edge.storage.chores.CHECKPOINT_PAGES", 10)
    store = open_store()
    assert lengthened_by == [threading.current_thread().name]
    for seq in range(1, 21):
        assert write(store, Batch(records=[record(seq, os.urandom(9000))])) is None
    wait_until(lambda: store.counters()["checkpoints"] >= 1)
    assert len(lengthened_by) == 1


def test_a_log_that_cannot_be_looked_at_has_not_begun_anew() -> None:
    """Else each look that fails (no descriptor is left) would put the next checkpoint off by 1,000 pages."""
    asked: list[int] = []

    class Asked:
        runs, frames, failed = 0, 0, False

        def start(self) -> None:
            asked.append(1)

    salts = iter([7, 0] * 300)
    chores = Chores(cast(Any, None), cast(Any, Asked()), wal_salt=lambda: next(salts))
    for _ in range(600):
        chores.wrote(5)
    assert len(asked) > 1
