"""One gym box in simulated time: as the garage's, with wires beside the broker.

Readings of a gym wait for nobody: the broker keeps nothing for it, so what comes while it is dead or not yet committed
is gone, and only the machines' own counters can tell of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from _box import Box

from drivers.messages import parse_message
from edge.domain.field_devices import SetClock
from edge.domain.gym.settings import GymConfig
from edge.runtime.clock import ManualClock


class GymBox(Box):
    """``sent(device, data)`` takes bytes for a wire. ``heard_reps``: repetitions that a living box was told."""

    vertical = "gym"

    def __init__(
        self, folder: Path, config: GymConfig, devices: Any, clock: ManualClock, sent: Callable[[str, bytes], None]
    ) -> None:
        super().__init__(folder, SimpleNamespace(gym=config), devices, clock, lambda _topic, _payload: None)
        self._on_wire = sent

    def start(self) -> None:
        super().start()
        for device, driver in self._drivers.items():
            self._take(device, driver.command(SetClock(self.clock.now_wall_ns), self.clock.mono_ns()))

    def deliver(self, topic: str, payload: str, *, retain: bool = False) -> None:
        if self.alive:
            self._message(topic, payload, retain=retain)

    def heard(self, device: str, data: bytes) -> None:
        """Bytes came over a wire."""
        if self.alive:
            self._take(device, self._drivers[device].received(data, self.clock.mono_ns()))

    def link(self, device: str, *, up: bool) -> None:
        """A wire, or the connection to the broker of one device, is gone or back."""
        if not self.alive:
            return
        now_ns = self.clock.mono_ns()
        driver = self._drivers[device]
        self._take(device, driver.opened(now_ns) if up else driver.closed(now_ns))
        if up and self.alive:
            self._take(device, driver.command(SetClock(self.clock.now_wall_ns), now_ns))

    def wireless(self) -> list[str]:
        """Devices behind the broker."""
        return [device for device, driver in self._drivers.items() if getattr(driver, "topics", ())]

    def _write(self, device: str, data: bytes) -> None:
        if parse_message(data) is None:
            self._on_wire(device, data)
