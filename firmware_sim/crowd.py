"""Where diners come from and what they choose."""

from __future__ import annotations

import asyncio
import contextlib
import random

from firmware_sim.canteenapi import CanteenApi, say
from firmware_sim.diners import Diner, Tray
from firmware_sim.floorconfig import FloorConfig, MemberConfig
from firmware_sim.kitchen import Kitchen
from firmware_sim.pile import Pile, Plate
from firmware_sim.station import Station

#: Diners who wait for a free lane; more see the queue and go elsewhere.
MAX_QUEUE = 6
MEMBER_SHARE = 0.7
LOOK_S = 0.2
FEWEST_DISHES, MOST_DISHES = 3, 5


class Crowd:
    """Sends diners to free lanes, ``per_minute`` on average over the whole floor."""

    def __init__(self, config: FloorConfig, api: CanteenApi, pile: Pile, kitchen: Kitchen) -> None:
        self.on = config.diners
        self.per_minute = config.per_minute
        self._config = config
        self._api = api
        self._pile = pile
        self._kitchen = kitchen
        self._rng = random.Random(f"crowd {config.seed}")
        self._queue: asyncio.Queue[MemberConfig | None] = asyncio.Queue(MAX_QUEUE)
        self._visits: dict[str, asyncio.Task[bool]] = {}
        self._busy_members: set[str] = set()
        self._changed = asyncio.Event()

    def switch(self, *, on: bool, per_minute: int) -> None:
        """Diners come, or stop coming; those at a lane finish."""
        self.on, self.per_minute = on, per_minute
        self._changed.set()
        while not on and not self._queue.empty():
            self._queue.get_nowait()

    async def arrive(self) -> None:
        """Diners join the queue, for ever."""
        while True:
            if self.on and not self._queue.full():
                self._queue.put_nowait(self._who())
            self._changed.clear()
            pause_s = min(60.0, self._rng.expovariate(self.per_minute / 60))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s if self.on else None):
                    await self._changed.wait()

    async def serve(self, station: Station) -> None:
        """Let one diner after the other use a lane, for ever."""
        while True:
            await asyncio.sleep(max(0.03, LOOK_S * self._config.pace))
            if not station.is_free() or self._queue.empty():
                continue
            member = self._queue.get_nowait()
            plates = self._choose(station.family)
            if not plates or not station.is_free():
                station.give_back(plates, sold=False)
                continue
            await self._visit(station, Tray(plates, member))
            await asyncio.sleep(self._rng.uniform(1.0, 2.5) * self._config.pace)

    async def step_aside(self, station: Station) -> None:
        """The diner at this lane takes the tray and goes."""
        visit = self._visits.get(station.lane)
        if visit is not None:
            visit.cancel()
            await asyncio.wait({visit})

    async def _visit(self, station: Station, tray: Tray) -> None:
        visit = asyncio.create_task(self._diner(station).visit(tray))
        self._visits[station.lane] = visit
        if tray.member is not None:
            self._busy_members.add(tray.member.card)
        try:
            await asyncio.wait({visit})
        finally:
            visit.cancel()
            self._visits.pop(station.lane, None)
            if tray.member is not None:
                self._busy_members.discard(tray.member.card)
        if not visit.cancelled() and visit.exception() is not None:
            say(f"lane {station.lane}: a diner fell over: {visit.exception()!r}")

    def _diner(self, station: Station) -> Diner:
        token = self._config.terminal_tokens[station.lane]
        rng = random.Random(self._rng.getrandbits(64))
        return Diner(station, self._api, self._kitchen, token, rng=rng, pace=self._config.pace)

    def _who(self) -> MemberConfig | None:
        idle = [member for member in self._config.members if member.card not in self._busy_members]
        return self._rng.choice(idle) if idle and self._rng.random() < MEMBER_SHARE else None

    def _choose(self, family: str) -> list[Plate]:
        """3 to 5 dishes, each once (none while the counter is nearly empty); now and then a plate that cannot be
        priced, now and then a chip that has died."""
        dishes = self._pile.on_sale(family)
        if len(dishes) < min(FEWEST_DISHES, len(self._config.dishes)):
            return []
        count = min(len(dishes), self._rng.randint(FEWEST_DISHES, MOST_DISHES))
        plates = [plate for dish in self._rng.sample(dishes, count) if (plate := self._pile.take(family, dish))]
        if plates and self._rng.random() < self._config.physics.wrong_plate_p:
            unbound = self._pile.take_unbound(family) if self._rng.random() < 0.5 else None
            plates.append(unbound or self._pile.strange(family))
        for plate in plates:
            if self._rng.random() < self._config.physics.dead_p:
                plate.chip.dead = True
        self._rng.shuffle(plates)
        return plates
