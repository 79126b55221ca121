"""Personal PINs: how a person proves at a bound panel that it is they who reset a zone.

The hard part is that a PIN is short. It opens nothing by itself: it is asked for only beside a panel's own bound token,
hashed like a password, and throttled by person and by panel before it is checked. A user would notice a mistake as a
fire that anybody could reset with 1234.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.api import audit, throttle
from edge.api.account_types import AccountProblem
from edge.api.accounts_db import AccountsDb
from edge.api.passwords import Verifier
from edge.domain.actors import Role

MIN_DIGITS = 6
MAX_DIGITS = 12
MIN_DISTINCT = 4
#: Who may stand in front of a panel and reset. The panel's own token gives the place, never the person.
PERSONS = frozenset({Role.PANEL, Role.MAINTENANCE, Role.MANAGER, Role.ADMIN})
_RUNS = ("01234567890123456789", "98765432109876543210")


def check_pin_strength(username: str, pin: str) -> None:
    """Raise ``weak_pin`` unless it is ``MIN_DIGITS`` to ``MAX_DIGITS`` digits, enough of them different, no run, and no
    part of the user name."""
    right = pin.isascii() and pin.isdigit() and MIN_DIGITS <= len(pin) <= MAX_DIGITS
    if not right or len(set(pin)) < MIN_DISTINCT or any(pin in run for run in _RUNS) or pin in username:
        raise AccountProblem("weak_pin")


class Pins:
    """Sets and checks PINs of users."""

    def __init__(self, db: AccountsDb, verifier: Verifier, now_ns: Callable[[], int]) -> None:
        self._db = db
        self._verifier = verifier
        self._now_ns = now_ns

    def set(self, username: str, pin: str, by: str) -> None:
        """Give a user a PIN (instead of the one before). Raises ``unknown_user``, ``weak_pin``, or, for a role
        that resets nothing, ``bad_binding``."""
        check_pin_strength(username, pin)
        hashed = self._verifier.hasher.hash(pin)
        with self._db.write() as db:
            row = db.execute("SELECT role FROM users WHERE username = ?", (username,)).fetchone()
            if row is None:
                raise AccountProblem("unknown_user")
            if Role(row["role"]) not in PERSONS:
                raise AccountProblem("bad_binding")
            db.execute("INSERT OR REPLACE INTO pins VALUES (?, ?, ?, ?)", (username, hashed, by, self._now_ns()))
            audit.append(db, self._now_ns(), by, "pin_set", username)

    def check(self, username: str, pin: str, panel: str) -> None:
        """Raise ``bad_pin`` (unknown user, no PIN and wrong PIN alike, after the same work) or
        ``throttle.TooManyTries``. Both outcomes are audited with the panel."""
        person, place = throttle.pin_keys(username, panel)
        with self._db.write() as db:
            if throttle.charge(db, (person, place), self._now_ns()):
                audit.append(db, self._now_ns(), f"panel:{panel}", "pin_throttled", username)
        rows = self._db.read(
            "SELECT p.pin_hash, u.role FROM pins p JOIN users u ON u.username = p.username WHERE p.username = ?",
            (username,),
        )
        stored = rows[0]["pin_hash"] if rows and Role(rows[0]["role"]) in PERSONS else None
        right = self._verifier.check(stored, pin)
        with self._db.write() as db:
            if right:
                throttle.forgive(db, person, place)
            audit.append(db, self._now_ns(), f"panel:{panel}", "pin_right" if right else "pin_wrong", username)
        if not right:
            raise AccountProblem("bad_pin")
