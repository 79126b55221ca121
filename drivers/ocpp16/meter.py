"""The measured values of a MeterValues (or the transaction data of a StopTransaction) as plain numbers.

The hard part is that a sample may be told in total, per phase, at the inlet and at the outlet, and several times in
one message. A user would notice a mistake as a charger whose power is three times too low.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """None: not told, or not a number."""

    power_w: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    temperature_c: float | None = None
    energy_wh: float | None = None
    frequency_hz: float | None = None


_MEASURANDS = {
    "Power.Active.Import": "power_w",
    "Current.Import": "current_a",
    "Voltage": "voltage_v",
    "Temperature": "temperature_c",
    "Energy.Active.Import.Register": "energy_wh",
    "Frequency": "frequency_hz",
}
_DEFAULT_MEASURAND = "Energy.Active.Import.Register"
_KELVIN_ZERO_C = -273.15


def measured(meter_values: Any) -> Measured:
    """The numbers of a list of meter values. Of several times the last counts; a total goes before phases; of phases,
    power and energy are added, of current and voltage the highest counts (a cut is proven on every phase)."""
    totals: dict[str, float] = {}
    phases: dict[str, dict[str, float]] = {}
    for entry in meter_values if isinstance(meter_values, list) else []:
        samples = entry.get("sampledValue") if isinstance(entry, dict) else None
        for sample in samples if isinstance(samples, list) else []:
            if not isinstance(sample, dict) or (sample.get("location") == "Inlet" and len(samples or []) > 1):
                continue
            name = _MEASURANDS.get(str(sample.get("measurand", _DEFAULT_MEASURAND)))
            value = _number(sample)
            if name is None or value is None:
                continue
            phase = sample.get("phase")
            if isinstance(phase, str):
                phases.setdefault(name, {})[phase] = value
            else:
                totals[name] = value
    for name, told in phases.items():
        added = name in {"power_w", "energy_wh"}
        totals.setdefault(name, sum(told.values()) if added else max(told.values()))
    return Measured(**{name: value for name, value in totals.items() if math.isfinite(value)})


def _number(sample: dict[str, Any]) -> float | None:
    """The value in the unit that its field names."""
    try:
        value = float(sample.get("value", ""))
    except (TypeError, ValueError):
        return None
    if not math.isfinite(value):
        return None
    match sample.get("unit"):
        case "kW" | "kWh" | "kVA":
            return value * 1000
        case "K":
            return value + _KELVIN_ZERO_C
        case "Fahrenheit":
            return (value - 32) / 1.8
        case _:
            return value
