"""A day of a park's outdoor points: what people really did, said by simulated counters over MQTT, heard by the product.

Drivers, kernel, executor and store are the product's, in simulated time (``tests/faults``); the counters are those of
``firmware_sim``. ``Day.done`` is the truth: one number for each point and hour, written down when somebody uses it.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1] / one) for one in ("bench", "faults/garage", "faults/gym")]

from _gym_box import GymBox
from _gym_site import Layout, point_place, write_site

from edge.domain.gym.messages import DayOpened
from edge.domain.gym.trail_rows import CountDayRow
from edge.runtime.clock import ManualClock
from edge.runtime.inbox import EntryKind
from edge.site import load_site
from edge.storage.reading import StoreReader
from firmware_sim.trail_gates import TrailPost

S = 1_000_000_000
HOUR_S = 3600
DAY = "2026-11-22"
#: Midnight of ``DAY`` in Shanghai.
MIDNIGHT_NS = 1_795_276_800 * S
#: Two uses of one point are so far apart.
APART_NS = 2 * S
#: What happens so long after people have come: the box is killed, is back; batteries are changed; sensors die; posts
#: are cut off from the broker, and back.
KILLED_S, BACK_S, BATTERY_S, DEAD_S, CUT_S, JOINED_S = 1200, 2400, 3600, 4800, 6000, 10_800


class Day:
    """People come from ``from_s`` (of the day) to midnight. ``fate`` of a point: what goes wrong with it.
    ``done[point][hour]``: uses that its counter could tell. ``untold``: uses while the box was dead, which the
    counter's next word tells unless its battery is changed before."""

    def __init__(self, folder: Path, layout: Layout, seed: int, *, from_s: int) -> None:
        self.rng, self.from_s = random.Random(seed), from_s
        write_site(folder / "site", layout)
        self.site = load_site(folder / "site", date.fromisoformat(DAY))
        assert self.site.gym is not None
        self.clock = ManualClock(mono_ns=1_000 * S, wall_ns=MIDNIGHT_NS + (from_s - 600) * S)
        self.box = GymBox(
            folder / "gym", self.site.gym, self.site.devices["gym"], self.clock, lambda _device, _data: None
        )
        self.posts: dict[str, TrailPost] = {}
        for number, (zone, point) in enumerate(layout.all_points()):
            post = TrailPost(point_place(zone, point), seed=seed + number, unix_ms=self.clock.now_wall_ns // 1_000_000)
            post.begin(self.clock.now_mono_ns)
            post.connected(self.clock.now_mono_ns)
            post.uses = self.rng.randint(0, 4000)
            self.posts[point] = post
        self.done: dict[str, Counter[int]] = {point: Counter() for point in self.posts}
        self.untold: Counter[str] = Counter()
        names = self.rng.sample(list(self.posts), len(self.posts))
        kinds = ["dies"] * 3 + ["cut_off"] * 12 + ["new_battery"] * 20 + ["repeats"] * 30 + ["disorder"] * 30
        self.fate = dict(zip(names, kinds, strict=False))
        self.box.start()
        for post in self.posts.values():
            post.use()  # what it counted before its first word is nobody's use of today
        self._deliver()

    # --- time ---------------------------------------------------------------------------------------------------------

    @property
    def second(self) -> int:
        """Of the day."""
        return (self.clock.now_wall_ns - MIDNIGHT_NS) // S

    def until(self, second: int) -> None:
        """Let time pass; the box wakes when it wants to."""
        while (left_ns := second * S - (self.clock.now_wall_ns - MIDNIGHT_NS)) > 0:
            due_ns = self.box.due_ns()
            wait_ns = left_ns if due_ns is None else max(1_000_000, due_ns - self.clock.now_mono_ns)
            self.clock.advance(min(left_ns, wait_ns))
            if due_ns is not None and due_ns <= self.clock.now_mono_ns:
                self.box.wake()

    def next_day(self, day: str) -> None:
        """The box's clock tells it that a day has begun."""
        self.box.give(DayOpened(day), EntryKind.SHELL)

    # --- people and trouble -------------------------------------------------------------------------------------------

    def play(self, *, burst_s: int, share: float) -> None:
        """Until midnight: every ``burst_s`` a ``share`` of all points is used, more of them in the evening."""
        for second in range(self.from_s, 24 * HOUR_S, burst_s):
            self.until(second)
            if second == self.from_s + KILLED_S:
                self.box.kill()
            if second == self.from_s + BACK_S:
                self.box.start()
            self._trouble(second - self.from_s)
            self._burst(share if second < 18 * HOUR_S else 2 * share)
        self.until(24 * HOUR_S)

    def others_live_on(self, *days: str) -> None:
        """On each of these days every point that is not dead is used once, and one more day begins after them."""
        for day in days:
            self.next_day(day)
            self._burst(1.0)

    def _burst(self, share: float) -> None:
        """In these minutes ``share`` of the points are used, some of them by several people."""
        for point, post in self.posts.items():
            if self.rng.random() < share:
                self._use(point, post)
        self._deliver()

    def _use(self, point: str, post: TrailPost) -> None:
        for number in range(self.rng.randint(1, 3)):
            post.now_ns = self.clock.now_mono_ns + number * APART_NS
            post.use()
            if post.way.dark:
                continue
            if self.box.alive:
                self.done[point][self.second // HOUR_S] += 1 + self.untold.pop(point, 0)
            else:
                self.untold[point] += 1

    def _trouble(self, second: int) -> None:
        """What goes wrong so long after people have come."""
        for point, fate in self.fate.items():
            post = self.posts[point]
            if fate == "dies" and second >= DEAD_S:
                post.way.dark = True
            elif fate == "cut_off":
                self._cut(post, cut=CUT_S <= second < JOINED_S)
            elif fate == "new_battery" and second == BATTERY_S:
                post.uses = 0
                self.untold.pop(point, None)
            elif fate == "repeats":
                post.way.duplicate_p = 0.5

    def _cut(self, post: TrailPost, *, cut: bool) -> None:
        if cut and post.is_connected:
            post.disconnected(self.clock.now_mono_ns)
        elif not cut and not post.is_connected:
            post.connected(self.clock.now_mono_ns)

    def _deliver(self) -> None:
        """What the posts said reaches the box, of some of them the last word first."""
        for point, post in self.posts.items():
            said = post.take(self.clock.now_mono_ns + 10 * APART_NS)
            for one in reversed(said) if self.fate.get(point) == "disorder" else said:
                self.box.deliver(one.topic, one.payload)

    # --- looking ------------------------------------------------------------------------------------------------------

    def rows(self, kind: type[Any], where: dict[str, Any], by: tuple[str, ...]) -> Iterable[Any]:
        """What the store holds."""
        reader, cursor = StoreReader(self.box.folder, vertical="gym", limit_s=30), None
        try:
            while True:
                page = reader.page(kind, where, by=by, cursor=cursor, limit=500)
                yield from page.rows
                cursor = page.cursor
                if cursor is None:
                    return
        finally:
            reader.close()

    def counted(self, day: str) -> dict[str, CountDayRow]:
        """By point."""
        return {row.asset: row for row in self.rows(CountDayRow, {"day": day}, ("asset", "day"))}


def hours_of(row: CountDayRow) -> Counter[int]:
    """The uses of each hour in which there were any."""
    return Counter({hour: uses for hour, uses in enumerate(msgspec.msgpack.decode(row.hours)) if uses})


def main() -> int:
    """A whole day, from six in the morning."""
    with tempfile.TemporaryDirectory(prefix="kangle-outdoor-") as folder:
        day = Day(Path(folder), Layout(), 5, from_s=6 * HOUR_S)
        day.play(burst_s=600, share=0.15)
        day.next_day("2026-11-23")
        rows, uses = day.counted(DAY), sum(sum(hours.values()) for hours in day.done.values())
        wrong = [name for name, hours in day.done.items() if hours_of(rows[name]) != hours]
        print(json.dumps({"points": len(day.done), "uses": uses, "wrong": wrong, "cpu_s": time.process_time()}))
        day.box.stop()
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
