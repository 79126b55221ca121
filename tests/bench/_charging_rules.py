"""The rules that are in the field, as plainly as they are used: below so many watts for so long. No caps."""

from __future__ import annotations

import numpy as np

from firmware_sim.battery_meter import Readings

FIELD_DEFAULT = "< 30 W 120 min"
#: (watts, minutes): Chinese charging boxes; Home Assistant blog; edvoncken; short 30 W; Tapo (garage-domain.md 4.1).
THRESHOLDS = {
    FIELD_DEFAULT: (30.0, 120.0),
    "< 5 W 2 min": (5.0, 2.0),
    "< 5 W 10 min": (5.0, 10.0),
    "< 30 W 2 min": (30.0, 2.0),
    "< 2 W 30 min": (2.0, 30.0),
}
REFERENCE = "4.2 adaptive + 10 h"


def threshold(readings: Readings, watts: float, minutes: float) -> float | None:
    """Second of the cut, None never."""
    loud = readings.power_w >= watts
    last_loud = np.maximum.accumulate(np.where(loud, readings.at_s, 0.0))
    hit = np.nonzero(readings.at_s - last_loud >= minutes * 60)[0]
    return float(readings.at_s[hit[0]]) if len(hit) else None


def reference_adaptive(readings: Readings) -> float | None:
    """The adaptive rule of the reference as it stands there, with its 10 h cap: two-minute mean below clamp(25 % of the
    peak, 8 W, 45 W) and flat (2 W) over 10 min for 20 min, or below 4 W for 20 min."""
    grid = np.arange(60.0, 36_000.0, 60.0)
    at = np.searchsorted(readings.at_s, grid, side="right") - 1
    minute = readings.power_w[np.maximum(at, 0)]
    mean = (minute + np.concatenate([minute[:1], minute[:-1]])) / 2
    low = mean < np.clip(0.25 * np.maximum.accumulate(mean), 8, 45)
    low_run = idle_run = 0
    for k in range(len(grid)):
        low_run = low_run + 1 if low[k] else 0
        idle_run = idle_run + 1 if mean[k] < 4 else 0
        flat = k >= 10 and np.ptp(mean[k - 10 : k + 1]) < 2.0
        if idle_run >= 20 or (low_run >= 20 and flat):
            return float(grid[k])
    return 36_000.0
