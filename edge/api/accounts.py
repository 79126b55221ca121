"""Who may come in: the first account, logins by password and by one-time link, users, consents.

Secrets leave here once and are stored only as digests; every change is audited in its own transaction. Synchronous: the
routes call what writes or hashes in threads. A user would notice a mistake here as a stranger in their account.
"""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from edge.api import audit, throttle
from edge.api.account_types import (
    LINK_VALID_S,
    MAX_CONSENTS_PER_MEMBER,
    MAX_LINKS,
    MAX_USERS,
    SETUP_VALID_S,
    AccountProblem,
    NewSession,
    S,
    UserInfo,
    check_binding,
    digest,
)
from edge.api.accounts_db import AccountsDb
from edge.api.api_tokens import ApiTokens
from edge.api.passwords import Verifier, check_strength
from edge.api.pins import Pins
from edge.api.sessions import Sessions
from edge.domain.actors import Role


class Accounts:
    """The accounts of one site, in ``api.db``. May be open in several processes (the API and the command line)."""

    def __init__(
        self, path: Path, *, verifier: Verifier | None = None, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.db = AccountsDb(path)
        self.sessions = Sessions(self.db, now_ns)
        self.tokens = ApiTokens(self.db, now_ns)
        self._verifier = verifier or Verifier()
        self.pins = Pins(self.db, self._verifier, now_ns)
        self._now_ns = now_ns

    def close(self) -> None:
        """Write what is pending and close the file."""
        with suppress(AccountProblem):  # a full disk keeps the times of use; the file closes all the same
            self.sessions.flush()
        self.db.close()

    def is_new(self) -> bool:
        """True while no account exists."""
        return not self.db.read("SELECT 1 FROM users LIMIT 1")

    # --- coming in ----------------------------------------------------------------------------------------------------

    def issue_setup_token(self) -> str | None:
        """A fresh one-time token for the first account (the one before becomes invalid); None once there is one."""
        return self._issue("setup", None, SETUP_VALID_S) if self.is_new() else None

    def issue_link(self, username: str, valid_s: int = LINK_VALID_S) -> str:
        """A one-time login token for an existing user, as ``kangle demo`` and ``kangle user link`` print it."""
        self.user(username)
        return self._issue("link", username, valid_s)

    def setup(self, token: str, username: str, password: str, address: str) -> NewSession:
        """Make the first account, an administrator, against the setup token."""
        if not self.is_new():
            raise AccountProblem("already_set_up")
        check_strength(username, password)
        hashed = self._verifier.hasher.hash(password)
        with self._spending("setup", token, address) as (db, _):
            if db.execute("SELECT 1 FROM users LIMIT 1").fetchone():
                raise AccountProblem("already_set_up")
            self._insert(db, username, hashed, Role.ADMIN, None, "setup")
            return self.sessions.open(db, username, None, "")

    def use_link(self, token: str, address: str, old_cookie: str) -> NewSession:
        """Log in by a one-time link."""
        with self._spending("link", token, address) as (db, username):
            audit.append(db, self._now_ns(), username, "login_by_link", username)
            return self.sessions.open(db, username, None, old_cookie)

    def open_terminal(self, credential: str, address: str, old_cookie: str) -> NewSession:
        """Exchange an API token for a cookie session that ends with the token."""
        row = self.sessions.token_row(credential)
        if row is None:
            self._count_failure(address)
            raise AccountProblem("bad_token")
        with self.db.write() as db:
            audit.append(db, self._now_ns(), f"token:{row['id']}", "terminal_enrolled", str(row["lane"] or ""))
            return self.sessions.open(db, None, row["id"], old_cookie)

    def login(self, username: str, password: str, address: str, old_cookie: str) -> NewSession:
        """Log in by password. Raises ``throttle.TooManyTries``, or ``bad_login`` for a wrong name or password alike."""
        stored = self._proven(username, password, address, "bad_login")
        rehashed = self._verifier.hasher.hash(password) if self._verifier.outdated(stored) else stored
        with self.db.write() as db:
            self._exchange(db, username, (stored, rehashed), address, "bad_login")
            audit.append(db, self._now_ns(), username, "login", username)
            return self.sessions.open(db, username, None, old_cookie)

    def change_password(self, username: str, old: str, new: str, address: str) -> NewSession:
        """Replace the own password. The old one is asked for, and as hard to guess as at a login: an unattended tablet
        must not give the account away. Every session and link that was open ends; the one returned goes on. Raises
        ``wrong_password``, also for a user who has none."""
        check_strength(username, new)
        stored = self._proven(username, old, address, "wrong_password")
        hashed = self._verifier.hasher.hash(new)
        with self.db.write() as db:
            self._exchange(db, username, (stored, hashed), address, "wrong_password")
            self._end_all(db, username)
            audit.append(db, self._now_ns(), username, "password_changed", username)
            return self.sessions.open(db, username, None, "")

    def set_password(self, username: str, password: str, by: str) -> None:
        """Give a user who lost theirs (or never had one) a new password; what was open under the old one ends."""
        check_strength(username, password)
        hashed = self._verifier.hasher.hash(password)
        with self.db.write() as db:
            if not db.execute("UPDATE users SET password_hash = ? WHERE username = ?", (hashed, username)).rowcount:
                raise AccountProblem("unknown_user")
            db.execute("DELETE FROM throttle WHERE key = ?", (throttle.account_key(username),))
            self._end_all(db, username)
            audit.append(db, self._now_ns(), by, "password_set", username)

    # --- users and consents -------------------------------------------------------------------------------------------

    def user(self, username: str) -> UserInfo:
        """One user, or the problem ``unknown_user``."""
        for user in self.users():
            if user.username == username:
                return user
        raise AccountProblem("unknown_user")

    def users(self) -> list[UserInfo]:
        """All users by name."""
        rows = self.db.read("SELECT username, role, member, created_ns, last_login_ns FROM users ORDER BY username")
        return [msgspec.convert(dict(row), UserInfo) for row in rows]

    def create_user(self, username: str, password: str | None, role: Role, member: str | None, by: str) -> UserInfo:
        """A new user; without a password they come in by links only. Terminals are API tokens, not users."""
        if role is Role.DINER_TERMINAL:
            raise AccountProblem("bad_binding")
        check_binding(role, member, None)
        hashed = ""
        if password is not None:
            check_strength(username, password)
            hashed = self._verifier.hasher.hash(password)
        with self.db.write() as db:
            self._insert(db, username, hashed, role, member, by)
        return self.user(username)

    def delete_user(self, username: str, by: str) -> None:
        """Remove a user with sessions, links and consents. The last administrator stays."""
        with self.db.write() as db:
            row = db.execute("SELECT role FROM users WHERE username = ?", (username,)).fetchone()
            if row is None:
                raise AccountProblem("unknown_user")
            others = db.execute(
                "SELECT 1 FROM users WHERE role = ? AND username != ?", (Role.ADMIN.value, username)
            ).fetchone()
            if row["role"] == Role.ADMIN.value and others is None:
                raise AccountProblem("last_admin")
            db.execute("DELETE FROM users WHERE username = ?", (username,))
            audit.append(db, self._now_ns(), by, "user_deleted", username)

    def has_consent(self, member: str, family: str) -> bool:
        """Whether ``member`` lets the user ``family`` see purse and orders."""
        return bool(self.db.read("SELECT 1 FROM consents WHERE member = ? AND family = ?", (member, family)))

    def consents(self, member: str) -> list[str]:
        """The family users whom ``member`` lets see purse and orders."""
        rows = self.db.read("SELECT family FROM consents WHERE member = ? ORDER BY family", (member,))
        return [row["family"] for row in rows]

    def give_consent(self, member: str, family: str, by: str) -> None:
        """Let a user of the role family see ``member``'s purse and orders. Giving it twice changes nothing."""
        if self.user(family).role is not Role.FAMILY:
            raise AccountProblem("unknown_user")
        with self.db.write() as db:
            (count,) = db.execute("SELECT count(*) FROM consents WHERE member = ?", (member,)).fetchone()
            if count >= MAX_CONSENTS_PER_MEMBER:
                raise AccountProblem("full")
            values = (member, family, by, self._now_ns())
            if db.execute("INSERT OR IGNORE INTO consents VALUES (?, ?, ?, ?)", values).rowcount:
                audit.append(db, self._now_ns(), by, "consent_given", f"{member} {family}")

    def withdraw_consent(self, member: str, family: str, by: str) -> None:
        """Take a consent back; the next request of the family user is refused."""
        with self.db.write() as db:
            if not db.execute("DELETE FROM consents WHERE member = ? AND family = ?", (member, family)).rowcount:
                raise AccountProblem("unknown_user")
            audit.append(db, self._now_ns(), by, "consent_withdrawn", f"{member} {family}")

    # --- inside -------------------------------------------------------------------------------------------------------

    def _proven(self, username: str, password: str, address: str, problem: str) -> str:
        """The stored hash that ``password`` fits, or ``problem``. The try is charged before it is looked at."""
        account, origin = throttle.account_key(username), throttle.address_key(address)
        with self.db.write() as db:
            if throttle.charge(db, (account, origin), self._now_ns()):
                audit.append(db, self._now_ns(), "anonymous", "login_throttled", f"{account} {origin}")
        rows = self.db.read("SELECT password_hash FROM users WHERE username = ?", (username,))
        stored = str(rows[0]["password_hash"]) if rows else ""
        if not self._verifier.check(stored or None, password):
            raise AccountProblem(problem)
        return stored

    def _exchange(
        self, db: sqlite3.Connection, username: str, hashes: tuple[str, str], address: str, problem: str
    ) -> None:
        """Put the second hash in the place of the first and give the try back; ``problem`` when somebody was faster."""
        old, new = hashes
        updated = db.execute(
            "UPDATE users SET password_hash = ? WHERE username = ? AND password_hash = ?", (new, username, old)
        )
        if not updated.rowcount:
            raise AccountProblem(problem)
        throttle.forgive(db, throttle.account_key(username), throttle.address_key(address))

    @staticmethod
    def _end_all(db: sqlite3.Connection, username: str) -> None:
        db.execute("DELETE FROM sessions WHERE username = ?", (username,))
        db.execute("DELETE FROM onetime WHERE username = ?", (username,))

    def _insert(
        self, db: sqlite3.Connection, username: str, hashed: str, role: Role, member: str | None, by: str
    ) -> None:
        (count,) = db.execute("SELECT count(*) FROM users").fetchone()
        if count >= MAX_USERS:
            raise AccountProblem("full")
        try:
            db.execute(
                "INSERT INTO users VALUES (?, ?, ?, ?, ?, 0)", (username, role.value, member, hashed, self._now_ns())
            )
        except sqlite3.IntegrityError as exc:
            raise AccountProblem("user_exists") from exc
        audit.append(db, self._now_ns(), by, "user_created", f"{username} {role.value} {member or ''}")

    def _issue(self, kind: str, username: str | None, valid_s: int) -> str:
        secret, now = secrets.token_urlsafe(32), self._now_ns()
        with self.db.write() as db:
            db.execute("DELETE FROM onetime WHERE expires_ns <= ? OR (kind = 'setup' AND ? = 'setup')", (now, kind))
            (count,) = db.execute("SELECT count(*) FROM onetime").fetchone()
            if count >= MAX_LINKS:
                raise AccountProblem("full")
            db.execute("INSERT INTO onetime VALUES (?, ?, ?, ?)", (digest(secret), kind, username, now + valid_s * S))
            audit.append(db, now, "console", f"{kind}_issued", username or "")
        return secret

    @contextmanager
    def _spending(self, kind: str, token: str, address: str) -> Iterator[tuple[sqlite3.Connection, str]]:
        """A transaction that uses up a one-time token: (connection, its user). The token survives a failure inside."""
        refused = False
        with self.db.write() as db:
            found = db.execute(
                "DELETE FROM onetime WHERE hash = ? AND kind = ? AND expires_ns > ? RETURNING username",
                (digest(token), kind, self._now_ns()),
            ).fetchone()
            if found is not None:
                yield db, found["username"] or ""
            refused = found is None
        if refused:
            self._count_failure(address)
            raise AccountProblem("bad_token")

    def _count_failure(self, address: str) -> None:
        """A wrong one-time or API token counts against the address. A right one always passes: 256 random bits cannot
        be guessed, and a kiosk must come in although somebody beside it plays."""
        with self.db.write() as db:
            throttle.charge(db, (throttle.address_key(address),), self._now_ns())
