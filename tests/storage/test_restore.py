"""Putting a backup back: all or nothing, never over a running site, never from a file that is not what it says."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing

import msgspec
import pytest

from edge.domain.answered import AuditRow
from edge.storage import restore_swap
from edge.storage.backup import take_backup
from edge.storage.backup_stores import StoreFile, site_stores
from edge.storage.batch import Batch
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.restore import KEPT_PREFIX, RESTORED_KEY, Mark, Order, finish, restore

ROWS = (AuditRow,)
STORES = site_stores(("canteen", "garage"), StoreFile("api.db", 2))
NOW_NS = 1_795_000_000_000_000_000
STEPS = 60


def silent(_stage, _done, _total):
    pass


def batch_of(record, seq):
    return Batch(records=[record(seq)], rows=[AuditRow(seq=seq, role="", user="", action="", ref=str(seq), at_ns=seq)])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where ``site`` and its backup were made; a test has a copy."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture
def site(made, tmp_path, open_store, record, write):
    """A data directory with 20 inputs in each store, a backup of it, then 10 inputs more."""
    if not (made / "b").exists():
        make_site(made, open_store, record, write)
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "data"


def make_site(folder, open_store, record, write):
    data = folder / "data"
    stores = {
        name: open_store(data / name, row_types=ROWS, vertical=name, schema=None) for name in ("canteen", "garage")
    }
    for store in stores.values():
        for seq in range(1, 21):
            assert write(store, batch_of(record, seq)) is None
    options = {"site_id": "here", "build": "1", "now_ns": NOW_NS, "notes": {}, "tell": silent}
    take_backup(data, STORES, folder / "backup", **options)
    for store in stores.values():
        for seq in range(21, 31):
            assert write(store, batch_of(record, seq)) is None
        store.close()
    (folder / "backup").rename(folder / "b")


def order(data, file, **options):
    return Order(file, data, STORES, **{"site_id": "here", "now_ns": NOW_NS, **options})


def heads(data):
    found = {}
    for name in ("canteen", "garage"):
        store = FactsStore.open(data / name, ROWS, vertical=name, ballast_bytes=0)
        found[name] = store.last_seq()
        assert len(list(store.rows().all(AuditRow))) == found[name]
        store.close()
    return found


def refusal(*arguments, **options):
    with pytest.raises(StoreError) as refused:
        restore(*arguments, tell=silent, **options)
    return refused.value.code


def test_what_was_backed_up_is_back_and_what_was_there_is_kept(site, tmp_path, record, write):
    done = restore(order(site, tmp_path / "b"), tell=silent)
    assert done.placed == ("garage/facts.db", "canteen/facts.db")
    assert heads(site) == {"canteen": 20, "garage": 20}
    assert heads(site / done.kept) == {"canteen": 30, "garage": 30}
    store = FactsStore.open(site / "canteen", ROWS, ballast_bytes=0)
    (text,) = store._reader.execute("SELECT value FROM meta WHERE key = ?", (RESTORED_KEY,)).fetchone()
    assert msgspec.json.decode(text, type=Mark) == Mark(NOW_NS, NOW_NS, 20)
    assert write(store, batch_of(record, 21)) is None
    store.close()
    assert not list(site.glob(".restor*"))
    assert not (site / "restore.json").exists()


def test_on_a_machine_that_has_nothing(site, tmp_path):
    restore(order(tmp_path / "new" / "data", tmp_path / "b"), tell=silent)
    assert heads(tmp_path / "new" / "data") == {"canteen": 20, "garage": 20}


def test_a_dry_run_tells_the_same_and_changes_nothing(site, tmp_path):
    def files():
        return {path: path.read_bytes() for path in site.rglob("*") if path.is_file() and "lock" not in path.name}

    before = files()
    dry = restore(order(site, tmp_path / "b", dry_run=True), tell=silent)
    assert files() == before
    done = restore(order(site, tmp_path / "b"), tell=silent)
    assert dry[:-1] == done[:-1]
    assert dry.kept == ""


def test_wrong_files_are_refused_before_anything_changes(site, tmp_path):
    assert refusal(order(site, tmp_path / "nothing")) == "absent"
    assert refusal(order(site, tmp_path / "b", site_id="there")) == "site"
    older = tuple(store._replace(known_version=0) for store in STORES)
    assert refusal(order(site, tmp_path / "b")._replace(stores=older)) == "newer"
    assert refusal(order(site, tmp_path / "b")._replace(stores=STORES[-1:])) == "site"
    (tmp_path / "text").write_text("not a backup")
    assert refusal(order(site, tmp_path / "text")) == "damaged"
    assert heads(site) == {"canteen": 30, "garage": 30}


def rewritten(source, target, change):
    """A copy of a backup with its members (name -> bytes) as ``change`` leaves them."""
    with zipfile.ZipFile(source) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return target


def edit(members, **changes):
    manifest = msgspec.json.decode(members["manifest.json"])
    for name, change in changes.items():
        manifest[name] = change(manifest.get(name))
    members["manifest.json"] = msgspec.json.encode(manifest)


def renamed(name):
    def change(members):
        members[name] = members.pop("garage/facts.db")
        edit(members, files=lambda files: [{**each, "name": each["name"].replace("garage/facts.db", name)}
                                           for each in files])  # fmt: skip

    return change


@pytest.mark.parametrize("name", ["../evil.db", "/tmp/evil.db", "garage/../../evil.db", "garage/lock", "site.toml"])
def test_a_name_that_leads_elsewhere_is_refused(site, tmp_path, name):
    assert refusal(order(site, rewritten(tmp_path / "b", tmp_path / "x", renamed(name)))) == "damaged"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda members: edit(members, format=lambda _: 2, files=lambda _: "of the future"), "newer"),
        (lambda members: members.pop("manifest.json"), "damaged"),
        (lambda members: members.pop("garage/facts.db"), "damaged"),
        (lambda members: members.update({"extra": b"x"}), "damaged"),
        (lambda members: members.update({"garage/facts.db": members["canteen/facts.db"]}), "damaged"),
        (lambda members: edit(members, files=lambda files: [{**files[0], "head_seq": 21}, *files[1:]]), "damaged"),
        (lambda members: edit(members, files=lambda files: [{**files[0], "bytes": 10}, *files[1:]]), "damaged"),
        (lambda members: members.update({"manifest.json": b" " * (1 << 21)}), "damaged"),
    ],
    ids=["format", "no-manifest", "missing", "extra", "swapped", "head", "size", "huge-manifest"],
)
def test_a_backup_that_contradicts_its_manifest_is_refused(site, tmp_path, change, code):
    assert refusal(order(site, rewritten(tmp_path / "b", tmp_path / "x", change))) == code
    assert heads(site) == {"canteen": 30, "garage": 30}


def test_every_flipped_or_missing_byte_is_refused_or_harmless(site, tmp_path):
    whole = (tmp_path / "b").read_bytes()
    draw, codes = random.Random(11), []
    for number in range(160):
        data = bytearray(whole)
        if number % 4:
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        else:
            del data[draw.randrange(len(data)) :]
        (tmp_path / "x").write_bytes(data)
        try:
            done = restore(order(site, tmp_path / "x", dry_run=True), tell=silent)
            assert done.placed == ("garage/facts.db", "canteen/facts.db")
        except StoreError as error:
            codes.append(error.code)
    assert set(codes) <= {"damaged", "newer"}
    assert len(codes) > 130
    assert heads(site) == {"canteen": 30, "garage": 30}


def test_a_site_that_runs_is_not_restored(site, tmp_path):
    store = FactsStore.open(site / "garage", ROWS, vertical="garage", ballast_bytes=0)
    assert refusal(order(site, tmp_path / "b")) == "locked"
    assert refusal(order(site, tmp_path / "b", dry_run=True)) == "locked"
    store.close()
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM meta'); print(); input()"
    reader = subprocess.Popen(
        [sys.executable, "-c", code, site / "canteen" / "facts.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert reader.stdout.readline() == b"\n"
    assert refusal(order(site, tmp_path / "b")) == "locked", "the API reads it"
    reader.communicate(b"\n")
    restore(order(site, tmp_path / "b"), tell=silent)
    assert heads(site) == {"canteen": 20, "garage": 20}


def test_a_store_that_sqlite_calls_damaged_can_be_replaced(site, tmp_path):
    for name in ("canteen", "garage"):
        path = site / name / "facts.db"
        path.write_bytes(b"\x00" * 8192)
    restore(order(site, tmp_path / "b"), tell=silent)
    assert heads(site) == {"canteen": 20, "garage": 20}


def test_samples_that_are_ahead_of_the_log_are_set_aside(site, tmp_path):
    for path in (site / "garage" / "samples.db", site / "garage" / "samples.db-wal"):
        path.write_bytes(b"sealed through 30")
    done = restore(order(site, tmp_path / "b"), tell=silent)
    assert done.retired == ("garage/samples.db",)
    assert not list((site / "garage").glob("samples.db*"))
    assert (site / done.kept / "garage" / "samples.db-wal").exists()


@pytest.mark.parametrize("accounts", ["keep", "replace", "none"])
def test_accounts_of_this_machine_stay_unless_told_otherwise(site, tmp_path, accounts):
    def put_accounts(path, word):
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(f"PRAGMA user_version = 2; CREATE TABLE who AS SELECT '{word}' AS name;")

    def who(path):
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT name FROM who").fetchone()[0]

    put_accounts(site / "api.db", "then")
    options = {"site_id": "here", "build": "1", "now_ns": NOW_NS, "notes": {}, "tell": silent}
    take_backup(site, STORES, tmp_path / "c", **options)
    (site / "api.db").unlink()
    put_accounts(site / "api.db", "now")
    told = []
    done = restore(
        order(site, tmp_path / "c", accounts=accounts), tell=silent, on_accounts=lambda _connection, m: told.append(m)
    )
    assert who(site / "api.db") == ("then" if accounts == "replace" else "now")
    assert ("api.db" in done.left) == (accounts != "replace")
    assert len(told) == (accounts == "replace")
    new = tmp_path / "new"
    restore(order(new, tmp_path / "c", accounts=accounts), tell=silent)
    assert (new / "api.db").exists() == (accounts != "none")


class Cut(BaseException):
    """The process dies here."""


def test_a_restore_cut_short_at_any_step_is_finished_or_never_began(site, tmp_path):
    """A crash between two renames leaves what the disk has: raising there leaves the same, the plan included."""
    ends = set()
    for step in range(STEPS):
        copy = tmp_path / f"cut-{step}"
        shutil.copytree(site, copy)
        left = step

        def on_step(_name):
            nonlocal left
            left -= 1
            if left < 0:
                raise Cut

        try:
            restore(order(copy, tmp_path / "b"), tell=silent, on_step=on_step)
            ends.add("whole")
        except Cut:
            if (copy / restore_swap.PLAN_NAME).exists():
                with pytest.raises(StoreError, match="kangle restore --finish"):
                    FactsStore.open(copy / "canteen", ROWS, ballast_bytes=0)
                assert refusal(order(copy, tmp_path / "b")) == "locked"
                finish(copy, restore_swap.read_plan(copy))
                ends.add("finished")
        assert heads(copy) == {"canteen": 20, "garage": 20}
        (kept,) = copy.glob(KEPT_PREFIX + "*")
        assert heads(kept) == {"canteen": 30, "garage": 30}
        shutil.rmtree(copy)
        if "whole" in ends:
            break
    assert ends == {"whole", "finished"}
    assert 4 <= step < STEPS - 1


def test_a_failure_before_the_plan_changes_nothing(site, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.storage.restore.write_plan", full)
    assert refusal(order(site, tmp_path / "b")) == "storage"
    assert heads(site) == {"canteen": 30, "garage": 30}
    assert not list(site.glob(".restor*"))


def test_a_plan_that_cannot_be_read_names_the_way_out(site):
    (site / restore_swap.PLAN_NAME).write_bytes(b"{")
    with pytest.raises(StoreError, match="by hand"):
        restore_swap.read_plan(site)


def test_what_root_puts_back_belongs_to_the_user_of_the_stores(site, tmp_path, monkeypatch):
    """The daemons do not run as root: a store, lock or folder of root's would keep them from starting."""
    given = {}

    def chown(path, uid, gid, *, follow_symlinks):
        assert not follow_symlinks
        given[path.lstat().st_ino] = (uid, gid)

    (site / "canteen" / "lock").unlink()
    old = {path.lstat().st_ino for path in site.rglob("*")}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", chown)
    restore(order(site, tmp_path / "b"), tell=silent)
    made = [path for path in site.rglob("*") if path.lstat().st_ino not in old]
    assert {"facts.db", "lock", "canteen"} <= {path.name for path in made}
    owner = (site.stat().st_uid, site.stat().st_gid)
    assert {str(path.relative_to(site)): given.get(path.lstat().st_ino) for path in made} == {
        str(path.relative_to(site)): owner for path in made
    }
