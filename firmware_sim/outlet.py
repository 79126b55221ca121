"""A switched, metered outlet with a load: what the relay is told, what its contact does, what the meter says.

The hard part is that these three differ in every failure that matters: a welded contact conducts though the relay is
off, a lying firmware reports what it was told, a stuck meter repeats itself. A user would notice a model that cannot
tell them apart as a "proof of cut" that proves nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

NS_PER_HOUR = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class Measured:
    power_w: float
    current_a: float
    voltage_v: float
    power_factor: float
    energy_wh: float
    temperature_c: float


class Outlet:
    """``load_w`` is what is plugged in. Faults: ``welded`` (the contact stays closed), ``lying`` (the reported state is
    the commanded one, whatever the relay does: ``deaf`` relays do not move), ``stuck_meter``."""

    def __init__(self, *, load_w: float = 0.0, volts: float = 230.0, power_factor: float = 0.62, seed: int = 0) -> None:
        self.load_w = load_w
        self.volts = volts
        self.power_factor = power_factor
        self.commanded = False
        self.relay = False
        self.welded = False
        self.deaf = False
        self.lying = False
        self.stuck_meter = False
        self.switched = 0
        self._rng = random.Random(f"outlet {seed}")
        self._energy_wh = 0.0
        self._since_ns = 0
        self._stuck: Measured | None = None

    @property
    def conducts(self) -> bool:
        return self.relay or self.welded

    @property
    def reported(self) -> bool:
        """What the firmware says of the relay."""
        return self.commanded if self.lying else self.relay

    @property
    def power_w(self) -> float:
        return self.load_w if self.conducts else 0.0

    def switch(self, now_ns: int, *, on: bool) -> None:
        self._count(now_ns)
        self.commanded = on
        if not self.deaf and self.relay != on:
            self.relay = on
            self.switched += 1

    def plug(self, now_ns: int, load_w: float) -> None:
        self._count(now_ns)
        self.load_w = load_w

    def measure(self, now_ns: int) -> Measured:
        """What the meter says: 0.5 % of noise, or for ever the same when stuck."""
        self._count(now_ns)
        if self.stuck_meter and self._stuck is not None:
            return self._stuck
        volts = round(self.volts * self._rng.gauss(1, 0.002), 1)
        power = round(self.power_w * self._rng.gauss(1, 0.005), 1) if self.power_w else 0.0
        current = round(power / volts / self.power_factor, 3) if volts and power else 0.0
        factor = self.power_factor if power else 0.0
        heat = 30 + 0.01 * self.power_w + self._rng.gauss(0, 0.2)
        self._stuck = Measured(power, current, volts, factor, round(self._energy_wh, 3), round(heat, 1))
        return self._stuck

    def _count(self, now_ns: int) -> None:
        self._energy_wh += self.power_w * (now_ns - self._since_ns) / NS_PER_HOUR
        self._since_ns = now_ns
