"""The explorer: every reachable state of a bounded garage, and every event from each, by the production ``handle``.

A world is cloned, one event is given to ``GarageKernel.handle`` (or the world is thrown away and loaded from its rows),
the result is checked against the invariants and brought to a canonical key (``_keys``). Views and the book of alarms
are switched off meanwhile: nothing decides by them (they have their own tests).
"""

from __future__ import annotations

import gc
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec
from _events import Event, signal
from _ghosts import Ghost, State, haunt
from _keys import S, shapes_of, state_key
from _models import SUPERVISION_S
from _worlds import WorldRows, clone

from edge.domain.actors import Actor
from edge.domain.answered import ConfigRow
from edge.domain.garage.kernel import GarageKernel
from edge.domain.garage.messages import Command, Timer
from edge.domain.garage.settings import GarageConfig
from edge.domain.garage.world import World
from edge.domain.kernel import Stamp

WALL = 1_795_320_000_000_000_000
BEGIN_NS = 1_000_000 * S


@dataclass
class Found:
    """The result of an exploration."""

    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    modes: dict[str, int] = field(default_factory=dict)
    broken: str = ""
    trace: tuple[str, ...] = ()
    complete: bool = False


class Faces:
    """Which state comes next when a mistake is sought: one of the face that was looked at least, the first of these.
    The very same states as breadth first, in an order in which the rare ones do not wait for thousands of alike."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, ...], deque[tuple[int, State]]] = {}
        self.looked: dict[tuple[str, ...], int] = {}

    def __len__(self) -> int:
        return len(self.waiting)

    def append(self, one: tuple[int, State]) -> None:
        world = one[1].world
        switches = [*world.ports.values(), *(output.switch for output in world.outputs.values())]
        face = (*(zone.mode for zone in world.zones.values()), *("on" if one.wanted else one.cut for one in switches))
        self.waiting.setdefault(face, deque()).append(one)

    def popleft(self) -> tuple[int, State]:
        face = min(self.waiting, key=lambda face: self.looked.get(face, 0))
        self.looked[face] = self.looked.get(face, 0) + 1
        queue = self.waiting[face]
        one = queue.popleft()
        if not queue:
            del self.waiting[face]
        return one


class Explorer:
    """Breadth first over all events. ``check`` gets (before, event, effects, after) and gives "" or what is broken."""

    def __init__(self, config: GarageConfig, events: list[Event], check: Any, *, fine: bool = True) -> None:
        self.kernel, self.config, self.events, self.check = GarageKernel(), config, events, check
        self.config_row = ConfigRow(kind="garage", version="m", body=msgspec.msgpack.encode(config))
        self.settings = {one.source: one for one in config.sources}
        self.fine = fine
        self.started: dict[tuple[Any, ...], tuple[list[Any], World]] = {}
        self.commands = {event.label: Command("c", Actor(event.item[0], "u"), event.item[1])
                         for event in events if event.kind == "command"}  # fmt: skip

    def begin(self) -> State:
        world = self.kernel.load(WorldRows(World(), self.config_row))
        state = State(world, BEGIN_NS, {one.source: Ghost() for one in self.config.sources})
        self.kernel.resume(world, self.stamp(state.now_ns))
        return state

    def stamp(self, now_ns: int, boot: str = "b") -> Stamp:
        return Stamp(1, boot, now_ns, WALL, True)

    def apply(self, state: State, event: Event) -> tuple[list[Any], State]:
        world, now_ns = state.world, state.now_ns
        if event.kind == "restart":
            effects, fresh = self.restart(world)
            return effects, State(fresh, BEGIN_NS, haunt(state, event, self.settings))
        world = clone(world)
        for zone in world.zones.values():
            zone.shown_ns = now_ns  # nobody looks here; a zone whose view is due is evaluated, and calm never met
        effects: list[Any] = []
        if event.kind == "tick":
            now_ns += event.value * S
            item: Any = Timer()
        elif event.kind == "silent":
            now_ns += SUPERVISION_S * 2 * S - S
            for name, ghost in state.ghosts.items():
                if name != event.name and ghost.good:
                    effects += self.kernel.handle(world, signal(self.settings[name], False), self.stamp(now_ns))
            now_ns += 2 * S
            item = Timer()
        elif event.kind == "command":
            item = self.commands[event.label]
        else:
            item = event.item
        effects += self.kernel.handle(world, item, self.stamp(now_ns))
        return effects, State(world, now_ns, haunt(state, event, self.settings))

    def restart(self, world: World) -> tuple[list[Any], World]:
        """A new boot, whose clock begins anew, and all that it knows are the rows: the very same rows give the very
        same start, so each is made once, and judged anew after whatever it was that led there."""
        rows = WorldRows(world, self.config_row)
        told = rows.told()
        found = self.started.get(told)
        if found is None:
            fresh = self.kernel.load(rows)
            found = self.started[told] = (self.kernel.resume(fresh, self.stamp(BEGIN_NS)), fresh)
        return found

    def run(self, *, limit_states: int = 1_000_000, limit_s: float = 110.0, hunt: bool = False) -> Found:
        """Explore until nothing is new, an invariant breaks, or a limit is reached (``complete`` tells). Meanwhile
        nobody looks for cycles of garbage: worlds have none, and each look would go through all that are kept."""
        queue = Faces() if hunt else deque()
        collects = gc.isenabled()
        gc.disable()
        try:
            return self._run(queue, limit_states, limit_s)
        finally:
            if collects:
                gc.enable()

    def _run(self, queue: deque[Any] | Faces, limit_states: int, limit_s: float) -> Found:
        found, begun = Found(), time.process_time()
        first = self.begin()
        shapes, fine = shapes_of(first.world), self.fine
        seen = {state_key(first, shapes, fine=fine)}
        came: dict[int, tuple[int, str]] = {}
        queue.append((*seen, first))
        while queue and len(seen) <= limit_states and time.process_time() - begun <= limit_s:
            key, state = queue.popleft()
            for zone in state.world.zones.values():
                found.modes[zone.mode.value] = found.modes.get(zone.mode.value, 0) + 1
            for event in self.events:
                effects, after = self.apply(state, event)
                found.transitions += 1
                broken = self.check(self, state, event, effects, after)
                if broken:
                    found.broken, found.trace = broken, (*self.trace(came, key), event.label)
                    found.states, found.seconds = len(seen), time.process_time() - begun
                    return found
                new = state_key(after, shapes, fine=fine)
                if new not in seen:
                    seen.add(new)
                    came[new] = (key, event.label)
                    queue.append((new, after))
        found.complete = not queue
        found.states, found.seconds = len(seen), time.process_time() - begun
        return found

    @staticmethod
    def trace(came: dict[int, tuple[int, str]], key: int) -> tuple[str, ...]:
        steps: list[str] = []
        while key in came:
            key, label = came[key]
            steps.append(label)
        return tuple(reversed(steps))
