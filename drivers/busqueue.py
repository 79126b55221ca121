"""What a shared line does next: cuts before everything, then proof of cuts, then switching on, then polling. Pure data.

The hard part is that a slow bus must not be slowed by what is broken on it: a cut that nobody answers is tried again
behind the cuts that have not been tried at all, the reads that prove a cut share the line with repeated cuts, and a
dead station costs one time-out now and then. A user would notice a mistake as nineteen chargers that stay on because
the twentieth meter is dead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from drivers.engine import NS_PER_MS, Ask
from edge.domain.field_devices import Operate

EPISODE_NS = 10_000 * NS_PER_MS
"""A cut told again within this time is the same one: what is known of its earlier attempts still holds."""
CUT_TRIES = 3
"""Attempts that one ``Operate`` gets; the kernel tells it again every second while it is not proven."""
PROOF_PERIOD_NS = 500 * NS_PER_MS
"""While a cut that was accepted is being proven, what proves it is read so often, as far as the line allows."""
DEAD_AFTER = 3
STRAYS_MAX = 5
MINUTE_NS = 60_000 * NS_PER_MS
BACKOFF_FIRST_NS = 2_000 * NS_PER_MS


@dataclass(slots=True, eq=False)
class Item:
    """Something that is read again and again: ``ask`` makes the question, ``told`` takes the good answer. ``proof``: it
    shows whether current flows."""

    station: str
    points: tuple[str, ...]
    period_ns: int
    ask: Callable[[], Ask]
    told: Callable[[Any], None]
    proof: bool = True
    due_ns: int = 0
    urgent: bool = False


@dataclass(slots=True, eq=False)
class Station:
    """One device on the line. ``online`` None: not heard of yet, and not missed for long."""

    name: str
    points: tuple[str, ...]
    online: bool | None = None
    misses: int = 0
    backoff_ns: int = BACKOFF_FIRST_NS


@dataclass(slots=True)
class Cut:
    """An OFF on its way. ``attempts`` and ``accepted`` are those of the episode."""

    command: Operate
    told_ns: int
    pending: bool = True
    attempts: int = 0
    left: int = CUT_TRIES
    accepted: bool = False
    tried_ns: int = 0


@dataclass(slots=True)
class StrayWatch:
    """Tells when too many answers come that nobody had asked for: STRAYS_MAX within a minute. A single late answer is
    no trouble."""

    since_ns: int = 0
    before: int = 0
    bad: bool = False

    def begin(self, now_ns: int, count: int) -> None:
        self.since_ns, self.before, self.bad = now_ns, count, False

    def is_bad(self, now_ns: int, count: int) -> bool:
        """``count`` of stray answers since creation. A verdict holds until a minute has passed without one."""
        many = count - self.before >= STRAYS_MAX
        if now_ns - self.since_ns >= MINUTE_NS:
            self.begin(now_ns, count)
            self.bad = many
        self.bad = self.bad or many
        return self.bad


@dataclass(slots=True)
class BusQueue:
    """All that waits for the line. Bounded by the points: one cut and one switching-on each."""

    items: list[Item]
    stations: dict[str, Station]
    dead_poll_ns: int
    cuts: dict[str, Cut] = field(default_factory=dict)
    switch_ons: dict[str, Operate] = field(default_factory=dict)
    reads_turn: bool = False

    def begin(self, now_ns: int) -> None:
        """The line is open (again): nothing asked before counts any more; everything is due."""
        self.cuts.clear()
        self.switch_ons.clear()
        for item in self.items:
            item.due_ns, item.urgent = now_ns, False
        for station in self.stations.values():
            station.online, station.misses, station.backoff_ns = None, 0, BACKOFF_FIRST_NS

    # --- cuts and switching on

    def add_cut(self, command: Operate, now_ns: int) -> None:
        """An OFF takes away a waiting ON of its point."""
        self.switch_ons.pop(command.point, None)
        cut = self.cuts.get(command.point)
        if cut is None or now_ns - cut.told_ns > EPISODE_NS:
            self.cuts.pop(command.point, None)
            self.cuts[command.point] = Cut(command, now_ns)
            return
        cut.command, cut.told_ns, cut.pending, cut.left = command, now_ns, True, max(cut.left, 1)

    def is_cutting(self, point: str) -> bool:
        cut = self.cuts.get(point)
        return cut is not None and cut.pending

    def next_cut(self) -> Cut | None:
        """A cut that nobody has tried yet; those come before everything, in the order in which they were told."""
        return next((cut for cut in self.cuts.values() if cut.pending and cut.attempts == 0), None)

    def next_repeat(self) -> Cut | None:
        """The waiting cut whose last attempt is longest ago."""
        waiting = (cut for cut in self.cuts.values() if cut.pending and cut.attempts > 0)
        return min(waiting, key=lambda cut: cut.tried_ns, default=None)

    def still_flowing(self, point: str) -> None:
        """A measurement says that an accepted cut did not open: its next repeat counts as untried."""
        cut = self.cuts.get(point)
        if cut is not None and cut.accepted:
            cut.attempts, cut.accepted = 0, False

    # --- reading

    def hurry(self, point: str, *, proof_only: bool) -> None:
        """Read ``point`` ("" all points) as soon as the line allows: everything, or what proves a cut."""
        for item in self.items:
            if (not point or point in item.points) and (item.proof or not proof_only):
                item.urgent = True

    def next_read(self, now_ns: int) -> Item | None:
        """The item that should be read now: of those in a hurry, else of those due, the one that has waited longest. A
        station that is gone is in no hurry. While something waits to be switched on, only reads that prove a cut."""
        hurried = [each for each in self.items if each.urgent and self.stations[each.station].online is not False]
        if self.switch_ons:
            waiting = [each for each in hurried if any(self.is_proving(point, now_ns) for point in each.points)]
        else:
            waiting = hurried or [each for each in self.items if each.due_ns <= now_ns]
        return min(waiting, key=lambda each: each.due_ns, default=None)

    def next_due_ns(self) -> int | None:
        return min((item.due_ns for item in self.items), default=None)

    def answered(self, item: Item, now_ns: int) -> bool:
        """The item was read. True when its station has just come (back)."""
        item.due_ns, item.urgent = max(item.due_ns, now_ns - item.period_ns) + item.period_ns, False
        if item.proof and any(self.is_proving(point, now_ns) for point in item.points):
            item.due_ns = min(item.due_ns, now_ns + PROOF_PERIOD_NS)
        return self.heard(item.station, now_ns)

    def is_proving(self, point: str, now_ns: int) -> bool:
        """True while a cut of ``point`` that was accepted is young: what is read of it then matters at once."""
        cut = self.cuts.get(point)
        return cut is not None and cut.accepted and now_ns - cut.tried_ns < EPISODE_NS

    def heard(self, name: str, now_ns: int) -> bool:
        """The station has answered something. True when it has just come (back): all of it is due at once."""
        station = self.stations[name]
        came = station.online is not True
        if came and station.online is False:
            for item in self.items:
                if item.station == name:
                    item.due_ns = min(item.due_ns, now_ns)
        station.online, station.misses, station.backoff_ns = True, 0, BACKOFF_FIRST_NS
        return came

    def missed(self, name: str, now_ns: int) -> bool:
        """The station did not answer a read. Its other items wait as well: one silence a round is enough. True when it
        counts as gone from now on."""
        station = self.stations[name]
        station.misses += 1
        gone = station.misses >= DEAD_AFTER
        for item in self.items:
            if item.station == name:
                wait_ns = max(station.backoff_ns, item.period_ns) if gone else item.period_ns
                item.due_ns, item.urgent = now_ns + wait_ns, False
        if gone:
            station.backoff_ns = min(2 * station.backoff_ns, self.dead_poll_ns)
        went = gone and station.online is not False
        if went:
            station.online = False
        return went
