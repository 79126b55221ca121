"""The simulated canteen floor: lanes with readers on pseudo-terminals, a kitchen, diners, and the control socket of
the demo.

    python -m firmware_sim.floor --config FILE.json

The file is described in ``firmware_sim.floorconfig``. The floor never ends because the API is away: it says so once
and goes on when it is back. A tray that the user puts down by the control socket takes precedence over diners; it
stays until the user removes it, or some seconds after it was paid.

Control socket, one JSON object a line: ``state``; ``place`` {lane, dishes, unknown, dead, unbound, card}; ``remove``
{lane}; ``fault`` {lane, fault}; ``diners`` {on, per_minute}.
"""

from __future__ import annotations

import asyncio
import random
import sys
from itertools import pairwise

from firmware_sim import stage
from firmware_sim.canteenapi import ApiAwayError, CanteenApi, say
from firmware_sim.control import ControlError, Json, Operation, number, serve, text, texts
from firmware_sim.crowd import Crowd
from firmware_sim.floorconfig import FloorConfig, load
from firmware_sim.kitchen import Kitchen
from firmware_sim.laneview import read_view
from firmware_sim.pile import Pile, Plate
from firmware_sim.station import Station

#: The demo page waits 3 s for an answer.
PROVIDE_S = 2.0
MAX_TRAY = 16
#: A paid tray that the user put down is taken away after this time.
AFTER_PAID_S = 6.0
LOOK_EVERY_S = 0.5


