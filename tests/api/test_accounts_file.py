"""``api.db`` itself: mode, versions, damage, durability, and the audit chain."""

from __future__ import annotations

import sqlite3
import stat

import pytest
from argon2 import PasswordHasher

from edge.api import accounts_db, audit
from edge.api.account_types import AccountProblem
from edge.api.accounts import Accounts
from edge.api.accounts_db import AccountsDb, AccountsError
from edge.api.passwords import Verifier
from edge.domain.actors import Role

FAST = Verifier(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def opened(path):
    return Accounts(path, verifier=FAST)


def test_only_the_owner_can_read_the_file(tmp_path):
    opened(tmp_path / "api.db").close()
    assert stat.S_IMODE((tmp_path / "api.db").stat().st_mode) == 0o600


def test_it_is_written_through_to_the_disk(tmp_path):
    accounts = opened(tmp_path / "api.db")
    assert [row[0] for row in accounts.db.read("PRAGMA synchronous")] == [2]
    assert [row[0] for row in accounts.db.read("PRAGMA journal_mode")] == ["wal"]
    accounts.close()


def test_a_file_of_a_newer_version_is_refused_with_the_remedy(tmp_path):
    opened(tmp_path / "api.db").close()
    with sqlite3.connect(tmp_path / "api.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(AccountsError, match="newer version"):
        opened(tmp_path / "api.db")


def test_a_damaged_file_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "api.db").write_bytes(b"not a database" * 100)
    with pytest.raises(AccountsError, match="backup"):
        opened(tmp_path / "api.db")


def test_every_earlier_version_migrates_to_the_present_one(tmp_path, monkeypatch):
    """Each version's file, made by the migrations up to it, opens with all tables of the present one."""
    steps = accounts_db.MIGRATIONS
    for version in range(1, len(steps) + 1):
        path = tmp_path / f"v{version}.db"
        monkeypatch.setattr(accounts_db, "MIGRATIONS", steps[:version])
        AccountsDb(path).close()
        monkeypatch.setattr(accounts_db, "MIGRATIONS", steps)
        accounts = opened(path)
        assert accounts.is_new()
        accounts.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    steps = accounts_db.MIGRATIONS
    AccountsDb(tmp_path / "api.db").close()
    monkeypatch.setattr(accounts_db, "MIGRATIONS", (*steps, "CREATE TABLE extra (x) STRICT; SELECT broken;"))
    with pytest.raises(AccountsError):
        AccountsDb(tmp_path / "api.db")
    monkeypatch.setattr(accounts_db, "MIGRATIONS", steps)
    db = AccountsDb(tmp_path / "api.db")
    assert db.read("SELECT name FROM sqlite_master WHERE name = 'extra'") == []
    db.close()


def test_a_change_that_fails_half_way_leaves_no_trace(tmp_path):
    accounts = opened(tmp_path / "api.db")
    before = audit.head(accounts.db)

    def half_way():
        with accounts.db.write() as db:
            audit.append(db, 1, "x", "y", "z")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_way()
    assert audit.head(accounts.db) == before
    accounts.close()


def fill(accounts):
    """Leave the file no room to grow, as a full disk does; returns what makes room again."""
    (pages,) = accounts.db._writer.execute("PRAGMA page_count").fetchone()
    accounts.db._writer.execute(f"PRAGMA max_page_count = {pages}")
    return lambda: accounts.db._writer.execute("PRAGMA max_page_count = 1000000")


def test_a_full_disk_is_said_and_forgotten_once_there_is_room(tmp_path):
    accounts = opened(tmp_path / "api.db")
    make_room = fill(accounts)

    def crowd(start):
        for n in range(start, start + 500):
            accounts.create_user(f"user{n}", None, Role.KITCHEN, None, "boss")

    with pytest.raises(AccountProblem, match="accounts_unwritable"):
        crowd(0)
    before = accounts.users()
    with pytest.raises(AccountProblem, match="accounts_unwritable"):
        crowd(500)
    assert len(accounts.users()) - len(before) < 100, "what did not fit left no trace"
    make_room()
    accounts.create_user("late", None, Role.KITCHEN, None, "boss")
    assert audit.verify(accounts.db) == ""
    accounts.close()


def test_on_a_full_disk_the_time_of_use_waits_for_room(tmp_path, monkeypatch):
    accounts = opened(tmp_path / "api.db")
    _, secret = accounts.tokens.create("till", Role.CASHIER, None, 30, "boss")
    assert accounts.sessions.of_bearer(secret) is not None

    def refuse():
        raise AccountProblem("accounts_unwritable")

    with monkeypatch.context() as full:
        full.setattr(accounts.db, "write", refuse)
        with pytest.raises(AccountProblem):
            accounts.sessions.flush()
    assert accounts.tokens.all()[0].last_used_ns == 0
    accounts.sessions.flush()
    assert accounts.tokens.all()[0].last_used_ns > 0
    accounts.close()


def test_a_full_disk_at_the_start_asks_for_room_not_for_the_file_to_be_moved(tmp_path, monkeypatch):
    def full(_path):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(accounts_db, "_connect", full)
    with pytest.raises(AccountsError, match="make room") as refused:
        opened(tmp_path / "api.db")
    assert "move" not in str(refused.value)


@pytest.fixture
def busy(tmp_path):
    """Accounts with a few things done, and their file."""
    accounts = opened(tmp_path / "api.db")
    accounts.setup(accounts.issue_setup_token(), "boss", "correct horse 7 battery", "::1")
    accounts.create_user("cook", None, Role.KITCHEN, None, "boss")
    _, secret = accounts.tokens.create("kiosk", Role.DINER_TERMINAL, "1", 30, "boss")
    accounts.open_terminal(secret, "::1", "")
    accounts.use_link(accounts.issue_link("cook"), "::1", "")
    accounts.delete_user("cook", "boss")
    yield accounts
    accounts.close()


def test_every_change_is_in_the_audit_trail_and_no_secret_is(busy):
    actions = [row["action"] for row in busy.db.read("SELECT action FROM audit ORDER BY seq")]
    assert actions == [
        "setup_issued", "user_created", "user_created", "token_created", "terminal_enrolled", "link_issued",
        "login_by_link", "user_deleted",
    ]  # fmt: skip
    everything = "".join(str(tuple(row)) for row in busy.db.read("SELECT * FROM audit"))
    assert "battery" not in everything
    assert "kgl_" not in everything
    assert audit.verify(busy.db) == ""


TAMPERING = {
    "edit": ("UPDATE audit SET subject = 'x' WHERE seq = 3", "record 3 was changed"),
    "delete": ("DELETE FROM audit WHERE seq = 4", "record 4 is missing"),
    "truncate": ("DELETE FROM audit WHERE seq > 5", "the records after 5 are missing"),
    "empty": ("DELETE FROM audit", "the records after 0 are missing"),
    "swap": ("UPDATE audit SET seq = CASE seq WHEN 2 THEN 1000 ELSE 2 END WHERE seq IN (2, 3)", "record 2 was changed"),
    "time": ("UPDATE audit SET at_ns = at_ns + 1 WHERE seq = 1", "record 1 was changed"),
    "insert": ("INSERT INTO audit SELECT 9, at_ns, actor, action, subject, prev, hash FROM audit WHERE seq = 8",
               "record 9 was changed"),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(TAMPERING))
def test_tampering_with_the_trail_is_found(busy, kind):
    statement, finding = TAMPERING[kind]
    with busy.db.write() as db:
        db.execute(statement)
    assert audit.verify(busy.db) == finding


def test_two_processes_may_have_it_open(busy, tmp_path):
    """``kangle user add`` works while the API runs."""
    other = opened(tmp_path / "api.db")
    other.create_user("late", None, Role.CASHIER, None, "cli")
    other.close()
    assert [user.username for user in busy.users()] == ["boss", "late"]
    assert audit.verify(busy.db) == ""
