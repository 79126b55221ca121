"""The hard caps: limits that no model of a battery can lift. One look at each reading and at the clock.

They come before everything else in ``charging.observe`` and read nothing that the models write. A user would notice a
mistake here as a hot port that stays on because something believed it to be charging normally.
"""

from __future__ import annotations

import math

from edge.domain.field_devices import MeterReading
from edge.domain.garage.settings import FullSettings, PortSettings

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
#: 1.3 x the largest pack expected (garage-domain.md 3), in per cent; at the wall a charger takes 1 / 0.85 of it.
ENERGY_PCT = 130
EFFICIENCY_PCT = 85
#: How far below its limit a warning ends: the ripple of a charger, and of a thermistor.
WARN_POWER_BAND_PCT = 5
WARN_TEMPERATURE_BAND_K = 3

#: Reasons that leave the port unarmed until a person has looked; all others end the session only.
TRIPS = frozenset(
    {
        *("overpower", "overcurrent", "hot", "residual", "meter_silent", "meter_stuck"),
        *("no_taper", "energy_limit", "repeated_drops", "second_load"),
    }
)


def cap_of_reading(port: PortSettings, reading: MeterReading) -> str:
    """The cap that this reading breaks, "" for none. A value that is not in the message breaks nothing."""
    if reading.power_w is not None and reading.power_w > port.cut_w:
        return "overpower"
    if reading.current_a is not None and reading.current_a * 1000 > port.cut_ma:
        return "overcurrent"
    if reading.temperature_c is not None and reading.temperature_c >= port.cut_c:
        return "hot"
    if reading.residual_ma is not None and reading.residual_ma >= port.residual_ma:
        return "residual"
    return ""


def warnings_of(port: PortSettings, reading: MeterReading, standing: tuple[str, ...]) -> tuple[str, ...]:
    """What a person should be told of, though nothing is cut yet. What stands (``standing``) ends only clearly below
    its limit (a deadband, ISA-18.2): a charger that draws what the limit is would else come and go with every reading.
    A value that is not in the message ends nothing."""
    power_end_w = port.warn_w * (100 - WARN_POWER_BAND_PCT) / 100
    found: tuple[str, ...] = ()
    if _is_above(reading.power_w, port.warn_w, power_end_w, standing="high_power" in standing):
        found += ("high_power",)
    hot_c = math.nextafter(port.warn_c, -math.inf)  # at the limit it is warm
    if _is_above(reading.temperature_c, hot_c, hot_c - WARN_TEMPERATURE_BAND_K, standing="warm" in standing):
        found += ("warm",)
    return found


def _is_above(value: float | None, begin: float, end: float, *, standing: bool) -> bool:
    return standing if value is None else value > (end if standing else begin)


def cap_of_time(port: PortSettings, age_ns: int, silent_ns: int, limit_min: int) -> str:
    """The cap that time alone breaks: the hard session length, a silent meter, the person's own limit."""
    if age_ns >= port.session_hard_min * MINUTE_NS:
        return "hard_cap"
    if silent_ns > port.meter_silent_s * SECOND_NS:
        return "meter_silent"
    if limit_min and age_ns >= limit_min * MINUTE_NS:
        return "time_limit"
    return ""


def energy_limit_wh(full: FullSettings) -> float:
    """Wall energy past which no expected battery can still be charging: 1.3 x largest / 0.85."""
    return full.largest_pack_wh * ENERGY_PCT / EFFICIENCY_PCT
