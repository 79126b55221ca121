"""Backups of stores that are being written: consistent, checked, complete or absent, and without anybody's name."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
import zipfile
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from edge.api.accounts import Accounts
from edge.api.accounts_copy import VERSION, begin_again, scrub
from edge.api.audit import verify
from edge.domain.actors import Role
from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import PurseRow
from edge.storage import log_table
from edge.storage.backup import MARGIN_BYTES, STAGING_NAME, take_backup
from edge.storage.backup_copy import copy_store
from edge.storage.backup_file import BackupFile
from edge.storage.backup_stores import SAFE_NAME, StoreFile, site_stores
from edge.storage.batch import Batch
from edge.storage.errors import StoreError
from edge.storage.lock import StoreLock

ROWS = (AuditRow, PurseRow)
STORES = site_stores(("canteen",), StoreFile("api.db", VERSION, scrub))


def silent(_stage, _done, _total):
    pass


@pytest.fixture
def take(tmp_path):
    def take_it(data_dir=tmp_path / "data", name="b.zip", stores=STORES, tell=silent):
        options = {"site_id": "here", "build": "test", "now_ns": 7, "notes": {}}
        return take_backup(data_dir, stores, tmp_path / name, tell=tell, **options)

    return take_it


def batch_of(record, seq):
    rows = [
        AuditRow(seq=seq, role="r", user="u", action="a", ref=str(seq), at_ns=seq),
        PurseRow(member=f"m{seq % 5}", balance_fen=seq),
    ]
    return Batch(records=[record(seq, b"input %d" % seq)], rows=rows)


def unpacked(path, folder):
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    return folder


def test_a_backup_of_a_busy_store_is_one_moment_of_it(open_store, record, write, take, tmp_path, monkeypatch):
    monkeypatch.setattr("edge.storage.backup_copy.SLICE_PAGES", 4)
    store = open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    for seq in range(1, 301):
        assert write(store, batch_of(record, seq)) is None
    ending = threading.Event()
    acknowledged = [300]

    def produce():
        while not ending.is_set():
            assert write(store, batch_of(record, acknowledged[0] + 1)) is None
            acknowledged[0] += 1

    slices = []

    def tell(stage, done, total):
        if stage.startswith("copying"):
            until = time.monotonic() + 60
            while slices and acknowledged[0] <= slices[-1]:
                assert time.monotonic() < until, "a copy that is being made holds up the payments"
                time.sleep(0.001)
            slices.append(acknowledged[0])

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        before = acknowledged[0]
        taken = take(tell=tell)
    finally:
        ending.set()
        producer.join()
    assert len(slices) >= 8
    (member,) = taken.manifest.files
    assert before <= member.head_seq <= acknowledged[0]
    copy = unpacked(taken.path, tmp_path / "out") / "canteen" / "facts.db"
    with closing(sqlite3.connect(copy)) as books:
        assert [row[0] for row in books.execute("SELECT seq FROM audit ORDER BY seq")] == [
            *range(1, member.head_seq + 1)
        ]
        purses = dict(books.execute("SELECT member, balance_fen FROM purse"))
        assert purses == {f"m{seq % 5}": seq for seq in range(member.head_seq - 4, member.head_seq + 1)}
        assert [item.stamp.seq for item in log_table.read(books, 1)] == [*range(1, member.head_seq + 1)]


def test_the_manifest_tells_what_is_inside(open_store, record, write, take, tmp_path):
    store = open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    assert write(store, batch_of(record, 1)) is None
    Accounts(tmp_path / "data" / "api.db").close()
    taken = take()
    backup = BackupFile(taken.path)
    manifest = backup.manifest
    assert (manifest.site_id, manifest.build, manifest.created_ns) == ("here", "test", 7)
    assert [(member.name, member.head_seq) for member in manifest.files] == [("canteen/facts.db", 1), ("api.db", 0)]
    assert all(len(member.sha256) == 64 and member.user_version >= 1 for member in manifest.files)
    (store_id,) = store._reader.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()
    assert manifest.files[0].store_id == store_id
    with pytest.raises(AttributeError):
        manifest.site_id = "there"
    backup.close()
    assert taken.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "data"]


def test_the_order_of_copies_loses_no_charge_and_no_sample():
    names = [store.name for store in site_stores(("canteen", "garage"), StoreFile("api.db", 1))]
    assert names == ["garage/samples.db", "garage/facts.db", "canteen/samples.db", "canteen/facts.db", "api.db"]
    assert all(SAFE_NAME.fullmatch(name) for name in names)
    for name in ("../api.db", "/api.db", "canteen/../api.db", "canteen/lock", "a/b/facts.db", "canteen/facts.db\n"):
        assert not SAFE_NAME.fullmatch(name), name


def test_what_cannot_be_backed_up_is_refused_and_leaves_nothing(open_store, record, write, take, tmp_path, monkeypatch):
    with pytest.raises(StoreError, match="holds no store yet") as absent:
        take()
    assert absent.value.code == "absent"
    store = open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    assert write(store, batch_of(record, 1)) is None
    with pytest.raises(StoreError, match="no folder"):
        take(name="nowhere/b.zip")
    (tmp_path / "there.zip").write_text("mine")
    with pytest.raises(StoreError, match="exists already"):
        take(name="there.zip")
    assert (tmp_path / "there.zip").read_text() == "mine"
    with monkeypatch.context() as little:
        little.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=MARGIN_BYTES))
        with pytest.raises(StoreError, match="MiB free"):
            take()
    newer = tuple(store._replace(known_version=0) for store in STORES)
    with pytest.raises(StoreError, match="back up with the release that the daemons run"):
        take(stores=newer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "there.zip"]


def test_a_damaged_store_makes_no_backup(open_store, record, write, take, tmp_path):
    store = open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    for seq in range(1, 200):
        assert write(store, batch_of(record, seq)) is None
    store.close()
    path = tmp_path / "data" / "canteen" / "facts.db"
    with path.open("r+b") as file:
        for page in range(4, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    with pytest.raises(StoreError) as refused:
        take()
    assert refused.value.code == "damaged"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data"]


def test_two_backups_at_once_and_what_a_killed_one_left(open_store, take, tmp_path):
    open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    left = tmp_path / STAGING_NAME
    left.mkdir()
    (left / "0.db").write_bytes(b"half")
    (tmp_path / "b.zip.partial").write_bytes(b"half")
    other = StoreLock(left)
    with pytest.raises(StoreError) as busy:
        take()
    assert busy.value.code == "locked"
    other.release()
    take()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "data"]


def test_a_bad_disk_under_the_packed_file_is_noticed(open_store, take, tmp_path, monkeypatch):
    open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    from edge.storage import backup_file

    real = backup_file.write

    def write_badly(target, *arguments):
        real(target, *arguments)
        data = bytearray(target.read_bytes())
        data[200] ^= 4
        target.write_bytes(data)

    monkeypatch.setattr(backup_file, "write", write_badly)
    with pytest.raises(StoreError) as refused:
        take()
    assert refused.value.code == "damaged"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_copy_that_cannot_be_written_says_so(open_store, tmp_path):
    open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    (tmp_path / "t.db").touch()
    with pytest.raises(OSError, match="exists"):
        copy_store(tmp_path / "data" / "canteen" / "facts.db", tmp_path / "t.db", lambda _done, _total: None)


# --- accounts ---------------------------------------------------------------------------------------------------------

SECRET = "correct horse battery staple"


@pytest.fixture
def accounts(tmp_path):
    made = Accounts(tmp_path / "data" / "api.db")
    made.create_user("chief", SECRET, Role.ADMIN, None, "cli")
    made.create_user("wang.xiuying", SECRET, Role.MEMBER, "m-000001", "chief")
    made.create_user("wang.daughter", SECRET, Role.FAMILY, None, "chief")
    made.give_consent("m-000001", "wang.daughter", "chief")
    made.tokens.create("till", Role.DINER_TERMINAL, "1", 365, "chief")
    made.issue_link("wang.xiuying")
    yield made
    made.close()


def test_no_name_of_a_member_is_in_a_backup(open_store, take, accounts, tmp_path):
    open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    path = unpacked(take().path, tmp_path / "out") / "api.db"
    data = path.read_bytes()
    assert b"wang" not in data
    assert b"m-000001" not in data
    assert b"wang" in (tmp_path / "data" / "api.db").read_bytes() + (tmp_path / "data" / "api.db-wal").read_bytes()
    with closing(sqlite3.connect(path)) as kept:
        assert kept.execute("SELECT username FROM users").fetchall() == [("chief",)]
        assert kept.execute("SELECT name, lane FROM tokens").fetchall() == [("till", "1")]
        for table in ("sessions", "onetime", "throttle", "consents", "audit"):
            assert kept.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_accounts_that_are_put_back_begin_a_trail_that_names_the_old_one(open_store, take, accounts, tmp_path):
    from edge.api import audit

    open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    seq, digest = audit.head(accounts.db)
    path = unpacked(take().path, tmp_path / "out") / "api.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        begin_again(connection, 9, 7)
    again = Accounts(path)
    assert verify(again.db) == ""
    (first,) = again.db.read("SELECT actor, action, subject FROM audit")
    assert tuple(first) == ("cli", "restored", f"backup of 7, audit head then {seq} {digest}")
    again.create_user("cashier", SECRET, Role.CASHIER, None, "chief")
    assert verify(again.db) == ""
    again.close()


def test_a_manifest_is_plain_json(open_store, take, tmp_path):
    open_store(tmp_path / "data" / "canteen", row_types=ROWS)
    with zipfile.ZipFile(take().path) as packed:
        told = msgspec.json.decode(packed.read("manifest.json"))
    assert told["format"] == 1
    assert set(told["files"][0]) == {
        "name", "bytes", "sha256", "user_version", "store_id", "head_seq", "seal_seq", "cursors",
    }  # fmt: skip
    assert Path(told["files"][0]["name"]).parts == ("canteen", "facts.db")
