"""Kitchen and desk of the simulated canteen: fill plates, top up purses, help with plates that cannot be read.

Everything goes through the HTTP API, as it would with people. Each command has an Idempotency-Key that is new for each
filling and fixed for each top-up, so that a restarted floor never pays a purse twice.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import time
from collections.abc import Iterator

from firmware_sim.canteenapi import ApiAwayError, CanteenApi, Reply, say
from firmware_sim.floorconfig import DishConfig, FloorConfig
from firmware_sim.pile import Pile, Plate, Where

#: Full plates of a dish that the kitchen likes to have on the counter, per kind of chip.
TARGET_PER_DISH = 4
TOP_UP_FEN = 20_000
LOOK_EVERY_S = 1.0
#: While the API is away or refuses: pause between tries, and how often it is said again.
RETRY_S = 3.0
SAY_EVERY_S = 60.0


class Kitchen:
    """Keeps plates filled; ``key`` makes command ids that no earlier run has used."""

    def __init__(self, config: FloorConfig, api: CanteenApi, pile: Pile) -> None:
        self._config = config
        self._api = api
        self._pile = pile
        self._rng = random.Random(f"kitchen {config.seed}")
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._dishes = {dish.dish_id: dish for dish in config.dishes}
        self._families = {lane.family for lane in config.lanes}
        self._unsellable: set[str] = set()
        self._said_s = -SAY_EVERY_S

    def key(self, what: str) -> str:
        """A new command or order id."""
        return f"{what}-{self._run}-{next(self._numbers)}"

    async def work(self) -> None:
        """Wash and fill plates, for ever."""
        while True:
            self._pile.wash(time.monotonic())
            pause_s = LOOK_EVERY_S if await self._fill_counter() else RETRY_S
            await asyncio.sleep(pause_s)

    async def provide(self, family: str, dish_id: str, count: int) -> list[Plate]:
        """``count`` full plates of a dish, filled now if need be. Fewer when no plate is left to fill or the API is
        away."""
        plates: list[Plate] = []
        for _ in range(3 * count):
            plate = self._pile.take(family, dish_id)
            if plate is not None:
                plates.append(plate)
                if len(plates) == count:
                    break
                continue
            missing = count - len(plates)
            empty = self._pile.clean(family, missing) or self._most_common(family, dish_id, missing)
            if not empty or not await self._fill(self._dishes[dish_id], empty):
                break
        return plates

    async def key_plate(self, lane: str, tray_id: str, plate: Plate) -> bool:
        """The cashier types the label of a plate whose chip is silent."""
        body: dict[str, object] = {"tray_id": tray_id, "label": plate.label}
        reply = await self._desk(f"/canteen/lanes/{lane}/key-plate", self._config.cashier_token, body, "key-plate")
        return reply is not None and reply.ok

    async def _desk(self, path: str, token: str, body: dict[str, object], what: str) -> Reply | None:
        try:
            reply = await self._api.post(path, token, body, self.key(what))
        except ApiAwayError:
            return None
        if not reply.ok:
            say(f"{what} {path}: refused: {reply.code} ({reply.detail})")
        return reply

    # --- filling

    async def _fill_counter(self) -> bool:
        """Fill the emptiest dishes first. False when the API did not take it."""
        for family in sorted(self._families):
            for dish, plates in self._plan(family):
                if not await self._fill(dish, plates):
                    return False
        return True

    def _plan(self, family: str) -> Iterator[tuple[DishConfig, list[Plate]]]:
        """Which clean plates get which dish: round after round, so that each dish has one before any has two."""
        clean = self._pile.clean(family, len(self._pile.plates))
        wanted: dict[str, list[Plate]] = {}
        for level in range(1, TARGET_PER_DISH + 1):
            for dish in self._config.dishes:
                have = len(self._pile.full(family, dish.dish_id)) + len(wanted.get(dish.dish_id, ()))
                if clean and have < level and dish.dish_id not in self._unsellable:
                    wanted.setdefault(dish.dish_id, []).append(clean.pop())
        for dish_id, plates in wanted.items():
            yield self._dishes[dish_id], plates

    def _most_common(self, family: str, dish_id: str, count: int) -> list[Plate]:
        """Full plates of the dish of which most stand there: they get another dish."""
        groups: dict[str | None, list[Plate]] = {}
        for plate in self._pile.full(family):
            if plate.dish_id != dish_id:
                groups.setdefault(plate.dish_id, []).append(plate)
        return max(groups.values(), key=len, default=[])[:count]

    async def _fill(self, dish: DishConfig, plates: list[Plate]) -> bool:
        """Bind plates to a dish; they are nobody's while the canteen has not answered. True when it took them."""
        plates = [plate for plate in plates if plate.where in {Where.CLEAN, Where.FULL}]
        before = [plate.where for plate in plates]
        if not plates:
            return True
        for plate in plates:
            plate.where = Where.FILLING
        reply: Reply | None = None
        try:
            reply = await self._bind(dish, plates)
        finally:
            if reply is not None and reply.ok:
                self._pile.filled(plates, dish.dish_id)
            else:
                # A filling that was not confirmed may have happened: such a plate is no longer what it was.
                for plate, where in zip(plates, before, strict=True):
                    plate.where = where if reply is not None else Where.CLEAN
        return reply is not None and reply.ok

    async def _bind(self, dish: DishConfig, plates: list[Plate]) -> Reply | None:
        body: dict[str, object] = {"dish_id": dish.dish_id, "plate_uids": [plate.uid for plate in plates]}
        if dish.grams is not None:
            body["grams"] = max(20, round(self._rng.gauss(dish.grams, dish.grams * 0.12)))
        try:
            reply = await self._api.post("/canteen/bindings", self._config.kitchen_token, body, self.key("bind"))
        except ApiAwayError:
            self._complain("plates cannot be filled: the API is away")
            return None
        if not reply.ok:
            self._refused(dish, reply)
        return reply

    def _refused(self, dish: DishConfig, reply: Reply) -> None:
        if reply.status in {401, 403}:
            self._complain(
                f"filling plates: {reply.code} ({reply.detail}); give `tokens.kitchen` a token of role kitchen"
            )
        elif reply.code in {"unknown_dish", "bad_value"}:
            self._unsellable.add(dish.dish_id)
            say(f"filling plates with {dish.dish_id}: refused: {reply.code} ({reply.detail}); this dish is left out")
        else:
            self._complain(f"filling plates with {dish.dish_id}: {reply.code} ({reply.detail})")

    def _complain(self, line: str) -> None:
        """Say it, but at most once a minute."""
        now_s = time.monotonic()
        if now_s - self._said_s >= SAY_EVERY_S:
            self._said_s = now_s
            say(line)

    # --- purses

    async def top_up_members(self) -> None:
        """Top up each purse once, under an id that is the same in every run."""
        for member in self._config.members:
            await self._top_up(member.token)

    async def _top_up(self, member: str) -> None:
        path = f"/canteen/members/{member}/top-ups"
        body: dict[str, object] = {"fen": TOP_UP_FEN, "method": "cash"}
        while True:
            try:
                reply = await self._api.post(path, self._config.cashier_token, body, f"sim-top-up-{member}")
            except ApiAwayError:
                self._complain("purses cannot be topped up: the API is away")
            else:
                if reply.status not in {401, 403, 429} and reply.status < 500:
                    if not reply.ok:
                        say(f"top-up of {member}: refused: {reply.code} ({reply.detail})")
                    return
                self._complain(
                    f"top-up of {member}: {reply.code} ({reply.detail}); `tokens.cashier` must be a cashier's"
                )
            await asyncio.sleep(RETRY_S)
