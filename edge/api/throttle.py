"""Back-off against guessing, per account and per address, kept on disk so that a restart lifts nothing.

An attempt is charged before it is checked, so that a hundred guesses sent at once count as a hundred. The first few are
free; then the wait doubles to a quarter of an hour. Names are stored as digests: people type passwords into the name
field. A user would notice a mistake here as a lock-out that never ends, so waits are bounded against clock steps too.
"""

from __future__ import annotations

import hashlib
import ipaddress
import sqlite3

FREE_PER_ACCOUNT = 5
FREE_PER_ADDRESS = 20
MAX_WAIT_S = 900
FORGET_AFTER_S = 3600
MAX_ROWS = 10_000
S = 1_000_000_000


class TooManyTries(Exception):  # noqa: N818 - a limit, not a fault
    """Try again after ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def account_key(username: str) -> str:
    """Key of an account name, existing or not."""
    return "account:" + hashlib.sha256(username.lower().encode("utf-8", "replace")).hexdigest()[:32]


def pin_keys(username: str, panel: str) -> tuple[str, str]:
    """Keys of a person at a panel and of the panel. Their own, for anybody can type any name at a login: tries there
    must not keep a guard from resetting a zone."""
    person, place = (account_key(name).partition(":")[2] for name in (username, panel))
    return f"pin:{person}", f"panel:{place}"


def address_key(address: str) -> str:
    """Key of a client address; an IPv6 host owns its whole /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "address:" + address[:64]
    if parsed.version == 6:
        return f"address:{ipaddress.ip_network((parsed, 64), strict=False).network_address}"
    return f"address:{parsed}"


def free_tries(key: str) -> int:
    """How many failures cost nothing."""
    return FREE_PER_ADDRESS if key.startswith("address:") else FREE_PER_ACCOUNT


def wait_s(key: str, fails: int) -> int:
    """Seconds to wait after the ``fails``-th failure in a row."""
    beyond = fails - free_tries(key)
    return 0 if beyond < 0 else int(min(2 ** min(beyond, 20), MAX_WAIT_S))


def charge(db: sqlite3.Connection, keys: tuple[str, ...], now_ns: int) -> bool:
    """Count one attempt on each key, or raise ``TooManyTries`` and count nothing. True when a wait begins with it."""
    for key in keys:
        row = db.execute("SELECT until_ns FROM throttle WHERE key = ?", (key,)).fetchone()
        left_ns = min(row["until_ns"] - now_ns, MAX_WAIT_S * S) if row else 0
        if left_ns > 0:
            raise TooManyTries(-(-left_ns // S))
    locked = False
    for key in keys:
        row = db.execute("SELECT fails, last_ns FROM throttle WHERE key = ?", (key,)).fetchone()
        fails = 1 + (row["fails"] if row and abs(now_ns - row["last_ns"]) < FORGET_AFTER_S * S else 0)
        wait = wait_s(key, fails)
        locked = locked or wait > 0
        db.execute("INSERT OR REPLACE INTO throttle VALUES (?, ?, ?, ?)", (key, fails, now_ns, now_ns + wait * S))
    (count,) = db.execute("SELECT count(*) FROM throttle").fetchone()
    if count > MAX_ROWS:
        db.execute(
            "DELETE FROM throttle WHERE key IN (SELECT key FROM throttle ORDER BY last_ns LIMIT ?)",
            (count - MAX_ROWS,),
        )
    return locked


def forgive(db: sqlite3.Connection, account: str, address: str) -> None:
    """A good login: the account begins anew, the address gets this attempt back."""
    db.execute("DELETE FROM throttle WHERE key = ?", (account,))
    db.execute("UPDATE throttle SET fails = max(fails - 1, 0), until_ns = 0 WHERE key = ?", (address,))
