"""Between the garage and the canteen's purses: charges go out, copies of the purses come in.

Purses belong to the canteen. The hard part is that its being down, slow or upgraded must cost the garage nothing: a
charge waits here and is asked again, its id makes every repeat harmless, and a copy that cannot be fetched merely
ages. A user would notice a mistake as a session that is paid twice, or as chargers that stop because the kitchen's
box restarts.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from edge.domain.actors import Actor, Role
from edge.domain.canteen.messages import ChargeSession, ReadPurses
from edge.domain.canteen.messages import Command as CanteenCommand
from edge.domain.garage.messages import ChargeDue, ChargePosted, Command, PurseCopy
from edge.domain.garage.purses import DEBT_CODES
from edge.log import structlog
from edge.runtime.ipc_client import AnswerUnknownError, DaemonUnreachableError, IpcClient
from edge.runtime.ipc_messages import Answer

RETRY_FIRST_S = 1.0
RETRY_MAX_S = 60.0
COPY_EVERY_S = 300.0
#: Somebody was refused by what the copy says: it is fetched anew, but not more often than this.
HURRIED_S = 5.0
#: Refusals that a newer copy may lift: just topped up, a new member, a new card.
LIFTED_BY_A_COPY = frozenset({"purse_short", "unknown_card", "no_member"})
#: Charges that may wait; each stands in a row of the garage's store and is sent again after a start.
WAITING_MAX = 10_000
#: Members of a copy; beyond it the copy would no longer fit in one input.
MEMBERS_MAX = 20_000
#: Balances that have not moved are told only so often: each copy is an input that the log keeps.
SAME_COPY_S = 3600.0
#: Answers that end the asking, paid or owed; after any other (busy, no disk, no configuration yet) it is asked again.
_FINAL = frozenset({"ok", *DEBT_CODES})
US = Actor(Role.DEVICE, "garage")

_log = structlog.get_logger("purses")


class PurseBridge:
    """``post`` hands a command to the garage's own daemon; it gives the code of a refusal, None when it was taken."""

    def __init__(self, socket: Path, post: Callable[[Any], str | None]) -> None:
        self._client = IpcClient(socket, "garage")
        self._post = post
        self._waiting: OrderedDict[str, ChargeDue] = OrderedDict()
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._life = secrets.token_hex(6)
        self._asked = 0
        self._told: tuple[tuple[str, str, int], ...] | None = None
        self._told_s = 0.0
        self.counters = {"charges_posted": 0, "charges_refused": 0, "charges_dropped": 0, "purse_copies": 0}

    async def start(self) -> None:
        """Begin; returns at once, whether or not there is a canteen."""
        await self._client.start()
        self._tasks = [
            asyncio.create_task(self._post_charges(), name="purses: charges"),
            asyncio.create_task(self._copy_purses(), name="purses: copies"),
        ]

    async def stop(self) -> None:
        """End; what waits stands in the garage's rows."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    def charge(self, due: ChargeDue) -> bool:
        """Take a charge; a repeat of one that waits changes nothing. False: too many wait, its row brings it back."""
        if len(self._waiting) >= WAITING_MAX and due.session_id not in self._waiting:
            self.counters["charges_dropped"] += 1
            return False
        self._waiting[due.session_id] = due
        self._wake.set()
        return True

    def refused(self, code: str) -> None:
        """Somebody was answered ``code``. Who has just topped up must not wait five minutes for the next copy."""
        if code in LIFTED_BY_A_COPY:
            self._hurry.set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def _post_charges(self) -> None:
        wait_s = RETRY_FIRST_S
        while True:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            due = next(iter(self._waiting.values()))
            answer = await self._ask(ChargeSession(session_id=due.session_id, member=due.member, fen=due.fen))
            if answer is None or answer.code not in _FINAL or not self._tell(due, answer.code):
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, RETRY_MAX_S)
                self._waiting.move_to_end(due.session_id)
                continue
            wait_s = RETRY_FIRST_S
            del self._waiting[due.session_id]
            self.counters["charges_posted" if answer.code == "ok" else "charges_refused"] += 1

    def _tell(self, due: ChargeDue, code: str) -> bool:
        """The canteen's word into the garage; False when the garage cannot take it now (then all is asked again)."""
        self._asked += 1
        posted = ChargePosted(session_id=due.session_id, code=code)
        command_id = f"charge:{due.session_id}:{code}:{self._stamp()}"
        return self._post(Command(command_id, US, posted)) is None

    async def _copy_purses(self) -> None:
        while True:
            self._hurry.clear()
            copy = await self._copy()
            if copy is not None and self._is_news(copy):
                self._asked += 1
                if self._post(Command(f"purses:{copy.as_of_wall_ns}:{self._stamp()}", US, copy)) is None:
                    self.counters["purse_copies"] += 1
                    self._told, self._told_s = copy.purses, time.monotonic()
            pause_s = COPY_EVERY_S if copy is not None else RETRY_MAX_S / 10
            least_s = min(pause_s, HURRIED_S)
            await asyncio.sleep(least_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause_s - least_s)

    def _is_news(self, copy: PurseCopy) -> bool:
        return copy.purses != self._told or time.monotonic() - self._told_s >= SAME_COPY_S

    async def _copy(self) -> PurseCopy | None:
        """All pages, dated by the first; None when the canteen is away or a page is refused."""
        purses: list[tuple[str, str, int]] = []
        after, as_of_ns = "", 0
        while len(purses) < MEMBERS_MAX:
            answer = await self._ask(ReadPurses(after=after))
            if answer is None or answer.code != "ok":
                return None
            page = msgspec.json.decode(answer.json)
            as_of_ns = as_of_ns or page["as_of_wall_ns"]
            purses += [(member, card, balance_fen) for member, card, balance_fen in page["purses"]]
            after = page["next"]
            if not after:
                return PurseCopy(as_of_wall_ns=as_of_ns, purses=tuple(purses))
        _log.error("too many members for one copy of the purses", members=len(purses), limit=MEMBERS_MAX)
        return None

    async def _ask(self, body: ChargeSession | ReadPurses) -> Answer | None:
        self._asked += 1
        key = body.session_id if isinstance(body, ChargeSession) else body.after
        command = CanteenCommand(f"garage:{key}:{self._stamp()}", US, body)
        with contextlib.suppress(DaemonUnreachableError, AnswerUnknownError):
            return await self._client.submit(command)
        return None

    def _stamp(self) -> str:
        """Makes a command id that is used once: what makes two charges one is the session id, not the command's."""
        return f"{self._life}-{self._asked}"
