"""From FTMS values to readings: one session for each characteristic of each machine.

The hard part is a record in several notifications of which one may be lost: what was held is told when the record ends
or begins anew, never mixed with the next one. A user would notice a mistake as a speed that belongs to the second
before its distance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.buffer import Refusal
from drivers.counters import Counters
from drivers.ftms import control
from drivers.ftms.control import Event, Message, Range, Response, TrainingStatus
from drivers.ftms.frames import LIFE_FITNESS, PARTS_MAX, Record, merge, parse
from drivers.ftms.layout import LAYOUTS
from drivers.rawvalue import RawValue
from edge.domain.devices import Reading
from edge.domain.machine_readings import MachineEvent, MachineKind, MachineReading, MachineState

KINDS = {
    "2acd": MachineKind.TREADMILL,
    "2ace": MachineKind.CROSS_TRAINER,
    "2acf": MachineKind.STEP_CLIMBER,
    "2ad0": MachineKind.STAIR_CLIMBER,
    "2ad1": MachineKind.ROWER,
    "2ad2": MachineKind.BIKE,
}
_COUNTERS: dict[str, float] = {
    "elapsed_s": 1 << 16,
    "distance_m": 1 << 24,
    "stroke_count": 1 << 16,
    "floor_count": 1 << 16,
    "energy_kcal": 0xFFFF,
}
#: Counters whose width depends on the characteristic.
_WIDTHS: dict[tuple[str, str], float] = {
    ("2ace", "stride_count"): (1 << 16) / 10,
    ("2ad0", "stride_count"): 1 << 16,
    ("2acd", "step_count"): 1 << 24,
    ("2acf", "step_count"): 1 << 16,
}
_SAME = (
    *("elapsed_s", "remaining_s", "distance_m", "speed_km_h", "pace_s_per_500m", "cadence_rpm", "stroke_rate_spm"),
    *("step_rate_spm", "stroke_count", "stride_count", "step_count", "floor_count", "elevation_gain_m", "power_w"),
    *("energy_kcal", "met", "incline_pct"),
)
CUT_AT = 20
"""What fits into a notification at the smallest MTU (23). A record that is one byte longer would look like one with a
resistance of one byte, which no machine is known to send, and everything behind it would be shifted."""
_NO_HEART_RATE = 255
"""What cross trainers send for ever whose grips nobody holds."""
_TRAINING_STATES = {1: MachineState.IDLE, 14: MachineState.READY, 15: MachineState.FINISHED} | dict.fromkeys(
    range(2, 14), MachineState.IN_USE
)
_EVENT_NAMES = {each.value: each.name.lower() for each in Event}
_EVENT_STATES = {
    Event.RESET: MachineState.IDLE,
    Event.STOPPED_BY_SAFETY_KEY: MachineState.FINISHED,
    Event.STARTED_OR_RESUMED_BY_USER: MachineState.IN_USE,
}
_STOP_STATES = {control.STOP: MachineState.FINISHED, control.PAUSE: MachineState.PAUSED}
_TARGETS = frozenset(
    {
        "target_speed_km_h",
        "target_incline_pct",
        "target_resistance_level",
        "target_power_w",
        "target_heart_rate_bpm",
    }
)


class RecordSession:
    """Machine records of one characteristic."""

    def __init__(self, char: str, profile: str = "") -> None:
        self._char = char
        self._profile = profile
        widths = {name: width for (of, name), width in _WIDTHS.items() if of == char}
        self._counters = Counters(_COUNTERS | widths)
        self._held: list[Record] = []

    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal:
        part = parse(self._char, value.data, self._profile, CUT_AT)
        if isinstance(part, Refusal):
            return part
        return [self._reading(record, value) for record in self._ended(part)]

    def _ended(self, part: Record) -> list[Record]:
        """The records that ``part`` ends: its own, or the held ones that it does not continue."""
        if not part.more_data:
            held, self._held = self._held, []
            return [merge([*held, part])]
        ended: list[Record] = []
        if len(self._held) == PARTS_MAX or any(each.flags == part.flags for each in self._held):
            ended, self._held = [merge(self._held)], []
        self._held.append(part)
        return ended

    def _reading(self, record: Record, value: RawValue) -> MachineReading:
        told = self._counters.take(record.values)
        fields: dict[str, Any] = {name: told[name] for name in _SAME if told.get(name) is not None}
        resistance, rate = told.get("resistance_level_raw"), told.get("heart_rate_bpm")
        if resistance is not None:
            fields["resistance_level"] = resistance
        if rate is not None and rate != _NO_HEART_RATE:
            fields["heart_rate_bpm"] = int(rate)
        return MachineReading(kind=KINDS[self._char], **fields, **value.marks)


class StatusSession:
    """Machine status (2ada): events, and the state that follows from them."""

    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal:
        message = control.parse_event(value.data)
        if isinstance(message, Refusal):
            return message
        name = _EVENT_NAMES.get(message.code)
        if name is None:
            return []
        readings: list[Reading] = [self._event(name, message, value)]
        state = _EVENT_STATES.get(Event(message.code))
        if message.code == Event.STOPPED_OR_PAUSED_BY_USER:
            param = message.values["param"]
            state = _STOP_STATES.get(int(param)) if isinstance(param, float | int) else None
        if state is not None:
            key = {Event.STOPPED_BY_SAFETY_KEY: True, Event.STARTED_OR_RESUMED_BY_USER: False}.get(Event(message.code))
            readings.append(MachineReading(state=state, safety_key_pulled=key, **value.marks))
        return readings

    def _event(self, name: str, message: Message, value: RawValue) -> MachineEvent:
        targets: dict[str, Any] = {key: each for key, each in message.values.items() if key in _TARGETS}
        param = message.values.get("param_name")
        return MachineEvent(event=name, param=str(param or ""), **targets, **value.marks)


class TrainingSession:
    """Training status (2ad3)."""

    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal:
        told = control.parse_training_status(value.data)
        if isinstance(told, Refusal):
            return told
        state = _TRAINING_STATES.get(told.status)
        return [] if state is None else [MachineReading(state=state, **value.marks)]


class SilentSession:
    """Values that prove life and give no reading: ranges, answers of the control point."""

    def __init__(self, parse_value: Callable[[bytes], Range | Response | TrainingStatus | Refusal]) -> None:
        self._parse = parse_value

    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal:
        told = self._parse(value.data)
        return told if isinstance(told, Refusal) else []


def sessions(life_fitness: frozenset[str] = frozenset()) -> dict[str, Callable[[str], Any]]:
    """Channel -> maker of its session. ``life_fitness``: points whose bikes send cadence unannounced."""

    def records(char: str) -> Callable[[str], RecordSession]:
        return lambda point: RecordSession(char, LIFE_FITNESS if point in life_fitness else "")

    def ranges(char: str) -> Callable[[str], SilentSession]:
        return lambda _point: SilentSession(lambda data: control.parse_range(char, data))

    return {
        **{char: records(char) for char in LAYOUTS},
        **{char: ranges(char) for char in ("2ad4", "2ad5", "2ad6", "2ad7", "2ad8")},
        "2ad3": lambda _point: TrainingSession(),
        "2ad9": lambda _point: SilentSession(control.parse_response),
        "2ada": lambda _point: StatusSession(),
    }
