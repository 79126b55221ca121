"""The lock, a damaged file, and the snapshots that a start may use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from edge.domain.answered import AuditRow
from edge.storage import snapshots
from edge.storage.backup_stores import StoreFile
from edge.storage.batch import Batch, WorldSnapshot
from edge.storage.connect import lengthen_wal, open_writer, quick_check
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.info import site_info
from edge.storage.log import LogRecord
from edge.storage.log_follow import LogFollower
from edge.storage.reading import StoreReader
from edge.storage.sample_db import SampleDb
from edge.storage.verify import verify_store

Open = Callable[..., FactsStore]
Write = Callable[[FactsStore, Batch], StoreError | None]
Record = Callable[..., LogRecord]
WAIT_S = 60.0


def audit(seq: int) -> AuditRow:
    return AuditRow(seq=seq, role="cashier", user="u", action="pay", ref=str(seq), at_ns=seq)


def test_a_second_opener_is_told_who_holds_it(open_store: Open, tmp_path: Path) -> None:
    open_store()
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()}: stop it first") as caught:
        open_store()
    assert caught.value.code == "locked"
    code = (
        "import sys; from pathlib import Path; from edge.storage.facts import FactsStore\n"
        "from edge.storage.errors import StoreError\n"
        "try: FactsStore.open(Path(sys.argv[1]), ())\n"
        "except StoreError as error: print(error.code, error.text)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "store"], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    assert answer.startswith("locked")
    assert f"process {os.getpid()}" in answer


def test_the_lock_goes_with_the_store(open_store: Open) -> None:
    open_store().close()
    open_store().close()


def test_a_damaged_file_is_refused_and_left_alone(
    open_store: Open, write: Write, record: Record, tmp_path: Path
) -> None:
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[audit(seq) for seq in range(1, 2000)])) is None
    store.close()
    path = tmp_path / "store" / "facts.db"
    whole = path.read_bytes()
    for damage in (whole[:100] + bytes(200) + whole[300:], b"no database" * 500, whole[: len(whole) // 2]):
        path.write_bytes(damage)
        with pytest.raises(StoreError, match="restore the last backup") as caught:
            open_store()
        assert caught.value.code == "damaged"
        assert path.read_bytes() == damage
    path.write_bytes(whole)
    assert len(list(open_store().rows().all(AuditRow))) == 1999


def test_the_check_at_start_is_limited_in_time(open_store: Open, write: Write, record: Record, tmp_path: Path) -> None:
    store = open_store()
    rows = [audit(seq) for seq in range(1, 20_000)]
    assert write(store, Batch(records=[record(1)], rows=rows)) is None
    connection = open_writer(tmp_path / "store" / "facts.db")
    assert quick_check(connection, tmp_path, limit_s=10) is True
    assert quick_check(connection, tmp_path, limit_s=0) is False
    assert connection.execute("SELECT count(*) FROM audit").fetchone() == (19_999,), "the limit ends with the check"
    connection.close()


def test_the_write_ahead_log_is_lengthened_once(open_store: Open, write: Write, record: Record, tmp_path: Path) -> None:
    store = open_store()
    wal = tmp_path / "store" / "facts.db-wal"
    length = 32 + (16 + 4) * 4120
    assert wal.stat().st_size == length
    assert write(store, Batch(records=[record(1)])) is None
    assert wal.stat().st_size == length
    lengthen_wal(tmp_path / "store" / "facts.db", 30)
    lengthen_wal(tmp_path / "store" / "facts.db", 10)
    assert wal.stat().st_size == 32 + 30 * 4120
    assert write(store, Batch(records=[record(2)])) is None
    lengthen_wal(tmp_path / "nowhere.db", 20)
    store.close()
    assert open_store().last_seq() == 2


def test_a_later_snapshot_of_the_same_seq_replaces_a_copy_never_a_beginning(
    open_store: Open, write: Write, record: Record
) -> None:
    store = open_store(build="b1")
    batch = Batch(records=[record(1)], snapshot=WorldSnapshot(1, "start", b"one"))
    assert write(store, batch) is None
    connection = store._writer._connection
    snapshots.put(connection, WorldSnapshot(1, "hourly", b"two"), build="b2", wall_ns=0)
    assert snapshots.at(connection, 1) == (1, "start", "b1", b"one")
    snapshots.put(connection, WorldSnapshot(1, "rebuild", b"three"), build="b2", wall_ns=0)
    assert snapshots.at(connection, 1) == (1, "rebuild", "b2", b"three")


def test_a_damaged_snapshot_is_passed_over(open_store: Open, write: Write, record: Record) -> None:
    store = open_store()
    for seq in (1, 2, 3):
        batch = Batch(records=[record(seq)], snapshot=WorldSnapshot(seq, "hourly", b"world %d" % seq * 50))
        assert write(store, batch) is None
    connection = store._writer._connection
    connection.execute("UPDATE snapshot SET data = x'00' WHERE seq = 3")
    connection.execute("UPDATE snapshot SET reason = 'start' WHERE seq = 1")
    assert snapshots.last_until(connection, 3).seq == 2
    assert snapshots.first_from(connection, 0).seq == 2
    assert snapshots.at(connection, 1) is None
    assert snapshots.seqs(connection) == {1, 2, 3}


def unreadable(path: Path) -> None:
    """A bit flips in the definition of a table: SQLite quotes it, and its words are no text any more."""
    data = path.read_bytes()
    at = data.index(b"CREATE TABLE meta") + len(b"CREATE ")
    path.write_bytes(data[:at] + b"\xd4" + data[at + 1 :])


def test_damage_that_no_words_can_tell_is_damage_all_the_same(
    open_store: Open, write: Write, record: Record, tmp_path: Path
) -> None:
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[audit(1)])) is None
    store.close()
    path = tmp_path / "store" / "facts.db"
    unreadable(path)
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        open_store()
    assert caught.value.code == "damaged"
    assert path.read_bytes() == before
    reader = StoreReader(path.parent)
    with pytest.raises(StoreError) as caught:
        reader.get(AuditRow, 1)
    assert caught.value.code in {"damaged", "storage"}
    reader.close()
    follower = LogFollower(path.parent, "canteen")
    with pytest.raises(StoreError):
        follower.head_seq()
    follower.close()
    (told,) = site_info(tmp_path, (StoreFile("store/facts.db", 99),), tmp_path / "backups", "*").stores
    assert told.problem
    assert verify_store(tmp_path, StoreFile("store/facts.db", 99), lambda *_: None)


def test_samples_that_no_words_can_tell_about_are_begun_anew(tmp_path: Path) -> None:
    SampleDb(tmp_path / "store").close()
    unreadable(tmp_path / "store" / "samples.db")
    again = SampleDb(tmp_path / "store")
    assert again.set_aside is not None
    again.close()


def test_a_store_that_cannot_be_read_any_more_says_so(
    open_store: Open, write: Write, record: Record, tmp_path: Path
) -> None:
    """The disk gives other bytes under an open store: a StoreError for whoever starts, never SQLite's own."""
    store = open_store()
    assert write(store, Batch(records=[record(1)], rows=[audit(1)])) is None
    store.close()
    store = open_store()
    path = tmp_path / "store" / "facts.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(b"\xff" * size)
    for read in (store.last_seq, store.newest_wall_ns, lambda: list(store.rows().all(AuditRow))):
        with pytest.raises(StoreError) as caught:
            read()
        assert caught.value.code in {"damaged", "storage"}
    with suppress(StoreError):
        store.close()
