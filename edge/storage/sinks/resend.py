"""Set-aside lines on their way once more, between the blocks of the log.

The hard part is that they must hold up nothing: a block of them comes at most every other time, and is so small that a
sink which refuses every one of them again is not taken for wrongly set (``Delivery.hopeless``). A user would notice a
mistake as a dashboard that stands still because somebody sent ten thousand bad lines again.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from edge.log import structlog
from edge.storage.sinks.delivery import HOPELESS_SINGLES, SetAside
from edge.storage.sinks.prepared import Item, Message, Prepared
from edge.storage.sinks.quarantine import Aside

BLOCK_ITEMS = HOPELESS_SINGLES - 14
#: Where the payload of a message begins in its text: quotes within a payload's words are escaped, so the last is it.
_PAYLOAD = ' {"value":'
#: Turns of the log before the next try when a mark could not be written (the disk is full).
PATIENCE_TURNS = 500

_log = structlog.get_logger("sink")


class _Sent(NamedTuple):
    mono_s: float
    ids: list[int]


class Resend:
    """Makes blocks of marked lines and keeps what was taken until it is settled. ``active``: the block under way is one
    of these. On a full disk it rests: a line whose mark cannot be written is sent once more, later."""

    def __init__(self, aside: Aside, *, messages: bool) -> None:
        self._aside = aside
        self._messages = messages
        self._ids: list[int] = []
        self._young: deque[_Sent] = deque()
        self._doubt = True
        self._rests = 1
        self.active = False

    def next(self, after_seq: int, wall_ns: int) -> Prepared | None:
        """The next block, None when it is the log's turn or nothing is marked."""
        self._rests -= 1
        if self._rests >= 0:
            return None
        self._rests = 1
        found = self._due()
        if not found:
            return None
        self._ids = [number for number, _ in found]
        items = [_item(line, messages=self._messages) for _, line in found]
        count = len(items)
        size = sum(len(line) + 1 for _, line in found)
        self.active = True
        return Prepared(items, [after_seq] * count, [wall_ns] * count, size, (), after_seq, ())

    def _due(self) -> list[tuple[int, str]]:
        if self._doubt:
            try:
                self._aside.doubt()
            except sqlite3.OperationalError as error:
                return self._rest(error)
            self._doubt = False
        return self._aside.due(BLOCK_ITEMS)

    def _rest(self, error: sqlite3.OperationalError) -> list[tuple[int, str]]:
        _log.warning("set-aside lines cannot be marked now", why=str(error))
        self._rests = PATIENCE_TURNS
        return []

    def arrived(self, refused: Sequence[SetAside], mono_s: float) -> int:
        """The block is through but for ``refused``; gives how many were taken."""
        self.active = False
        again = {each.position: each.reason for each in refused}
        taken = [number for position, number in enumerate(self._ids) if position not in again]
        try:
            self._aside.answered(taken, [(self._ids[position], reason) for position, reason in again.items()])
        except sqlite3.OperationalError as error:
            self._rest(error)
            return 0
        if taken:
            self._young.append(_Sent(mono_s, taken))
        return len(taken)

    def settle(self, safe_s: float) -> None:
        """What was taken up to ``safe_s`` (monotonic) is on the sink for certain."""
        while self._young and self._young[0].mono_s <= safe_s:
            try:
                self._aside.settled(self._young[0].ids)
            except sqlite3.OperationalError as error:
                self._rest(error)
                return
            self._young.popleft()

    def rewind(self) -> None:
        """The sink may have lost what is not settled."""
        self.active, self._doubt = False, True
        self._young.clear()


def _item(line: str, *, messages: bool) -> Item:
    if not messages:
        return line
    at = line.rindex(_PAYLOAD)
    return Message(line[:at], line[at + 1 :].encode())
