"""What waits for the one writer: safety inputs first, then everything else in order of arrival.

The hard part is the flood. Nothing here grows without bound, and what gives way is decided, not left to chance:
commands beyond the bound are answered "busy" (their sender knows and tries again); readings beyond it make their pump
stop reading, so that bytes wait in the device's own line; only what still comes then (a pump's last buffer) can push
out the oldest telemetry, which is counted. Safety inputs are never dropped for telemetry. A user would notice a
mistake as smoke that is looked at after ten seconds of plate readings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

import msgspec

from edge.domain.devices import DeviceHealth, DeviceIdentity, DeviceReading

#: Commands that may wait. At 50 us each the last one waits 13 ms.
COMMANDS_MAX = 256

#: Readings that may wait before pumps are asked to stop reading, and the hard bound behind it.
READINGS_PAUSE = 512
READINGS_MAX = 1024

#: Pumps read on when no more than this waits.
READINGS_RESUME = 128

#: Safety inputs that may wait before their pumps stop reading, and the hard bound. Far beyond what a zone can send in
#: the milliseconds that handling takes.
SAFETY_PAUSE = 4096
SAFETY_MAX = 65_536


class EntryKind(Enum):
    """Where an input comes from. SHELL: configuration and day, which the daemon itself makes and must not lose."""

    READING = "reading"
    COMMAND = "command"
    SHELL = "shell"
    TIMER = "timer"


class Entry(msgspec.Struct, frozen=True):
    """An input that waits. ``command_id`` is "" for all but commands. ``settled``, where the sender keeps what it sent
    until then (MQTT): called once when the input is on disk, or was given up on purpose and counted."""

    item: Any
    kind: EntryKind
    command_id: str = ""
    settled: Callable[[], None] | None = None

    def settle(self) -> None:
        if self.settled is not None:
            self.settled()


class Inbox:
    """Two queues and their counters. Not a thread's business: used by the event loop alone."""

    def __init__(self) -> None:
        self._safety: deque[Entry] = deque()
        self._normal: deque[Entry] = deque()
        self._commands = 0
        self.counters = {"readings_dropped": 0, "safety_dropped": 0, "commands_busy": 0}

    def __len__(self) -> int:
        return len(self._safety) + len(self._normal)

    @property
    def has_safety(self) -> bool:
        return bool(self._safety)

    @property
    def readings(self) -> int:
        """All but commands that waits in the normal queue."""
        return len(self._normal) - self._commands

    @property
    def full(self) -> bool:
        """True when pumps should stop reading."""
        return len(self._normal) - self._commands >= READINGS_PAUSE or len(self._safety) >= SAFETY_PAUSE

    @property
    def calm(self) -> bool:
        """True when pumps may read on."""
        return self.readings <= READINGS_RESUME and len(self._safety) <= SAFETY_PAUSE // 2

    def put_safety(self, entry: Entry) -> None:
        """Queue a safety input. At the hard bound the oldest gives way, which is counted as an alarm of its own; it is
        not settled, so that a sender that keeps it sends it again."""
        if len(self._safety) >= SAFETY_MAX:
            self._safety.popleft()
            self.counters["safety_dropped"] += 1
        self._safety.append(entry)

    def put_first(self, entries: list[Entry]) -> None:
        """Safety inputs whose commit failed go before all others, in their old order."""
        self._safety.extendleft(reversed(entries))

    def put(self, entry: Entry) -> None:
        """Queue all but commands; at the hard bound the oldest telemetry is dropped and counted."""
        if len(self._normal) - self._commands >= READINGS_MAX:
            for index, waiting in enumerate(self._normal):
                if _is_telemetry(waiting.item):
                    del self._normal[index]
                    self.counters["readings_dropped"] += 1
                    waiting.settle()
                    break
        self._normal.append(entry)

    def put_command(self, entry: Entry) -> bool:
        """Queue a command; false when it must be answered "busy"."""
        if self._commands >= COMMANDS_MAX:
            self.counters["commands_busy"] += 1
            return False
        self._normal.append(entry)
        self._commands += 1
        return True

    def take(self, *, safety_only: bool, or_timer: bool = False) -> Entry | None:
        """The next input, or None. ``or_timer``: where only safety counts, a timer does too (a cut is repeated, and
        escalates, by time)."""
        if self._safety:
            return self._safety.popleft()
        if safety_only or not self._normal:
            return self._take_timer() if or_timer else None
        entry = self._normal.popleft()
        if entry.kind is EntryKind.COMMAND:
            self._commands -= 1
        return entry

    def _take_timer(self) -> Entry | None:
        for index, waiting in enumerate(self._normal):
            if waiting.kind is EntryKind.TIMER:
                del self._normal[index]
                return waiting
        return None

    def take_commands(self) -> list[Entry]:
        """Remove and give all waiting commands (they are to be refused)."""
        commands = [entry for entry in self._normal if entry.kind is EntryKind.COMMAND]
        self._normal = deque(entry for entry in self._normal if entry.kind is not EntryKind.COMMAND)
        self._commands = 0
        return commands


def _is_telemetry(item: Any) -> bool:
    """True for what the next reading makes up for. The state of a device and inputs of the shell are said once."""
    return isinstance(item, DeviceReading) and not isinstance(item.body, DeviceHealth | DeviceIdentity)
