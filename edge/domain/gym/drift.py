"""Drift of a machine's motor current, against its own past and against its sister machines.

Belt friction is behind most overheated motors (``gym-domain.md`` 6), and friction shows as current at a given speed
long before it smells. The hard part is that users differ more than belts do: a day is one number, a robust slope
(Theil-Sen) ignores odd days, and a CUSUM of the difference to machines of the same model adds up what is small and
steady. A user would notice a mistake as a van for every heavy visitor, or as a belt that burns unannounced.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from statistics import median

from edge.domain.gym.settings import WearSettings

#: Days with an index that a slope needs at least.
SLOPE_DAYS = 10
#: Sisters that a comparison needs at least.
SISTERS = 2
#: The scatter of a day's index is at least this (a share); of very even machines nothing is made.
SD_FLOOR = 0.02
#: The median absolute deviation of a normal spread is this share of its standard deviation.
MAD_SD = 0.6745


def slope_per_day(indexes: Sequence[tuple[str, float]], days: int) -> float | None:
    """Theil-Sen slope of the index per day over the last ``days``; None with too few days."""
    if not indexes:
        return None
    last = date.fromisoformat(indexes[-1][0])
    points = [((last - date.fromisoformat(day)).days, index) for day, index in indexes]
    points = [(-age, index) for age, index in points if age < days]
    if len(points) < SLOPE_DAYS:
        return None
    return median(
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for number, earlier in enumerate(points)
        for later in points[number + 1 :]
        if later[0] != earlier[0]
    )


def cusum_step(
    before: float, own: float, sisters: Sequence[float], past: Sequence[float], settings: WearSettings
) -> float | None:
    """The CUSUM after a day with index ``own``; None when there are too few sisters to compare with.

    ``past`` are the machine's own indexes of before, for its scatter."""
    if len(sisters) < SISTERS:
        return None
    middle = median(past) if past else 1.0
    spread = median(abs(index - middle) for index in past) / MAD_SD if past else 0.0
    z = (own - median(sisters)) / max(SD_FLOOR, spread)
    return max(0.0, before + z - settings.cusum_slack_sd)


def drifts(indexes: Sequence[tuple[str, float]], cusum: float, settings: WearSettings) -> tuple[str, ...]:
    """What is wrong: ``drift`` (against its own past), ``drift_sisters``."""
    slope = slope_per_day(indexes, settings.drift_days)
    found = []
    if slope is not None and slope * 30 * 100 > settings.drift_pct_per_30d:
        found.append("drift")
    if cusum > settings.cusum_limit_sd:
        found.append("drift_sisters")
    return tuple(found)
