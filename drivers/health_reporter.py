"""Says how a device is: on each change, and once a minute."""

from __future__ import annotations

from collections.abc import Callable

from drivers.engine import NS_PER_MS
from edge.domain.devices import DeviceHealth, DeviceState

REPEAT_NS = 60_000 * NS_PER_MS
_LOST = DeviceState.LOST


class HealthReporter:
    """Keeps state, problem and detail. ``counters`` gives (frames, refused, noise bytes, time-outs) since open."""

    def __init__(self, counters: Callable[[], tuple[int, int, int, int]]) -> None:
        self._counters = counters
        self._told: tuple[DeviceState, str, str] | None = None
        self._told_ns = 0
        #: As told last; plain attributes, for they are asked for at each message.
        self.state: DeviceState | None = None
        self.problem = ""

    def change(self, state: DeviceState, problem: str, detail: str, now_ns: int) -> list[DeviceHealth]:
        """The health to report if anything but the counters differs from the last one, else nothing."""
        if (state, problem, detail) == self._told:
            return []
        self._told = (state, problem, detail)
        self.state, self.problem = state, problem
        return [self._tell(now_ns)]

    def repeat(self, now_ns: int) -> list[DeviceHealth]:
        """The health once more if its minute has passed."""
        deadline = self.deadline()
        return [self._tell(now_ns)] if deadline is not None and now_ns >= deadline else []

    def deadline(self) -> int | None:
        state = self.state
        return None if state is None or state is _LOST else self._told_ns + REPEAT_NS

    def _tell(self, now_ns: int) -> DeviceHealth:
        assert self._told is not None
        self._told_ns = now_ns
        state, problem, detail = self._told
        frames, refused, noise_bytes, timeouts = self._counters()
        return DeviceHealth(
            state=state,
            problem=problem,
            detail=detail,
            frames=frames,
            refused=refused,
            noise_bytes=noise_bytes,
            timeouts=timeouts,
        )
