"""Passwords by argon2id. The command line uses this too, so nothing of the web is imported (half a second).

A user would notice a mistake here as a password that opens too slowly, or to whoever stole the file.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

#: OWASP's parameters for 19 MiB; 31 ms on the reference machine (ux-api-security.md 4.4.2).
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
MIN_CHARS = 10
MAX_CHARS = 128
MIN_DISTINCT = 5
MIN_NAME = 4


class WeakPassword(ValueError):  # noqa: N818 - becomes a problem of that name
    """The password does not meet the rule."""


def check_strength(username: str, password: str) -> None:
    """Raise ``WeakPassword`` for one that is short, of few different characters, or holds the user name. Names of two
    or three letters (he, li, wu) stand in too many words to be looked for."""
    named = len(username) >= MIN_NAME and username in password.lower()
    weak = len(password) < MIN_CHARS or len(set(password)) < MIN_DISTINCT or named
    if weak or len(password) > MAX_CHARS:
        raise WeakPassword


def hash_password(password: str, hasher: PasswordHasher = HASHER) -> str:
    """The encoded hash, with its parameters and salt."""
    return hasher.hash(password)


class Verifier:
    """Checks a password against a stored hash, or against nothing in the same time."""

    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        self.hasher = hasher
        self._nobody = hasher.hash("nobody has this password")

    def check(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` fits. Without a stored hash the answer is no, after the same work: an unknown user name
        takes as long as a wrong password."""
        try:
            self.hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(stored)

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self.hasher.check_needs_rehash(stored)
