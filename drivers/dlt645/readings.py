"""What the values of a meter's answer mean for the box: one ``MeterReading`` per answer.

The hard part is folding phases into one point: the currents of three phases do not add up to one number that means
anything, but the largest of them proves whether current flows. A user would notice a mistake as a three-phase charger
that counts as cut because its first phase is dead.
"""

from __future__ import annotations

from drivers.dlt645.frames import Frame
from edge.domain.field_devices import MeterReading

QUANTITIES = {
    "power": "02030000",
    "current": "02020100",
    "voltage": "02010100",
    "energy": "00010000",
    "temperature": "02800007",
    "powers": "0203ff00",
    "currents": "0202ff00",
    "voltages": "0201ff00",
    "energies": "0001ff00",
}
"""Option words and the identifiers that they ask for; the plural ones are blocks of all phases or tariffs."""

SIGN_FROM = 800.0
"""Currents and temperatures end at 799.9 in the standard; from here on the top bit is a sign."""


def to_reading(point: str, frame: Frame) -> MeterReading | None:
    """The answer as a reading, or None when it tells nothing (all absent, or unknown)."""
    values = frame.content.values
    power_w = _first(values.get("power_w"))
    current_a = _largest(values.get("current_a"))
    voltage_v = _first(values.get("voltage_v"))
    energy_wh = _first(values.get("energy_wh"))
    temperature_c = _signed(_first(values.get("temperature_c")))
    if all(each is None for each in (power_w, current_a, voltage_v, energy_wh, temperature_c)):
        return None
    return MeterReading(
        point=point,
        power_w=power_w,
        current_a=current_a,
        voltage_v=voltage_v,
        energy_wh=energy_wh,
        temperature_c=temperature_c,
    )


def _numbers(value: object) -> list[float | None]:
    several = value if isinstance(value, list) else [value]
    return [float(each) if isinstance(each, int | float) else None for each in several]


def _first(value: object) -> float | None:
    """The total of a block of powers or energies; the first phase that is there of voltages."""
    return next((each for each in _numbers(value) if each is not None), None)


def _largest(value: object) -> float | None:
    """The current of the phase that carries most, with its sign."""
    signed = (_signed(each) for each in _numbers(value))
    return max((each for each in signed if each is not None), key=abs, default=None)


def _signed(number: float | None) -> float | None:
    # Rounded to what the meter tells: the subtraction would leave a tail of binary digits.
    return number if number is None or number < SIGN_FROM else -round(number - SIGN_FROM, 3)
