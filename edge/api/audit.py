"""The audit trail of accounts: append-only, each record carries the hash of the one before.

``verify`` finds an edited, deleted or reordered record and, by the head kept beside it, a cut tail. Somebody who can
write the file can also forge the whole chain: the head is to be kept elsewhere too (``head`` gives it for that
purpose).
"""

from __future__ import annotations

import hashlib
import sqlite3

import msgspec

from edge.api.accounts_db import AccountsDb

GENESIS = bytes(32)


def record_hash(prev: bytes, seq: int, at_ns: int, actor: str, action: str, subject: str) -> bytes:
    """SHA-256 over the previous hash and the record's fields as a JSON array (unambiguous, unlike joined strings)."""
    return hashlib.sha256(prev + msgspec.json.encode([seq, at_ns, actor, action, subject])).digest()


def append(db: sqlite3.Connection, at_ns: int, actor: str, action: str, subject: str) -> None:
    """Add a record within the transaction of what it tells about."""
    head = db.execute("SELECT seq, hash FROM audit_head WHERE one = 1").fetchone()
    seq, prev = (head["seq"] + 1, head["hash"]) if head else (1, GENESIS)
    digest = record_hash(prev, seq, at_ns, actor, action, subject)
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, at_ns, actor, action, subject, prev, digest))
    db.execute("INSERT OR REPLACE INTO audit_head VALUES (1, ?, ?)", (seq, digest))


def head(db: AccountsDb) -> tuple[int, str]:
    """Number and hash (hex) of the last record; (0, zeros) before the first."""
    rows = db.read("SELECT seq, hash FROM audit_head WHERE one = 1")
    return (rows[0]["seq"], rows[0]["hash"].hex()) if rows else (0, GENESIS.hex())


def verify(db: AccountsDb) -> str:
    """What is wrong with the chain first; the empty string when it is whole."""
    prev, expected = GENESIS, 1
    for row in db.read("SELECT * FROM audit ORDER BY seq"):
        if row["seq"] != expected:
            return f"record {expected} is missing"
        digest = record_hash(prev, row["seq"], row["at_ns"], row["actor"], row["action"], row["subject"])
        if row["prev"] != prev or row["hash"] != digest:
            return f"record {row['seq']} was changed"
        prev, expected = digest, expected + 1
    if head(db) != (expected - 1, prev.hex()):
        return f"the records after {expected - 1} are missing"
    return ""
