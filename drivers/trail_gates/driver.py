"""Driver of trail gates and usage counters over MQTT.

The hard part is in ``passages``: many sightings are one passage. A retained sighting is none at all: somebody passed
some day. A user would notice a mistake as a lap that begins whenever the broker is restarted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drivers.driver import Output
from drivers.engine import NS_PER_MS
from drivers.messages import Message, Problem
from drivers.options import OptionReader, OptionValue
from drivers.presence import PresenceDriver
from drivers.repeats import Lately
from drivers.trail_gates.frames import COUNT, PASSAGE, Sighting, UseCount, parse
from drivers.trail_gates.passages import Passages
from drivers.wallclock import WallClock
from edge.domain.devices import DeviceCommand
from edge.domain.field_devices import Operate, PointHealth, SetClock
from edge.domain.machine_readings import CountReading, GateReading

_REMEMBERED_MAX = 32


class TrailGatesDriver(PresenceDriver):
    """Options as PROTOCOL.md section 3 lists them."""

    protocol = "trail_gates"
    quiet_hint = "no message of any gate or counter; is the site's name right?"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        super().__init__()
        reader = OptionReader(self.protocol, options)
        site = reader.topic("site", "", empty=True)
        settle_ms = reader.integer("settle_ms", 1_500, 0, 30_000)
        dwell_s = reader.integer("dwell_s", 10, 1, 600)
        reader.finish()
        self.topics = (f"{site or '+'}/+/+/{PASSAGE}", f"{site or '+'}/+/+/{COUNT}", self.presence_topic(site))
        self.clock = WallClock()
        self.duplicates = 0
        self._passages = Passages(settle_ms * NS_PER_MS, dwell_s * 1000 * NS_PER_MS)
        self._seen: Lately[Sighting | UseCount] = Lately(_REMEMBERED_MAX)

    def on_opened(self) -> None:
        super().on_opened()
        self._seen.opened()
        self._passages.clear()

    def on_message(self, message: Message) -> None:
        if self.took_status(message):
            return
        told = parse(message)
        if isinstance(told, Problem):
            self.refused += 1
            return
        self.heard()
        if self._is_repeated(told):
            self.duplicates += 1
        elif isinstance(told, UseCount):
            self.say(CountReading(use_count=told.use_count, battery_pct=told.battery_pct, **self._marks(told)))
        elif not told.retained:
            self._tell(self._passages.take(told, self.now_ns))

    def _is_repeated(self, told: Sighting | UseCount) -> bool:
        seen = self._seen.of(told.point)
        if self._seen.is_first(told.point):
            self.say(PointHealth(point=told.point, online=True, retained=told.retained))
        repeated = told.source_seq is not None and told in seen
        seen.append(told)
        return repeated

    def _tell(self, passages: list[Sighting]) -> None:
        for passed in passages:
            self.say(GateReading(tag=passed.tag, rssi_dbm=passed.rssi_dbm, **self._marks(passed)))

    def _marks(self, told: Sighting | UseCount) -> dict[str, Any]:
        now_wall_ns = self.clock.wall_ns(self.now_ns)
        at_ns = told.source_wall_ns
        late = None if at_ns is None or now_wall_ns is None else max(0, (now_wall_ns - at_ns) // NS_PER_MS)
        return {
            "point": told.point,
            "retained": told.retained,
            "source_wall_ns": at_ns,
            "delay_ms": late,
            "source_seq": told.source_seq,
        }

    def tick(self, now_ns: int) -> Output:
        self.now_ns = now_ns
        self._tell(self._passages.due(now_ns))
        return super().tick(now_ns)

    def deadline(self) -> int | None:
        at = [super().deadline(), self._passages.deadline()]
        return min((each for each in at if each is not None), default=None) if at[0] is not None else None

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        if isinstance(command, SetClock):
            self.now_ns = now_ns
            self.clock.set(command.wall_ns, now_ns)
            return self._take()
        return super().command(command, now_ns)

    def on_operate(self, command: Operate) -> bool:
        return False

    def on_poll(self, point: str) -> bool:
        return False
