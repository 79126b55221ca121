"""Signs of trouble at the wall: a charge that does not end, a bad contact, a second load, a meter that is stuck.

A meter at the wall sees no cell; it sees that the power rises when it should fall, or does not fall when it should. The
rules act when that is proven and not before (``garage-domain.md`` 3): a healthy old battery would else be cut each
night. A user would notice a mistake as a port that trips for nothing, or as a swollen battery in the morning.
"""

from __future__ import annotations

import msgspec

from edge.domain.field_devices import MeterReading
from edge.domain.garage.charging_trend import GAP, Trend, drift, level, median

MINUTE_NS = 60_000_000_000
SECOND_NS = 1_000_000_000

#: Rise over the lowest point of the last 75 min, after a fall of a tenth from the peak, that is a runaway-like course.
RISE_PCT = 10
RISE_LEAST_DW = 100
FALL_PCT = 92
STILL_ON_PCT = 20
WINDOW = 60
RISE_WINDOW = 75
#: A rise made of one jump is a load, a fan or the mains, not heat.
JUMP_PCT = 50
#: Repeated drops: more than 6 in 10 min (garage-domain.md 3).
DROPS = 6
DROPS_NS = 600 * SECOND_NS
DROP_FROM_W = 20.0
#: A second load: over 30 % above the highest plateau, after 10 calm minutes at it or at a reduced stage below it; and
#: no slow start of a cold battery (< 85 W).
STEP_PCT = 130
CALM_PCT = 15
STEADY_MIN = 10
PLATEAU_DW = 850
#: A live meter moves. With voltage or an energy counter beside the power a stuck one is proven in 10 min, without only
#: when even a flat plateau would have moved.
STUCK_NS = 600 * SECOND_NS
STUCK_SAMPLES = 10
STUCK_BLIND_NS = 7200 * SECOND_NS
STUCK_BLIND_SAMPLES = 24
STUCK_W = 20.0
#: A counter that has not moved for so much energy: four of its steps, or so many Wh before it ever moved.
COUNTER_STEPS = 4
COUNTER_UNKNOWN_WH = 120.0


class Trouble(msgspec.Struct, kw_only=True):
    """What the rules remember: ages of the last drops, the highest plateau and for how many minutes the power has been
    calm since it was first reached (``last_dw``: the minute before), the run of equal values."""

    drops_ns: list[int] = msgspec.field(default_factory=list)
    plateau_dw: int = 0
    plateau_min: int = 0
    above_min: int = 0
    last_dw: int = 0
    same: tuple[float | None, float | None, float | None] = (None, None, None)
    same_since_ns: int = 0
    same_samples: int = 0
    counter_wh: float = -1.0
    counter_step_wh: float = 0.0
    uncounted_wh: float = 0.0


def note_drop(state: Trouble, age_ns: int) -> bool:
    """A load fell away from one sample to the next. True when it is one too often."""
    kept = [age for age in state.drops_ns if age_ns - age <= DROPS_NS]
    state.drops_ns = [*kept, age_ns][-(DROPS + 1) :]
    return len(state.drops_ns) > DROPS


def note_sample(state: Trouble, reading: MeterReading, age_ns: int, step_wh: float) -> bool:
    """Watch for a stuck meter; ``step_wh`` is the energy since the last sample. True when it is proven."""
    power = reading.power_w
    counter = reading.energy_wh
    if counter is not None:
        if counter != state.counter_wh:
            moved = counter - state.counter_wh
            if state.counter_wh >= 0 and moved > 0:
                state.counter_step_wh = moved if state.counter_step_wh == 0 else min(moved, state.counter_step_wh)
            state.counter_wh, state.uncounted_wh = counter, 0.0
        else:
            state.uncounted_wh += step_wh
    seen = (power, reading.current_a, reading.voltage_v)
    if seen != state.same or power is None or power < STUCK_W:
        state.same, state.same_since_ns, state.same_samples = seen, age_ns, 1
        return False
    state.same_samples += 1
    return is_stuck(state, age_ns, counted=counter is not None)


