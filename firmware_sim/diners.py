"""A simulated diner at a checkout lane: puts the tray down, shows a card, reads the screen, pays what it says, and
goes.

The hard part is to act only on what a person would see: pay exactly the tray, version and sum on the screen, count
the own plates when the screen asks or shows fewer, take off a plate that blocks, call for help when nothing helps. A
user would notice a mistake as a demo that pays trays which nobody put down.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

from firmware_sim.canteenapi import ApiAwayError, CanteenApi, Reply, say
from firmware_sim.floorconfig import MemberConfig
from firmware_sim.kitchen import Kitchen
from firmware_sim.laneview import LaneView, read_view
from firmware_sim.pile import Plate
from firmware_sim.station import Station

LOOK_EVERY_S = 0.2
QUEUE_S = 5.0
#: A diner who gets no firm price in this time leaves, hungry.
PATIENCE_S = 30.0
#: A blocked screen is read this long before something is done about it.
READ_PROBLEM_S = 3.5
PAY_TRIES = 4


@dataclass(frozen=True, slots=True)
class Tray:
    """What a diner brings: plates, and who the diner is (None: a guest who pays cash)."""

    plates: list[Plate]
    member: MemberConfig | None


class Diner:
    """One visit to one lane. ``visit`` returns when the tray is off the lane again, however it went."""

    def __init__(
        self, station: Station, api: CanteenApi, kitchen: Kitchen, token: str, *, rng: random.Random, pace: float
    ) -> None:
        self._station = station
        self._api = api
        self._kitchen = kitchen
        self._token = token
        self._rng = rng
        self._pace = pace
        self._look_s = max(0.03, LOOK_EVERY_S * pace)
        self._confirmed: tuple[str, int] | None = None
        self._order_id = ""
        self._called = False

    async def visit(self, tray: Tray) -> bool:
        """Bring the tray, pay, leave. Returns whether it was paid; cancelled, the diner steps aside with the tray."""
        station = self._station
        station.held_by = "diner"
        label = tray.member.label if tray.member else {"zh": "散客", "en": "guest"}
        card = tray.member.card if tray.member else ""
        station.diner = {"card": card, "label": label, "step": "queueing"}
        try:
            await self._wait_for_empty_screen(tray)
            self._step("putting")
            await station.put_down(tray.plates)
            if tray.member is not None:
                await self._show_card(tray.member)
            sold = await self._buy(tray)
            if sold:
                self._step("leaving")
                await self._pause(2.0, 4.0)
            return sold
        finally:
            # A payment without a clear no may be on the books: such plates must be filled anew before they are sold
            # again.
            station.lift_all(sold=bool(self._order_id))
            station.diner = None
            station.held_by = ""

    async def _pause(self, low_s: float, high_s: float) -> None:
        await asyncio.sleep(self._rng.uniform(low_s, high_s) * self._pace)

    # --- steps

    def _step(self, step: str) -> None:
        if self._station.diner is not None:
            self._station.diner["step"] = step

    async def _wait_for_empty_screen(self, tray: Tray) -> None:
        """The diner before has gone when the screen is empty; after a while one puts the tray down all the same."""
        try:
            for _ in range(int(QUEUE_S / self._look_s)):
                view = await self._look()
                if view is not None and view.phase in {"empty", "offline"}:
                    return
                await asyncio.sleep(self._look_s)
        except asyncio.CancelledError:
            self._station.give_back(tray.plates, sold=False)
            raise

    async def _show_card(self, member: MemberConfig) -> None:
        self._step("identifying")
        await self._pause(0.2, 0.8)
        await self._command("identify", {"card": member.card})

    async def _buy(self, tray: Tray) -> bool:
        cash = tray.member is None
        for _ in range(PAY_TRIES):
            self._step("waiting")
            view = await self._firm_view()
            if view is None:
                return False
            self._step("looking")
            await self._pause(2.0, 4.0)
            view = await self._look()
            if view is None or not view.firm:  # there is no pay button now
                continue
            self._step("paying")
            reply = await self._pay(view, cash=cash or (view.balance_fen or 0) < view.payable_fen)
            if reply is None:
                return await self._was_paid()
            if reply.ok:
                return True
            self._order_id = ""
            if reply.code == "purse_short":
                cash = True
            elif reply.code not in {"tray_changed", "not_firm", "blocked"}:
                return False
        return False

    async def _pay(self, view: LaneView, *, cash: bool) -> Reply | None:
        self._order_id = self._kitchen.key("o")
        body: dict[str, object] = {
            "order_id": self._order_id,
            "tray_id": view.tray_id,
            "tray_version": view.tray_version,
            "payable_fen": view.payable_fen,
            "method": "cash" if cash else "purse",
        }
        if cash:
            note_fen = self._rng.choice((1, 500, 1000))
            body["tendered_fen"] = -(-view.payable_fen // note_fen) * note_fen
        return await self._command("pay", body)

    async def _was_paid(self) -> bool:
        """No answer came to the payment: the screen tells."""
        view = await self._look()
        return view is not None and view.paid_order == self._order_id

    # --- the screen

    async def _firm_view(self) -> LaneView | None:
        """Wait until the screen shows a firm price for all plates on the tray, helping where it asks. None: gave up."""
        until_s = time.monotonic() + PATIENCE_S
        problem_since_s: float | None = None
        last: LaneView | None = None
        while time.monotonic() < until_s:
            await asyncio.sleep(self._look_s)
            view = await self._look()
            if view is None:
                continue
            last = view
            if view.phase != "blocked":
                problem_since_s = None
            unread, foreign = self._compare(view)
            if view.firm and not unread and not foreign:
                return view
            if foreign:
                await self._call_staff(f"the screen charges {len(foreign)} plate(s) that are not on this tray")
            elif view.firm or view.phase == "ask":
                await self._count(view)
            elif view.phase == "blocked":
                problem_since_s = problem_since_s or time.monotonic()
                if time.monotonic() - problem_since_s >= READ_PROBLEM_S * self._pace:
                    problem_since_s = None
                    await self._solve(view)
        seen = f"phase {last.phase} {last.problem}".strip() if last else "no screen"
        say(f"lane {self._station.lane}: a diner left without paying after {PATIENCE_S:.0f} s: {seen}")
        return None

    def _compare(self, view: LaneView) -> tuple[list[Plate], set[str]]:
        """Own plates that the screen does not show, and plates that it charges although they are not ours."""
        own = {plate.uid for plate in self._station.plates}
        return [plate for plate in self._station.plates if plate.uid not in view.plates], set(view.priced) - own

    async def _call_staff(self, why: str) -> None:
        """Once a visit."""
        if not self._called:
            self._called = True
            say(f"lane {self._station.lane}: a diner calls the staff: {why}")
            await self._command("call-staff", {"on": True})

    async def _look(self) -> LaneView | None:
        try:
            reply = await self._api.get(f"/canteen/lanes/{self._station.lane}", self._token)
        except ApiAwayError:
            return None
        if not reply.ok:
            say(f"lane {self._station.lane}: looking at the screen: refused: {reply.code} ({reply.detail})")
            await asyncio.sleep(1.0)
            return None
        return read_view(reply)

    async def _count(self, view: LaneView) -> None:
        """Say how many plates there are, once for each tray as shown."""
        plates = len(self._station.plates)
        if view.tray_id and self._confirmed != (view.tray_id, len(view.plates)):
            self._confirmed = (view.tray_id, len(view.plates))
            await self._command("confirm-plates", {"tray_id": view.tray_id, "plates": plates})

    async def _solve(self, view: LaneView) -> None:
        """Do what the screen says about a plate that blocks."""
        if view.problem == "count_differs":
            unread, _ = self._compare(view)
            if not unread:
                await self._command("confirm-plates", {"tray_id": view.tray_id, "plates": len(self._station.plates)})
            for plate in unread:
                await self._kitchen.key_plate(self._station.lane, view.tray_id, plate)
            return
        wrong = [plate for plate in self._station.plates if plate.uid in view.blocking]
        for plate in wrong:
            self._station.lift(plate, sold=view.problem == "plate_sold")
        if not wrong:
            await self._call_staff(view.problem)

    async def _command(self, verb: str, body: dict[str, object]) -> Reply | None:
        """Give a command at this lane; a refusal is said in one line. None: no answer came."""
        path = f"/canteen/lanes/{self._station.lane}/{verb}"
        try:
            reply = await self._api.post(path, self._token, body, self._kitchen.key(verb))
        except ApiAwayError:
            return None
        if not reply.ok:
            say(f"lane {self._station.lane}: {verb} refused: {reply.code} ({reply.detail})")
        return reply
