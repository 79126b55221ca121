"""Access doors of the simulated garage: a leaf, a lock, a reader beside it, and the people who come with cards.

Power-to-lock: the lock holds while the reader's relay is off. A leaf only moves when a person moves it: through an
unlocked door, by force, or not at all. The hard part is time: whoever shows a card tries the handle for a few seconds,
walks through, and lets the leaf fall shut. A user would notice as a door that nobody ever opens too late.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from firmware_sim.control import ControlError, Json, Operation, text
from firmware_sim.garage.doorconfig import DoorConfig
from firmware_sim.garage.naming import flag, named
from firmware_sim.osdp.reader import Door, ReaderBus

#: Somebody pulls at the handle for so long; an open leaf falls shut after so long.
PULL_S = 4.0
WALK_S = 2.5
STEP_S = 0.05
#: What a reader sends of a card: 26 bits, a parity over each half (Wiegand).
_HALF = 12


@dataclass(slots=True)
class Doorway:
    """One door: its ``reader`` knows the relay and the contact."""

    config: DoorConfig
    bus: ReaderBus
    reader: Door

    @property
    def locked(self) -> bool:
        return not self.reader.relay

    @property
    def is_open(self) -> bool:
        return self.reader.contact_open

    def swing(self, *, is_open: bool) -> None:
        """The leaf moves, and its contact with it."""
        self.bus.swing(self.config.address, is_open=is_open)


class DoorOrders:
    """What may be done at the doors while the garage runs."""

    def __init__(self, doors: dict[str, Doorway]) -> None:
        self._doors = doors
        self._walks: dict[str, asyncio.Task[None]] = {}

    def operations(self) -> dict[str, Operation]:
        """``card`` {door, card, prop} · ``force`` ``shut`` {door}."""
        return {"card": self.card, "force": self.force, "shut": self.shut}

    async def card(self, request: Json) -> Json:
        """A card is shown; its owner pulls, and walks through when the lock lets go. ``prop``: puts a wedge below."""
        door = self._door(request)
        card = text(request, "card", "") or next(iter(door.config.cards), "")
        door.bus.present(door.config.address, wiegand(card))
        for _ in range(round(PULL_S / STEP_S)):
            if not door.locked:
                break
            await asyncio.sleep(STEP_S)
        opened = not door.locked
        if opened:
            self._walk(door, stays=flag(request, "prop", default=False))
        return {"door": door.config.door, "card": card, "opened": opened}

    async def force(self, request: Json) -> Json:
        """Somebody breaks the door open."""
        door = self._door(request)
        self._walk(door, stays=True)
        return {"door": door.config.door}

    async def shut(self, request: Json) -> Json:
        door = self._door(request)
        self._stop(door)
        door.swing(is_open=False)
        return {"door": door.config.door}

    def _walk(self, door: Doorway, *, stays: bool) -> None:
        self._stop(door)
        door.swing(is_open=True)
        if not stays:
            self._walks[door.config.door] = asyncio.get_running_loop().create_task(self._fall_shut(door))

    def _stop(self, door: Doorway) -> None:
        walk = self._walks.pop(door.config.door, None)
        if walk is not None:
            walk.cancel()

    @staticmethod
    async def _fall_shut(door: Doorway) -> None:
        await asyncio.sleep(WALK_S)
        door.swing(is_open=False)

    def _door(self, request: Json) -> Doorway:
        return named(self._doors, text(request, "door"), "door")


def wiegand(card: str) -> str:
    """The 26 bits of ``facility:number``: even parity, 8 + 16 bits, odd parity. Raises ``ControlError``."""
    facility, _, number = card.partition(":")
    if not (facility.isdecimal() and number.isdecimal() and int(facility) < 256 and int(number) < 65_536):
        raise ControlError(f'card {card!r}: give "facility:number", like 12:34567')
    bits = f"{int(facility):08b}{int(number):016b}"
    even = bits[:_HALF].count("1") % 2
    odd = 1 - bits[_HALF:].count("1") % 2
    return f"{even}{bits}{odd}"
