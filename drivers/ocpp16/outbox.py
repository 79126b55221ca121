"""Our calls to a charger: one under way at a time, as OCPP wants it, except for what cuts.

The hard part is that a charger may take its time with a configuration while a fire burns: a stop does not wait for the
answer to another call. A user would notice a mistake as a charger that is stopped ten seconds late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from drivers.engine import NS_PER_MS
from drivers.ocpp16.frames import Call, encode

WAITING_MAX = 64
ASKED_MAX = 64
TIMEOUT_NS = 10_000 * NS_PER_MS


class Asked(msgspec.Struct, frozen=True):
    """A call and why it is made. ``command_id`` is that of the command which its answer settles, "" for none.
    ``expires_ns`` 0: never."""

    action: str
    payload: dict[str, Any]
    connector: int = 0
    command_id: str = ""
    expires_ns: int = 0


class Outbox:
    """``write`` puts a message on the link."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._waiting: deque[Asked] = deque()
        self._asked: dict[str, Asked] = {}
        self._under_way = ""
        self._sent_ns = 0
        self._number = 0
        self.timeouts = 0
        self.expired: list[Asked] = []
        """Calls that were too late when their turn came; whoever tells of them clears the list."""

    def clear(self) -> list[Asked]:
        """The link is gone: nothing of this is sent later. Gives what had not been sent."""
        dropped = list(self._waiting)
        self._waiting.clear()
        self._asked.clear()
        self._under_way = ""
        return dropped

    def at_once(self, asked: Asked, now_ns: int) -> None:
        """A cut: past whatever waits or is under way."""
        self._send(asked, now_ns)

    def forget(self, connector: int, actions: frozenset[str]) -> list[Asked]:
        """Drop waiting calls of these actions for a connector; gives them."""
        gone = [each for each in self._waiting if each.connector == connector and each.action in actions]
        self._waiting = deque(each for each in self._waiting if each not in gone)
        return gone

    def queue(self, asked: Asked, now_ns: int) -> bool:
        """In turn; false when too many wait."""
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting.append(asked)
        self.go_on(now_ns)
        return True

    def answered(self, message_id: str, now_ns: int) -> Asked | None:
        """The call that ``message_id`` answers, None for a stranger."""
        asked = self._asked.pop(message_id, None)
        if message_id == self._under_way:
            self._under_way = ""
            self.go_on(now_ns)
        return asked

    def go_on(self, now_ns: int) -> None:
        """Send the next one if none is under way (or that one was given up)."""
        if self._under_way and now_ns >= self._sent_ns + TIMEOUT_NS:
            self.timeouts += 1
            self._under_way = ""
        while self._waiting and not self._under_way:
            asked = self._waiting.popleft()
            if asked.expires_ns and now_ns >= asked.expires_ns:
                self.expired.append(asked)
                continue
            self._under_way = self._send(asked, now_ns)
            self._sent_ns = now_ns

    def deadline(self) -> int | None:
        return self._sent_ns + TIMEOUT_NS if self._under_way and self._waiting else None

    def _send(self, asked: Asked, now_ns: int) -> str:
        # The time makes ids differ from those before a restart: a late answer must not settle another question.
        self._number += 1
        message_id = f"k{now_ns // NS_PER_MS:x}-{self._number:x}"
        self._asked[message_id] = asked
        if len(self._asked) > ASKED_MAX:
            del self._asked[next(iter(self._asked))]
        self._write(encode(Call(message_id, asked.action, asked.payload)))
        return message_id
