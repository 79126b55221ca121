"""How hard somebody trained: the seconds of a pulse by shares of the maximum.

By shares of the maximum and not of the reserve: in elders the reserve's shares prescribe too much (gym-domain.md 8,
Kohrt et al.). With a beta-blocker, or without a maximum, the pulse says nothing of effort and no zone is told. A user
would notice a mistake as a stroll that counts as hard training.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from edge.domain.gym.limits import Ceiling, Prescription
from edge.domain.gym.settings import LimitSettings


class Effort(NamedTuple):
    """Seconds with a known pulse, and of them those of each zone; ``over_s`` above the own ceiling (in any zone)."""

    pulse_s: int = 0
    light_s: int = 0
    moderate_s: int = 0
    vigorous_s: int = 0
    over_s: int = 0

    def plus(self, other: Effort) -> Effort:
        return Effort(*(mine + more for mine, more in zip(self, other, strict=True)))


def borders(person: Prescription | None, ceiling: Ceiling, settings: LimitSettings) -> tuple[int, int]:
    """The lowest pulse (beats a minute) of moderate and of vigorous effort; (0, 0): no zones are told. A maximum that
    is neither set nor known by age (``ceiling_of`` then makes one of the ceiling) is none."""
    if person is None or not ceiling.applies or not (person.max_bpm or person.birth_year):
        return 0, 0
    return -(-ceiling.max_bpm * settings.moderate_pct // 100), -(-ceiling.max_bpm * settings.vigorous_pct // 100)


def effort_of(beats: Iterable[float], moderate: int, vigorous: int, ceiling_bpm: int) -> Effort:
    """``beats`` are one a second (``pulses.samples_of``); the rest as ``borders`` and ``ceiling_of`` give them, 0 for
    none."""
    pulse_s = over_s = 0
    zones = [0, 0, 0]
    for bpm in beats:
        pulse_s += 1
        over_s += 0 < ceiling_bpm < bpm
        if moderate:
            zones[2 if bpm >= vigorous else 1 if bpm >= moderate else 0] += 1
    return Effort(pulse_s, zones[0], zones[1], zones[2], over_s)
