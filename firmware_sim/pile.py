"""The canteen's pile of plates, and where each plate is: clean, being filled, full, on a tray, dirty.

The hard part is to know which plates can be put on a tray so that they are priced: bound to the asked dish and not
sold since. The pile believes what the API confirmed, nothing else. A user would notice a mistake as an asked dish
that shows as sold. Time is monotonic seconds, given by the caller.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from firmware_sim.chips import Chip, draw_read_p
from firmware_sim.floorconfig import FloorConfig, Physics, PlateConfig

#: Clean plates per kind of chip that are never filled: trays with an unbound plate take them.
RESERVE = 2


class Where(StrEnum):
    CLEAN = "clean"
    RESERVE = "reserve"
    FILLING = "filling"
    FULL = "full"
    TRAY = "tray"
    DIRTY = "dirty"
    STRANGE = "strange"


@dataclass(slots=True, eq=False)
class Plate:
    """``dish_id`` is what the canteen has it bound to, None before its first filling. STRANGE plates belong to no
    canteen; FILLING ones wait for the canteen's word."""

    chip: Chip
    where: Where = Where.CLEAN
    dish_id: str | None = None
    clean_at_s: float = 0.0

    @property
    def uid(self) -> str:
        return self.chip.uid

    @property
    def families(self) -> frozenset[str]:
        return self.chip.families

    @property
    def label(self) -> str:
        return self.chip.label


def build_chip(plate: PlateConfig, seed: int, physics: Physics) -> Chip:
    """A chip whose read probability depends on seed and UID only."""
    rng = random.Random(f"chip {seed} {plate.uid}")
    read_p = draw_read_p(rng, physics.beta_a, physics.beta_b)
    return Chip(plate.uid, read_p=read_p, label=plate.label, families=plate.families)


class Pile:
    """All plates of the canteen."""

    def __init__(self, config: FloorConfig) -> None:
        self._config = config
        self._rng = random.Random(f"pile {config.seed}")
        self.plates = {plate.uid: Plate(build_chip(plate, config.seed, config.physics)) for plate in config.plates}
        for family in ("hf", "uhf"):
            own = [plate for plate in self.plates.values() if family in plate.families and plate.where is Where.CLEAN]
            spare = RESERVE if len(own) >= 8 * RESERVE else 0
            for plate in own[len(own) - spare :]:
                plate.where = Where.RESERVE

    def clean(self, family: str, count: int) -> list[Plate]:
        """Up to ``count`` clean plates to fill."""
        found = [p for p in self.plates.values() if p.where is Where.CLEAN and family in p.families]
        return found[:count]

    def full(self, family: str, dish_id: str | None = None) -> list[Plate]:
        """Plates bound and not sold, of one dish or of all."""
        return [
            plate
            for plate in self.plates.values()
            if plate.where is Where.FULL and family in plate.families and dish_id in {None, plate.dish_id}
        ]

    def on_sale(self, family: str) -> list[str]:
        """Dishes with at least one full plate, in the order of the menu."""
        there = {plate.dish_id for plate in self.full(family)}
        return [dish.dish_id for dish in self._config.dishes if dish.dish_id in there]

    def take(self, family: str, dish_id: str) -> Plate | None:
        """A full plate of the dish, for a tray."""
        plate = next(iter(self.full(family, dish_id)), None)
        if plate is not None:
            plate.where = Where.TRAY
        return plate

    def take_unbound(self, family: str) -> Plate | None:
        """A plate that was never filled, for a tray."""
        for where in (Where.RESERVE, Where.CLEAN):
            for plate in self.plates.values():
                if plate.where is where and plate.dish_id is None and family in plate.families:
                    plate.where = Where.TRAY
                    return plate
        return None

    def strange(self, family: str) -> Plate:
        """A plate of some other canteen: its chip is in no registry here."""
        while True:
            uid = f"e004{self._rng.getrandbits(48):012x}" if family == "hf" else f"e280{self._rng.getrandbits(80):020x}"
            if uid not in self.plates:
                unknown = PlateConfig(uid, "?", frozenset({family}))
                return Plate(build_chip(unknown, self._config.seed, self._config.physics), Where.STRANGE)

    def filled(self, plates: Iterable[Plate], dish_id: str) -> None:
        """The canteen confirmed the filling."""
        for plate in plates:
            plate.where = Where.FULL
            plate.dish_id = dish_id

    def back(self, plate: Plate, now_s: float, *, sold: bool, wash_s: float) -> None:
        """A plate comes off a tray: eaten from and to be washed, or as full as before. A dead chip gets replaced,
        under the same number, so that a long demo does not run out of plates."""
        if plate.where is not Where.TRAY:
            return
        plate.chip.dead = False
        if plate.dish_id is None:
            plate.where = Where.RESERVE
        elif sold:
            plate.where, plate.clean_at_s = Where.DIRTY, now_s + wash_s
        else:
            plate.where = Where.FULL

    def wash(self, now_s: float) -> None:
        """Plates whose washing is over are clean."""
        for plate in self.plates.values():
            if plate.where is Where.DIRTY and plate.clean_at_s <= now_s:
                plate.where = Where.CLEAN
