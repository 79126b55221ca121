"""Holds the words of chatty devices back for a moment, so that many of them wake the daemon once.

The hard part is that nothing may be seen of it but the saved processor time: whoever reads behind it has a link that is
slower by at most ``wait_s``, with the same words in the same order, also across the links of one daemon. What is no
word (a command, a timer, another day, a lost link, something to be sent) takes along at once what came before it. A
word that waits is not settled: after a crash its sender still has it. A user would notice a mistake as a tap that is
decided before the metres that were heard before it. Why, how long and what it saves: decision 0012.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from drivers.links.link import Link, LinkHandler, Opener
from edge.runtime.settling import Settled

#: Words that may wait; one more hands all of them in. As many as the journal gathers (``journal.AWAITED_MAX``): below
#: the window after which Mosquitto, as shipped, sends no more, so a flood is never held up for ``wait_s``.
WORDS_MAX = 10


class _Word(NamedTuple):
    handler: LinkHandler
    data: bytes
    settled: Settled | None


class Gathering:
    """What waits, of all gathered links of a daemon. ``wait_s`` is the longest that a word waits."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Word] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._handing = False
        self.counters = {"words_gathered": 0, "gatherings": 0}

    def put(self, handler: LinkHandler, data: bytes, settled: Settled | None) -> None:
        """Keep a word for ``handler``, for ``wait_s`` from the first that waits."""
        self._waiting.append(_Word(handler, data, settled))
        if len(self._waiting) >= WORDS_MAX:
            self.hand_in()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._wait_s, self.hand_in)

    def hand_in(self) -> None:
        """Let all that waits go on, in the order in which it came. Asked for in the middle of a word (what it says has
        a device told the time) it does nothing: the next word must not come between the readings of this one."""
        if self._handing:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        self.counters["gatherings"] += 1
        self.counters["words_gathered"] += len(self._waiting)
        self._handing = True
        try:
            while self._waiting:
                handler, data, settled = self._waiting.popleft()
                if settled is None:
                    handler.data_received(data)
                else:
                    handler.message_received(data, settled)
        finally:
            self._handing = False

    def forget(self, handler: LinkHandler) -> None:
        """The link of ``handler`` was closed: it hears nothing more. Words that were to be settled come again."""
        self._waiting = deque(word for word in self._waiting if word.handler is not handler)

    def over(self, opener: Opener) -> Opener:
        """An opener of the same links, whose words are gathered."""
        return _GatheredOpener(opener, self)


class _GatheredOpener:
    def __init__(self, opener: Opener, gathering: Gathering) -> None:
        self._opener = opener
        self._gathering = gathering

    async def open(self, handler: LinkHandler) -> Link:
        link = await self._opener.open(_Gatherer(handler, self._gathering))
        return _GatheredLink(link, lambda: self._gathering.forget(handler))

    def close(self) -> None:
        self._opener.close()


class _Gatherer:
    """What the link calls."""

    def __init__(self, handler: LinkHandler, gathering: Gathering) -> None:
        self._handler = handler
        self._gathering = gathering

    def data_received(self, data: bytes) -> None:
        self._gathering.put(self._handler, data, None)

    def message_received(self, data: bytes, settled: Settled) -> None:
        self._gathering.put(self._handler, data, settled)

    def link_lost(self, reason: str) -> None:
        self._gathering.hand_in()
        self._handler.link_lost(reason)


class _GatheredLink:
    """The link as its user sees it: what still waits is forgotten when it is closed."""

    def __init__(self, link: Link, forget: Callable[[], None]) -> None:
        self._link = link
        self._forget = forget
        self.write = link.write
        self.pause_reading = link.pause_reading
        self.resume_reading = link.resume_reading

    def close(self) -> None:
        self._forget()
        self._link.close()
