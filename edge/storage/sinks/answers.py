"""What a sink answered, and what follows from it: pure decisions over status codes.

The hard part is to tell "try again" from "this will never work" from "one line in it is bad", and to believe nothing
else: only 204 says stored. A captive portal's 200 is no acknowledgement. A user would notice a mistake as data that
the box holds for delivered.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from enum import StrEnum
from random import Random
from typing import NamedTuple

#: A server that asks for more patience than this is asked again anyway.
RETRY_AFTER_MAX_S = 3600.0
BACKOFF_FIRST_S = 1.0
BACKOFF_MAX_S = 60.0
#: Between two tries of what only a person can mend.
CONFIG_RETRY_S = 60.0
CONFIG_RETRY_MAX_S = 300.0


class Verdict(StrEnum):
    STORED = "stored"
    REFUSED = "refused"
    """Something in the request is bad; nothing of it is stored."""
    PARTLY_STORED = "partly_stored"
    """Something in the request is bad; the rest is stored."""
    TOO_LARGE = "too_large"
    BUSY = "busy"
    """The server asks to wait."""
    UNREACHABLE = "unreachable"
    """No answer, or one that says nothing about the request: it may or may not be stored."""
    MISCONFIGURED = "misconfigured"
    """Only a person can mend it."""


class Answer(NamedTuple):
    """One attempt. ``fresh``: it went over a new connection. ``life``: what identifies the running server process, ""
    when it does not say. ``sign``: the answer itself hints at a restart of the sink."""

    verdict: Verdict
    reason: str = ""
    retry_after_s: float | None = None
    fresh: bool = False
    life: str = ""
    sign: bool = False


REMEDIES = {
    401: "the server refuses the token: put a valid one into the token file (it is read again at each try)",
    403: "the token may not write to this bucket: give it write permission, or put another into the token file",
    404: "the server knows no such organisation, bucket or path: create the bucket, or correct url, org, bucket",
    405: "this URL takes no line protocol: correct url (without /api/v2/write)",
}


def verdict_of(status: int) -> Verdict:
    """What an HTTP status of a write means."""
    match status:
        case 204:
            return Verdict.STORED
        case 400:
            return Verdict.REFUSED
        case 422:
            return Verdict.PARTLY_STORED
        case 413:
            return Verdict.TOO_LARGE
        case 429 | 503:
            return Verdict.BUSY
        case 408 | 425:
            return Verdict.UNREACHABLE
        case _:
            return Verdict.UNREACHABLE if status >= 500 else Verdict.MISCONFIGURED


def remedy_of(status: int) -> str:
    """What a person must do about a status that is MISCONFIGURED."""
    if status in REMEDIES:
        return REMEDIES[status]
    if 200 <= status < 300:
        return f"the server answered {status} where InfluxDB answers 204: url leads somewhere else"
    if 300 <= status < 400:
        return f"the server redirects ({status}), which is not followed with a token: write the final address as url"
    return f"the server answers {status} to a write: correct url, org and bucket"


def retry_after_s(header: str | None, now_unix_s: float) -> float | None:
    """Retry-After (RFC 9110, 10.2.3: seconds or a date) as seconds from now, at most ``RETRY_AFTER_MAX_S``."""
    if not header:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        wait_s = float(text[:9])
    else:
        try:
            wait_s = parsedate_to_datetime(text).timestamp() - now_unix_s
        except (ValueError, TypeError, OverflowError):
            return None
    return min(max(wait_s, 0.0), RETRY_AFTER_MAX_S)


class Backoff:
    """Waits that grow, with jitter so that boxes do not come back in step. ``rng`` is given by the maker."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def wait_s(self, answer: Answer) -> float:
        """How long to wait after a failed attempt. What the server asks for is never cut short."""
        self._failures += 1
        if answer.verdict is Verdict.MISCONFIGURED:
            most_s = min(CONFIG_RETRY_S * self._failures, CONFIG_RETRY_MAX_S)
        else:
            most_s = min(BACKOFF_FIRST_S * 2.0 ** min(self._failures - 1, 30), BACKOFF_MAX_S)
        wait_s = most_s * self._rng.uniform(0.5, 1.0)
        return max(wait_s, (answer.retry_after_s or 0.0) * self._rng.uniform(1.0, 1.1))
