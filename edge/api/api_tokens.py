"""API tokens: for kiosks and programs. Shown once, stored hashed, scoped to a role (and lane), expiring, revocable."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable

import msgspec

from edge.api import audit
from edge.api.account_types import MAX_TOKENS, AccountProblem, S, TokenInfo, check_binding, digest
from edge.api.accounts_db import AccountsDb
from edge.api.sessions import TOKEN_PREFIX
from edge.domain.actors import Role

DAY_S = 86_400


class ApiTokens:
    """Makes, lists and revokes API tokens."""

    def __init__(self, db: AccountsDb, now_ns: Callable[[], int]) -> None:
        self._db = db
        self._now_ns = now_ns

    def create(
        self, name: str, role: Role, lane: str | None, days: int, by: str, panel: str | None = None
    ) -> tuple[TokenInfo, str]:
        """A new token and its secret, which is shown this once."""
        check_binding(role, None, lane, panel)
        now, token_id, secret = self._now_ns(), secrets.token_hex(4), secrets.token_urlsafe(32)
        with self._db.write() as db:
            if _count(db) >= MAX_TOKENS:  # not before: the clock may be wrong, and a kiosk's secret was shown once
                db.execute("DELETE FROM tokens WHERE expires_ns <= ?", (now,))
            if _count(db) >= MAX_TOKENS:
                raise AccountProblem("full")
            db.execute(
                "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (token_id, digest(secret), name, role.value, lane, by, now, now + days * DAY_S * S, panel),
            )
            audit.append(db, now, by, "token_created", f"{token_id} {role.value} {lane or panel or ''} {days} d")
        return self.get(token_id), f"{TOKEN_PREFIX}{token_id}_{secret}"

    def get(self, token_id: str) -> TokenInfo:
        """One token."""
        for token in self.all():
            if token.id == token_id:
                return token
        raise AccountProblem("unknown_token")

    def all(self) -> list[TokenInfo]:
        """All tokens, oldest first."""
        rows = self._db.read(
            "SELECT id, name, role, lane, panel, created_by, created_ns, expires_ns, last_used_ns FROM tokens "
            "ORDER BY created_ns, id"
        )
        return [msgspec.convert(dict(row), TokenInfo) for row in rows]

    def revoke(self, token_id: str, by: str) -> None:
        """End a token and every session opened with it."""
        with self._db.write() as db:
            if not db.execute("DELETE FROM tokens WHERE id = ?", (token_id,)).rowcount:
                raise AccountProblem("unknown_token")
            audit.append(db, self._now_ns(), by, "token_revoked", token_id)


def _count(db: sqlite3.Connection) -> int:
    (count,) = db.execute("SELECT count(*) FROM tokens").fetchone()
    return int(count)
