"""backup, restore and store as a person types them: words, data and exit status."""

from __future__ import annotations

import errno
import json
import re
import shutil
import sqlite3
import time
from contextlib import closing

import msgspec
import pytest

from edge.api.accounts import Accounts
from edge.cli_store_look import lines_of
from edge.domain.actors import Role
from edge.domain.answered import AuditRow
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch, LogRecord
from edge.storage.facts import FactsStore
from edge.storage.info_sinks import SinkLag


@pytest.fixture(scope="session")
def used_once(example, tmp_path_factory):
    """What ``used`` is a copy of."""
    site = shutil.copytree(example, tmp_path_factory.mktemp("used") / "site")
    accounts = Accounts(site / "data" / "api.db")
    accounts.create_user("li", None, Role.ADMIN, None, "test")
    accounts.create_user("wang", None, Role.MEMBER, "m-1", "test")
    accounts.close()
    write(site, 1)
    return site


@pytest.fixture
def used(used_once, tmp_path):
    """A site with two accounts and one input in the canteen's store."""
    return shutil.copytree(used_once, tmp_path / "site")


def write(site, seq):
    store = FactsStore.open(site / "data" / "canteen", (AuditRow,), ballast_bytes=0)
    answers = []
    record = LogRecord(Stamp(seq, "boot", 1, time.time_ns(), wall_trusted=True), b"input")
    row = AuditRow(seq=seq, role="", user="", action="", ref="", at_ns=1)
    store.submit(Batch(records=[record], rows=[row]), answers.append)
    store.close()
    assert answers == [None]


def test_backup_restore_and_back_again(used, command):
    at = ("--site", str(used))
    made = command("backup", *at)
    (path,) = (used / "data" / "backups").iterdir()
    assert (made.status, made.out) == (0, f"{path}\n")
    assert "2 stores" in made.err
    assert "\r" not in made.err, "no progress bar where there is no terminal"
    write(used, 2)
    curves = command("restore", str(path), "--samples", *at)
    assert (curves.status, curves.out) == (4, "")
    assert "holds no samples" in curves.err
    dry = command("restore", str(path), "--dry-run", *at)
    assert dry.status == 0
    assert "would place canteen/facts.db" in dry.out
    assert "would leave api.db as it is" in dry.out
    info = json.loads(command("store", "info", "--json", *at).out)
    assert [(each["name"], (each["log"] or {}).get("last_seq")) for each in info["stores"]] == [
        ("canteen/facts.db", 2), ("api.db", None)
    ]  # fmt: skip
    assert [name for name, _, _ in info["backups"]] == [path.name]
    done = command("restore", str(path), "--accounts", "replace", *at)
    assert done.status == 0
    assert "placed api.db" in done.out
    assert command("user", "list", *at).out == "user   li                   admin\n", "who a member is was not kept"
    assert command("store", "verify", *at).status == 0, "the audit trail begins anew and is whole"
    shown = command("store", "info", *at).out
    assert "log: inputs 1 to 1" in shown
    assert re.search(r"restored: 20\d\d-\S+ \S+ UTC, from a backup of \S+ \S+ UTC that ended at input 1\n", shown)
    assert "before-restore-" in shown


def test_what_is_not_there_is_not_passed_over_in_silence(used, command):
    """Somebody removed the curves: neither command may sound as if they were well."""
    for words in (("backup",), ("store", "verify")):
        done = command(*words, "--site", str(used))
        (line,) = (line for line in done.err.splitlines() if "not there" in line)
        assert "canteen/samples.db" in line
        assert (done.status, "canteen/facts.db" in line) == (0, False)


