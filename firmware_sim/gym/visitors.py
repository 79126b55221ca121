"""The visitors: they are measured, show a card, train, pause, move on and go home; others jog on the trail.

Each visit is a short story told step by step (a generator that yields how long to wait), in simulated time. The hard
part is to be people: who finds no free machine leaves, who reads a high pressure on the cuff goes home, a few try too
hard and come above their ceiling, and a jogger now and then leaves out a gate. A user would notice robots as a wall on
which everybody starts at once.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Generator
from dataclasses import dataclass, field

from firmware_sim.gym.config import GymConfig
from firmware_sim.gym.hall import Desk, Hall
from firmware_sim.gym.station import GUEST, Station
from firmware_sim.gym.things import PersonConfig, TrailConfig

NS_PER_S = 1_000_000_000
#: At the start somebody comes each FIRST_S until so many of a hundred machines are taken.
BUSY_PERCENT = 60
FIRST_S = 1.5
EAGER, EAGER_OUTDOORS = 0.15, 0.5
TRAINS_S = (120.0, 420.0)
PAUSES = 0.12
HIGH_MMHG = 180.0
JOGGERS = 3
LEFT_OUT = 0.04
OUTDOOR_EVERY_S = 45.0
IDLE_AFTER_S = 4.0

Story = Generator[float, None, None]


@dataclass(order=True, slots=True)
class Due:
    """A story that goes on at ``due_ns``."""

    due_ns: int
    order: int
    story: Story = field(compare=False)


class Visitors:
    """``step`` lets them do what is due. ``on`` False: nobody comes by himself, who is there goes on."""

    def __init__(self, config: GymConfig, hall: Hall) -> None:
        self.on = config.people
        self.welcome = not config.token
        self._hall = hall
        self._per_hour = config.per_hour
        self._trails = config.trails
        self.persons = {person.person: person for person in config.persons}
        self.rng = random.Random(f"visitors {config.seed}")
        self._due: list[Due] = []
        self._order = itertools.count()
        self._at: dict[str, Story] = {}
        self._next_ns = 0
        self._tags = itertools.count(0x9F3C0000 + config.seed % 1000 * 16)
        self._outdoors = False

    @property
    def now_ns(self) -> int:
        return self._hall.clock()

    def step(self) -> None:
        """Go on with every story that is due, and let new people in."""
        now_ns = self.now_ns
        while self._due and self._due[0].due_ns <= now_ns:
            due = heapq.heappop(self._due)
            self._go_on(due.story)
        if not self.on or now_ns < self._next_ns or not self.welcome:
            return
        if not self._outdoors:
            self._open_outdoors()
        machines = self._indoors()
        taken = sum(bool(station.who) for station in machines)
        first = 100 * taken < BUSY_PERCENT * len(machines)
        wait_s = FIRST_S if first else self.rng.expovariate(self._per_hour / 3600)
        self._next_ns = now_ns + int(wait_s * NS_PER_S)
        self._arrive()

    def bring(self, station: Station, person: str = "", effort: float = 0.4, *, ready: bool = False) -> str:
        """Somebody trains on ``station`` until sent away; gives who. ``ready``: was measured and has shown a card."""
        self.send_away(station)
        known = self.persons.get(person) or self._somebody(station)
        station.who = known.person if known is not None else GUEST
        story = self._stay(station, None if ready else known, effort)
        self._at[station.config.asset] = story
        self._tell(story)
        return station.who

    def send_away(self, station: Station) -> str:
        """Whoever is on it steps down now; gives who it was."""
        who = station.who
        story = self._at.pop(station.config.asset, None)
        if story is not None:
            self._due = [due for due in self._due if due.story is not story]
            heapq.heapify(self._due)
            story.close()
        station.step_down(self.now_ns)
        self._tell(self._goes_idle(station))
        return who

    def measure(self, desk: Desk, person: PersonConfig, systolic: float, diastolic: float, pulse: float) -> None:
        """One person is measured, once, with these values."""
        self._tell(self._sits(desk, person, systolic, diastolic, pulse))

    def jog(self, trail: TrailConfig, *, laps: int = 3) -> str:
        """A jogger sets out; gives the tag."""
        tag = f"{next(self._tags):08x}"
        self._tell(self._laps(trail, tag, laps))
        return tag

    # --- stories ---

    def _tell(self, story: Story) -> None:
        self._go_on(story)

    def _go_on(self, story: Story) -> None:
        try:
            wait_s = next(story)
        except StopIteration:
            return
        heapq.heappush(self._due, Due(self.now_ns + int(wait_s * NS_PER_S), next(self._order), story))

    def _indoors(self) -> list[Station]:
        return [station for station in self._hall.stations.values() if station.config.via != "count"]

    def _free(self, zone: str = "") -> list[Station]:
        return [
            station
            for station in self._indoors()
            if not station.who and not station.silent and (not zone or station.config.zone == zone)
        ]

    def _somebody(self, station: Station) -> PersonConfig | None:
        """A person who is not here yet, where people show who they are."""
        here = {each.who for each in self._hall.stations.values()}
        away = [person for person in self.persons.values() if person.person not in here]
        return self.rng.choice(away) if away and station.config.reader else None

    def _arrive(self) -> None:
        free = self._free()
        if free:
            station = self.rng.choice(free)
            story = self._at[station.config.asset] = self._visit(station, self._somebody(station))
            self._tell(story)

    def _visit(self, station: Station, person: PersonConfig | None) -> Story:
        """Measured where the room asks for it, one or two machines, home."""
        station.who = GUEST if person is None else person.person  # the place is held from the door on
        desk = self._hall.desk_of(station.config.zone)
        try:
            if desk is not None and person is not None:
                systolic = self.rng.gauss(134, 15)
                yield from self._sits(desk, person, systolic, self.rng.gauss(80, 7), self.rng.gauss(72, 6))
                if systolic >= HIGH_MMHG:
                    return
            yield from self._train(station, person)
        finally:
            station.free(self.now_ns)
        others = [other for other in self._free(station.config.zone) if person is None or other.config.reader]
        if others and self.rng.random() < 0.4:
            other = self.rng.choice(others)
            other.who = GUEST if person is None else person.person
            self._at[other.config.asset] = self._at.pop(station.config.asset)
            yield self.rng.uniform(5, 15)
            try:
                yield from self._train(other, person)
            finally:
                other.free(self.now_ns)

    def _sits(self, desk: Desk, person: PersonConfig, systolic: float, diastolic: float, pulse: float) -> Story:
        """Card, cuff twice, scale."""
        while desk.busy:
            yield 1.0
        desk.busy = True
        try:
            self._hall.tap(desk.config.reader, desk.config.address, person.card)
            yield 2.0
            for shift in (4.0, 0.0):
                desk.cuff.measure(round(systolic + shift), round(diastolic), round(pulse))
                yield 2.0
            if desk.scale is not None:
                desk.scale.weigh(round(self.rng.uniform(48, 84), 1))
                yield 1.0
        finally:
            desk.busy = False

    def _train(self, station: Station, person: PersonConfig | None) -> Story:
        """A workout with harder and easier stretches, now and then a pause."""
        elderly = self._hall.desk_of(station.config.zone) is not None
        base = self.rng.uniform(0.28, 0.42) if elderly else self.rng.uniform(0.4, 0.75)
        if elderly and self.rng.random() < EAGER:
            base = self.rng.uniform(0.65, 0.8)
        if person is not None and station.config.reader:
            self._hall.tap(station.config.reader, station.config.address, person.card)
            yield 3.0
        station.start(self.now_ns, base)
        left_s = self.rng.uniform(*TRAINS_S)
        if station.exercise is None:
            while station.in_use:
                yield 1.0
            return
        while left_s > 0:
            part_s = min(left_s, self.rng.uniform(10, 40))
            left_s -= part_s
            yield part_s
            if left_s > 30 and self.rng.random() < PAUSES:
                station.pause(self.now_ns)
                yield self.rng.uniform(8, 25)
                station.start(self.now_ns, base)
            else:
                station.strive(self.now_ns, max(0.1, base + self.rng.uniform(-0.06, 0.06)))
        station.finish(self.now_ns)
        yield self.rng.uniform(2, 6)

    def _stay(self, station: Station, person: PersonConfig | None, effort: float) -> Story:
        """Train until somebody says so."""
        desk = self._hall.desk_of(station.config.zone)
        if person is not None and desk is not None:
            yield from self._sits(desk, person, 128, 78, 70)
        if person is not None and station.config.reader:
            self._hall.tap(station.config.reader, station.config.address, person.card)
            yield 2.0
        station.start(self.now_ns, effort)
        while station.exercise is not None or station.in_use:
            yield 5.0
        station.free(self.now_ns)

    def _goes_idle(self, station: Station) -> Story:
        """A console shows for a moment how it ended."""
        yield IDLE_AFTER_S
        if not station.who:
            station.free(self.now_ns)

    def _open_outdoors(self) -> None:
        """Joggers set out and people pass the outdoor points."""
        self._outdoors = True
        for trail in self._trails:
            for number in range(JOGGERS):
                self._tell(self._keeps_jogging(trail, number * 40.0))
        for station in self._hall.stations.values():
            if station.config.via == "count":
                self._tell(self._passes(station))

    def _passes(self, station: Station) -> Story:
        while True:
            yield self.rng.expovariate(1 / OUTDOOR_EVERY_S)
            if self.on:
                station.start(self.now_ns, EAGER_OUTDOORS)

    def _keeps_jogging(self, trail: TrailConfig, after_s: float) -> Story:
        """One after the other; while nobody comes by himself the trail is empty."""
        yield after_s
        while True:
            if self.on:
                yield from self._laps(trail, f"{next(self._tags):08x}", self.rng.randint(1, 4))
            yield self.rng.uniform(20, 90)

    def _laps(self, trail: TrailConfig, tag: str, laps: int) -> Story:
        metres_per_s = self.rng.uniform(5.5, 11.0) / 3.6
        for _ in range(laps):
            for gate, after in itertools.pairwise((*trail.gates, None)):
                assert gate is not None
                if gate.at_m == 0 or self.rng.random() >= LEFT_OUT:
                    self._see(gate.place, tag)
                yield ((trail.length_m if after is None else after.at_m) - gate.at_m) / metres_per_s
        self._see(trail.gates[0].place, tag)

    def _see(self, place: str, tag: str) -> None:
        post = self._hall.posts[place]
        post.now_ns = max(post.now_ns, self.now_ns)
        post.walk_by(tag)
