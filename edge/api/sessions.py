"""Sessions and bearers: who stands behind a cookie or an API token, looked up on every request.

A person's session ends after 8 h without a request or 24 h in all; a kiosk's lives as long as the API token that it was
opened with. When a user or token is deleted, its sessions go in the same transaction. A user would notice a mistake
here as a kiosk that asks for a login in the middle of lunch, or as a colleague's session on a shared tablet.
"""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from collections.abc import Callable

from edge.api import audit
from edge.api.account_types import (
    KIOSK_IDLE_S,
    MAX_SESSIONS_PER_OWNER,
    PERSON_IDLE_S,
    PERSON_MAX_S,
    AccountProblem,
    NewSession,
    S,
    digest,
)
from edge.api.accounts_db import AccountsDb
from edge.api.principal import Principal
from edge.domain.actors import Role

TOKEN_PREFIX = "kgl_"  # noqa: S105 - a marker that secret scanners can look for, not a secret

_SESSION = """
    SELECT s.id, s.created_ns, s.seen_ns, s.idle_ns, s.until_ns, s.username, s.token_id, u.role AS user_role, u.member,
        t.role AS token_role, t.lane, t.panel, t.expires_ns
    FROM sessions s LEFT JOIN users u ON u.username = s.username LEFT JOIN tokens t ON t.id = s.token_id WHERE
"""


class Sessions:
    """Looks up credentials; opens and ends sessions."""

    def __init__(self, db: AccountsDb, now_ns: Callable[[], int]) -> None:
        self._db = db
        self._now_ns = now_ns
        self._seen: dict[tuple[str, str], int] = {}

    def open(self, db: sqlite3.Connection, username: str | None, token_id: str | None, old_cookie: str) -> NewSession:
        """A new session within the caller's transaction; the one of ``old_cookie`` ends (rotation at login). Of the
        owner's sessions the oldest go beyond ``MAX_SESSIONS_PER_OWNER``; expired ones of persons go too. Those of
        kiosks go with their token alone: a clock that ran years ahead for a minute must not end them for good."""
        now = self._now_ns()
        secret, session_id = secrets.token_urlsafe(32), secrets.token_hex(8)
        until, idle = now + PERSON_MAX_S * S, PERSON_IDLE_S * S
        if token_id is not None:
            (until,) = db.execute("SELECT expires_ns FROM tokens WHERE id = ?", (token_id,)).fetchone()
            idle = KIOSK_IDLE_S * S
        db.execute(
            "DELETE FROM sessions WHERE secret_hash = ? OR (until_ns <= ? AND token_id IS NULL)",
            (digest(old_cookie), now),
        )
        db.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (session_id, digest(secret), username, token_id, now, now, idle, until),
        )
        db.execute(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE username IS ? AND token_id IS ? "
            "ORDER BY created_ns DESC, rowid DESC LIMIT -1 OFFSET ?)",
            (username, token_id, MAX_SESSIONS_PER_OWNER),
        )
        db.execute("UPDATE users SET last_login_ns = ? WHERE username = ?", (now, username))
        row = db.execute(_SESSION + "s.id = ?", (session_id,)).fetchone()
        return NewSession(secret=secret, max_age_s=max(0, (until - now) // S), principal=_of_session(row))

    def end(self, who: Principal) -> None:
        """Log out."""
        with self._db.write() as db:
            db.execute("DELETE FROM sessions WHERE id = ?", (who.session,))
            audit.append(db, self._now_ns(), who.user, "logout", who.user)

    def of_cookie(self, cookie: str) -> Principal | None:
        """The owner of a live session, or None."""
        return self._live("s.secret_hash = ?", digest(cookie), touch=True) if cookie else None

    def of_bearer(self, credential: str) -> Principal | None:
        """The bearer of a valid API token, or None."""
        row = self.token_row(credential)
        if row is None:
            return None
        self._seen["tokens", row["id"]] = self._now_ns()
        user, role = f"token:{row['id']}", Role(row["role"])
        return Principal(user=user, role=role, lane=row["lane"], panel=row["panel"], token=row["id"])

    def token_row(self, credential: str) -> sqlite3.Row | None:
        """The row of a valid token ``kgl_<id>_<secret>``; compared in constant time over the whole secret."""
        token_id, _, secret = credential.removeprefix(TOKEN_PREFIX).partition("_")
        if not credential.startswith(TOKEN_PREFIX) or not secret:
            return None
        rows = self._db.read("SELECT * FROM tokens WHERE id = ?", (token_id,))
        stored = rows[0]["secret_hash"] if rows else bytes(32)
        if not hmac.compare_digest(stored, digest(secret)) or not rows or rows[0]["expires_ns"] <= self._now_ns():
            return None
        return rows[0]

    def still_valid(self, who: Principal) -> bool:
        """Whether the credential behind ``who`` still holds (for long-lived streams). A kiosk's stream keeps its
        session awake; a person's does not."""
        if who.session is not None:
            return self._live("s.id = ?", who.session, touch=who.token is not None) == who
        rows = self._db.read("SELECT expires_ns FROM tokens WHERE id = ?", (who.token,))
        return bool(rows) and rows[0]["expires_ns"] > self._now_ns()

    def flush(self) -> None:
        """Write down when sessions and tokens were last used (kept in memory in between: no disk per request)."""
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            with self._db.write() as db:
                for (table, key), at_ns in seen.items():
                    column = "seen_ns" if table == "sessions" else "last_used_ns"
                    db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (at_ns, key))  # noqa: S608 - our own
        except AccountProblem:
            self._seen = seen | self._seen
            raise

    def _live(self, where: str, value: bytes | str, *, touch: bool) -> Principal | None:
        rows = self._db.read(_SESSION + where, (value,))
        if not rows:
            return None
        row, now = rows[0], self._now_ns()
        seen = max(row["seen_ns"], self._seen.get(("sessions", row["id"]), 0))
        if now >= row["until_ns"] or now - seen > row["idle_ns"] or (row["token_id"] and row["expires_ns"] <= now):
            return None
        if row["token_id"] is None and now < row["created_ns"] - PERSON_MAX_S * S:
            return None  # opened while the clock ran ahead: its end lies as far in the future
        if touch:
            self._seen["sessions", row["id"]] = now
        return _of_session(row)


def _of_session(row: sqlite3.Row) -> Principal:
    if row["token_id"]:
        role, user = Role(row["token_role"]), f"token:{row['token_id']}"
        return Principal(
            user=user, role=role, lane=row["lane"], panel=row["panel"], session=row["id"], token=row["token_id"]
        )
    return Principal(user=row["username"], role=Role(row["user_role"]), member=row["member"], session=row["id"])
