"""Passwords by argon2id, and at most two hashes at once: 19 MiB each, on boxes with little memory.

A user would notice a mistake here as a box that swaps while somebody guesses passwords.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from starlette.concurrency import run_in_threadpool

from edge.api.problems import ApiProblem

#: OWASP's parameters for 19 MiB; 31 ms on the reference machine (ux-api-security.md 4.4.2).
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
MIN_CHARS = 10
MAX_CHARS = 128
MIN_DISTINCT = 5
MIN_NAME = 4
MAX_AT_ONCE = 2
MAX_WAITING = 16

T = TypeVar("T")


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


class HashGate:
    """Lets ``MAX_AT_ONCE`` hashing calls run in threads and ``MAX_WAITING`` wait; one more is told that we are busy."""

    def __init__(self) -> None:
        self._running = asyncio.Semaphore(MAX_AT_ONCE)
        self._waiting = 0

    async def run(self, work: Callable[[], T]) -> T:
        """The result of ``work``, run in a thread."""
        if self._waiting >= MAX_WAITING:
            raise ApiProblem("busy")
        self._waiting += 1
        try:
            async with self._running:
                return await run_in_threadpool(work)
        finally:
            self._waiting -= 1