def is_stuck(state: Trouble, age_ns: int, *, counted: bool) -> bool:
    """Whether the run of equal values is long enough to prove that the meter does not measure."""
    span = age_ns - state.same_since_ns
    if span < STUCK_NS or state.same_samples < STUCK_SAMPLES:
        return False
    if state.same[2] is not None:
        return True
    if counted:
        step = state.counter_step_wh
        return state.uncounted_wh > (max(COUNTER_STEPS * step, 4.0) if step else COUNTER_UNKNOWN_WH)
    return span >= STUCK_BLIND_NS and state.same_samples >= STUCK_BLIND_SAMPLES


def note_plateau(state: Trouble, minute_dw: int, *, after_gap: bool) -> bool:
    """Follow the plateau by completed minutes. True when a second load has joined: two minutes 30 % above it. A charger
    that goes to a reduced stage stays below its plateau from then on, so calm minutes there count as well."""
    if minute_dw == GAP:
        return False
    last, state.last_dw = state.last_dw, minute_dw
    if after_gap:
        state.plateau_dw, state.plateau_min, state.above_min = minute_dw, 0, 0
        return False
    plateau = state.plateau_dw
    if minute_dw * 100 <= STEP_PCT * plateau:
        state.above_min = 0
        calm = last >= PLATEAU_DW and abs(minute_dw - last) * 100 <= CALM_PCT * last
        if calm or minute_dw * 100 >= 85 * plateau:
            state.plateau_min += 1
        state.plateau_dw = max(plateau, minute_dw)
        return False
    if plateau >= PLATEAU_DW and state.plateau_min >= STEADY_MIN:
        state.above_min += 1
        return state.above_min >= 2
    state.plateau_dw, state.plateau_min = minute_dw, 0
    return False


def is_rising(trend: Trend, top_dw: int, top_min: int) -> bool:
    """Power that rises where it should fall: after a fall of a tenth from ``top_dw`` it has come up again by 10 % over
    its lowest point of the last 75 min, gradually, and is above 20 % of the peak. Only the last ``top_min`` minutes
    count: what something that ended has left is a course of its own, a second battery's constant current."""
    minutes, peak = trend.minutes[-top_min - 1 :], trend.peak_dw
    now = level(minutes)
    if now * 100 <= STILL_ON_PCT * peak or len(minutes) < 20:
        return False
    span = _unbroken(minutes[-RISE_WINDOW:])
    if len(span) < 15:
        return False
    at = min(range(len(span) - 5), key=span.__getitem__)
    lowest = median(span[max(0, at - 1) : at + 2])
    rise = median(span[-3:]) - lowest
    came_from = top_dw if top_dw > max(span[at:]) else max(minutes[: len(minutes) - len(span) + at + 1])
    if lowest * 100 > FALL_PCT * came_from or lowest * 100 < STILL_ON_PCT * peak:
        return False
    if rise * 100 < max(RISE_PCT * lowest, RISE_LEAST_DW * 100):
        return False
    jump = max(span[k] - span[k - 1] for k in range(at + 1, len(span)))
    return jump * 100 < JUMP_PCT * rise


def _unbroken(span: list[int]) -> list[int]:
    """The minutes after the last gap in ``span`` and its five minutes of restart."""
    for k in range(len(span) - 1, -1, -1):
        if span[k] == GAP:
            return span[k + 6 :]
    return span


def still_falls(trend: Trend) -> bool:
    """Whether a charge past its expected time still goes on as a healthy one does then: it falls, by at least 4 % over
    two thirds of the last hour. (A constant current of 0.12 C is over after 7.7 h even from empty.)"""
    ends = drift(trend.minutes, WINDOW)
    return ends is not None and ends[1] * 100 <= 96 * ends[0]
