"""The accounts as a backup holds them: staff, terminals and PINs; never who a member is.

A login name is a person's name, and ``api.db`` is where it meets a member's token. Deleting a member must destroy that
link, so no backup may hold it: logins of members and their families, consents, sessions, one-time links and the audit
trail (it names them all) stay behind. The trail's head goes along, so that the kept trail can still be proven whole.
A user would notice a mistake as a person who was deleted and is back after a restore.
"""

from __future__ import annotations

import sqlite3

from edge.api import audit
from edge.api.accounts_db import MIGRATIONS
from edge.domain.actors import Role

#: The newest ``api.db`` that this release opens.
VERSION = len(MIGRATIONS)
#: Roles of the people of the box itself: what they are called is known anyway.
STAFF = tuple(role.value for role in Role if role not in (Role.MEMBER, Role.RESIDENT, Role.FAMILY))


def scrub(connection: sqlite3.Connection) -> None:
    """Take the above out of a copy of ``api.db`` for good: freed pages are written over, the file is packed."""
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    marks = ", ".join("?" * len(STAFF))
    connection.execute("BEGIN IMMEDIATE")
    for table in ("sessions", "onetime", "throttle", "consents", "audit"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our names only
    connection.execute(f"DELETE FROM users WHERE member IS NOT NULL OR role NOT IN ({marks})", STAFF)  # noqa: S608
    connection.execute("COMMIT")
    connection.execute("VACUUM")


def begin_again(connection: sqlite3.Connection, now_ns: int, created_ns: int) -> None:
    """In accounts that are put back: a new trail, whose first record names the head of the one before."""
    connection.row_factory = sqlite3.Row
    connection.execute("BEGIN IMMEDIATE")
    head = connection.execute("SELECT seq, hash FROM audit_head WHERE one = 1").fetchone()
    before = f"{head['seq']} {head['hash'].hex()}" if head else "0"
    connection.execute("DELETE FROM audit_head")
    audit.append(connection, now_ns, "cli", "restored", f"backup of {created_ns}, audit head then {before}")
    connection.execute("COMMIT")
