"""The neighbours: they come, plug a bike in, ask the box for power with their card, and take the bike away later.

They use the same HTTP API as everybody. The hard part is to be people: who is refused takes the bike elsewhere, who
finds the garage in alarm leaves it alone. A user would notice robots as a demo in which ports are re-armed by magic.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque

from firmware_sim.canteenapi import ApiAwayError, CanteenApi, Reply, say
from firmware_sim.garage.building import Bay, Building
from firmware_sim.garage.charge import Fleet
from firmware_sim.garage.config import GarageConfig

#: At the start so many of a hundred bays get a bike, one after the other.
BUSY_PERCENT = 60
FIRST_BIKES_S = 1.2
STAYS_MIN = (12, 90)
LOOK_S = 1.0
#: Who is refused with one of these tries once more after so long.
_TRY_AGAIN = frozenset({"purse_short", "unknown_card", "no_member"})
AGAIN_S = 7.0


class People:
    """``work`` lets them come until cancelled. ``on`` False: nobody comes by himself."""

    def __init__(self, config: GarageConfig, building: Building, fleet: Fleet) -> None:
        self.on = config.people
        self._building = building
        self._fleet = fleet
        self._per_hour = config.per_hour
        self._cards = deque(config.cards)
        self._token = config.token
        self._api = CanteenApi(config.api) if config.api and config.token else None
        self._rng = random.Random(f"people {config.seed}")
        self._rng.shuffle(self._cards)
        self._leave_s: dict[str, float] = {}
        self._now_s = 0.0

    async def work(self) -> None:
        """Come and go."""
        busy = [bay for bay in self._building.bays.values() if self._rng.randrange(100) < BUSY_PERCENT]
        self._rng.shuffle(busy)
        while True:
            await asyncio.sleep(FIRST_BIKES_S if busy else LOOK_S)
            self._now_s += LOOK_S
            if not self.on:
                continue
            self._leave()
            if busy:
                await self._arrive(busy.pop())
            elif self._rng.random() < self._per_hour * LOOK_S / 3600:
                free = [bay for bay in self._building.bays.values() if not bay.chargers]
                if free:
                    await self._arrive(self._rng.choice(free))

    async def plug(self, bay: Bay, *, start: bool = True) -> str:
        """A bike is plugged in. Gives how asking for power went: ok, a problem code, "" not asked."""
        bay.chargers = [self._fleet.bike()]
        bay.in_contact = True
        if not start:
            return ""
        code = await self._start(bay)
        if code in _TRY_AGAIN:  # topped up a moment ago: the box asks the canteen anew within seconds
            await asyncio.sleep(AGAIN_S)
            code = await self._start(bay)
        return code

    def unplug(self, bay: Bay) -> None:
        """The bikes of a bay are taken away; the box finds out by itself."""
        bay.chargers = []
        self._leave_s.pop(bay.port, None)

    def split(self, bay: Bay) -> None:
        """A second bike hangs on the same outlet by a splitter."""
        beside = bay.chargers[0] if bay.chargers else None
        bay.chargers = [*bay.chargers, self._fleet.bike(beside=beside)]

    async def _arrive(self, bay: Bay) -> None:
        if bay.chargers or self._building.zones[bay.zone].smoke > 0:
            return
        code = await self.plug(bay)
        if code == "ok":
            self._leave_s[bay.port] = self._now_s + 60 * self._rng.uniform(*STAYS_MIN)
        else:
            self._leave_s[bay.port] = self._now_s + self._rng.uniform(5, 20)

    def _leave(self) -> None:
        for port, at_s in list(self._leave_s.items()):
            if self._now_s >= at_s:
                self.unplug(self._building.bays[port])

    async def _start(self, bay: Bay) -> str:
        if self._api is None:
            return "no_api"
        session = f"sim-{secrets.token_hex(6)}"
        body: dict[str, object] = {"session_id": session}
        if self._cards:
            body["card"] = self._cards[0]
            self._cards.rotate(-1)  # each neighbour in turn: a purse is promised to one charge at a time
        try:
            reply: Reply = await self._api.post(f"/garage/ports/{bay.port}/start", self._token, body, session)
        except ApiAwayError:
            return "api_away"
        if not reply.ok:
            say(f"{bay.port}: charging refused: {reply.code} ({reply.detail})")
        return reply.code
