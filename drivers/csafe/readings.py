"""From CSAFE answers to readings: the workout, and what the machine says of its wear.

The hard part is to doubt: an odometer is checked against the hours before either byte order is believed, and a value
that no machine can have is named as doubtful instead of told. A user would notice a mistake as a belt that is due for
replacement on its first day. PROTOCOL.md section 5.
"""

from __future__ import annotations

from typing import Any

from drivers.counters import Counter
from drivers.csafe.frames import Frame
from drivers.csafe.values import METRES, Values, odometer_km, scaled, values_of
from edge.domain.devices import Reading
from edge.domain.machine_readings import MachineHealthReading, MachineKind, MachineReading, MachineState

USAGE_MAX_H = 200_000
"""22 years day and night."""
CURRENT_MAX_A = 100.0
AVERAGE_SPEED_MAX_KM_H = 40.0
"""No machine averages more over its life; a bike in a race does 40."""
_DISTANCE, _ENERGY = 0xA1, 0xA3
_U16 = 1 << 16
STATES = {
    0: MachineState.FAULT,
    1: MachineState.IDLE,
    2: MachineState.IDLE,
    3: MachineState.READY,
    5: MachineState.IN_USE,
    6: MachineState.PAUSED,
    7: MachineState.FINISHED,
    8: MachineState.MANUAL,
    9: MachineState.OFFLINE,
}
_WORKOUT = (
    *("elapsed_s", "distance_m", "energy_kcal", "speed_km_h", "cadence_rpm", "step_rate_spm", "stroke_rate_spm"),
    *("power_w", "heart_rate_bpm", "incline_pct", "elevation_gain_m"),
)


class Interpreter:
    """Keeps of one machine what later answers are judged by."""

    def __init__(self, point: str, kind: MachineKind, *, keep_raw: bool = False) -> None:
        self._point = point
        self._kind = kind
        self._keep_raw = keep_raw
        self._counters: dict[tuple[int, int | None], Counter] = {}
        self._usage_h: float | None = None

    def readings_of(self, frame: Frame) -> list[Reading]:
        """What a good answer says; also a bare status says the state."""
        if frame.status is None:
            return []
        workout: dict[str, Any] = {}
        wear: dict[str, Any] = {}
        doubtful: list[str] = []
        for item in frame.items:
            if item.data is None:
                continue
            values = values_of(item.command, item.data)
            workout |= self._workout(item.command, values)
            wear |= self._wear(item.command, item.data, values, doubtful)
        state = STATES.get(frame.status & 0x0F)
        raw_hex = frame.raw.hex()
        told = MachineReading(
            point=self._point, kind=self._kind, state=state, raw_hex=raw_hex if self._keep_raw else "", **workout
        )
        readings: list[Reading] = [told]
        if wear or doubtful:
            wears = MachineHealthReading(point=self._point, doubtful=tuple(doubtful), raw_hex=raw_hex, **wear)
            readings.append(wears)
        return readings

    def _workout(self, command: int, values: Values) -> Values:
        told = {name: values[name] for name in _WORKOUT if values.get(name) is not None}
        unit = values.get("unit")
        if command == _DISTANCE and "distance_m" in told:
            modulus = scaled(_U16, unit, METRES)
            assert modulus is not None
            told["distance_m"] = self._counter(command, unit, modulus).take(told["distance_m"])
        elif command == _ENERGY and "energy_kcal" in told:
            told["energy_kcal"] = self._counter(command, None, _U16).take(told["energy_kcal"])
        return told

    def _counter(self, command: int, unit: int | None, modulus: float) -> Counter:
        return self._counters.setdefault((command, unit), Counter(modulus))

    def _wear(self, command: int, data: bytes, values: Values, doubtful: list[str]) -> Values:
        match command:
            case 0x99 if (hours := values.get("usage_hours")) is not None:
                if hours > USAGE_MAX_H:
                    doubtful.append("usage_hours_h")
                    return {}
                self._usage_h = hours
                return {"usage_hours_h": hours}
            case 0x9A if (current := values.get("current_a")) is not None:
                if current > CURRENT_MAX_A:
                    doubtful.append("motor_current_a")
                    return {}
                return {"motor_current_a": current}
            case 0x9B:
                return self._odometer(data, doubtful)
            case 0x9C | 0x9D:
                return {name: code for name, code in values.items() if code is not None}
            case _:
                return {}

    def _odometer(self, data: bytes, doubtful: list[str]) -> Values:
        """The byte order that the hours allow; without hours the one that is possible at all."""
        if self._usage_h is None:
            km, _ = odometer_km(data)
            return {} if km is None else {"odometer_km": km}
        swapped = data[3::-1] + data[4:]
        for order in (data, swapped):
            metres = scaled(int.from_bytes(order[:4], "little"), order[4], METRES) if len(data) > 4 else None
            if metres is None:
                return {}
            if metres / 1000 <= (self._usage_h + 1) * AVERAGE_SPEED_MAX_KM_H:
                return {"odometer_km": metres / 1000}
        doubtful.append("odometer_km")
        return {}
