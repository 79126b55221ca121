"""From sightings to passages: a tag is seen a dozen times while it walks through a gate, and passed it once.

The passage is when the tag was strongest, since then it was under the gate. The hard part is a gate that was cut off
and sends an hour of sightings in one second: they are told apart by the gate's own time. A user would notice a mistake
as twelve laps for one. Pure; times are ns, of the gate where it tells them, else of the box.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from drivers.trail_gates.frames import Sighting

PASSAGES_MAX = 4096
"""Passages under way at a time; the oldest is told early when more come."""


@dataclass(slots=True)
class _Passage:
    best: Sighting
    last_ns: int
    heard_ns: int
    seen_ns: int
    told: bool = False


class Passages:
    """``settle_ns``: a passage is told so long after its first sighting was heard. ``dwell_ns``: sightings no further
    apart belong to one passage."""

    def __init__(self, settle_ns: int, dwell_ns: int) -> None:
        self._settle_ns = settle_ns
        self._dwell_ns = dwell_ns
        self._open: OrderedDict[tuple[str, str], _Passage] = OrderedDict()

    def take(self, sighting: Sighting, now_ns: int) -> list[Sighting]:
        """The passages that end with this sighting."""
        key = (sighting.point, sighting.tag)
        at_ns = sighting.source_wall_ns if sighting.source_wall_ns is not None else now_ns
        ended: list[Sighting] = []
        passage = self._open.get(key)
        if passage is not None and abs(at_ns - passage.last_ns) <= self._dwell_ns:
            passage.last_ns, passage.seen_ns = max(passage.last_ns, at_ns), now_ns
            if not passage.told and _strength(sighting) > _strength(passage.best):
                passage.best = sighting
            return ended
        if passage is not None:
            del self._open[key]
            ended += [] if passage.told else [passage.best]
        elif len(self._open) >= PASSAGES_MAX:
            _, oldest = self._open.popitem(last=False)
            ended += [] if oldest.told else [oldest.best]
        self._open[key] = _Passage(sighting, at_ns, now_ns, now_ns)
        return ended

    def due(self, now_ns: int) -> list[Sighting]:
        """Passages that have settled; those long over are forgotten."""
        ended: list[Sighting] = []
        for key, passage in list(self._open.items()):
            if not passage.told and passage.heard_ns + self._settle_ns <= now_ns:
                passage.told = True
                ended.append(passage.best)
            if passage.told and passage.seen_ns + self._dwell_ns <= now_ns:
                del self._open[key]
        return ended

    def deadline(self) -> int | None:
        """When ``due`` is wanted: settled passages, or forgotten ones."""
        at = (
            passage.seen_ns + self._dwell_ns if passage.told else passage.heard_ns + self._settle_ns
            for passage in self._open.values()
        )
        return min(at, default=None)

    def clear(self) -> None:
        self._open.clear()


def _strength(sighting: Sighting) -> float:
    return float("-inf") if sighting.rssi_dbm is None else sighting.rssi_dbm