def test_backups_beyond_those_to_keep_go(used, command):
    at = ("--site", str(used))
    folder = used / "data" / "backups"
    folder.mkdir(mode=0o700)
    for name in ("kangle-example-20250101T000000Z.kangle-backup", "kangle-example-20250102T000000Z.kangle-backup"):
        (folder / name).write_bytes(b"old")
    (folder / "mine.txt").write_bytes(b"mine")
    assert command("backup", "--keep", "2", *at).status == 0
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 3
    assert names[0] == "kangle-example-20250102T000000Z.kangle-backup"
    assert names[-1] == "mine.txt"


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["backup", "--to", "/nowhere/b"], 1, "no folder"),
        (["restore", "/nowhere/b"], 4, "no file"),
        (["restore", "{site}/site.toml"], 1, "no whole backup"),
        (["restore"], 2, "FILE"),
        (["restore", "--finish"], 1, "nothing to finish"),
        (["restore", "b", "--daemon", "canteen"], 2, "goes with --samples"),
        (["restore", "b", "--samples", "--daemon", "pool"], 2, "no daemon pool"),
        (["store"], 2, "verify"),
    ],
)
def test_what_cannot_be_done_is_one_line(used, command, words, status, said):
    with_site = [word.format(site=used) for word in words]
    ran = command(*with_site, *(("--site", str(used)) if words != ["store"] else ()))
    assert ran.status == status
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("words", [["backup"], ["store", "verify"], ["store", "info"], ["sink", "list"]])
def test_a_person_who_may_not_read_the_stores_is_told_so(used, command, monkeypatch, words):
    def refuse(self, *_arguments, **_options):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.exists", refuse)
    ran = command(*words, "--site", str(used))
    assert (ran.status, "Traceback" in ran.err) == (4, False)
    assert "this user may not do that" in ran.err
    assert str(used) in ran.err


def test_a_site_without_stores(site, command):
    at = ("--site", str(site))
    assert command("backup", *at).status == 4
    assert command("store", "verify", *at).status == 4
    assert command("store", "info", *at).status == 4


def test_verify_names_what_is_wrong_and_the_remedy(used, command):
    at = ("--site", str(used))
    assert command("store", "verify", *at).status == 0
    with closing(sqlite3.connect(used / "data" / "canteen" / "facts.db", isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET seq = 7")
        connection.execute("INSERT INTO purse VALUES ('m-1', 100, NULL)")
    with closing(sqlite3.connect(used / "data" / "api.db", isolation_level=None)) as connection:
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE seq = 1")
    ran = command("store", "verify", *at)
    assert ran.status == 1
    assert "audit tells of input 7, the log ends at 1" in ran.out
    assert "m-1: balance 100, movements 0" in ran.out
    assert "record 1 was changed" in ran.out
    assert ran.out.count("remedy: ") == 4
    told = json.loads(command("store", "verify", "--json", *at).out)
    assert len(told["findings"]) == 4


def test_a_restore_that_was_cut_short_keeps_the_site_closed(used, command):
    at = ("--site", str(used))
    (used / "data" / "restore.json").write_text('{"staged": ".restoring", "kept": "kept", "files": []}')
    ran = command("user", "list", *at)
    assert ran.status == 4
    assert "kangle restore --finish" in ran.err
    assert command("run", "canteen", *at).status == 4
    finished = command("restore", "--finish", *at)
    assert finished.status == 0, finished.err
    assert command("user", "list", *at).status == 0


def test_what_a_sink_lost_for_good_is_told():
    from edge.cli_store_look import sink_line

    sink = SinkLag(sink="up", health="live", reason="", remedy="", told_ns=0, at_seq=9, set_aside=10_000)
    told = "sink up: live, at input 9; nothing behind; 10000 lines set aside (kangle sink aside)"
    assert sink_line(sink) == told
    lost = msgspec.structs.replace(sink, aside_dropped=470, lost_inputs=12)
    gone = "470 more did not fit and are gone; the samples of 12 inputs were dropped before they were sent"
    assert sink_line(lost) == f"{told}; {gone}"


def test_ages_are_told_so_that_people_understand():
    from edge.cli_store_look import _age

    assert _age(0, 5_000_000_000) == "5 s ago"
    assert _age(0, 7200 * 10**9) == "2 h ago"
    assert _age(0, 400 * 86_400 * 10**9) == "400 days ago"
    assert "clock stepped" in _age(9 * 10**9, 0)
    assert lines_of.__module__ == "edge.cli_store_look"
