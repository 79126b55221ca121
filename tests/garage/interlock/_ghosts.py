"""What the explorer itself knows of each source, from the events alone: the invariants believe this, not the interlock.

The hard part is to forget exactly what nobody can know any more: a start forgets who was good, and keeps only what a
latch has written down; silence makes a witness none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from _events import Event
from _invariants import DETECTORS, RANKS

from edge.domain.garage.settings import SourceSettings
from edge.domain.garage.world import World


class Ghost(NamedTuple):
    """What the explorer itself knows of a source, from events alone: evidence 0-2, good and clear now, heard good
    since the start; whether its alarm was said in a walk test, and whether it fell silent since."""

    weight: int = 0
    good: bool = False
    seen: bool = False
    tried: bool = False
    gone: bool = False

    @property
    def vouches(self) -> bool:
        """Whether it may bring water."""
        return self.weight == 2 and not self.tried and not self.gone


class State(NamedTuple):
    world: World
    now_ns: int
    ghosts: dict[str, Ghost]


def haunt(state: State, event: Event, settings: dict[str, SourceSettings]) -> dict[str, Ghost]:
    """The ghosts after an event in ``state``."""
    ghosts, kind = state.ghosts, event.kind
    if kind in {"nothing", "switch", "command", "tick"}:
        return ghosts
    if kind in {"word", "fault", "offline"}:
        old = ghosts[event.name]
        one = spoken(state, event, settings[event.name], old)
        return ghosts if one == old else {**ghosts, event.name: one}
    new = dict(ghosts)
    if kind == "silent":
        for name, one in new.items():
            if name == event.name or not one.good:
                new[name] = one._replace(good=False, gone=True)
    elif kind == "restart":
        for name, one in new.items():  # what was said in a zone that is not latched has to be said again
            kept = RANKS[state.world.zones[settings[name].zone].mode] > 0
            weight = min(one.weight, 1) if one.tried else one.weight  # nobody knows any more that it was a test
            new[name] = Ghost(weight if kept else 0)
    return new


def spoken(state: State, event: Event, settings: SourceSettings, old: Ghost) -> Ghost:
    """What a word, a fault or an absence makes of a source's ghost."""
    if event.kind == "offline":
        return old._replace(good=False)
    if event.kind == "fault":  # it is no longer good, but it is heard
        return old._replace(good=False, gone=False)
    full = event.value == 2
    if not event.value:
        return Ghost(0, True, True)
    testing = state.world.zones[settings.zone].test_end_ns > state.now_ns
    tried = settings.kind in DETECTORS and (testing or (old.tried and not full))
    return Ghost(max(old.weight, event.value), False, old.seen or full, tried, old.gone and not full)


#: Where a ghost's number stands in the key of its source: above all else.
GHOST_AT = 10


class GhostKeys(dict[Ghost, int]):
    """What of a ghost still decides something, as a number; each is found once. ``latched``: the zone is. ``asked``:
    water was asked for.

    Left out: who was ``seen`` while its alarm stands in a latch (only a good clear word leads out of it, and says that
    it is seen); ``tried`` and ``gone`` of what is no full evidence (only a full word makes it that, and sets both), or
    where water was asked for already (it is asked for once, and a reset needs every source clear)."""

    def __init__(self, *, latched: bool, asked: bool) -> None:
        self.latched, self.asked = latched, asked

    def __missing__(self, ghost: Ghost) -> int:
        seen = ghost.seen and not (ghost.weight and self.latched)
        sure = ghost.weight == 2 and not self.asked
        bits = (ghost.good, seen, sure and ghost.tried, sure and ghost.gone)
        self[ghost] = key = (ghost.weight << 4 | sum(bit << place for place, bit in enumerate(bits))) << GHOST_AT
        return key


GHOST_KEYS: dict[tuple[Any, Any], GhostKeys] = {
    (latched, asked): GhostKeys(latched=latched, asked=asked) for latched in (False, True) for asked in (False, True)
}
