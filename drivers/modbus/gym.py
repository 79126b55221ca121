"""Training machines behind Modbus: repetitions by a counter that stands beside its values, and wear.

The hard part is that registers are a picture, not events: a repetition is known by its counter having gone on, and of
several that came between two polls only the last one's values are there. Nothing is made up for the others. A user
would notice a mistake as a torque that she never pushed. The profile is drivers/strength/PROTOCOL.md section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from edge.domain.devices import Reading
from edge.domain.machine_readings import (
    BodySide,
    MachineHealthReading,
    MachineKind,
    MachineReading,
    MachineState,
    RepReading,
    StrengthSetReading,
)

SET_NUMBER, REP_NUMBER = "set_number", "rep_number"
STRENGTH = frozenset(
    {
        *(SET_NUMBER, REP_NUMBER, "peak_torque_nm", "range_deg", "speed_deg_s", "work_j", "side", "programme"),
        *("minutes", "intensity_pct", "machine_state"),
    }
)
WEAR = frozenset(
    {
        *("usage_hours_h", "odometer_km", "motor_current_a", "motor_temperature_c"),
        *("error_code", "service_code", "start_count"),
    }
)
_WHOLE = frozenset({"error_code", "service_code", "start_count"})
_WHOLE_MAX = float(1 << 53)
"""A float register may hold numbers that no counter reaches and no log takes."""
_SIDES = {1: BodySide.LEFT, 2: BodySide.RIGHT, 3: BodySide.BOTH}
_STATES = {
    0: MachineState.IDLE,
    1: MachineState.READY,
    2: MachineState.IN_USE,
    3: MachineState.PAUSED,
    4: MachineState.FINISHED,
    5: MachineState.FAULT,
}
Values = Mapping[str, float]


def wear_of(point: str, values: Values) -> MachineHealthReading:
    """The wear that a block of registers tells; codes and counts are whole numbers."""
    told: dict[str, Any] = {
        name: int(value) if name in _WHOLE else value
        for name, value in values.items()
        if name not in _WHOLE or abs(value) < _WHOLE_MAX
    }
    return msgspec.structs.replace(MachineHealthReading(point=point), **told)


class RepTracker:
    """One strength machine. Give it every picture of its registers."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._values: dict[str, float] = {}
        self._set: int | None = None
        self._rep = 0
        self._state: MachineState | None = None
        self._told: StrengthSetReading | None = None

    def take(self, values: Values) -> list[Reading]:
        before = dict(self._values)
        values = {name: value for name, value in values.items() if abs(value) < _WHOLE_MAX}
        self._values |= values
        readings: list[Reading] = self._new_state()
        if SET_NUMBER not in self._values or REP_NUMBER not in values:
            return readings
        number, rep = int(self._values[SET_NUMBER]), int(self._values[REP_NUMBER])
        if self._set is not None and number != self._set:
            readings += self._end(before)
            self._rep = 0
        if number < 1:
            self._set = None
            return readings
        first, self._set = self._set is None, number
        if rep > self._rep and not first:
            readings.append(self._repetition(number, rep))
        self._rep = rep
        readings += self._tell(self._picture(self._values))
        return readings

    def _new_state(self) -> list[Reading]:
        state = _STATES.get(int(self._values.get("machine_state", -1)))
        if state is None or state == self._state:
            return []
        self._state = state
        return [MachineReading(point=self._point, kind=MachineKind.STRENGTH, state=state)]

    def _end(self, before: Values) -> list[Reading]:
        """The set that was under way is over; its last picture is the one before."""
        told = self._picture(before)
        return self._tell(msgspec.structs.replace(told, finished=True))

    def _tell(self, told: StrengthSetReading) -> list[Reading]:
        """A set is told when anything of it changed."""
        if told == self._told:
            return []
        self._told = told
        return [told]

    def _repetition(self, number: int, rep: int) -> RepReading:
        at = self._values
        return RepReading(
            point=self._point,
            set_number=number,
            rep=rep,
            peak_torque_nm=at.get("peak_torque_nm"),
            range_deg=at.get("range_deg"),
            speed_deg_s=at.get("speed_deg_s"),
            work_j=at.get("work_j"),
            side=_SIDES.get(int(at.get("side", 0))),
            programme=_programme(at),
        )

    def _picture(self, at: Values) -> StrengthSetReading:
        minutes = at.get("minutes")
        return StrengthSetReading(
            point=self._point,
            set_number=max(1, int(at.get(SET_NUMBER, 1))),
            rep_count=self._rep,
            side=_SIDES.get(int(at.get("side", 0))),
            programme=_programme(at),
            duration_s=None if minutes is None else minutes * 60,
            intensity_pct=at.get("intensity_pct"),
            state=self._state,
            finished=self._state is MachineState.FINISHED,
        )


def _programme(at: Values) -> str:
    return str(int(at["programme"])) if "programme" in at else ""
