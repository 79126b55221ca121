"""The only place where the product asks what time it is.

The hard part is doubt. A box without a battery clock wakes up years back; a person or a time server steps the clock
while trays are being paid. So two times are kept apart: monotonic time for every duration, and wall time for the date
of a receipt, with an honest word on whether it can be trusted. A user would notice a mistake as sales booked on
yesterday.

Wall time is distrusted while it lies before the build, which has certainly passed. It is also distrusted when it lies
before the newest committed wall time, or has stepped against monotonic time by more than ``STEP_NS`` since the start,
until it is confirmed: by the kernel's own word that a time server keeps it (adjtimex), or by a person (``confirm``).
"""

from __future__ import annotations

import ctypes
import time
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

#: Smaller steps are what a time server's first correction of a good clock looks like.
STEP_NS = 5_000_000_000

#: How often a distrusted clock asks whether a time server has taken over.
CONFIRM_EVERY_NS = 1_000_000_000

NS_PER_MIN = 60_000_000_000

#: The whole country keeps one time.
CHINA_UTC_OFFSET_MIN = 480

#: adjtimex(2): STA_UNSYNC in ``status``; return value TIME_ERROR.
_STA_UNSYNC = 0x0040
_TIME_ERROR = 5


class Clock(Protocol):
    """``mono_ns`` never goes back and is comparable within one ``boot_id``; ``wall_ns`` is UTC."""

    @property
    def boot_id(self) -> str: ...

    def mono_ns(self) -> int: ...

    def wall_ns(self) -> int: ...

    def wall_trusted(self) -> bool: ...

    def now(self) -> tuple[int, int, bool]:
        """All three of the same moment, for a stamp: monotonic and wall ns, and whether the latter is trusted."""
        ...


class RealClock:
    """The machine's clock. ``newest_wall_ns`` is the newest committed wall time, ``build_wall_ns`` that of the build
    (0 = unknown)."""

    def __init__(self, *, newest_wall_ns: int = 0, build_wall_ns: int = 0) -> None:
        self.boot_id = f"{_machine_boot_id()}-{_process_start_ticks()}"
        self._newest_wall_ns = newest_wall_ns
        self._build_wall_ns = build_wall_ns
        self._offset_ns = self.wall_ns() - self.mono_ns()
        self._asked_ns = -CONFIRM_EVERY_NS

    #: CLOCK_BOOTTIME: like CLOCK_MONOTONIC, but it also counts a suspended machine (clock_gettime(2)).
    mono_ns = staticmethod(partial(time.clock_gettime_ns, time.CLOCK_BOOTTIME))
    wall_ns = staticmethod(time.time_ns)

    def wall_trusted(self) -> bool:
        wall_ns, mono_ns = self.wall_ns(), self.mono_ns()
        if wall_ns < self._build_wall_ns:
            return False
        if wall_ns >= self._newest_wall_ns and abs(wall_ns - mono_ns - self._offset_ns) <= STEP_NS:
            return True
        if mono_ns - self._asked_ns >= CONFIRM_EVERY_NS:
            self._asked_ns = mono_ns
            if time_server_keeps_clock():
                self.confirm()
                return True
        return False

    def now(self) -> tuple[int, int, bool]:
        mono_ns, wall_ns = self.mono_ns(), self.wall_ns()
        known = wall_ns >= self._newest_wall_ns and wall_ns >= self._build_wall_ns
        if known and -STEP_NS <= wall_ns - mono_ns - self._offset_ns <= STEP_NS:  # at nearly each input
            return mono_ns, wall_ns, True
        return mono_ns, wall_ns, self.wall_trusted()

    def confirm(self) -> None:
        """A person, or the kernel for a time server, says that the wall time is right now; an older, later one was
        not."""
        wall_ns = self.wall_ns()
        self._offset_ns = wall_ns - self.mono_ns()
        self._newest_wall_ns = min(self._newest_wall_ns, wall_ns)


class ManualClock:
    """A clock for tests: it stands still until told otherwise."""

    def __init__(self, *, mono_ns: int = 1_000_000_000, wall_ns: int = 1_790_000_000_000_000_000) -> None:
        self.boot_id = "boot-1"
        self.now_mono_ns = mono_ns
        self.now_wall_ns = wall_ns
        self.trusted = True

    def mono_ns(self) -> int:
        return self.now_mono_ns

    def wall_ns(self) -> int:
        return self.now_wall_ns

    def wall_trusted(self) -> bool:
        return self.trusted

    def now(self) -> tuple[int, int, bool]:
        return self.mono_ns(), self.wall_ns(), self.wall_trusted()

    def advance(self, ns: int) -> None:
        """Let both times pass."""
        self.now_mono_ns += ns
        self.now_wall_ns += ns


def local_day(wall_ns: int, utc_offset_min: int) -> str:
    """The ISO date at this offset from UTC. China has had one offset and no daylight saving since 1991."""
    seconds = (wall_ns + utc_offset_min * NS_PER_MIN) // 1_000_000_000
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date().isoformat()


def local_today() -> date:
    """The calendar day in China by the wall clock: for choosing the menu days that a site file yields."""
    return date.fromisoformat(local_day(time.time_ns(), CHINA_UTC_OFFSET_MIN))


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); only ``status`` is read, the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 256),
    )


def time_server_keeps_clock() -> bool:
    """True when the kernel says that its clock is synchronised (adjtimex(2) with no change asked for)."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return False
    return state not in {-1, _TIME_ERROR} and not timex.status & _STA_UNSYNC


def _machine_boot_id() -> str:
    """One per boot of the machine (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]


def _process_start_ticks() -> str:
    """When this process started, in clock ticks since boot: field 22 of /proc/self/stat (proc(5))."""
    return Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
