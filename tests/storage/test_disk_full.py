"""A full disk: the last commits are bought with the ballast, nothing is acknowledged that is not written, and the store
says so until it is over."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.domain.answered import AuditRow
from edge.storage import log_table
from edge.storage.ballast import Ballast, is_disk_full
from edge.storage.batch import Batch, WorldSnapshot
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogDamage, LogRecord

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
Wait = Callable[[Callable[[], bool]], None]
MIB = 1 << 20


def audit(seq: int) -> AuditRow:
    return AuditRow(seq=seq, role="cashier", user="u", action="pay", ref=str(seq), at_ns=seq)


def full_error() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


class FullTimes:
    """The next ``times`` commits find the disk full."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, name: str) -> None:
        if name == "before_commit" and self.times:
            self.times -= 1
            raise full_error()


@pytest.fixture(autouse=True)
def quick_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.storage.chores.BALLAST_RETRY_S", 0.05)


def test_the_ballast_buys_the_commit_and_comes_back(
    wait_until: Wait, open_store: Open, write: Write, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = FullTimes()
    store = open_store(ballast_bytes=MIB, on_point=full)
    ballast = tmp_path / "store" / "ballast"
    assert ballast.stat().st_blocks * 512 >= MIB, "the ballast must be allocated, not a hole"
    assert store.degraded == ""
    no_space = os.statvfs_result((4096, 4096, 10, 0, 0, 10, 10, 10, 0, 255))
    statvfs = os.statvfs
    monkeypatch.setattr("os.statvfs", lambda _path: no_space)
    full.times = 1
    assert write(store, Batch(records=[record(1)], rows=[audit(1)])) is None
    assert store.degraded == "disk_full"
    assert not ballast.exists()
    assert list(store.rows().all(AuditRow)) == [audit(1)]
    time.sleep(0.2)
    assert store.degraded == "disk_full", "one commit that went well is no space"
    assert write(store, Batch(records=[record(2)], rows=[audit(2)])) is None
    monkeypatch.setattr("os.statvfs", statvfs)
    wait_until(lambda: store.degraded == "")
    assert ballast.stat().st_size == MIB
    assert store.counters()["disk_full"] == 1


def test_without_ballast_nothing_is_written_or_acknowledged(open_store: Open, write: Write, record: Record) -> None:
    full = FullTimes()
    store = open_store(ballast_bytes=MIB, on_point=full)
    full.times = 2
    error = write(store, Batch(records=[record(1)], rows=[audit(1)]))
    assert error is not None
    assert error.code == "storage"
    store.reset()
    assert store.last_seq() == 0
    assert list(store.rows().all(AuditRow)) == []
    full.times = 1
    error = write(store, Batch(records=[record(1)], rows=[audit(1)]))
    if error is not None:  # the ballast may be back already, then this one was bought with it
        assert error.code == "storage"
        store.reset()
        assert write(store, Batch(records=[record(1)], rows=[audit(1)])) is None
    assert list(store.rows().all(AuditRow)) == [audit(1)]


def test_a_full_disk_gives_up_old_log_for_new_money(
    wait_until: Wait, open_store: Open, write: Write, record: Record
) -> None:
    full = FullTimes()
    store = open_store(on_point=full)
    for seq in range(1, 101):
        snapshot = WorldSnapshot(seq, "hourly", b"w") if seq % 10 == 0 else None
        batch = Batch(records=[record(seq, os.urandom(2000))], rows=[audit(seq)], snapshot=snapshot)
        assert write(store, batch) is None
    full.times = 1
    error = write(store, Batch(records=[record(101)], rows=[audit(101)]))
    assert error is not None
    store.reset()
    wait_until(lambda: store.counters()["log_pruned"] >= 50)
    kept = list(log_table.read(store._reader, 1))
    assert kept[0] == LogDamage(1, 50, "missing")
    assert [item.stamp.seq for item in kept[1:]] == list(range(51, 101))
    assert [row.seq for row in store.rows().all(AuditRow)] == list(range(1, 101)), "money stays"


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (full_error(), True),
        (OSError(errno.ENOSPC, "no space"), True),
        (OSError(errno.EDQUOT, "quota"), True),
        (OSError(errno.EIO, "broken"), False),
        (sqlite3.OperationalError("disk I/O error"), False),
        (ValueError(), False),
    ],
)
def test_what_counts_as_a_full_disk(error: Exception, full: bool) -> None:
    assert is_disk_full(error) is full


def test_a_start_without_room_for_the_ballast_is_degraded_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_fd: int, _offset: int, _length: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("os.posix_fallocate", no_room)
    ballast = Ballast(tmp_path, MIB)
    ballast.load()
    assert ballast.degraded == "disk_full"
    assert not (tmp_path / "ballast").exists()
    monkeypatch.undo()
    assert ballast.restore()
    assert (ballast.degraded, (tmp_path / "ballast").stat().st_size) == ("", MIB)


# --- a disk that is really full ---------------------------------------------------------------------------------------


class SmallDisk:
    """A directory with little room, and something else that eats it. On a tmpfs of 24 MiB where this may be mounted;
    else SQLite's own page limit plays the disk (then no ballast can help)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        command = ["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(path)]
        self.mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0

    def fill(self, store: FactsStore) -> None:
        if self.mounted:
            space = os.statvfs(self.path)
            with (self.path / "filler").open("wb") as filler:
                os.posix_fallocate(filler.fileno(), 0, space.f_bavail * space.f_frsize)
        else:
            connection = store._writer._connection
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages + 4}")

    def free(self) -> None:
        if self.mounted:
            (self.path / "filler").unlink()

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    path = tmp_path / "disk"
    path.mkdir()
    disk = SmallDisk(path)
    yield disk
    disk.close()


def test_a_really_full_disk(wait_until: Wait, small_disk: SmallDisk, record: Record) -> None:
    acknowledged: list[int] = []
    failed: list[str] = []
    answered = threading.Semaphore(0)

    def told(seq: int) -> Callable[[StoreError | None], None]:
        def done(error: StoreError | None) -> None:
            if error is None:
                acknowledged.append(seq)
            else:
                failed.append(error.code)
            answered.release()

        return done

    def write(seq: int) -> None:
        batch = Batch(records=[record(seq, os.urandom(3000))], rows=[audit(seq)])
        store.submit(batch, told(seq))
        assert answered.acquire(timeout=60)

    store = FactsStore.open(small_disk.path / "store", (AuditRow,), ballast_bytes=MIB)
    try:
        write(1)
        small_disk.fill(store)
        seq = 1
        while not failed:
            seq += 1
            write(seq)
            assert seq < 3000, "the disk never became full"
        assert set(failed) == {"storage"}
        assert store.degraded == "disk_full"
        bought = len(acknowledged)
        assert bought > (50 if small_disk.mounted else 1), "the ballast must buy commits"
        assert [row.seq for row in store.rows().all(AuditRow)] == acknowledged
        small_disk.free()
        store.reset()
        assert store.last_seq() == acknowledged[-1]
        failed.clear()
        for seq in range(acknowledged[-1] + 1, acknowledged[-1] + 11):
            write(seq)
        assert failed == []
        if small_disk.mounted:
            wait_until(lambda: store.degraded == "")
    finally:
        store.close()
    again = FactsStore.open(small_disk.path / "store", (AuditRow,), ballast_bytes=0)
    assert [row.seq for row in again.rows().all(AuditRow)] == acknowledged
    assert [item.stamp.seq for item in log_table.read(again._reader, 1)] == acknowledged
    again.close()
