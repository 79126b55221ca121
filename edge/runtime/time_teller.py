"""Tells devices what time it is: when one becomes ready, after a step of the clock, and once an hour.

Drivers have no clock, and some wires need one (a breaker refuses an order whose time has passed). The hard part is not
to spread a wrong time: nothing is told while the box does not trust its own clock. A user would notice a mistake as
chargers that refuse to close, for no reason that any page shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from edge.domain.devices import DeviceState
from edge.domain.field_devices import SetClock
from edge.runtime.clock import Clock

EVERY_NS = 3_600_000_000_000
#: A wall clock that moved by so much against the monotonic one was set.
STEP_NS = 500_000_000


class TimeTeller:
    """``send`` gives one device a command; it is called only for devices that are ready."""

    def __init__(self, clock: Clock, send: Callable[[str, SetClock], object]) -> None:
        self._clock = clock
        self._send = send
        self._ready: set[str] = set()
        self._told: dict[str, tuple[int, int]] = {}

    def heard(self, device: str, state: DeviceState) -> None:
        """The device (or its link) said how it is. One that becomes ready is told at once."""
        if state is not DeviceState.READY:
            self._ready.discard(device)
            self._told.pop(device, None)
        elif device not in self._ready:
            self._ready.add(device)
            self._tell((device,))

    def beat(self) -> None:
        """Once a second: whoever is due is told."""
        self._tell(self._ready)

    def _tell(self, devices: Iterable[str]) -> None:
        if not self._clock.wall_trusted():
            return
        wall_ns, mono_ns = self._clock.wall_ns(), self._clock.mono_ns()
        for device in tuple(devices):
            told = self._told.get(device)
            if told is not None:
                moved_ns = (wall_ns - told[0]) - (mono_ns - told[1])
                if abs(moved_ns) < STEP_NS and mono_ns - told[1] < EVERY_NS:
                    continue
            self._told[device] = (wall_ns, mono_ns)
            self._send(device, SetClock(wall_ns))
