"""The building: mains, contactors, bays with what is plugged in, smoke that spreads, people who press buttons.

One physics for all devices: a plug, its meter and the contactor above it are parts of one circuit, so a cut shows where
it would show in the field. Nothing here speaks a protocol. The hard part is what a cut leaves: behind an open contactor
the plugs themselves have no power and fall silent, a breaker's electronics are fed from before it and go on saying
"0 W". A user would notice a kinder building as a product that waits for the word of a plug that is dead.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.dlt645 import Meter
from firmware_sim.garage.charge import Charger
from firmware_sim.outlet import Outlet

#: Smoke, as the share of what makes a head at the source alarm (our assumption; only the order of heads matters).
FIRST_PUFF = 0.15
GROWS_PER_S = 0.045
CLEARS_PER_S = 0.12
MOST = 1.2
ALARMS_AT, CALM_AT = 0.10, 0.05
#: How much more smoke each farther head needs; heat needs a real fire.
PER_HEAD = 0.35
HEAT_AT = 0.9
#: What notices smoke: heads, and the panel by heads of its own.
SMELLS = ("smoke", "panel_fire")
#: A loose plug is out of contact so long, and in contact so long (mean, s).
LOOSE_OUT_S, LOOSE_IN_S = 20.0, 40.0


@dataclass(slots=True)
class Head:
    """A detector, call point or switch of a zone. ``order``: 0 hears first. ``said`` is what the world lets it say;
    ``stuck`` it says alarm for ever, ``blind`` it never notices anything."""

    source: str
    zone: str
    kind: str
    order: float
    alarm: bool = False
    forced: bool = False
    stuck: bool = False
    blind: bool = False


@dataclass(slots=True)
class Bay:
    """One charging place. ``set_load(watts)`` tells the socket what hangs on it."""

    port: str
    zone: str
    socket: Outlet | Meter
    set_load: Callable[[float], None]
    chargers: list[Charger] = field(default_factory=list)
    loose: bool = False
    in_contact: bool = True

    @property
    def demand_w(self) -> float:
        return sum(each.demand_w for each in self.chargers) if self.in_contact else 0.0


@dataclass(slots=True)
class Contactor:
    """``closed`` looks at the copper, not at the coil."""

    output: str
    closed: Callable[[], bool]


@dataclass(slots=True)
class Zone:
    """``fed``: the building's feed to it. ``smoke``: how much there is; ``most``: how far it may grow."""

    zone: str
    contactors: list[Contactor] = field(default_factory=list)
    fed: bool = True
    burning: bool = False
    most: float = MOST
    smoke: float = 0.0

    @property
    def live(self) -> bool:
        """Whether the sockets of the zone have mains."""
        return self.fed and all(each.closed() for each in self.contactors)


class Building:
    """``step`` moves time; everything else is done to it by devices and people."""

    def __init__(self, zones: list[Zone], seed: int, speed: float = 1.0) -> None:
        self.zones = {zone.zone: zone for zone in zones}
        self.bays: dict[str, Bay] = {}
        self.heads: dict[str, Head] = {}
        self.speed = speed
        self._rng = random.Random(f"building {seed}")

    def step(self, seconds: float) -> list[Head]:
        """Move on; gives the heads whose word has changed."""
        for bay in self.bays.values():
            self._electricity(bay, seconds)
        for zone in self.zones.values():
            grown = zone.smoke + seconds * (GROWS_PER_S if zone.burning else -CLEARS_PER_S)
            zone.smoke = min(zone.most, max(0.0, grown)) if zone.burning else max(0.0, grown)
        return [head for head in self.heads.values() if self._notice(head)]

    def _electricity(self, bay: Bay, seconds: float) -> None:
        zone = self.zones[bay.zone]
        if bay.loose:
            mean_s = LOOSE_IN_S if bay.in_contact else LOOSE_OUT_S
            if self._rng.random() < seconds / mean_s:
                bay.in_contact = not bay.in_contact
        else:
            bay.in_contact = True
        powered = zone.live and bay.socket.conducts and bay.in_contact
        for charger in bay.chargers:
            if powered:
                charger.live(seconds, self.speed)
            else:
                charger.dead()
        bay.set_load(bay.demand_w if zone.live else 0.0)

    def _notice(self, head: Head) -> bool:
        """Whether the head has changed its mind."""
        before, zone = head.alarm, self.zones[head.zone]
        if head.stuck:
            head.alarm = True
        elif head.blind:
            head.alarm = False
        elif head.kind in SMELLS:
            felt = zone.smoke - PER_HEAD * head.order
            head.alarm = head.forced or felt >= (CALM_AT if head.alarm else ALARMS_AT)
        elif head.kind == "heat":
            head.alarm = head.forced or zone.smoke >= HEAT_AT
        else:
            head.alarm = head.forced
        return head.alarm is not before

    def ignite(self, name: str, *, one_head: bool) -> None:
        """Smoke begins. ``one_head``: a little, that only the nearest head notices."""
        zone = self.zones[name]
        zone.burning = True
        zone.most = ALARMS_AT + PER_HEAD / 2 if one_head else MOST
        zone.smoke = max(zone.smoke, FIRST_PUFF)

    def air(self, name: str) -> None:
        """The smoke is let out, buttons are pulled back, what was forced ends."""
        self.zones[name].burning = False
        for head in self.heads.values():
            if head.zone == name:
                head.forced = False
