"""The daemon's eye on the history process: what that says of itself, and its silence, enter as the health of a device.

So an alarm about lost samples is raised, shown, acknowledged and logged like any other, by the kernel that has alarms;
and a history that hangs never touches the daemon. A user would notice a mistake as a dashboard that stopped days ago.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState
from edge.storage.history_health import HistoryHealth, read_health

#: Under this name the history stands among the devices.
DEVICE = "history"
LOOK_NS = 10_000_000_000
#: The history writes every ten seconds; so long without a new writing is a fault.
SILENCE_NS = 300_000_000_000


class HistoryWatch:
    """``beat`` is called once a second. Nothing is posted where no history ever ran."""

    def __init__(self, directory: Path, post: Callable[[DeviceReading], bool], mono_ns: Callable[[], int]) -> None:
        self._directory = directory
        self._post = post
        self._mono_ns = mono_ns
        self._look_ns = 0
        self._heard: tuple[int, int] | None = None
        self._heard_ns = 0
        self._posted: str | None = None

    def beat(self) -> None:
        """Look now and then; post what changed."""
        now_ns = self._mono_ns()
        if now_ns < self._look_ns:
            return
        self._look_ns = now_ns + LOOK_NS
        health = read_health(self._directory)
        if health is None:
            return
        if (health.run, health.beats) != self._heard:
            self._heard, self._heard_ns = (health.run, health.beats), now_ns
        problem = "history_silent" if now_ns - self._heard_ns >= SILENCE_NS else health.alarm
        if problem != self._posted and self._post(_reading(health, problem)):
            self._posted = problem


def _reading(health: HistoryHealth, problem: str) -> DeviceReading:
    state = DeviceState.FAULT if problem else DeviceState.READY
    detail = health.detail if problem == health.alarm else ""
    return DeviceReading(DEVICE, 0, DeviceHealth(state=state, problem=problem, detail=detail[:200]))
