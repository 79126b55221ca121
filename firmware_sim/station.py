"""One checkout lane of the simulated floor: its reader, its antenna, and what lies on it."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from firmware_sim.air15693 import AirSettings
from firmware_sim.chips import Field, Leak
from firmware_sim.control import ControlError, Json
from firmware_sim.feig import FeigReader, FeigSettings
from firmware_sim.floorconfig import LaneConfig, Physics
from firmware_sim.gen2 import Gen2Settings
from firmware_sim.line import NAMED_FAULTS, LineSettings
from firmware_sim.magicrf import MagicRfReader, MagicRfSettings
from firmware_sim.pile import Pile, Plate
from firmware_sim.program import PLUG_FAULTS, switch
from firmware_sim.ptyport import PtyPort

#: How strongly a neighbour's plates are heard while the fault "leak" is on.
LEAK_FAULT_P = 0.35
#: The whole tray is down within this time.
PUT_DOWN_S = 0.3
WASH_S = (20.0, 45.0)


def build_reader(lane: LaneConfig, field: Field, physics: Physics) -> FeigReader | MagicRfReader:
    """The lane's reader on its antenna."""
    line = LineSettings(lane.baud, lane.parity)
    if lane.protocol == "feig":
        air = AirSettings(ask_percent=physics.ask_percent, capture_db=physics.capture_db)
        return FeigReader(
            field, seed=lane.seed, line=line, settings=FeigSettings(device_id=0x20260000 + lane.seed, air=air)
        )
    settings = MagicRfSettings(air=Gen2Settings(capture_db=physics.capture_db))
    return MagicRfReader(field, seed=lane.seed, line=line, settings=settings)


class Station:
    """``held_by``: "" (free), "diner" or "user". ``diner`` is what the control socket tells about who stands here.
    ``wanted``: the user wants the lane; no diner comes to it."""

    def __init__(self, lane: LaneConfig, physics: Physics, pile: Pile, *, pace: float) -> None:
        self.lane = lane.lane
        self.family = lane.family
        self.fault = "none"
        self.held_by = ""
        self.wanted = False
        self.diner: Json | None = None
        self.plates: list[Plate] = []
        self.field = Field(lane.seed)
        self._leak_p = physics.leak_hf_p if lane.family == "hf" else physics.leak_uhf_p
        self._pile = pile
        self._pace = pace
        self._rng = random.Random(f"station {lane.lane} {lane.seed}")
        self._reader = build_reader(lane, self.field, physics)
        self._link: Path = lane.link
        self._port: PtyPort | None = None

    # --- the reader

    def open(self) -> None:
        """Plug the reader in. Needs the running loop."""
        self._port = PtyPort(self._reader, self._link, name=f"lane {self.lane}")
        self._port.plug()

    def close(self) -> None:
        if self._port is not None:
            self._port.unplug()

    @property
    def plugged(self) -> bool:
        return self._port is not None and self._port.plugged

    def is_free(self) -> bool:
        """Whether a diner may come to this lane now."""
        return self.plugged and not self.wanted and not self.held_by

    def beside(self, other: Station) -> None:
        """``other`` is a neighbour lane: this antenna hears a little of its plates with this lane's kind of chip."""
        kinds = {self.family, other.family}
        if len(kinds) == 1 or any(kinds <= plate.families for plate in self._pile.plates.values()):
            self.field.leaks.append(Leak(other.field, self._leak_p, family=self.family))

    def set_fault(self, fault: str) -> None:
        """Switch a fault; "none" ends all. Raises ``ControlError`` with the remedy."""
        if self._port is None:
            raise ControlError("the floor is still starting")
        if fault == "leak" and not self.field.leaks:
            raise ControlError(f"lane {self.lane} has no neighbour whose plates it can hear ({self.family})")
        if fault not in {"leak", *NAMED_FAULTS, *PLUG_FAULTS}:
            raise ControlError(f'"fault" must be one of: {", ".join([*NAMED_FAULTS, *PLUG_FAULTS, "leak"])}')
        for leak in self.field.leaks:
            leak.probability = LEAK_FAULT_P if fault == "leak" else self._leak_p
        switch(self._port, fault if fault != "leak" else "none")
        self.fault = fault
        if fault in {"replug", "reset"}:  # over when done; others last until another one is switched
            self._port.set_faults("none")
            self.fault = "none"

    # --- the tray

    async def put_down(self, plates: list[Plate]) -> None:
        """Put plates down one by one, all within ``PUT_DOWN_S``. Interrupted, the rest goes back to the pile."""
        pauses = [self._rng.random() for _ in plates]
        scale = PUT_DOWN_S * self._rng.uniform(0.5, 1.0) / max(sum(pauses), 1e-9)
        in_hand = list(plates)
        try:
            for pause in pauses:
                self.lay(in_hand.pop(0))
                await asyncio.sleep(pause * scale)
        finally:
            self.give_back(in_hand, sold=False)

    def lay(self, plate: Plate) -> None:
        self.field.place(plate.chip)
        self.plates.append(plate)

    def lift(self, plate: Plate, *, sold: bool) -> None:
        """Take one plate off the tray, back to the pile."""
        self.plates.remove(plate)
        self.field.remove(plate.uid)
        self.give_back([plate], sold=sold)

    def lift_all(self, *, sold: bool) -> None:
        """Take the tray away."""
        for plate in list(self.plates):
            self.lift(plate, sold=sold)

    def give_back(self, plates: list[Plate], *, sold: bool) -> None:
        """Plates go back to the pile: to be washed, or as full as they were."""
        for plate in plates:
            self._pile.back(plate, time.monotonic(), sold=sold, wash_s=self._rng.uniform(*WASH_S) * self._pace)

    def state(self) -> Json:
        """What the control socket tells about this lane."""
        return {
            "tray": [
                {
                    "uid": plate.uid,
                    "label": plate.label,
                    "dish_id": plate.dish_id,
                    "p": round(plate.chip.read_p, 3),
                    "dead": plate.chip.dead,
                }
                for plate in self.plates
            ],
            "link": "up" if self.plugged else "unplugged",
            "fault": self.fault,
            "held_by": self.held_by,
            "diner": self.diner,
        }