class Floor:
    """All of it, wired together. ``live`` runs until cancelled."""

    def __init__(self, config: FloorConfig) -> None:
        self._config = config
        self._api = CanteenApi(config.api)
        self._pile = Pile(config)
        self._kitchen = Kitchen(config, self._api, self._pile)
        self._crowd = Crowd(config, self._api, self._pile, self._kitchen)
        self._stations = {
            lane.lane: Station(lane, config.physics, self._pile, pace=config.pace) for lane in config.lanes
        }
        self._dishes = {dish.dish_id for dish in config.dishes}
        self._rng = random.Random(f"user {config.seed}")
        self._watchers: dict[str, asyncio.Task[None]] = {}
        for left, right in pairwise(self._stations.values()):
            left.beside(right)
            right.beside(left)

    async def live(self) -> int:
        """Open lanes and socket, let people in, until cancelled."""
        server = None
        tasks: list[asyncio.Task[None]] = []
        try:
            server = await serve(self._config.control, self.operations())
            for station in self._stations.values():
                station.open()
            tasks = [asyncio.create_task(self._kitchen.work()), asyncio.create_task(self._kitchen.top_up_members())]
            tasks += [asyncio.create_task(self._crowd.serve(station)) for station in self._stations.values()]
            tasks.append(asyncio.create_task(self._crowd.arrive()))
            for lane in self._config.lanes:
                say(f"lane {lane.lane}: {lane.protocol} at {lane.link}")
            say("ready")
            await self._until_one_fails(tasks)
        finally:
            for task in [*tasks, *self._watchers.values()]:
                task.cancel()
            for station in self._stations.values():
                station.close()
            if server is not None:
                server.close()
                self._config.control.unlink(missing_ok=True)
        return 1

    async def _until_one_fails(self, tasks: list[asyncio.Task[None]]) -> None:
        """The people's tasks go on for ever (only the top-up ends); one that raises is a bug, shown whole."""
        waiting = set(tasks)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()

    def operations(self) -> dict[str, Operation]:
        """The operations of the control socket."""
        return {
            "state": self._state,
            "place": self._place,
            "remove": self._remove,
            "fault": self._fault,
            "diners": self._diners,
        }

    # --- control operations

    async def _state(self, _request: Json) -> Json:
        return {
            "lanes": {name: station.state() for name, station in self._stations.items()},
            "diners": {"on": self._crowd.on, "per_minute": self._crowd.per_minute},
            "members": [{"card": member.card, "label": member.label} for member in self._config.members],
        }

    async def _place(self, request: Json) -> Json:
        station = self._station(request)
        dishes = texts(request, "dishes")
        counts = {kind: number(request, kind, 0, MAX_TRAY) for kind in ("unknown", "dead", "unbound")}
        card = text(request, "card", "")
        total = len(dishes) + sum(counts.values())
        if not 1 <= total <= MAX_TRAY:
            raise ControlError(f"a tray holds 1 to {MAX_TRAY} plates, not {total}")
        strangers = [dish for dish in dishes if dish not in self._dishes]
        if strangers:
            raise ControlError(f"not on today's menu: {', '.join(strangers)}")
        station.wanted = True
        try:
            plates = await self._gather(station, dishes, counts)
            await self._take_over(station)
        except BaseException:
            station.wanted = bool(station.held_by == "user")
            raise
        self._watchers[station.lane] = asyncio.create_task(self._watch(station, plates, card))
        await asyncio.sleep(0)  # it has begun: cancelled from here on, it gives the plates back
        return {"plates": [{"uid": p.uid, "label": p.label, "dish_id": p.dish_id, "dead": p.chip.dead} for p in plates]}

    async def _remove(self, request: Json) -> Json:
        station = self._station(request)
        station.wanted = True
        try:
            await self._take_over(station)
        finally:
            station.held_by, station.wanted = "", False
        return {}

    async def _fault(self, request: Json) -> Json:
        self._station(request).set_fault(text(request, "fault"))
        return {}

    async def _diners(self, request: Json) -> Json:
        on = request.get("on")
        if not isinstance(on, bool):
            raise ControlError('"on" must be true or false')
        self._crowd.switch(on=on, per_minute=max(1, number(request, "per_minute", self._crowd.per_minute, 60)))
        return {"on": self._crowd.on, "per_minute": self._crowd.per_minute}

    def _station(self, request: Json) -> Station:
        name = text(request, "lane")
        station = self._stations.get(name)
        if station is None:
            raise ControlError(f"no lane {name!r}; lanes are {', '.join(self._stations)}")
        return station

    # --- the user's tray

    async def _gather(self, station: Station, dishes: list[str], counts: dict[str, int]) -> list[Plate]:
        """Plates for the user's tray: of each dish one, then dead, unbound and unknown ones. All or none."""
        dead = [self._rng.choice(sorted(self._dishes)) for _ in range(counts["dead"])]
        plates: list[Plate] = []
        try:
            async with asyncio.timeout(PROVIDE_S):
                for dish in dishes + dead:
                    plates += [await self._full_plate(station, dish)]
            for plate in plates[len(dishes) :]:
                plate.chip.dead = True
            for _ in range(counts["unbound"]):
                plates += [self._unbound_plate(station)]
        except ControlError:
            station.give_back(plates, sold=False)
            raise
        except TimeoutError as error:
            station.give_back(plates, sold=False)
            raise ControlError("plates could not be filled in time: the API is away or slow") from error
        return plates + [self._pile.strange(station.family) for _ in range(counts["unknown"])]

    async def _full_plate(self, station: Station, dish: str) -> Plate:
        found = await self._kitchen.provide(station.family, dish, 1)
        if not found:
            raise ControlError(f"no plate can be filled with {dish} now: none is left, or the API is away")
        return found[0]

    def _unbound_plate(self, station: Station) -> Plate:
        plate = self._pile.take_unbound(station.family)
        if plate is None:
            raise ControlError("every plate of the pile has been filled once: there is no unbound one left")
        return plate

    async def _take_over(self, station: Station) -> None:
        """Clear the lane for the user: an earlier tray of the user's goes, a diner steps aside."""
        watcher = self._watchers.pop(station.lane, None)
        if watcher is not None:
            watcher.cancel()
            await asyncio.wait({watcher})
        await self._crowd.step_aside(station)
        station.held_by = "user"

    async def _watch(self, station: Station, plates: list[Plate], card: str) -> None:
        """Put the user's tray down, show the card, and take the tray away some time after it was paid."""
        paid = False
        try:
            await station.put_down(plates)
            if card:
                await self._identify(station.lane, card)
            while not paid:
                await asyncio.sleep(LOOK_EVERY_S)
                paid = await self._is_paid(station.lane)
            await asyncio.sleep(AFTER_PAID_S * self._config.pace)
            station.held_by, station.wanted = "", False
        finally:
            # Unsure whether it was paid: filled anew, a plate is right either way.
            station.lift_all(sold=True)

    async def _identify(self, lane: str, card: str) -> None:
        token = self._config.terminal_tokens[lane]
        key = self._kitchen.key("identify")
        try:
            reply = await self._api.post(f"/canteen/lanes/{lane}/identify", token, {"card": card}, key)
        except ApiAwayError:
            return
        if not reply.ok:
            say(f"lane {lane}: card {card} refused: {reply.code} ({reply.detail})")

    async def _is_paid(self, lane: str) -> bool:
        try:
            reply = await self._api.get(f"/canteen/lanes/{lane}", self._config.terminal_tokens[lane])
        except ApiAwayError:
            return False
        view = read_view(reply)
        return reply.ok and view.phase == "paid" and bool(view.paid_order)


def main() -> int:
    """See ``firmware_sim.stage.start``."""
    description = "The simulated canteen floor of the demo."
    return stage.start("firmware_sim.floor", description, load, lambda config: Floor(config).live)


if __name__ == "__main__":
    sys.exit(main())
