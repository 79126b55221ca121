"""What a pump counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class PumpCounters:
    """Since start. ``silences`` are re-openings by the watchdog."""

    opened: int = 0
    open_failed: int = 0
    lost: int = 0
    silences: int = 0
    driver_errors: int = 0
    commands_dropped: int = 0
    paused: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
