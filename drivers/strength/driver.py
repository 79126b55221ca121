"""Driver of strength and micro-circulation machines that speak our generic profile over MQTT.

The hard part is what a broker and a reconnecting machine send twice: a repetition that comes again is the same one. A
user would notice a mistake as 24 repetitions where she did 12.
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
from drivers.strength.frames import SUFFIX, StrengthMessage, parse
from drivers.wallclock import WallClock
from edge.domain.devices import DeviceCommand
from edge.domain.field_devices import Operate, PointHealth, SetClock
from edge.domain.machine_readings import (
    BodySide,
    MachineKind,
    MachineReading,
    MachineState,
    RepReading,
    StopMachine,
    StopOutcome,
    StrengthSetReading,
)

_REMEMBERED_MAX = 64


class StrengthDriver(PresenceDriver):
    """Options: ``site`` (first level of the topics, "" any), ``circulation``: points that are micro-circulation
    machines."""

    protocol = "strength"
    quiet_hint = f"no message on <site>/<zone>/<asset>/{SUFFIX}"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        super().__init__()
        reader = OptionReader(self.protocol, options)
        site = reader.topic("site", "", empty=True)
        self._circulation = reader.names("circulation")
        reader.finish()
        self.topics = (f"{site or '+'}/+/+/{SUFFIX}", self.presence_topic(site))
        self.clock = WallClock()
        self.duplicates = 0
        self._seen: Lately[StrengthMessage] = Lately(_REMEMBERED_MAX)

    def on_opened(self) -> None:
        super().on_opened()
        self._seen.opened()

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
            return
        marks = self._marks(told)
        # What was done comes before how the machine now stands: a set belongs to the workout that its state ends.
        self.say(_set(told, marks) if told.rep is None else _repetition(told, told.rep, marks))
        if told.state is not None:
            kind = MachineKind.CIRCULATION if told.point in self._circulation else MachineKind.STRENGTH
            self.say(MachineReading(kind=kind, state=MachineState(told.state), **marks))

    def _marks(self, told: StrengthMessage) -> dict[str, Any]:
        return {
            "point": told.point,
            "retained": told.retained,
            "source_wall_ns": told.source_wall_ns,
            "delay_ms": self._delay_ms(told.source_wall_ns),
            "source_seq": told.source_seq,
        }

    def _is_repeated(self, told: StrengthMessage) -> bool:
        """Equal in all that it says, its time and count included. Without either, equal to the one just before."""
        seen = self._seen.of(told.point)
        if self._seen.is_first(told.point):
            self.say(PointHealth(point=told.point, online=True, retained=told.retained))
        marked = told.source_seq is not None or told.source_wall_ns is not None
        repeated = told in seen if marked else bool(seen) and seen[-1] == told and told.rep is not None
        seen.append(told)
        return repeated

    def _delay_ms(self, source_wall_ns: int | None) -> int | None:
        now_wall_ns = self.clock.wall_ns(self.now_ns)
        if source_wall_ns is None or now_wall_ns is None:
            return None
        return max(0, (now_wall_ns - source_wall_ns) // NS_PER_MS)

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        self.now_ns = now_ns
        match command:
            case SetClock(wall_ns=wall_ns):
                self.clock.set(wall_ns, now_ns)
                return self._take()
            case StopMachine(point=point, command_id=command_id):
                self.ignored_commands += 1
                self.say(StopOutcome(point=point, command_id=command_id, accepted=False, detail="not_supported"))
                return self._take()
            case _:
                return super().command(command, now_ns)

    def on_operate(self, command: Operate) -> bool:
        return False

    def on_poll(self, point: str) -> bool:
        return False


def _side(told: StrengthMessage) -> BodySide | None:
    return None if told.side is None else BodySide(told.side)


def _repetition(told: StrengthMessage, rep: int, marks: dict[str, Any]) -> RepReading:
    return RepReading(
        set_number=told.set_number,
        rep=rep,
        peak_torque_nm=told.peak_torque_nm,
        range_deg=told.range_deg,
        speed_deg_s=told.speed_deg_s,
        work_j=told.work_j,
        side=_side(told),
        programme=told.programme,
        **marks,
    )


def _set(told: StrengthMessage, marks: dict[str, Any]) -> StrengthSetReading:
    return StrengthSetReading(
        set_number=told.set_number,
        rep_count=told.rep_count,
        peak_torque_nm=told.peak_torque_nm,
        range_deg=told.range_deg,
        side=_side(told),
        programme=told.programme,
        duration_s=None if told.minutes is None else told.minutes * 60,
        intensity_pct=told.intensity_pct,
        state=None if told.state is None else MachineState(told.state),
        finished=told.finished,
        **marks,
    )
